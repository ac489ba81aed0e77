"""A flat map of all channels at once: the two directions in which normal and found cells spread most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from mrd.report.drawn import Drawn, Values
from mrd.report.steps import Step

NAMES = ("map 1", "map 2")
LEAST = 10
"""Fewer cells than this span no map."""


@dataclass(frozen=True)
class FlatMap:
    """Principal axes of the cells: centre (m,), axes (2, m), the share of the spread each shows, and the channels."""

    centre: NDArray[np.float64]
    axes: NDArray[np.float64]
    share: tuple[float, float]
    channels: tuple[str, ...]


def fit_map(normal: Values, found: Values, channels: Sequence[str]) -> FlatMap | None:
    """Principal axes of normal and found cells, both groups with the same weight; None where there are too few cells.

    The full decomposition is exact and its signs are fixed, so the same cells always give the same map.
    """
    groups = [g for g in (normal, found) if len(g) >= LEAST]
    if not groups:
        return None
    least = min(len(g) for g in groups)
    cells = np.concatenate([g[:least] for g in groups]).astype(np.float64)
    fitted = PCA(n_components=2, svd_solver="full").fit(cells)
    first, second = (float(s) for s in fitted.explained_variance_ratio_)
    return FlatMap(fitted.mean_, fitted.components_, (first, second), tuple(channels))


def map_step(told: FlatMap) -> Step:
    """The plot of the map."""
    return Step("Map of all channels", NAMES, "leukocytes", ())


def on_map(drawn: Drawn, told: FlatMap) -> Drawn:
    """A tube's cells placed on the map, without gates."""
    return replace(
        drawn,
        channels=NAMES,
        gates={},
        leukocytes=_place(drawn.leukocytes, told),
        others=_place(drawn.others, told),
        blasts=_place(drawn.blasts, told),
        found=None if drawn.found is None else _place(drawn.found, told),
    )


def _place(values: Values, told: FlatMap) -> Values:
    return ((values - told.centre) @ told.axes.T).astype(np.float32)


def map_words(told: FlatMap) -> str:
    """What the axes of the map are made of."""
    parts = []
    for name, axis, share in zip(NAMES, told.axes, told.share, strict=True):
        order = np.argsort(-np.abs(axis))[:3]
        makers = ", ".join(f"{'+' if axis[i] > 0 else '−'}{told.channels[i]}" for i in order)
        parts.append(f"{name} ({100 * share:.0f} % of the spread): {makers}")
    return "; ".join(parts)
