"""Quantiles that limits and intervals rest on, from `scipy.special`: `scipy.stats` takes long to load, and long per number."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import special


def normal(probability: float) -> float:
    """Of the standard normal distribution."""
    return float(special.ndtri(probability))


def student(probability: float, freedom: float) -> float:
    """Of Student's t distribution."""
    return float(special.stdtrit(freedom, probability))


def gamma(probability: NDArray[np.float64], mean: float, variance: float) -> NDArray[np.float64]:
    """Of the gamma distribution with this mean and variance."""
    return np.asarray(special.gammaincinv(mean**2 / variance, probability) * (variance / mean))


def beta(probability: NDArray[np.float64], a: float, b: float) -> NDArray[np.float64]:
    """Of the beta distribution."""
    return np.asarray(special.betaincinv(a, b, probability))


def poisson(probability: float, mean: float) -> int:
    """The least count that a Poisson variable stays at or under with this probability."""
    return _least(lambda count: special.pdtr(count, mean), probability)


def negative_binomial(probability: float, mean: float, size: float) -> int:
    """The same of counts whose Poisson mean is gamma distributed with shape `size`."""
    p = size / (size + mean)
    return _least(lambda count: special.betainc(size, count + 1, p), probability)


def most_without_any(probability: float) -> float:
    """The Poisson mean at which finding nothing has this probability."""
    return -math.log(probability)


def _least(share: Callable[[int], float], probability: float) -> int:
    """The least count whose share reaches the probability; doubling finds an end, halving the place.

    The inverses that `scipy.special` has go astray where a background hardly varies.
    """
    if math.isnan(share(0)):
        raise ValueError("a count without a distribution has no quantile")
    low, high = -1, 0
    while share(high) < probability:
        low, high = high, 2 * high + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if share(middle) < probability else (low, middle)
    return high
