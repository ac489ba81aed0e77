"""From cells found to leukaemic cells per leukocyte, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mrd.quantify import quantiles
from mrd.quantify.blanks import Blanks, background_rates, mean_background

NODES = 12
BISECTIONS = 48


@dataclass(frozen=True)
class Recall:
    """Share of leukaemic cells above the cut, and its standard error, drift since diagnosis included."""

    value: float
    error: float


@dataclass(frozen=True)
class Nuisance:
    """Backgrounds and recalls that may hold in this tube (s,), with their probabilities (s,)."""

    background: NDArray[np.float64]
    recall: NDArray[np.float64]
    weight: NDArray[np.float64]


def estimate_fraction(found: int, n: int, background: float, recall: float) -> float:
    """Leukaemic cells per leukocyte: (found / n - background) / (recall - background), held to 0 and 1."""
    return min(max((found / n - background) / max(recall - background, 1e-9), 0.0), 1.0)


def nuisance(blanks: Blanks, recall: Recall) -> Nuisance:
    """Equally likely slices of the background (each kind of control alike) and of the recall, crossed."""
    middle = (np.arange(NODES) + 0.5) / NODES
    backgrounds = np.concatenate([_gamma_slices(r.mean, r.variance, middle) for r in background_rates(blanks)])
    recalls = _beta_slices(recall, middle)
    b, r = np.meshgrid(backgrounds, recalls, indexing="ij")
    return Nuisance(b.ravel(), r.ravel(), np.full(b.size, 1.0 / b.size))


def _gamma_slices(mean: float, variance: float, at: NDArray[np.float64]) -> NDArray[np.float64]:
    if variance < 1e-12 * mean**2:
        return np.full(len(at), mean)
    return quantiles.gamma(at, mean, variance)


def _beta_slices(recall: Recall, at: NDArray[np.float64]) -> NDArray[np.float64]:
    mean = min(max(recall.value, 1e-4), 1 - 1e-4)
    variance = min(recall.error**2, 0.9 * mean * (1 - mean))
    if variance < 1e-12:
        return np.full(len(at), mean)
    size = mean * (1 - mean) / variance - 1
    return quantiles.beta(at, mean * size, (1 - mean) * size)


def count_tail(most: int, n: int, fraction: float, given: Nuisance) -> float:
    """Probability of finding at most `most` cells in a tube with this leukaemic fraction."""
    rate = given.background + fraction * np.maximum(given.recall - given.background, 0.0)
    return float(given.weight @ special.pdtr(most, n * rate))


def fraction_where(most: int, n: int, probability: float, given: Nuisance) -> float:
    """The leukaemic fraction at which finding at most `most` cells has this probability; 0 or 1 where none has."""
    if count_tail(most, n, 0.0, given) <= probability:
        return 0.0
    if count_tail(most, n, 1.0, given) >= probability:
        return 1.0
    low, high = np.log(1e-9), 0.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if count_tail(most, n, float(np.exp(middle)), given) > probability else (low, middle)
    return float(np.exp(high))


def interval(found: int, n: int, blanks: Blanks, recall: Recall, *, level: float = 0.95) -> tuple[float, float]:
    """Interval of the leukaemic fraction: the fractions at which so few, or so many, cells are not yet surprising.

    Poisson counts over the uncertainty of background and recall; with neither it is the exact Poisson interval. Fewer
    cells than the background lets expect prove no less than none would without any: the upper end never falls below.
    """
    given = nuisance(blanks, recall)
    tail = (1 - level) / 2
    low = 0.0 if found == 0 else fraction_where(found - 1, n, 1 - tail, given)
    none = min(quantiles.most_without_any(tail) / (n * max(recall.value, 1e-4)), 1.0)
    return low, max(fraction_where(found, n, tail, given), none)


def corrected(found: int, n: int, blanks: Blanks, recall: Recall) -> float:
    """The estimate with the blanks' mean background and the recall taken out."""
    return estimate_fraction(found, n, mean_background(blanks), recall.value)
