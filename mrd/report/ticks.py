"""Axis ticks a reader knows: decades of the instrument's scale, percent of leukocytes, labels that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence
from math import asinh

from mrd.core.panel import Channel
from mrd.report.numbers import power_of_ten

DECADES = (-3, 0, 3, 4, 5)
"""Powers of ten that are labelled; 0 stands for the value 0, a minus sign for a negative value."""
Ticks = tuple[list[float], list[str], list[float]]


def channel_ticks(channel: Channel) -> Ticks | None:
    """Labelled positions, their labels, and minor positions on a channel's common scale; None where it is not asinh."""
    if channel.scale.kind != "asinh":
        return None
    cofactor = channel.scale.cofactor
    major = [asinh(_value(d) / cofactor) for d in DECADES]
    minor = [asinh(m * 10.0**p / cofactor) for p in (2, 3, 4, 5) for m in range(2, 10)]
    return major, [_label(d) for d in DECADES], minor


def _value(decade: int) -> float:
    return 0.0 if decade == 0 else (1.0 if decade > 0 else -1.0) * 10.0 ** abs(decade)


def _label(decade: int) -> str:
    return "0" if decade == 0 else ("−" if decade < 0 else "") + power_of_ten(abs(decade))


def scale_name(channel: Channel) -> str:
    """How a channel's common scale is made, for a caption."""
    s = channel.scale
    return f"asinh(x / {s.cofactor:g})" if s.kind == "asinh" else f"logicle (T {s.t:g}, W {s.w:g}, M {s.m:g}, A {s.a:g})"


def percent_label(fraction: float) -> str:
    """A decade of the MRD axis: 0.001 is 0.1 %."""
    return f"{100 * fraction:g} %" if fraction >= 1e-6 else f"{100 * fraction:.0e} %"


def stack_labels(places: Sequence[float], widths: Sequence[float], *, rows: int) -> list[int]:
    """The row of each label, so that none overlaps its neighbour: the lowest row that is free, else the one free first.

    Parameters
    ----------
    places, widths : centre and width of each label, in any one unit, places ascending
    rows : rows there are
    """
    free = [float("-inf")] * rows
    out = []
    for place, width in zip(places, widths, strict=True):
        start = place - width / 2
        row = next((i for i, end in enumerate(free) if end <= start), min(range(rows), key=lambda i: free[i]))
        free[row] = place + width / 2
        out.append(row)
    return out
