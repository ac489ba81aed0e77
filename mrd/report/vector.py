"""A plot as inline SVG: a symbol that is drawn once and shown wherever the page needs it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape

from mrd.report.scatter import Axis, Outline, Plot

SIDE = 240
"""Units of the plot itself."""
LEFT, FOOT, HEAD, RIGHT = 40, 36, 6, 6
"""Room for labels around it."""
WIDTH, HEIGHT = LEFT + SIDE + RIGHT, HEAD + SIDE + FOOT
VIEW = f"0 0 {WIDTH} {HEIGHT}"


def symbol(plot: Plot, name: str) -> str:
    """The plot as a `<symbol>`; `name` must be a plain word."""
    told = base64.b64encode(plot.png).decode()
    image = f'<image x="{LEFT}" y="{HEAD}" width="{SIDE}" height="{SIDE}" href="data:image/png;base64,{told}"/>'
    lines = [*_frame(), *(line for o in plot.outlines for line in _gate(o)), *_ticks_x(plot.x), *_ticks_y(plot.y)]
    return f'<symbol id="{name}" viewBox="{VIEW}">{image}{"".join(lines)}</symbol>'


def shown(name: str, alt: str) -> str:
    """A place where a symbol is shown, with what it shows in words."""
    return f'<svg class="plot" role="img" viewBox="{VIEW}" aria-label="{escape(alt)}"><use href="#{name}"/></svg>'


def _x(place: float) -> float:
    return round(LEFT + SIDE * place, 1)


def _y(place: float) -> float:
    return round(HEAD + SIDE * (1 - place), 1)


def _frame() -> Iterator[str]:
    yield f'<path class="axis" d="M{LEFT} {HEAD}V{HEAD + SIDE}H{LEFT + SIDE}"/>'


def _gate(o: Outline) -> Iterator[str]:
    """Yield the sides of a gate that are seen, and its name inside its upper left corner."""
    left, right, low, high = (
        _x(o.left or 0),
        _x(1 if o.right is None else o.right),
        _y(o.bottom or 0),
        _y(1 if o.top is None else o.top),
    )
    sides = [
        f"M{left} {low}V{high}" if o.left is not None else "",
        f"M{right} {low}V{high}" if o.right is not None else "",
        f"M{left} {low}H{right}" if o.bottom is not None else "",
        f"M{left} {high}H{right}" if o.top is not None else "",
    ]
    yield f'<path class="gate" d="{"".join(sides)}"/>'
    yield f'<text class="name" x="{left + 3}" y="{high + 10}">{escape(o.name)}</text>'


def _ticks_x(axis: Axis) -> Iterator[str]:
    foot = HEAD + SIDE
    marks = "".join(f"M{_x(p)} {foot}v3" for p in axis.minor) + "".join(f"M{_x(p)} {foot}v5" for p, _ in axis.labels)
    yield f'<path class="axis" d="{marks}"/>' if marks else ""
    for place, label in axis.labels:
        yield f'<text class="tick" text-anchor="middle" x="{_x(place)}" y="{foot + 16}">{escape(label)}</text>'
    yield f'<text class="channel" text-anchor="middle" x="{_x(0.5)}" y="{HEIGHT - 4}">{escape(axis.name)}</text>'


def _ticks_y(axis: Axis) -> Iterator[str]:
    marks = "".join(f"M{LEFT} {_y(p)}h-3" for p in axis.minor) + "".join(f"M{LEFT} {_y(p)}h-5" for p, _ in axis.labels)
    yield f'<path class="axis" d="{marks}"/>' if marks else ""
    for place, label in axis.labels:
        yield f'<text class="tick" text-anchor="end" x="{LEFT - 7}" y="{_y(place) + 4}">{escape(label)}</text>'
    x, y = 10, _y(0.5)
    yield f'<text class="channel" text-anchor="middle" x="{x}" y="{y}" transform="rotate(-90 {x} {y})">{escape(axis.name)}</text>'
