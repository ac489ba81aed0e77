import math

import pytest
from hypothesis import given, strategies as st

from mrd.report.numbers import NONE, count_of, digits, fraction, is_told, percent, short, span, text, threshold_text, whole

POSITIVE = st.floats(1e-9, 1.0)


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.00104, "0.104 %"), (0.5, "50.0 %"), (1.0, "100 %"), (0, "0 %"), (3.3e-6, "0.000330 %"), (0.09996, "10.0 %")],
)
def test_a_fraction_in_percent(value, told):
    assert percent(value) == told


def test_absent_values_are_a_dash_and_never_a_zero():
    assert [f(v) for f in (percent, fraction, whole, text, short) for v in (None, float("nan"), "")] == [NONE] * 15
    assert span(None, 0.1) == span(0.1, None) == NONE
    assert not is_told(None)
    assert is_told(0)


@given(POSITIVE)
def test_percent_keeps_three_digits(value):
    assert float(percent(value).removesuffix(" %")) == pytest.approx(100 * value, rel=5.1e-3)


@given(POSITIVE, st.integers(2, 6))
def test_no_number_is_written_with_an_exponent(value, significant):
    assert "e" not in digits(value, significant)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.001, "0.100 %"),
        (0.0009999, "0.09999 %"),
        (0.00099999999, "0.099999999 %"),
        (0.0010001, "0.10001 %"),
        (0.00099, "0.0990 %"),
        (0.002, "0.200 %"),
    ],
)
def test_a_value_just_beside_the_threshold_is_not_rounded_onto_it(value, told):
    assert percent(value, beside=1e-3) == told


@given(st.floats(1e-6, 1e-2), st.sampled_from([1e-3, 1e-4, 2e-3]))
def test_a_written_number_lies_on_the_side_of_the_threshold_where_the_value_lies(value, threshold):
    told = float(percent(value, 2, beside=threshold).removesuffix(" %"))
    if abs(value / threshold - 1) > 1e-12:
        assert (told < 100 * threshold) == (value < threshold)
        assert (told > 100 * threshold) == (value > threshold)


def test_an_interval_that_ends_under_the_threshold_is_not_written_as_if_it_touched_it():
    assert span(0.0005, 0.0009997, beside=1e-3) == "0.0500–0.09997 %"
    assert span(0.0005, 0.002) == "0.0500–0.200 %"


@pytest.mark.parametrize(
    ("value", "told"), [(0.00104, "1.04 × 10⁻³"), (0, "0"), (0.4, "0.400"), (2e-6, "2.00 × 10⁻⁶"), (0.0009999, "1.00 × 10⁻³")]
)
def test_a_fraction_as_a_power_of_ten(value, told):
    assert fraction(value) == told


def test_a_fraction_beside_the_threshold_keeps_the_digits_that_tell():
    assert fraction(0.0009999, beside=1e-3) == "9.999 × 10⁻⁴"
    assert fraction(0.001, beside=1e-3) == "1.00 × 10⁻³"


def test_a_threshold_is_named_as_people_name_it():
    assert [threshold_text(t) for t in (1e-3, 1e-4, 0.002)] == ["0.1 % (10⁻³)", "0.01 % (10⁻⁴)", "0.2 %"]


def test_counts_have_their_thousands_set_apart_and_nouns_agree():
    assert (whole(1234567), whole(0), whole(math.nan)) == ("1,234,567", "0", NONE)
    assert (count_of(1, "visit"), count_of(2, "visit")) == ("1 visit", "2 visits")
