"""Figures that were measured earlier with other re-implementations of the same methods, on cohorts of eight subjects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from benchmarks.accuracy.peers import FOREST, NODES, NOVELTY
from benchmarks.accuracy.score import Figures, interval

SUBJECTS = 8
ALL = ("accuracy_far", "false_below", "false_above", "found_mid", "rmse_found", "blank_highest")
WEAK, STRONG = NOVELTY
ANCHORS: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    "plain": {
        FOREST[0]: dict(zip(ALL, (0.39, 0, 25, 1, 0.83, 2.9e-3), strict=True)),
        FOREST[1]: dict(zip(ALL, (0.61, 16, 0, 0, math.nan, 0.0), strict=True)),
        WEAK: dict(zip(ALL, (0.61, 16, 0, 0, math.nan, 3.4e-4), strict=True)),
        STRONG: dict(zip(ALL, (0.39, 0, 25, 1, 0.89, 3.6e-3), strict=True)),
        NODES[0]: dict(zip(ALL, (0.95, 2, 0, 0.83, 0.52, 5.6e-4), strict=True)),
    },
    "hard": {
        FOREST[0]: dict(zip(ALL[:3], (0.39, 0, 25), strict=True)),
        FOREST[1]: dict(zip(ALL[:3], (0.61, 16, 0), strict=True)),
        WEAK: dict(zip(ALL[:3], (0.71, 12, 0), strict=True)),
        STRONG: dict(zip(ALL[:3], (0.39, 0, 25), strict=True)),
        NODES[0]: dict(zip(ALL[:3], (0.76, 3, 7), strict=True)),
    },
}
"""kind of cohort -> method -> figure; NaN where nothing was found that could be measured."""
ROUNDED = {
    "accuracy_far": 0.005,
    "false_below": 0,
    "false_above": 0,
    "found_mid": 0.005,
    "rmse_found": 0.005,
    "blank_highest": 5e-5,
}
"""Half of the last digit that the anchors are told with."""
ONE_VISIT = dict(zip(ALL, (1 / 41, 1, 1, 1 / 6, 0, 0), strict=True))
"""What one visit of eight subjects moves: where a cohort's levels fall differs from seed to seed by a visit or so."""
SAME, NEAR, DIFFERS = "yes", "near", "**no**"


def reproduced(kind: str, got: Figures, single: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Each anchor, ours, the range of a cohort of eight subjects, and whether the anchor lies in it.

    Parameters
    ----------
    got : figures whose resamples hold eight subjects each · single : figures of each seed's first eight subjects
    """
    rows = []
    for method, word, theirs in anchors_of(kind):
        if method in got.resampled:
            values = got.resampled[method][word]
            seeds = pd.Series([float(s.loc[method, word]) for s in single])
            low, high = interval(values)
            told = {"method": method, "word": word, "theirs": theirs, "ours": float(seeds.mean()), "low": low, "high": high}
            rows.append({**told, "verdict": compared(theirs, values, seeds, word)})
    return pd.DataFrame(rows)


def anchors_of(kind: str) -> list[tuple[str, str, float]]:
    """Method, figure and its earlier value."""
    return [(method, word, value) for method, told in ANCHORS.get(kind, {}).items() for word, value in told.items()]


def compared(theirs: float, values: pd.Series, seeds: pd.Series, word: str) -> str:
    """Whether an earlier figure lies in the range of ours, or so near as one visit, or another seed, moves it.

    An anchor that is none is the same where ours often is none either.
    """
    if math.isnan(theirs):
        return SAME if values.isna().mean() > 0.025 else DIFFERS
    low, high = interval(values)
    beyond = max(low - theirs, theirs - high, 0.0) - ROUNDED[word]
    noise = max(float(seeds.max() - seeds.min()), ONE_VISIT[word])
    return SAME if beyond <= 0 else NEAR if beyond <= noise else DIFFERS
