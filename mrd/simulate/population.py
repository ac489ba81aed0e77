"""A population as it is declared (words, shares, source) and as it is drawn from (traces)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from mrd.simulate.features import ANTIGENS, Floats, draw_shifts, draw_traces

Beta = tuple[float, float]


@dataclass(frozen=True)
class Population:
    """One row of the catalogue of normal marrow.

    share : of the nucleated cells of a normal adult marrow · regrowth : factor on it in a regenerating marrow
    blood : share of the leukocytes of peripheral blood
    stage : beta distribution of the maturation stage, 0 the least mature, in normal and in regenerating marrow, and in blood
    levels : size, side scatter and antigens along maturation, in words or asinh units
    shift : how far they move in full regeneration, all cells alike (body features: logs)
    patchy : how far they move in full regeneration in the most affected cells, most cells hardly at all
    """

    name: str
    share: float
    source: str
    levels: Mapping[str, str]
    regrowth: float = 1.0
    blood: float = 0.0
    stage: Beta = (1.5, 1.5)
    stage_regrowth: Beta | None = None
    stage_blood: Beta = (12.0, 1.2)
    shift: Mapping[str, str] = field(default_factory=dict)
    patchy: Mapping[str, str] = field(default_factory=dict)
    leukocyte: bool = True

    def __hash__(self) -> int:
        """Tell populations apart by name."""
        return hash(self.name)


@dataclass(frozen=True)
class Lineage:
    """A population ready to draw from.

    traces, shift, patchy : (GRID, features) · spread, skew : (antigens,) of the log signal
    """

    name: str
    traces: Floats
    shift: Floats
    patchy: Floats
    spread: Floats
    skew: Floats
    leukocyte: bool


@cache
def lineage_of(population: Population) -> Lineage:
    """Turn a declaration into traces; the same for every subject."""
    return Lineage(
        name=population.name,
        traces=draw_traces(population.levels),
        shift=draw_shifts(population.shift),
        patchy=draw_shifts(population.patchy),
        spread=np.array([a.spread for a in ANTIGENS]),
        skew=np.array([a.skew for a in ANTIGENS]),
        leukocyte=population.leukocyte,
    )
