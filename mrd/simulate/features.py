"""What a synthetic cell has: size, granularity, autofluorescence and antigens, each a smooth trace over maturation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

Floats = NDArray[np.float64]

COFACTOR = 150.0
"""Antigen levels are asinh(signal / 150), the scale the panels share."""

WORDS = {"neg": 0.05, "low": 0.8, "dim": 1.7, "mod": 2.7, "bright": 3.7, "vivid": 4.7}
"""What the words of the immunophenotyping literature stand for here, in asinh units; set by hand, fitted to nothing."""


@dataclass(frozen=True)
class Antigen:
    """How an antigen varies between cells of one kind and stage: sd of the log signal, and the skew of its tails."""

    name: str
    spread: float
    skew: float


ANTIGENS = (
    Antigen("CD45", 0.17, -0.15),
    Antigen("CD34", 0.32, 0.20),
    Antigen("CD117", 0.36, -0.25),
    Antigen("CD33", 0.32, 0.10),
    Antigen("CD13", 0.40, -0.20),
    Antigen("HLA-DR", 0.36, -0.30),
    Antigen("CD38", 0.33, -0.15),
    Antigen("CD19", 0.28, 0.10),
    Antigen("CD56", 0.48, 0.35),
    Antigen("CD7", 0.40, -0.20),
    Antigen("CD15", 0.42, -0.30),
    Antigen("CD11b", 0.38, -0.20),
    Antigen("CD2", 0.38, 0.10),
    Antigen("CD4", 0.28, 0.10),
)
MARKERS = tuple(a.name for a in ANTIGENS)
BODY = ("FSC", "SSC", "AF")
"""Forward and side scatter in thousands of channels, autofluorescence relative to a lymphocyte; all kept as logs."""
FEATURES = BODY + MARKERS
COLUMN = {name: i for i, name in enumerate(FEATURES)}
GRID = 65
"""Points of maturation at which a trace is tabulated."""


def read_levels(text: str) -> Floats:
    """Levels along maturation from words and numbers: `"bright mod neg"`.

    Raises
    ------
    KeyError
        A word is not in `WORDS`.
    """
    return np.array([WORDS[w] if w[0].isalpha() else float(w) for w in text.split()])


def draw_trace(levels: Floats) -> Floats:
    """Draw a monotone-preserving smooth curve (Fritsch-Carlson) through evenly spaced levels, (GRID,)."""
    if len(levels) == 1:
        return np.full(GRID, levels[0])
    curve = PchipInterpolator(np.linspace(0, 1, len(levels)), levels)
    return np.asarray(curve(np.linspace(0, 1, GRID)), dtype=np.float64)


def draw_traces(levels: Mapping[str, str], *, default: str = "neg") -> Floats:
    """One trace per feature, (GRID, features): logs for the body, asinh units for antigens; undeclared antigens `default`."""
    body = [np.log(draw_trace(read_levels(levels[name]))) for name in BODY]
    antigens = [draw_trace(read_levels(levels.get(name, default))) for name in MARKERS]
    return np.column_stack(body + antigens)


def draw_shifts(shifts: Mapping[str, str]) -> Floats:
    """Additive traces, (GRID, features): nothing where nothing is declared."""
    return np.column_stack([draw_trace(read_levels(shifts.get(name, "0"))) for name in FEATURES])


def draw_at(traces: Floats, places: Floats) -> Floats:
    """Values of each feature's trace at places in [0, 1], both (n, features): linear between grid points."""
    position = np.clip(places, 0.0, 1.0) * (GRID - 1)
    low = np.minimum(position.astype(np.intp), GRID - 2)
    column = np.arange(traces.shape[1])
    lower = traces[low, column]
    return np.asarray(lower + (position - low) * (traces[low + 1, column] - lower))
