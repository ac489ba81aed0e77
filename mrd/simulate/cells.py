"""Draw cells: a stage of maturation each, a smooth path through the antigens, skewed heavy-tailed scatter around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrd.simulate.composition import Part, shares_of
from mrd.simulate.features import BODY, COFACTOR, COLUMN, FEATURES, Floats, draw_at
from mrd.simulate.skew import draw_skewed
from mrd.simulate.truth import CODE

SLIP = 0.05
"""How far each feature of a cell runs ahead of or behind its stage."""
SIZE_SPREAD, SIDE_SPREAD, GLOW_SPREAD = 0.095, 0.13, 0.2
SIZE_PULL = {"side": 0.4, "glow": 1.6, "antigen": 0.5}
"""What a cell that is larger than its like has more of (exponents on the size)."""
PATCH_POWER = 3.0
"""Patchy expression falls on few cells: a cell takes u ** 3 of it, u uniform."""


@dataclass(frozen=True)
class Cells:
    """Events before the cytometer: what each is, its light.

    code : (n,) · size, height, side : area and height of forward scatter, side scatter, in channels, (n,)
    glow : autofluorescence relative to a lymphocyte, (n,) · signal : of each antigen's dye, in channels, (n, antigens)
    """

    code: NDArray[np.uint8]
    size: Floats
    height: Floats
    side: Floats
    glow: Floats
    signal: Floats

    def __len__(self) -> int:
        """Events."""
        return len(self.code)

    def take(self, index: NDArray[np.intp]) -> Cells:
        """Keep the events at some places, in that order."""
        return Cells(
            self.code[index], self.size[index], self.height[index], self.side[index], self.glow[index], self.signal[index]
        )


def draw_cells(
    parts: Sequence[Part], offsets: Mapping[str, Floats], n: int, rng: np.random.Generator, *, regeneration: float
) -> Cells:
    """Cells of a mixture of parts, in random order.

    Parameters
    ----------
    offsets : the subject's own step of each lineage's features, (features,)
    """
    counts = rng.multinomial(n, shares_of(list(parts)))
    drawn = [
        draw_lineage(part, offsets.get(part.lineage.name, np.zeros(len(FEATURES))), int(count), rng, regeneration=regeneration)
        for part, count in zip(parts, counts, strict=True)
    ]
    return join_cells(drawn).take(rng.permutation(n))


def draw_lineage(part: Part, offset: Floats, n: int, rng: np.random.Generator, *, regeneration: float) -> Cells:
    """Cells of one part."""
    stage = rng.beta(*part.stage, n)
    place = stage[:, None] + SLIP * rng.standard_normal((n, len(FEATURES)))
    lineage = part.lineage
    levels = draw_at(lineage.traces, place)
    if regeneration > 0:
        patch = rng.random((n, 1)) ** PATCH_POWER
        levels += regeneration * (draw_at(lineage.shift, place) * expression(levels) + patch * draw_at(lineage.patchy, place))
    levels += offset * expression(levels)
    code = CODE.get(lineage.name, CODE["debris"])
    return light_cells(np.full(n, code, dtype=np.uint8), levels, lineage.spread, lineage.skew, rng)


def expression(levels: Floats) -> Floats:
    """How much of a step a level takes, (n, features): none where an antigen is absent, all from 1 on; the body all."""
    taken = np.clip(levels, 0.0, 1.0)
    taken[:, : len(BODY)] = 1.0
    return taken


def light_cells(code: NDArray[np.uint8], levels: Floats, spread: Floats, skew: Floats, rng: np.random.Generator) -> Cells:
    """Cells around their levels: size first, since larger cells scatter, glow and bind more."""
    n = len(code)
    size = SIZE_SPREAD * draw_skewed(rng, (n,), 0.2)
    side = SIDE_SPREAD * draw_skewed(rng, (n,), 0.25) + SIZE_PULL["side"] * size
    glow = GLOW_SPREAD * draw_skewed(rng, (n,), 0.3) + SIZE_PULL["glow"] * size
    own = spread * draw_skewed(rng, (n, len(spread)), skew, tail=0.85) + SIZE_PULL["antigen"] * size[:, None]
    signal = COFACTOR * np.sinh(np.maximum(levels[:, len(BODY) :], 0.0)) * np.exp(own)
    body = np.exp(levels[:, : len(BODY)] + np.column_stack([size, side, glow]))
    area = 1e3 * body[:, COLUMN["FSC"]]
    return Cells(code, area, area / width_of(area, rng), 1e3 * body[:, COLUMN["SSC"]], body[:, COLUMN["AF"]], signal)


def width_of(area: Floats, rng: np.random.Generator) -> Floats:
    """Area over height of a single cell's pulse, a little wider for larger cells, (n,)."""
    return np.asarray(1.5 * (area / 60e3) ** 0.07 * np.exp(0.035 * draw_skewed(rng, area.shape, 0.15)))


def join_cells(groups: Sequence[Cells]) -> Cells:
    """Several groups as one."""
    fields = ("code", "size", "height", "side", "glow", "signal")
    return Cells(*(np.concatenate([getattr(g, name) for g in groups]) for name in fields))
