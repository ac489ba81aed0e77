import numpy as np
import pytest

from mrd.quantify.cut import CUTS, Curves, choose_cut, count_above, cross_fitted, recall_at, share_above, strata_flags


def curves(seed=1, controls=10, n=100_000, leukaemic=6.0):
    """Controls whose scores tail off as exp(-0.7 s), leukaemic cells around a score."""
    rng = np.random.default_rng(seed)
    found = np.stack(
        [count_above((rng.exponential(1 / 0.7, n) - 8).astype(np.float32) + rng.normal(0, 0.05)) for _ in range(controls)]
    )
    witnesses = rng.normal(leukaemic, 1.5, 3000).astype(np.float32)
    recall = np.stack(
        [share_above(witnesses + np.float32(rng.normal(0, 0.1)), np.ones(3000, np.float32)) for _ in range(controls)]
    )
    return Curves(found, np.full(controls, n), ("normal", "regenerating") * (controls // 2), recall)


def at(cut):
    return int(np.argmin(np.abs(CUTS - cut)))


def test_cells_above_a_cut_are_counted_strictly():
    counts = count_above(np.array([1.0, 2.0, 2.0, 5.0], dtype=np.float32))
    assert [counts[at(c)] for c in (0.9, 1.0, 2.0, 4.9, 5.0)] == [4, 3, 1, 1, 0]


def test_shares_above_a_cut_are_weighted():
    shares = share_above(np.array([1.0, 3.0], dtype=np.float32), np.array([0.25, 0.75], dtype=np.float32))
    assert [shares[at(c)] for c in (0.0, 2.0, 4.0)] == pytest.approx([1.0, 0.75, 0.0])


def test_the_cut_gives_way_to_neither_background_nor_recall():
    c = curves()
    best = choose_cut(c, 100_000, 20)
    assert c.recall[:, best].mean() > 0.8
    assert c.found[:, best].mean() < 60


def test_a_weaker_laip_is_cut_lower():
    assert choose_cut(curves(leukaemic=3.0), 100_000, 20) < choose_cut(curves(leukaemic=8.0), 100_000, 20)


def test_leaving_a_control_out_hardly_moves_the_cut():
    c = curves()
    cuts = [CUTS[choose_cut(c, 100_000, 20, without=i)] for i in range(10)]
    assert np.ptp(cuts) <= 0.5


def test_each_control_is_counted_at_the_cut_that_the_others_chose():
    c = curves()
    blanks, cuts = cross_fitted(c, 100_000, 20)
    for i in range(10):
        assert blanks.found[i] == c.found[i, at(cuts[i])]
        assert cuts[i] == CUTS[choose_cut(c, 100_000, 20, without=i)]


def test_a_wild_control_does_not_choose_the_cut_it_is_judged_at():
    c = curves()
    wild = Curves(c.found.copy(), c.total, c.kinds, c.recall)
    wild.found[3] = wild.found[3] * 40
    blanks, cuts = cross_fitted(wild, 100_000, 20)
    assert cuts[3] == cross_fitted(c, 100_000, 20)[1][3]
    assert blanks.found[3] > 10 * np.median(np.delete(blanks.found, 3))


def test_a_recall_on_the_steep_part_of_its_curve_is_less_certain():
    c = curves()
    flat, steep = (recall_at(c, at(cut), 3000, 0.75) for cut in (2.0, 6.0))
    assert steep.error > 3 * flat.error
    assert flat.value > 0.98


def test_few_witnesses_make_the_recall_uncertain():
    c = curves()
    assert recall_at(c, at(6.0), 20, 0.0).error > 2 * recall_at(c, at(6.0), 3000, 0.0).error


def test_few_controls_and_the_lack_of_regenerating_ones_are_flagged():
    assert strata_flags(["normal"] * 20) == ["no-regenerating-controls"]
    assert strata_flags(["normal", "regenerating"] * 9) == ["few-controls"]
    assert strata_flags(["normal", "regenerating"] * 10) == []


def test_where_few_cells_rule_the_lod_the_cut_still_leaves_the_background_behind():
    """In a small tube every cut up to here has the same floor of cells; the least background must win, not the first."""
    c = curves(n=4_000, leukaemic=8.0)
    assert c.found[:, choose_cut(c, 4_000, 20)].mean() < 1
