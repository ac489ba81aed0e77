"""Traces, residuals and the catalogue of populations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from mrd.simulate.features import BODY, FEATURES, GRID, draw_at, draw_trace, draw_traces, read_levels
from mrd.simulate.lymphoid import DEBRIS
from mrd.simulate.skew import draw_skewed
from mrd.simulate.truth import POPULATIONS


def test_words_and_numbers_stand_for_levels_in_asinh_units() -> None:
    assert read_levels("neg bright 4.5").tolist() == [0.05, 3.7, 4.5]


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(KeyError, match="brightish"):
        read_levels("brightish")


LEVELS = st.floats(0, 6).map(lambda level: round(level, 6))
"""As a feature file can tell them: a difference of 1e-300 overflows the interpolation and is no level of a marker."""


@given(st.lists(LEVELS, min_size=2, max_size=6))
def test_a_trace_meets_its_ends_and_never_leaves_the_span_of_its_levels(told: list[float]) -> None:
    trace = draw_trace(np.array(told))
    assert trace[[0, -1]] == pytest.approx([told[0], told[-1]])
    assert trace.min() >= min(told) - 1e-9
    assert trace.max() <= max(told) + 1e-9


def test_a_trace_is_curved_where_its_levels_turn() -> None:
    trace = draw_trace(np.array([0.0, 3.0, 4.0]))
    straight = np.interp(np.linspace(0, 1, GRID), [0, 0.5, 1], [0, 3, 4])
    assert np.abs(trace - straight).max() > 0.1


def test_places_off_the_ends_take_the_ends_and_between_grid_points_the_line_between() -> None:
    traces = draw_traces({"FSC": "60", "SSC": "13", "AF": "1", "CD34": "bright neg"})
    column = FEATURES.index("CD34")
    places = np.full((3, len(FEATURES)), [[-0.2], [0.5 / (GRID - 1)], [1.3]])
    drawn = draw_at(traces, places)[:, column]
    assert drawn == pytest.approx([3.7, traces[:2, column].mean(), 0.05])


def test_residuals_have_median_0_unit_width_their_skew_and_heavier_tails_than_normal() -> None:
    drawn = draw_skewed(np.random.default_rng(1), (200_000,), 0.3)
    low, middle, high = np.quantile(drawn, [0.15866, 0.5, 0.84134])
    assert middle == pytest.approx(0, abs=0.01)
    assert high - low == pytest.approx(2, abs=0.02)
    assert high > -low + 0.2
    assert (np.abs(drawn) > 4).mean() > 20 * 6.3e-5


@pytest.mark.parametrize("population", [*POPULATIONS, DEBRIS], ids=lambda p: p.name)
def test_every_population_of_the_catalogue_has_a_source_and_declares_only_known_features(population) -> None:
    assert any(year in population.source for year in map(str, range(1985, 2025)))
    assert set(BODY) <= set(population.levels) <= set(FEATURES)
    assert {*population.shift, *population.patchy} <= set(FEATURES)


def test_the_shares_of_normal_marrow_and_of_blood_add_up_to_about_one() -> None:
    assert sum(p.share for p in POPULATIONS) == pytest.approx(1, abs=0.02)
    assert sum(p.blood for p in POPULATIONS) == pytest.approx(1, abs=0.02)
