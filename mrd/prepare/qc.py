"""Which events to trust: inside the range, and from stretches of stable signal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from mrd.core.stretches import stretches

MAD_SCALE = 1.4826
LEAST_EVENTS = 200
LEAST_BINS = 5
RATE = 3.0
Signal = NDArray[np.float64] | Callable[[], NDArray[np.float64]]


def flag_margins(events: NDArray[np.float64], ranges: NDArray[np.float64], columns: Sequence[int]) -> NDArray[np.bool_]:
    """True for events at the top of the range, or not above zero, of any given (scatter) column."""
    values = events[:, list(columns)]
    return np.asarray(((values >= ranges[list(columns)] - 1) | (values <= 0)).any(axis=1))


def share_saturated(events: NDArray[np.float64], ranges: NDArray[np.float64], columns: Sequence[int]) -> float:
    """Largest share of events at the top of the range among the given columns."""
    if not len(events) or not len(columns):
        return 0.0
    over = np.zeros(len(columns), dtype=int)
    for rows in stretches(len(events)):
        over += [np.count_nonzero(events[rows, c] >= ranges[c] - 1) for c in columns]
    return float(over.max()) / len(events)


def flag_unstable(
    time: NDArray[np.float64],
    signals: Iterable[Signal],
    *,
    bins: int,
    mads: float,
    least: float,
    threads: int = 1,
) -> NDArray[np.bool_]:
    """True for events in a stretch of time whose signal, or event rate, left the run's own level.

    The run is cut into stretches of equal time, `bins` of them or so many that one holds 200 events. A stretch goes
    where the mean of a signal (its outer 1 % clipped) lies further than `mads` scaled MADs, and at least `least`, from
    the median over stretches (the MAD rule of PeacoQC, Emmaneel 2022; means, because the median of a marker that half
    of the cells carry jumps), or where the event rate is off by more than a factor `RATE` and the same rule.

    Parameters
    ----------
    time : (n,) · signals : each channel (n,) on the common scale, or what gives it when it is asked for
    """
    bins = int(np.clip(len(time) // LEAST_EVENTS, 1, bins))
    if bins < LEAST_BINS or float(np.ptp(time)) == 0:
        return np.zeros(len(time), dtype=bool)
    stretch = np.minimum(((time - time.min()) / np.ptp(time) * bins).astype(int), bins - 1)
    counts = np.bincount(stretch, minlength=bins)
    rate = np.log(np.maximum(counts, 1))[:, None]
    bad = outlying(bin_means(stretch, signals, bins, threads), mads, least) | outlying(rate, mads, np.log(RATE))
    return np.asarray(bad[stretch], dtype=bool)


def outlying(levels: NDArray[np.float64], mads: float, least: float) -> NDArray[np.bool_]:
    """Which stretches (b, c) lie off the median over stretches in any signal."""
    off = np.abs(levels - np.nanmedian(levels, axis=0))
    spread = MAD_SCALE * np.nanmedian(off, axis=0)
    return np.asarray(((off > mads * spread) & (off >= least)).any(axis=1))


def bin_means(stretch: NDArray[np.int_], signals: Iterable[Signal], bins: int, threads: int = 1) -> NDArray[np.float64]:
    """Mean of each clipped signal in each stretch (b, c); NaN where a stretch has next to no events."""

    def summed(signal: Signal) -> NDArray[np.float64]:
        values = signal() if callable(signal) else signal
        weights = np.clip(values, *np.percentile(values, [1, 99]))
        return np.bincount(stretch, weights, minlength=bins).astype(np.float64, copy=False)

    counts = np.bincount(stretch, minlength=bins)
    with ThreadPoolExecutor(threads) as pool:
        sums = np.stack(list(pool.map(summed, signals)), axis=1)
    return np.where(counts[:, None] >= 20, sums / np.maximum(counts, 1)[:, None], np.nan)
