"""The cells of a tube as plots take them: a fixed sample of the background, the found cells, and how far the axes reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]
Mask = NDArray[np.bool_]
Limits = dict[str, tuple[float, float]]
Gates = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Drawn:
    """Cells of one tube to draw.

    background (k, m) : leukocytes that were not found; `blast` (k,) marks those of the blast compartment
    found (j, m) : found cells, or None where no arm looked
    n_background, n_found : how many there are in the tube; more than drawn where a sample was taken
    n_found_blast : found cells inside the blast compartment
    gates : gates as placed, by name: parent, spans, minus
    """

    tube_id: str
    channels: tuple[str, ...]
    background: Values
    blast: Mask
    found: Values | None
    n_background: int
    n_found: int
    n_found_blast: int
    gates: Gates

    def column(self, values: Values, channel: str) -> Values:
        """One channel of background or found cells."""
        return values[:, self.channels.index(channel)]


def draw_cells(
    tube_id: str,
    values: Values,
    channels: Sequence[str],
    *,
    leukocytes: Mask,
    blasts: Mask,
    found: Mask | None,
    gates: Gates,
    most: int,
    rng: np.random.Generator,
) -> Drawn:
    """Choose what is drawn of a tube: at most `most` leukocytes that were not found, and at most `most` found cells.

    Parameters
    ----------
    values : (n, m) cells x channels on the common scale
    leukocytes, blasts, found : (n,) membership; found is None where no arm looked
    """
    hit = np.zeros(len(values), dtype=bool) if found is None else found
    rest, mine = np.flatnonzero(leukocytes & ~hit), np.flatnonzero(hit)
    background, some = sample(rest, most, rng), sample(mine, most, rng)
    return Drawn(
        tube_id=tube_id,
        channels=tuple(channels),
        background=values[background],
        blast=blasts[background],
        found=None if found is None else values[some],
        n_background=len(rest),
        n_found=len(mine),
        n_found_blast=int((hit & blasts).sum()),
        gates=gates,
    )


def sample(rows: NDArray[np.intp], most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """At most `most` of the rows, in random order so that none hides behind those that came later."""
    return rng.permutation(rows)[:most]


def axis_limits(drawn: Sequence[Drawn]) -> Limits:
    """Common axis ends of each channel over several tubes of one panel: nearly all cells, and a little air."""
    cells = [c for d in drawn for c in (d.background, d.found) if c is not None and len(c)]
    if not cells:
        return {n: (-1.0, 8.0) for d in drawn for n in d.channels}
    ends = np.stack([np.quantile(c, (0.002, 0.998), axis=0) for c in cells])
    low, high = ends[:, 0].min(axis=0), ends[:, 1].max(axis=0)
    air = 0.05 * np.maximum(high - low, 1.0)
    return {n: (float(a - e), float(b + e)) for n, a, b, e in zip(drawn[0].channels, low, high, air, strict=True)}


def clipped(values: Values, limits: tuple[float, float]) -> Values:
    """Values moved onto the axis ends where they lie beyond: no cell leaves the plot unseen."""
    inset = 0.008 * (limits[1] - limits[0])
    return np.clip(values, limits[0] + inset, limits[1] - inset)
