"""A subject's leukaemia: normal maturation arrested, moved off its path, and marked by a LAIP."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mrd.simulate.features import BODY, COLUMN, FEATURES, GRID, MARKERS, Floats, draw_at, read_levels
from mrd.simulate.kinds import Kind
from mrd.simulate.myeloid import GRANULOCYTIC, MONOCYTIC, PROGENITOR
from mrd.simulate.population import Lineage, lineage_of

NAME = "leukaemic"
LEAST_CD45 = 2.3
"""Blasts are CD45 dim, not negative (Borowitz 1993, Am J Clin Pathol 100:534)."""


def make_leukaemia(kinds: tuple[Kind, ...], rng: np.random.Generator) -> Lineage:
    """Make a leukaemia of its own for each stream: which path, how far, how much off, and the kinds' markers on top."""
    traces = arrest_path(rng)
    traces = bend_traces(traces, rng)
    normal = lineage_of(PROGENITOR)
    leukaemia = replace(
        normal,
        name=NAME,
        traces=traces,
        shift=np.zeros_like(traces),
        patchy=np.zeros_like(traces),
        spread=normal.spread * rng.uniform(1.0, 1.4),
    )
    for kind in kinds:
        leukaemia = mark_leukaemia(leukaemia, kind, rng)
    return leukaemia


def arrest_path(rng: np.random.Generator) -> Floats:
    """From somewhere along the progenitors to a little way into the granulocytic or the monocytic path, (GRID, features)."""
    fate, reach = (GRANULOCYTIC, rng.uniform(0.01, 0.08)) if rng.random() < 0.55 else (MONOCYTIC, rng.uniform(0.05, 0.35))
    start = rng.uniform(0.3, 0.7)
    place = np.linspace(0, 1, GRID)[:, None] * np.ones(len(FEATURES))
    early = draw_at(lineage_of(PROGENITOR).traces, start + (1 - start) * np.minimum(place / 0.7, 1))
    late = draw_at(lineage_of(fate).traces, reach * np.maximum(place - 0.7, 0) / 0.3)
    blend = np.clip((place - 0.6) / 0.2, 0, 1)
    return (1 - blend) * early + blend * late


def bend_traces(traces: Floats, rng: np.random.Generator) -> Floats:
    """Every antigen off its normal path by its own step and slope, expressed ones more than absent ones."""
    place = np.linspace(-0.5, 0.5, GRID)[:, None]
    step, slope = rng.normal(0, 0.3, len(FEATURES)), rng.normal(0, 0.35, len(FEATURES))
    scale = np.minimum(1.0, np.maximum(traces, 0.0))
    scale[:, : len(BODY)] = (0.35, 0.35, 0.5)
    bent = traces + scale * (step + slope * place)
    bent[:, len(BODY) :] = np.maximum(bent[:, len(BODY) :], 0.02)
    bent[:, COLUMN["CD45"]] = np.clip(bent[:, COLUMN["CD45"]], LEAST_CD45, 3.6)
    return bent


def mark_leukaemia(leukaemia: Lineage, kind: Kind, rng: np.random.Generator) -> Lineage:
    """Put the kind's markers at its levels, give or take the subject; wider than normal, tailing back to normal."""
    traces, spread, skew = leukaemia.traces.copy(), leukaemia.spread.copy(), leukaemia.skew.copy()
    normal = lineage_of(PROGENITOR).traces.mean(axis=0)
    for marker, text in kind.levels.items():
        column, antigen = COLUMN[marker], MARKERS.index(marker)
        target = read_levels(text)[0]
        raised = target > normal[column]
        traces[:, column] = np.maximum(target + rng.normal(0, 0.2 if raised else 0.05) + np.linspace(-0.15, 0.15, GRID), 0.02)
        spread[antigen], skew[antigen] = 0.5, -0.3 if raised else 0.3
    return replace(leukaemia, traces=traces, spread=spread, skew=skew)


def drift_leukaemia(leukaemia: Lineage, size: float, rng: np.random.Generator) -> Lineage:
    """Move every antigen of a clone by about `size` asinh units, kept above absent."""
    traces = leukaemia.traces.copy()
    traces[:, len(BODY) :] = np.maximum(traces[:, len(BODY) :] + rng.normal(0, size, len(MARKERS)), 0.02)
    traces[:, COLUMN["CD45"]] = np.clip(traces[:, COLUMN["CD45"]], LEAST_CD45, 3.6)
    return replace(leukaemia, traces=traces)
