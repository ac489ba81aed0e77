import numpy as np
import pytest

from mrd.report.pairs import choose_pairs, core_pairs, disjoint, overlap

CHANNELS = ("CD34", "CD117", "CD33", "HLA-DR", "CD13")


def clouds(apart):
    """Found and normal cells that lie 4 apart on the given channels."""
    rng = np.random.default_rng(0)
    normal = rng.normal(0, 1, (800, 5)).astype(np.float32)
    found = rng.normal(0, 1, (300, 5)).astype(np.float32)
    found[:, [CHANNELS.index(c) for c in apart]] += 4
    return found, normal


def test_the_pair_in_which_found_cells_lie_apart_comes_first():
    found, normal = clouds(["CD33", "CD13"])
    assert set(choose_pairs(found, normal, CHANNELS, among=CHANNELS)[0]) == {"CD33", "CD13"}


def test_no_marker_is_shown_twice_and_only_those_asked_for():
    found, normal = clouds(["CD33"])
    pairs = choose_pairs(found, normal, CHANNELS, among=CHANNELS[:4])
    assert sorted(c for p in pairs for c in p) == sorted(CHANNELS[:4])


def test_too_few_found_cells_choose_nothing_and_the_core_pairs_are_shown():
    found, normal = clouds(["CD33"])
    assert choose_pairs(found[:29], normal, CHANNELS, among=CHANNELS) == [("CD34", "CD117"), ("CD33", "HLA-DR")]


def test_a_panel_without_core_markers_still_has_pairs():
    assert core_pairs(["CD7", "CD2", "CD4"], 2) == [("CD7", "CD2")]
    assert core_pairs(["CD7"], 2) == []


def test_disjoint_keeps_the_earlier_of_two_pairs_that_share_a_marker():
    assert disjoint([("A", "B"), ("B", "C"), ("C", "D")], 2) == [("A", "B"), ("C", "D")]


def test_overlap_is_one_for_equal_clouds_and_near_zero_for_clouds_apart():
    found, normal = clouds(CHANNELS)
    assert overlap(normal[:, :2], normal[:, :2]) == pytest.approx(1)
    assert overlap(found[:, :2], normal[:, :2]) < 0.05


def test_overlap_stands_cells_that_are_all_alike():
    same = np.ones((40, 2), dtype=np.float32)
    assert overlap(same, same) == pytest.approx(1)
