"""Find where gates go in this tube's data: anchors, valleys, spreads."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mrd.core.panel import Anchor, Cut

Columns = Mapping[str, NDArray[np.float64]]
BIN = 0.1


def find_anchor(columns: Columns, inside: NDArray[np.bool_], anchor: Anchor) -> tuple[dict[str, float], bool]:
    """Medians of the anchor population, and whether it was found.

    Of the dense spots of the anchor's box, the brightest in the box's first channel marks it (lymphocytes are the
    brightest CD45 of low side scatter, whatever crowds below them); the medians are those of the events within 0.5 of
    it. Too few of them: the panel's defaults.
    """
    names = list(anchor.box)
    low, high = (np.array([anchor.box[n][side] for n in names]) for side in (0, 1))
    points = np.column_stack([columns[n] for n in names])
    boxed = inside & (points >= low).all(axis=1) & (points < high).all(axis=1)
    for name, (least, most) in anchor.within.items():
        boxed &= (columns[name] >= least) & (columns[name] < most)
    if boxed.sum() < anchor.least:
        return dict(anchor.default), False
    near = boxed & (np.abs(points - brightest_spot(points[boxed], low, high)) < 0.5).all(axis=1)
    return {n: float(np.median(columns[n][near])) for n in anchor.default}, True


def brightest_spot(points: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the local peaks at least a fifth as dense as the densest, the one highest on the first axis.

    Density is counted on a 0.1-wide grid and smoothed over 0.5.
    """
    edges = [np.arange(a, b + BIN, BIN) for a, b in zip(low, high, strict=True)]
    counts = ndimage.uniform_filter(np.histogramdd(points, bins=edges)[0], size=5, mode="constant")
    peaks = (counts == ndimage.maximum_filter(counts, size=5, mode="constant")) & (counts >= 0.2 * counts.max())
    spots = np.argwhere(peaks)
    best = spots[np.lexsort((-counts[peaks], -spots[:, 0]))[0]]
    return np.array([edges[i][j] + BIN / 2 for i, j in enumerate(best)])


def find_cut(cut: Cut, values: NDArray[np.float64], anchor: float) -> float:
    """Where a cut falls, given the parent's values of the channel and the anchor's median of it."""
    if cut.value is not None:
        return cut.value
    if cut.anchor is not None:
        return anchor + cut.anchor
    if cut.mads is not None:
        return spread_cut(values, cut.mads)
    assert cut.valley is not None  # noqa: S101  the panel's own check leaves only this way
    fallback = cut.default if cut.default is not None else sum(cut.valley) / 2
    return find_valley(values, *cut.valley, default=fallback)


def spread_cut(values: NDArray[np.float64], mads: float) -> float:
    """Median plus so many median absolute deviations; infinite where there is nothing to measure."""
    if not len(values):
        return float("inf")
    middle = np.median(values)
    return float(middle + mads * np.median(np.abs(values - middle)))


def find_valley(values: NDArray[np.float64], low: float, high: float, *, default: float) -> float:
    """The emptiest place between two values, where the density there is well under its flanks; else `default`."""
    edges = np.linspace(low, high, 41)
    counts = np.histogram(values, edges)[0].astype(float)
    smooth = np.convolve(np.pad(counts, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    k = int(np.argmin(smooth))
    flanks = min(smooth[: k + 1].max(), smooth[k:].max())
    if flanks < 20 or smooth[k] > 0.7 * flanks:
        return default
    return float((edges[k] + edges[k + 1]) / 2)
