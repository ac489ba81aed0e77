"""What populations weigh against controls and other visits."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mrd.detect.dfn import Excess
from mrd.detect.judge import CHANGED, Cluster, Others, Rare, counts_above, judge
from mrd.detect.mixture import Mixture, log_density
from tests.detect.marrow import tensor


def one(centre):
    return Mixture(torch.ones(1), tensor([centre]), torch.eye(2)[None], 10.0)


def half_and_quarter(n):
    """Places of n cells: every fourth likely, every second possible."""
    return torch.stack([torch.arange(n) % 4 == 0, torch.arange(n) % 2 == 0], dim=1)


def test_cells_above_a_cut_are_those_whose_score_exceeds_it():
    rng = np.random.default_rng(6)
    marrow = Rare(tensor(rng.normal(0, 2, (500, 2))), tensor(rng.normal(-6, 2, 500)), places=half_and_quarter(500))
    counts, likely, possible = counts_above(marrow, one([1.0, 0.0]))
    scores = (log_density(marrow.cells, one([1.0, 0.0])) - marrow.normal).numpy()
    for q, cut in ((0, -4.0), (20, 0.0), (40, 4.0)):
        assert int(counts[0, q]) == pytest.approx((scores >= cut).sum(), abs=1)
        assert int(likely[0, q]) == pytest.approx((scores[::4] >= cut).sum(), abs=1)
        assert int(possible[0, q]) == pytest.approx((scores[::2] >= cut).sum(), abs=1)


def test_a_component_is_judged_by_its_ratio_to_the_controls():
    rng = np.random.default_rng(7)

    def marrow(n):
        return Rare(tensor(rng.normal(0, 0.5, (n, 2))), torch.full((n,), -10.0))

    fitted, here = one([0.0, 0.0]), torch.ones(100, 2, dtype=torch.bool)
    tube = Rare(*(getattr(marrow(100), n) for n in ("cells", "normal")), 0.5, here)
    [alike] = judge(fitted, tube, Others([marrow(200) for _ in range(4)]))
    [apart] = judge(fitted, tube, Others([marrow(4) for _ in range(4)]))
    assert alike.ratio < 1.5
    assert apart.ratio > 20
    assert (apart.found, apart.likely) == (100, 1.0)
    assert judge(fitted, replace(tube, places=~here), Others([marrow(4) for _ in range(4)])) == []


def test_cells_that_only_one_normal_marrow_leaves_unexplained_have_not_changed():
    rng = np.random.default_rng(8)

    def marrow(n, normal):
        cells = torch.cat([tensor(rng.normal(0, 0.5, (n, 2))), tensor(rng.normal(6, 0.5, (1000 - n, 2)))])
        density = torch.cat([torch.full((n,), normal), torch.full((1000 - n,), 0.0)])
        return Rare(cells, density, 1.0, torch.ones(1000, 2, dtype=torch.bool), cells)

    tube, blank = marrow(200, -10.0), [marrow(2, -10.0) for _ in range(4)]
    [there] = judge(one([0.0, 0.0]), tube, Others(blank, [marrow(200, 5.0) for _ in range(3)]))
    [gone] = judge(one([0.0, 0.0]), tube, Others(blank, [marrow(2, -10.0) for _ in range(3)]))
    [once] = judge(one([0.0, 0.0]), tube, Others(blank, [marrow(200, 5.0), *(marrow(2, -10.0) for _ in range(2))]))
    assert there.change < 1.5 < CHANGED < 20 < gone.change
    assert once.change > 20
    assert there.ratio == gone.ratio
    [unasked] = judge(one([0.0, 0.0]), tube, Others(blank, change=float("inf")))
    assert unasked.change == float("inf")


def test_normal_cells_in_the_core_of_a_population_make_its_change_no_smaller_either():
    rng = np.random.default_rng(11)

    def marrow(leukaemic, explained):
        near, far = (tensor(rng.normal(0, 0.5, (n, 2))) for n in (leukaemic, explained))
        cells = torch.cat([near, far, tensor(rng.normal(9, 0.5, (2000 - leukaemic - explained, 2)))])
        normal = torch.cat([torch.full((leukaemic,), -12.0), torch.full((2000 - leukaemic,), 5.0)])
        return Rare(cells, normal, 1.0, torch.ones(2000, 2, dtype=torch.bool), cells)

    tube, blank = marrow(400, 60), [marrow(2, 60) for _ in range(4)]
    [changed] = judge(one([0.0, 0.0]), tube, Others(blank, [marrow(2, 60) for _ in range(3)]))
    assert changed.change == pytest.approx(400 / 4)
    [steady] = judge(one([0.0, 0.0]), tube, Others(blank, [marrow(2, 300) for _ in range(3)]))
    assert steady.change < 2


def test_what_other_visits_leave_unexplained_around_a_population_makes_its_change_no_smaller():
    rng = np.random.default_rng(10)
    angle = rng.uniform(0, 2 * np.pi, 60)
    around = tensor(np.stack([2.5 * np.cos(angle), 2.5 * np.sin(angle)], axis=1))
    elsewhere = tensor(rng.normal(9, 0.5, (900, 2)))

    def marrow(cells):
        whole = torch.cat([cells, elsewhere])
        return Rare(cells, torch.full((len(cells),), -12.0), 1.0, torch.ones(len(cells), 2, dtype=torch.bool), whole)

    tube = marrow(tensor(rng.normal(0, 0.5, (600, 2))))
    [cluster] = judge(one([0.0, 0.0]), tube, Others([marrow(around[:2])] * 4, [marrow(around)] * 3))
    assert cluster.found / (len(around) + 2) < 2 * CHANGED < 50 < cluster.change


def test_a_find_has_changed_where_most_of_it_did():
    def cluster(found, change, likely=1.0):
        return Cluster(one([0.0, 0.0]), found, 1.0, 20.0, likely, 1.0, change)

    def changed(*clusters):
        return Excess(None, None, None, list(clusters), None).has_changed(15.0)

    assert changed(cluster(600, 30.0), cluster(80, 2.0))
    assert not changed(cluster(80, 30.0), cluster(600, 2.0))
    assert not changed(cluster(600, 30.0, likely=0.7))
    assert not changed(cluster(600, float("nan")))
    assert not changed(replace(cluster(600, 30.0), ratio=10.0))


def test_a_find_is_new_where_most_of_it_is_not_at_other_visits_too():
    def cluster(found, change, *, ratio=20.0, likely=1.0):
        return Cluster(one([0.0, 0.0]), found, 1.0, ratio, likely, 1.0, change)

    def new(*clusters):
        return Excess(None, None, None, list(clusters), None).is_new(15.0)

    assert new(cluster(600, 6.0), cluster(80, 2.0))
    assert new(cluster(600, 6.0, likely=0.6))
    assert not new(cluster(80, 6.0), cluster(600, 2.0))
    assert not new(cluster(600, 2.0, ratio=90.0))
    assert not new(cluster(600, 6.0, ratio=14.0))
    assert not new(cluster(600, float("nan"), ratio=44.0))
    assert new(cluster(600, float("nan"), ratio=46.0))
