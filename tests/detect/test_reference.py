from functools import cache

import numpy as np
import pytest
import torch

from mrd.core.errors import EvidenceError
from mrd.core.settings import Settings
from mrd.detect.chunks import Chunks
from mrd.detect.mixture import log_density
from mrd.detect.reference import check_controls, even_shares, learn_reference
from tests.detect.marrow import SETTINGS, controls, mixed, normal, tensor


@cache
def learned(bad=False):
    cells = controls()
    if bad:
        cells[2] = mixed(12_000, 0.08, 3)[0]
    return learn_reference(cells, SETTINGS, np.random.default_rng(1), where="panel")


def test_new_normal_marrow_is_as_likely_as_the_controls():
    told = learned()
    fresh = tensor(normal(8000, np.random.default_rng(50)))
    inside = np.mean([float(n.mean()) for n in told.normal])
    assert float(log_density(fresh, told.reference.mixture).mean()) == pytest.approx(inside, abs=0.5)


def test_rare_progenitors_get_a_component_of_their_own():
    means = learned().reference.mixture.means
    assert float((means - torch.tensor([3.2, 3.0, 4.0, 0.5])).abs().amax(dim=1).min()) < 0.3


def test_the_weights_are_those_of_the_marrow_not_of_the_balanced_draw():
    mixture = learned().reference.mixture
    assert float(mixture.weights[mixture.means[:, 2] > 3].sum()) == pytest.approx(0.02, abs=0.012)


def test_a_control_that_carries_leukaemia_is_left_out_and_named():
    assert learned().excluded == []
    told = learned(bad=True)
    assert told.excluded == [2]
    assert told.kept == [0, 1, 3, 4, 5]
    assert len(told.adapted) == len(told.normal) == 5


def test_without_it_the_reference_does_not_know_the_leukaemia():
    blasts = tensor(np.tile([3.0, 1.0, 4.4, 3.6], (10, 1)))
    clean, fouled = learned().reference.mixture, learned(bad=True).reference.mixture
    assert float(log_density(blasts, fouled).mean()) == pytest.approx(float(log_density(blasts, clean).mean()), abs=3.0)


def test_the_largest_weights_bound_those_of_every_control():
    told = learned()
    for adapted in told.adapted:
        assert bool((adapted.mixture.weights <= told.reference.largest + 1e-6).all())


def test_populations_are_drawn_as_evenly_as_can_be():
    shares = even_shares(np.array([100, 1000, 100_000]), 600)
    assert shares * [100, 1000, 100_000] == pytest.approx([100, 250, 250], abs=1)
    assert even_shares(np.array([10, 20]), 1000).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ([50_000] * 2, "2 usable controls, 3 are needed"),
        ([], "0 usable controls"),
        ([500] * 3, "1500 control cells are too few for 80 components"),
    ],
)
def test_too_little_to_learn_from_is_refused(sizes, told):
    with pytest.raises(EvidenceError, match=told):
        check_controls(sizes, Settings(), where="panel x")


def test_the_same_seed_gives_the_same_reference():
    cells = controls(count=3, n=4000)
    two = [learn_reference(cells, SETTINGS, np.random.default_rng(9), where="p").reference.mixture.means for _ in range(2)]
    assert torch.equal(two[0], two[1])


def test_threads_change_no_bit_of_a_reference():
    cells = controls(count=3, n=4000)
    one, three = (learn_reference(cells, SETTINGS, np.random.default_rng(9), where="p", by=Chunks(threads=t)) for t in (1, 3))
    assert torch.equal(one.reference.mixture.spreads, three.reference.mixture.spreads)
    assert all(torch.equal(a, b) for a, b in zip(one.normal, three.normal, strict=True))
