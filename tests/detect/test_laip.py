from functools import cache

import numpy as np
import pytest
import torch

from mrd.detect.laip import Places, adapt_with, learn_laip, score_laip, spiked_scores
from mrd.detect.mixture import log_density
from tests.detect.marrow import LEUKAEMIA, SETTINGS, leukaemic, mixed, tensor
from tests.detect.test_reference import learned


def anywhere(n):
    return Places(torch.ones(n, dtype=torch.bool), torch.ones(n, dtype=torch.bool))


@cache
def laip(burden=0.3, seed=20):
    cells, _ = mixed(16_000, burden, seed, shift=0.1)
    return learn_laip(cells, anywhere(len(cells)), learned().reference, SETTINGS, np.random.default_rng(1))


@pytest.mark.parametrize("burden", [0.1, 0.3, 0.85])
def test_the_leukaemia_is_found_with_its_share_and_its_place_less_the_tubes_shift(burden):
    found, witness = laip(burden).laip, laip(burden).witness
    assert found.share == pytest.approx(burden, rel=0.05)
    assert (found.mixture.weights @ found.mixture.means).numpy() == pytest.approx(LEUKAEMIA, abs=0.15)
    assert float(witness.leukaemic.mean()) == pytest.approx(burden, rel=0.05)


def test_normal_marrow_has_no_laip():
    cells, _ = mixed(16_000, 0.0, 21)
    assert learn_laip(cells, anywhere(len(cells)), learned().reference, SETTINGS, np.random.default_rng(1)) is None


def test_outside_the_gate_nothing_is_looked_for():
    cells, _ = mixed(16_000, 0.3, 22)
    nowhere = torch.zeros(len(cells), dtype=torch.bool)
    assert learn_laip(cells, Places(nowhere, nowhere), learned().reference, SETTINGS, np.random.default_rng(1)) is None


def test_a_leukaemia_that_only_may_lie_there_must_stand_out_twice_as_much():
    cells, _ = mixed(16_000, 0.3, 22)
    places = Places(torch.zeros(len(cells), dtype=torch.bool), torch.ones(len(cells), dtype=torch.bool))
    assert learn_laip(cells, places, learned().reference, SETTINGS, np.random.default_rng(1)) is not None
    stricter = SETTINGS.model_copy(update={"laip_excess": 20.0})
    assert learn_laip(cells, places, learned().reference, stricter, np.random.default_rng(1)) is None


def test_residual_cells_score_above_normal_ones_in_a_shifted_follow_up():
    found = laip().laip
    cells, truth = mixed(16_000, 0.005, 23, shift=-0.25)
    adapted = adapt_with(cells, learned().reference.mixture, found, SETTINGS, in_sample=False)
    scores = score_laip(cells, found, adapted.shift, log_density(cells, adapted.mixture)).numpy()
    assert (scores[truth] > 3).mean() > 0.9
    assert (scores[~truth] > 3).mean() < 1e-3


def test_the_recall_of_spiked_witnesses_is_that_of_fresh_leukaemic_cells():
    found, witness = laip().laip, laip().witness
    control = learned().adapted[0]
    spiked = spiked_scores(witness, found, control).numpy()
    weights = witness.leukaemic[: len(spiked)].numpy()
    fresh = tensor(leukaemic(4000, np.random.default_rng(24))) + control.shift
    theirs = score_laip(fresh, found, control.shift, log_density(fresh, control.mixture)).numpy()
    for cut in (2.0, 4.0, 6.0):
        assert (weights * (spiked > cut)).sum() / weights.sum() == pytest.approx((theirs > cut).mean(), abs=0.04)
