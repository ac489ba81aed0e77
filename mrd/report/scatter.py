"""Two channels of a tube: leukocytes in grey, the found cells on top, the gates that concern them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mrd.core.panel import Panel
from mrd.report.drawn import Drawn, Gates, Limits, clipped
from mrd.report.looks import BLAST_INK, FOUND_INK, GATE_INK, LEUKOCYTE_INK
from mrd.report.pairs import Pair
from mrd.report.ticks import channel_ticks

SIDE = 3.3
"""Inches."""


@dataclass(frozen=True)
class Box:
    """A gate as seen on two channels: its name and its ends (None = open), x then y."""

    name: str
    x: tuple[float | None, float | None]
    y: tuple[float | None, float | None]


def plot_cells(drawn: Drawn, pair: Pair, panel: Panel, limits: Limits) -> Figure:
    """Scatter of one tube on two channels, the same axes for every visit.

    The artists carry gids: `leukocytes`, `blasts`, `found`, and `gate-<name>` for each outline.
    """
    figure = Figure(figsize=(SIDE, SIDE), layout="constrained")
    ax = figure.add_subplot()
    _scatter(ax, drawn, pair, limits)
    for box in gate_boxes(drawn.gates, pair, below=panel.leukocytes):
        _outline(ax, box, limits[pair[0]], limits[pair[1]])
    _axes(ax, pair, panel, limits)
    return figure


def found_size(count: int) -> float:
    """Marker size of the found cells: few are large, many do not hide each other."""
    return 4.2 if count <= 200 else 3.0 if count <= 1000 else 1.8


def gate_boxes(gates: Gates, pair: Pair, *, below: str) -> Iterator[Box]:
    """Yield the gates inside `below` that are drawn on these two channels and on no other."""
    for name, gate in gates.items():
        spans = gate["spans"]
        if spans and set(spans) <= set(pair) and below in _ancestors(gates, name):
            x, y = (tuple(spans.get(c, (None, None))) for c in pair)
            yield Box(name, x, y)


def _ancestors(gates: Gates, name: str) -> list[str]:
    found: list[str] = []
    while name in gates:
        name = gates[name]["parent"]
        found.append(name)
    return found


def _scatter(ax: Axes, drawn: Drawn, pair: Pair, limits: Limits) -> None:
    rest, blast = drawn.background[~drawn.blast], drawn.background[drawn.blast]
    layers = [("leukocytes", rest, LEUKOCYTE_INK, 1.3), ("blasts", blast, BLAST_INK, 1.3)]
    if drawn.found is not None:
        layers.append(("found", drawn.found, FOUND_INK, found_size(len(drawn.found))))
    for gid, cells, colour, size in layers:
        x, y = (clipped(drawn.column(cells, c), limits[c]) for c in pair)
        rim = 0.35 if size > 2 else 0.0
        for dots in ax.plot(x, y, linestyle="none", marker="o", markersize=size, color=colour, gid=gid):
            dots.set(markeredgecolor="white", markeredgewidth=rim)


def _outline(ax: Axes, box: Box, x_limits: tuple[float, float], y_limits: tuple[float, float]) -> None:
    """A gate's outline; an open side lies outside the axes."""
    left, right = _ends(box.x, x_limits)
    low, high = _ends(box.y, y_limits)
    ax.add_patch(
        Rectangle((left, low), right - left, high - low, fill=False, edgecolor=GATE_INK, linewidth=0.8, gid=f"gate-{box.name}")
    )
    across, up = x_limits[1] - x_limits[0], y_limits[1] - y_limits[0]
    x, y = max(left, x_limits[0]) + 0.015 * across, min(high, y_limits[1]) - 0.015 * up
    halo = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8}
    ax.text(x, y, box.name, fontsize=6.5, color=GATE_INK, ha="left", va="top", bbox=halo)


def _ends(span: tuple[float | None, float | None], limits: tuple[float, float]) -> tuple[float, float]:
    far = limits[1] - limits[0]
    return (limits[0] - far if span[0] is None else span[0], limits[1] + far if span[1] is None else span[1])


def _axes(ax: Axes, pair: Pair, panel: Panel, limits: Limits) -> None:
    for name, axis, tell in ((pair[0], ax.xaxis, ax.set_xlabel), (pair[1], ax.yaxis, ax.set_ylabel)):
        ticks = channel_ticks(panel.channels[name])
        if ticks is not None:
            axis.set_ticks(ticks[0], ticks[1])
            axis.set_ticks(ticks[2], minor=True)
        tell(name, fontweight="bold")
    ax.set_xlim(limits[pair[0]])
    ax.set_ylim(limits[pair[1]])
    ax.set_box_aspect(1)
