from dataclasses import replace

import numpy as np
import pytest
import torch

from mrd.detect.laip import Places
from mrd.detect.mixture import Mixture, log_density
from mrd.detect.rehearse import rehearse
from mrd.detect.spike import LADDER, MOVED, draw, known_kinds, least_cells, spike
from tests.detect.marrow import controls, leukaemic, tensor
from tests.detect.test_dfn import S
from tests.detect.test_reference import learned


def test_a_kind_is_a_normal_blast_with_one_antigen_moved():
    told = learned()
    sample = torch.cat(controls())
    likely = (sample[:, 2] > 3).float()
    kinds = known_kinds(told.reference.mixture, sample, likely, [1, 2, 3])
    for column, kind in zip((1, 2, 3), kinds, strict=True):
        apart = (told.reference.mixture.means - kind.means[0]).abs()
        nearest = apart[(apart.sum(1) - MOVED).abs().argmin()]
        assert float(nearest[column]) == pytest.approx(MOVED)
        assert float(nearest.sum()) == pytest.approx(MOVED, abs=1e-4)


def test_drawn_cells_have_the_mixtures_mean_and_spread():
    told = Mixture(torch.ones(1), tensor([[1.0, 2.0]]), tensor([[[0.5, 0.2], [0.2, 0.3]]]), 10.0)
    cells = draw(told, 40_000, np.random.default_rng(1)).numpy()
    assert cells.mean(0) == pytest.approx([1.0, 2.0], abs=0.02)
    assert np.cov(cells.T) == pytest.approx(np.array([[0.5, 0.2], [0.2, 0.3]]) * 10 / 8, abs=0.03)


def test_spiked_cells_are_those_put_in_and_the_marrow_keeps_its_own():
    told = Mixture(torch.ones(1), tensor([[9.0, 9.0]]), torch.eye(2)[None] * 0.01, 10.0)
    cells = torch.zeros(100, 2)
    out = spike(
        cells,
        torch.zeros(100, dtype=torch.bool),
        tensor([0.5, 0.0]),
        kinds=[told, told],
        counts=[7, 3],
        rng=np.random.default_rng(2),
    )
    assert [(out.kind == k).sum().item() for k in (-1, 0, 1)] == [100, 7, 3]
    assert out.cells[out.kind >= 0].mean(0).numpy() == pytest.approx([9.5, 9.0], abs=0.2)
    assert bool(out.likely[out.kind >= 0].all())
    assert not bool(out.likely[out.kind < 0].any())


def test_the_least_cells_are_where_the_probability_of_finding_a_kind_is_95_percent():
    rng = np.random.default_rng(8)
    counts = rng.choice(LADDER, 4000)
    found = rng.random(4000) < 1 / (1 + np.exp(-2.0 * (np.log(counts) - np.log(200))))
    assert least_cells(counts, found) == pytest.approx(200 * np.exp(np.log(19) / 2), rel=0.12)


def test_least_cells_stay_within_what_was_tried_and_are_infinite_where_none_is_found():
    counts = [40] * 10 + [80] * 10 + [160] * 20
    assert least_cells(counts, [True] * 40) == pytest.approx(40)
    assert 80 < least_cells(counts, [False] * 20 + [True] * 20) < 200
    assert least_cells(counts, [False] * 40) == float("inf")
    assert least_cells(counts, [True] * 20 + [False] * 20) == float("inf")


def test_a_rehearsal_finds_nothing_in_blanks_and_the_kinds_from_some_rung_on():
    told = learned()
    cells = [controls()[i] for i in told.kept]
    places = [Places(c[:, 2] > 2.5, c[:, 2] > 2.5) for c in cells]
    out = rehearse(cells, places, told, movable=[3], settings=S, rng=np.random.default_rng(3))
    assert out.found == out.changed == [0] * len(cells)
    assert LADDER[0] < out.cells <= 2 * LADDER[-1]
    assert 0.5 <= out.recall <= 1.0
    assert rehearse(cells, places, told, movable=[3], settings=S, rng=np.random.default_rng(3), threads=2) == out


def test_a_rehearsal_tells_what_would_be_found_had_a_control_changed():
    told = learned()
    cells = [controls()[i] for i in told.kept]
    rng = np.random.default_rng(4)
    cells[0] = torch.cat([cells[0], tensor(leukaemic(300, rng, shift=told.adapted[0].shift.numpy()))])[
        rng.permutation(len(cells[0]) + 300)
    ]
    here = [torch.ones(len(c), dtype=torch.bool) for c in cells]
    normal = [log_density(c, a.mixture) for c, a in zip(cells, told.adapted, strict=True)]
    seen = replace(told, normal=normal)
    out = rehearse(cells, [Places(~h, h) for h in here], seen, movable=[3], settings=S, rng=np.random.default_rng(3))
    assert out.found == [0] * len(cells)
    assert out.changed[0] > 100
    assert out.changed[1:] == [0] * (len(cells) - 1)
