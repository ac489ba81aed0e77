"""Exact intervals of a share and of a rate."""

from __future__ import annotations

from scipy.special import betaincinv, gammaincinv

CONFIDENCE = 0.95


def estimate_share(count: int, total: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Estimate the exact interval of a binomial share (Clopper & Pearson, Biometrika 1934;26:404).

    Parameters
    ----------
    count : successes, 0 to `total`.
    total : trials, 1 or more.

    Returns
    -------
    tuple of float
        Lower and upper end, each leaving (1 - confidence) / 2 outside; 0 and 1 at the borders.

    Raises
    ------
    ValueError
        `count` is not within 0 and `total`, or `total` is 0.
    """
    if not 0 <= count <= total or total == 0:
        raise ValueError(f"{count} of {total} is not a share")
    tail = (1 - confidence) / 2
    low = float(betaincinv(count, total - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 1 - tail)) if count < total else 1.0
    return low, high


def estimate_rate(count: int, exposure: float, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Estimate the exact interval of a Poisson rate (Garwood, Biometrika 1936;28:437).

    Parameters
    ----------
    count : events, 0 or more · exposure : time they were counted in, over 0; the rate is in its unit.

    Returns
    -------
    tuple of float
        Lower and upper end, each leaving (1 - confidence) / 2 outside; 0 below where nothing was counted.

    Raises
    ------
    ValueError
        `count` is negative, or `exposure` is not over 0.
    """
    if count < 0 or exposure <= 0:
        raise ValueError(f"{count} in {exposure} is not a rate")
    tail = (1 - confidence) / 2
    low = float(gammaincinv(count, tail)) if count else 0.0
    return low / exposure, float(gammaincinv(count + 1, 1 - tail)) / exposure
