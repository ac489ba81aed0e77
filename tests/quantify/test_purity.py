import pytest
from hypothesis import given, strategies as st

from mrd.quantify.purity import Made, purity_by_counts, purity_by_shares

PURE = [Made(300, 1_000, 10_000)] * 3


def diluted(purity, leukaemia=0.0):
    """A tube of the controls' marrow with blood in it: 3 erythroid cells and 10 lymphocytes of marrow, 30 of blood, in 100."""
    rest = 1 - leukaemia
    lymphocytes = (0.10 * purity + 0.30 * (1 - purity)) * rest
    return Made(round(1e6 * 0.03 * purity * rest), round(1e6 * lymphocytes), 1_000_000)


def test_blood_counts_tell_purity_by_hand():
    """Holdrinet: 1.0 / 4.0 red cells, 6 / 12 white cells: one eighth of the leukocytes came with blood."""
    assert purity_by_counts(rbc_marrow=1.0, rbc_blood=4.0, wbc_marrow=12.0, wbc_blood=6.0) == pytest.approx(0.875)
    assert purity_by_counts(rbc_marrow=4.0, rbc_blood=4.0, wbc_marrow=3.0, wbc_blood=6.0) == 0.0


@given(st.floats(0.05, 1.0), st.floats(0.0, 0.9))
def test_a_mixture_of_marrow_and_blood_tells_its_purity_whatever_leukaemia_it_holds(purity, leukaemia):
    assert purity_by_shares(diluted(purity, leukaemia), PURE) == pytest.approx(purity, abs=0.01)


def test_more_red_cells_than_the_controls_is_pure_and_none_is_blood():
    assert purity_by_shares(Made(900, 1_000, 10_000), PURE) == 1.0
    assert purity_by_shares(Made(0, 1_000, 10_000), PURE) == 0.0


def test_what_cannot_be_told_is_not_assessed():
    assert purity_by_shares(Made(30, 19, 1_000), PURE) is None
    assert purity_by_shares(Made(30, 100, 1_000), []) is None
    assert purity_by_shares(Made(30, 100, 1_000), [Made(49, 1_000, 10_000)]) is None
    assert purity_by_shares(Made(5, 100, 1_000), [Made(50, 1_000, 10_000)]) == 1.0
