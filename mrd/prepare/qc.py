"""Which events to trust: inside the range, and from stretches of stable signal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MAD_SCALE = 1.4826


def flag_margins(events: NDArray[np.float64], ranges: NDArray[np.float64], columns: Sequence[int]) -> NDArray[np.bool_]:
    """True for events at the top of the range, or not above zero, of any given (scatter) column."""
    values = events[:, list(columns)]
    return np.asarray(((values >= ranges[list(columns)] - 1) | (values <= 0)).any(axis=1))


def share_saturated(events: NDArray[np.float64], ranges: NDArray[np.float64], columns: Sequence[int]) -> float:
    """Largest share of events at the top of the range among the given columns."""
    if not len(events):
        return 0.0
    return float((events[:, list(columns)] >= ranges[list(columns)] - 1).mean(axis=0).max(initial=0.0))


def flag_unstable(
    time: NDArray[np.float64], signals: NDArray[np.float64], *, bins: int, mads: float, least: float
) -> NDArray[np.bool_]:
    """True for events in a stretch of time whose signal left the run's own level.

    The run is cut into `bins` stretches of equal time. A stretch is unstable where the median of any signal lies
    further than `mads` scaled MADs, and at least `least`, from the median over stretches (MAD rule as PeacoQC,
    Emmaneel 2022); whole stretches go.

    Parameters
    ----------
    time : (n,) · signals : (n, c) on the common scale
    """
    if len(time) == 0 or float(np.ptp(time)) == 0:
        return np.zeros(len(time), dtype=bool)
    stretch = np.minimum(((time - time.min()) / np.ptp(time) * bins).astype(int), bins - 1)
    middle = bin_medians(stretch, signals, bins)
    centre = np.nanmedian(middle, axis=0)
    off = np.abs(middle - centre)
    spread = MAD_SCALE * np.nanmedian(off, axis=0)
    bad = np.asarray(((off > mads * spread) & (off >= least)).any(axis=1))
    return np.asarray(bad[stretch], dtype=bool)


def bin_medians(stretch: NDArray[np.int_], signals: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """Median of each signal in each stretch; NaN for stretches of fewer than 30 events."""
    order = np.argsort(stretch, kind="stable")
    edges = np.searchsorted(stretch[order], np.arange(bins + 1))
    out = np.full((bins, signals.shape[1]), np.nan)
    for b in range(bins):
        if edges[b + 1] - edges[b] >= 30:
            out[b] = np.median(signals[order[edges[b] : edges[b + 1]]], axis=0)
    return out
