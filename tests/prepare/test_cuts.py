import numpy as np
import pytest

from mrd.core.panel import Anchor, Cut
from mrd.prepare.cuts import find_anchor, find_cut, find_valley, spread_cut

ANCHOR = Anchor(
    parent="singlets", box={"CD45": (3.0, 6.0), "SSC": (1.0, 4.0)}, within={"CD33": (-5, 2)}, default={"CD45": 4.5, "CD33": 0.1}
)


def marrow(rng, lymphocytes, blasts, granulocytes=3000, cd33=0.1):
    """CD45, SSC and CD33 of lymphocytes (4.6, 2.5), CD45-dim blasts (3.4, 2.6) that lack CD33 or not, granulocytes (3.8, 5)."""
    centres = [(4.6, 2.5, 0.1)] * lymphocytes + [(3.4, 2.6, cd33)] * blasts + [(3.8, 5.0, 3.0)] * granulocytes
    points = np.array(centres) + rng.normal(0, 0.15, (len(centres), 3))
    return {"CD45": points[:, 0], "SSC": points[:, 1], "CD33": points[:, 2]}


@pytest.mark.parametrize(("lymphocytes", "blasts"), [(2000, 0), (2000, 500), (400, 8000)])
def test_the_anchor_is_the_lymphocytes_however_many_blasts_crowd_below_them(lymphocytes, blasts):
    columns = marrow(np.random.default_rng(1), lymphocytes, blasts, cd33=3.0)
    anchor, found = find_anchor(columns, np.ones(len(columns["CD45"]), bool), ANCHOR)
    assert found
    assert anchor["CD45"] == pytest.approx(4.6, abs=0.05)
    assert anchor["CD33"] == pytest.approx(0.1, abs=0.05)


def test_blasts_that_lack_what_lymphocytes_lack_do_not_take_the_anchor_unless_they_drown_it():
    columns = marrow(np.random.default_rng(2), 2000, 6000)
    assert find_anchor(columns, np.ones(len(columns["CD45"]), bool), ANCHOR)[0]["CD45"] == pytest.approx(4.6, abs=0.05)


def test_without_lymphocytes_the_panels_defaults_serve_and_it_is_told():
    columns = marrow(np.random.default_rng(3), 20, 0)
    assert find_anchor(columns, np.ones(len(columns["CD45"]), bool), ANCHOR) == ({"CD45": 4.5, "CD33": 0.1}, False)


def test_cells_outside_the_parent_do_not_count():
    columns = marrow(np.random.default_rng(4), 2000, 0)
    assert not find_anchor(columns, np.zeros(len(columns["CD45"]), bool), ANCHOR)[1]


def test_spread_cut_by_hand():
    """Median 3, deviations 2 1 0 1 97: MAD 1."""
    assert spread_cut(np.array([1.0, 2.0, 3.0, 4.0, 100.0]), 4) == 7.0
    assert spread_cut(np.array([]), 4) == np.inf


def test_the_valley_lies_between_two_populations():
    rng = np.random.default_rng(5)
    values = np.concatenate([rng.normal(1, 0.3, 4000), rng.normal(4, 0.4, 9000)])
    assert 1.8 < find_valley(values, 0.5, 4.5, default=9.0) < 3.0


@pytest.mark.parametrize("values", [np.random.default_rng(6).uniform(0, 5, 5000), np.full(10, 2.0)])
def test_without_a_valley_the_default_serves(values):
    assert find_valley(values, 0.5, 4.5, default=9.0) == 9.0


def test_each_way_of_cutting():
    values = np.array([1.0, 2.0, 3.0, 4.0, 100.0])
    assert find_cut(Cut(value=2.5), values, 4.0) == 2.5
    assert find_cut(Cut(anchor=-1.5), values, 4.0) == 2.5
    assert find_cut(Cut(mads=4), values, 4.0) == 7.0
    assert find_cut(Cut(valley=(0.0, 4.0)), values, 4.0) == 2.0


def test_a_cut_takes_one_way_only():
    with pytest.raises(ValueError, match="exactly one of value, anchor, mads, valley"):
        Cut(value=1.0, anchor=2.0)
