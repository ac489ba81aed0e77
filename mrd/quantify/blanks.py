"""What blanks teach: how many cells of a marrow without leukaemia pass a cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mrd.core.words import CONTROL_KINDS
from mrd.quantify import quantiles

EMPIRICAL_FROM = 60
"""Blanks from which on their own percentile is used instead of a fitted distribution (EP17)."""
LEVEL = 0.95
"""A blank exceeds its bound at most one time in twenty (EP17)."""
Z95 = quantiles.normal(LEVEL)


@dataclass(frozen=True)
class Blanks:
    """Controls at a cut: cells found (b,), leukocytes (b,), kind (b,)."""

    found: NDArray[np.int64]
    total: NDArray[np.int64]
    kinds: tuple[str, ...]

    def stratum(self, kind: str) -> Blanks:
        """The controls of one kind."""
        mine = np.array([k == kind for k in self.kinds], dtype=bool)
        return Blanks(self.found[mine], self.total[mine], (kind,) * int(mine.sum()))

    @property
    def strata(self) -> list[Blanks]:
        """The kinds that have controls, each by itself."""
        return [s for s in map(self.stratum, CONTROL_KINDS) if len(s.kinds)]


@dataclass(frozen=True)
class Rate:
    """Background of a new blank as a gamma distribution: mean and variance of the share of cells that pass."""

    mean: float
    variance: float


def each_look(looks: int) -> float:
    """Level at which each of several looks is held so that their maximum is held at `LEVEL` (Sidak, JASA 1967;62:626).

    Looks at one specimen go up and down together, if anything: then it is held better than that.
    """
    return float(LEVEL ** (1 / looks))


def background_rates(blanks: Blanks, level: float = LEVEL) -> list[Rate]:
    """The background to expect of a new blank, per kind of control.

    The mean counts half a cell more than was found, so that it is never zero. The variance is what lies between
    controls beyond Poisson noise, widened for the new blank (1 + 1/B) and for the few blanks it rests on (t over z at the
    level of the bound, squared), plus that of the mean itself. A kind with fewer than three controls borrows the pooled variance.
    """
    pooled = between_variance(blanks)
    return [_rate(s, max(between_variance(s), 0.0) if len(s.kinds) > 2 else pooled, level) for s in blanks.strata]


def _rate(blanks: Blanks, between: float, level: float) -> Rate:
    b = len(blanks.kinds)
    total = float(blanks.total.sum())
    mean = (float(blanks.found.sum()) + 0.5) / total
    few = (quantiles.student(level, max(b - 1, 2)) / quantiles.normal(level)) ** 2
    return Rate(mean, between * (1 + 1 / b) * few + mean / total)


def between_variance(blanks: Blanks) -> float:
    """Variance of the background between controls beyond Poisson noise (moments), never below zero."""
    if len(blanks.kinds) < 2:
        return 0.0
    share = blanks.found / blanks.total
    mean = blanks.found.sum() / blanks.total.sum()
    return max(float(np.var(share, ddof=1) - np.mean(mean / blanks.total)), 0.0)


def mean_background(blanks: Blanks) -> float:
    """Background that estimates subtract: the mean over kinds of control."""
    return float(np.mean([r.mean for r in background_rates(blanks)]))


def count_quantile(rate: Rate, n: int, probability: float) -> int:
    """Quantile of the cells a blank of n leukocytes shows: Poisson counts of a gamma-distributed background."""
    mean = n * rate.mean
    extra = n**2 * rate.variance
    if extra < 1e-9 * mean:
        return quantiles.poisson(probability, mean)
    return quantiles.negative_binomial(probability, mean, mean**2 / extra)


def blank_bound(blanks: Blanks, n: int, looks: int = 1) -> int:
    """Cells that a new blank of n leukocytes exceeds at most 5 % of the time, in the worse kind of control.

    Parameters
    ----------
    looks : how many tubes of a visit go through the maximum: at most 5 % of blanks exceed any of their bounds
    """
    level = each_look(looks)
    rates = background_rates(blanks, level)
    return max(_bound(s, r, n, looks) for s, r in zip(blanks.strata, rates, strict=True))


def _bound(blanks: Blanks, rate: Rate, n: int, looks: int) -> int:
    level = each_look(looks)
    if len(blanks.kinds) < EMPIRICAL_FROM * looks:
        return count_quantile(rate, n, level)
    means = n * (blanks.found + 0.5 / len(blanks.found)) / blanks.total
    low, high = 0, int(means.max() + 10 * np.sqrt(means.max()) + 20)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if special.pdtr(middle, means).mean() >= level else (middle + 1, high)
    return low
