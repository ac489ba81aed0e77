"""Two channels of a tube as a plot that any page can lay out: a picture of the cells, gates and ticks in unit coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mrd.core.panel import Panel
from mrd.report.drawn import Drawn, Limits, Values
from mrd.report.looks import BLAST_TONES, FOUND_INK, LEUKOCYTE_TONES, OTHER_TONES
from mrd.report.raster import Layer, Places, png_of
from mrd.report.steps import Box, Step, gate_boxes
from mrd.report.ticks import channel_ticks

Ends = tuple[float, float]


@dataclass(frozen=True)
class Axis:
    """An axis: its name, places (0-1) of labelled ticks with their labels, and of minor ticks."""

    name: str
    labels: tuple[tuple[float, str], ...]
    minor: tuple[float, ...]


@dataclass(frozen=True)
class Outline:
    """A gate in unit coordinates, 0-1 along x and up y: its name, left, bottom, right and top; None where a side is open."""

    name: str
    left: float | None
    bottom: float | None
    right: float | None
    top: float | None


@dataclass(frozen=True)
class Plot:
    """A plot: the cells as PNG, the outlines of gates, and the axes."""

    png: bytes
    outlines: tuple[Outline, ...]
    x: Axis
    y: Axis


def plot_step(drawn: Drawn, step: Step, panel: Panel, limits: Limits) -> Plot:
    """One step of the hierarchy in one tube, the found cells on top."""
    ends = limits[step.pair[0]], limits[step.pair[1]]
    layers = [Layer(_places(drawn, cells, step, ends), tones, radius) for cells, tones, radius in step_layers(drawn, step)]
    outlines = [outline(box, *ends) for box in gate_boxes(drawn.gates, step)]
    x, y = (channel_axis(panel, c, e) for c, e in zip(step.pair, ends, strict=True))
    return Plot(png_of(layers), tuple(o for o in outlines if o is not None), x, y)


def step_layers(drawn: Drawn, step: Step) -> list[tuple[Values, tuple[str, ...], int]]:
    """The cells a step draws, with their tones and size, the found cells last."""
    layers: list[tuple[Values, tuple[str, ...], int]] = [(drawn.others, OTHER_TONES, 1)] if step.of == "cells" else []
    layers += [(drawn.leukocytes, LEUKOCYTE_TONES, 1)] if step.of != "blasts" else []
    layers.append((drawn.blasts, BLAST_TONES, 2 if step.of == "blasts" else 1))
    if drawn.found is not None:
        layers.append((drawn.found, (FOUND_INK,), found_radius(len(drawn.found))))
    return layers


def found_radius(count: int) -> int:
    """Size of the found cells: few are large, many do not hide each other."""
    return 3 if count <= 200 else 2 if count <= 1000 else 1


def _places(drawn: Drawn, cells: Values, step: Step, ends: Sequence[Ends]) -> Places:
    return np.stack([unit(drawn.column(cells, c), e) for c, e in zip(step.pair, ends, strict=True)], axis=1)


def unit(values: Values | Places, ends: Ends) -> Places:
    """Values as 0-1 between the axis ends; what lies beyond is moved just inside, so that no cell leaves the plot unseen."""
    return np.clip((values.astype(np.float64) - ends[0]) / (ends[1] - ends[0]), 0.008, 0.992)


def outline(box: Box, x: Ends, y: Ends) -> Outline | None:
    """A gate in unit coordinates; a side beyond the axis is open, and a gate of which nothing is seen is left out."""
    left, right, bottom, top = _unit(box.x[0], x), _unit(box.x[1], x), _unit(box.y[0], y), _unit(box.y[1], y)
    unseen = any(low is not None and low >= 1 for low in (left, bottom)) or any(h is not None and h <= 0 for h in (right, top))
    sides = [s if s is not None and 0 < s < 1 else None for s in (left, bottom, right, top)]
    return None if unseen or not any(s is not None for s in sides) else Outline(box.name, *sides)


def _unit(value: float | None, ends: Ends) -> float | None:
    return None if value is None else (value - ends[0]) / (ends[1] - ends[0])


def channel_axis(panel: Panel, channel: str, ends: Ends) -> Axis:
    """Ticks of a channel between the axis ends; names only where its scale has no decades, or none at all (the map)."""
    ticks = channel_ticks(panel.channels[channel]) if channel in panel.channels else None
    if ticks is None:
        return Axis(channel, (), ())
    places = [(place, label) for place, label in zip(_units(ticks[0], ends), ticks[1], strict=True) if 0 <= place <= 1]
    return Axis(channel, tuple(places), tuple(p for p in _units(ticks[2], ends) if 0 <= p <= 1))


def _units(values: Sequence[float], ends: Ends) -> list[float]:
    return [(v - ends[0]) / (ends[1] - ends[0]) for v in values]
