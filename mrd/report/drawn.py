"""The cells of a tube as plots take them: a fixed sample of the background, the found cells, and how far the axes reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """Cells of one tube to draw, (any number, channels) each on the common scale.

    leukocytes : leukocytes that were not found · others : cells that are no leukocytes, in proportion to them
    blasts : cells of the blast compartment that were not found; a sample of its own, since they are few
    found : found cells, or None where no arm looked
    n_leukocytes, n_blasts, n_found : how many there are in the tube; more than drawn where a sample was taken
    n_found_blast : found cells inside the blast compartment
    gates : gates as placed, by name: parent, spans, minus
    """

    tube_id: str
    channels: tuple[str, ...]
    leukocytes: Values
    others: Values
    blasts: Values
    found: Values | None
    n_leukocytes: int
    n_blasts: int
    n_found: int
    n_found_blast: int
    gates: Gates

    def column(self, values: Values, channel: str) -> Values:
        """One channel of some of its cells."""
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
    """Choose what is drawn of a tube: at most `most` cells of a kind.

    Parameters
    ----------
    values : (n, m) cells x channels on the common scale
    leukocytes, blasts, found : (n,) membership; found is None where no arm looked
    """
    hit = np.zeros(len(values), dtype=bool) if found is None else found
    rest, away = np.flatnonzero(leukocytes & ~hit), np.flatnonzero(~leukocytes & ~hit)
    compartment, mine = np.flatnonzero(blasts & ~hit), np.flatnonzero(hit)
    shown = sample(rest, most, rng)
    share = len(shown) / len(rest) if len(rest) else 1.0
    return Drawn(
        tube_id=tube_id,
        channels=tuple(channels),
        leukocytes=values[shown],
        others=values[sample(away, min(round(share * len(away)), most), rng)],
        blasts=values[sample(compartment, most, rng)],
        found=None if found is None else values[sample(mine, most, rng)],
        n_leukocytes=len(rest),
        n_blasts=len(compartment),
        n_found=len(mine),
        n_found_blast=int((hit & blasts).sum()),
        gates=gates,
    )


def sample(rows: NDArray[np.intp], most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """At most `most` of the rows, in random order so that none hides behind those that came later."""
    return rng.permutation(rows)[:most]


def inside(gates: Mapping[str, Mapping[str, Any]], name: str, values: Values, channels: Sequence[str]) -> Mask:
    """Cells inside a gate as placed, as far as the channels tell; quality and ratio gates let every cell through."""
    if name not in gates:
        return np.ones(len(values), dtype=bool)
    gate = gates[name]
    kept = inside(gates, gate["parent"], values, channels)
    for channel, (low, high) in gate["spans"].items():
        if channel in channels:
            cell = values[:, list(channels).index(channel)]
            kept &= (cell >= (-np.inf if low is None else low)) & (cell < (np.inf if high is None else high))
    for other in gate["minus"]:
        kept &= ~inside(gates, other, values, channels)
    return kept


def axis_limits(drawn: Sequence[Drawn]) -> Limits:
    """Common axis ends of each channel over several tubes of one panel: nearly all cells, and a little air."""
    cells = [c for d in drawn for c in (d.leukocytes, d.others, d.found) if c is not None and len(c)]
    if not cells:
        return {n: (-1.0, 8.0) for d in drawn for n in d.channels}
    ends = np.stack([np.quantile(c, (0.002, 0.998), axis=0) for c in cells])
    low, high = ends[:, 0].min(axis=0), ends[:, 1].max(axis=0)
    air = 0.05 * np.maximum(high - low, 1.0)
    return {n: (float(a - e), float(b + e)) for n, a, b, e in zip(drawn[0].channels, low, high, air, strict=True)}
