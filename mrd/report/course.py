"""A subject's MRD over time, with interval, limits, threshold and what happened in between."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from mrd.core.words import BELOW, NOT_DETECTED, NOT_EVALUABLE
from mrd.report.looks import GATE_INK, GREY, LOOKS, THRESHOLD_INK
from mrd.report.numbers import is_told, threshold_text
from mrd.report.ticks import percent_label, stack_labels

WIDTH, HEIGHT = 9.4, 4.3
PLOT_INCHES = 7.6
"""Width of the plot itself, to judge which labels would overlap."""
EVENTS = {
    "first_dose": "first dose",
    "cr_date": "CR/CRi",
    "consolidation": "consolidation",
    "transplant": "transplant",
    "new_therapy": "new therapy",
    "refractory": "refractory",
    "relapse": "relapse",
    "death": "death",
}
"""Clinical dates that are drawn, with their words."""


@dataclass(frozen=True)
class Point:
    """One visit on the plot: day from the first visit, the call, and what is drawn (None = there is none)."""

    visit: str
    collected: str
    day: float
    call: str
    value: float | None
    low: float | None
    high: float | None
    lob: float | None
    lod: float | None

    @property
    def at_limit(self) -> bool:
        """Whether the marker stands at the LoD, for lack of anything over it."""
        return self.call == NOT_DETECTED or not self.value

    @property
    def place(self) -> float | None:
        """Height of the marker: the estimate, or the LoD where there is none; None = the foot of the plot."""
        if self.call == NOT_EVALUABLE:
            return None
        return self.lod if self.at_limit else self.value


def plot_course(calls: Sequence[Mapping[str, Any]], *, threshold: float, events: Mapping[str, Any] | None = None) -> Figure:
    """MRD of a subject's visits on a log axis.

    Parameters
    ----------
    calls : rows of the calls table, oldest first
    events : clinical dates by column of the table of subjects (YYYY-MM-DD)

    The artists carry gids: `threshold`, and per visit `call-`, `interval-`, `lod-` and `lob-<visit>`.
    """
    points = course_points(calls)
    happened = course_events(calls, events or {})
    low, high = y_ends(points, threshold)
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    ax = figure.add_subplot()
    _threshold(ax, threshold)
    for point in points:
        _limits(ax, point)
        _marker(ax, point, foot=low * 1.5, bottom=low)
    _axes(ax, (low, high))
    _days(ax, points, happened)
    figure.legend(handles=_legend(points), loc="outside lower center", ncols=4, frameon=False, fontsize=7.5, handletextpad=0.4)
    return figure


def course_points(calls: Sequence[Mapping[str, Any]]) -> list[Point]:
    """What is drawn of each visit; visits of one day stand side by side."""
    if not calls:
        return []
    first = date.fromisoformat(str(calls[0]["collected"]))
    days = [float((date.fromisoformat(str(c["collected"])) - first).days) for c in calls]
    gap = 0.015 * max(days[-1], 30.0)
    spread = [days[0]]
    for day in days[1:]:
        spread.append(max(day, spread[-1] + gap))
    return [_point(c, d) for c, d in zip(calls, spread, strict=True)]


def _point(call: Mapping[str, Any], day: float) -> Point:
    names = ("mrd_fraction", "ci_low", "ci_high", "lob", "lod")
    value, low, high, lob, lod = (float(call[n]) if is_told(call[n]) else None for n in names)
    return Point(str(call["visit"]), str(call["collected"]), day, str(call["call"]), value, low, high, lob, lod)


def course_events(calls: Sequence[Mapping[str, Any]], events: Mapping[str, Any]) -> list[tuple[float, str]]:
    """Day and words of the clinical events near the visits, in order."""
    if not calls:
        return []
    first, last = (date.fromisoformat(str(calls[i]["collected"])) for i in (0, -1))
    reach = max(30.0, 0.25 * (last - first).days)
    told = [((date.fromisoformat(str(events[n])) - first).days, w) for n, w in EVENTS.items() if is_told(events.get(n))]
    return sorted((float(d), w) for d, w in told if -reach <= d <= (last - first).days + reach)


def y_ends(points: Sequence[Point], threshold: float) -> tuple[float, float]:
    """Ends of the axis: whole decades around everything drawn, at least one on each side of the threshold."""
    ends = [v for p in points if not p.at_limit for v in (p.low, p.high)]
    drawn = [v for v in [*ends, *(v for p in points for v in (p.place, p.lob, p.lod))] if v is not None and v > 1e-7]
    low = min([*drawn, threshold / 10])
    high = max([*drawn, threshold * 10])
    return 10.0 ** math.floor(math.log10(low)) / 2.5, min(10.0 ** math.ceil(math.log10(high * 1.1)), 1.0) * 1.3


def _threshold(ax: Axes, threshold: float) -> None:
    ax.axhline(threshold, color=THRESHOLD_INK, linewidth=1.1, linestyle=(0, (6, 3)), gid="threshold", zorder=1)
    told = f"threshold\n{threshold_text(threshold)}"
    ax.text(1.008, threshold, told, transform=ax.get_yaxis_transform(), va="center", fontsize=7.5, color=THRESHOLD_INK)


def _limits(ax: Axes, point: Point) -> None:
    for value, size, name, colour in ((point.lod, 17, "lod", GREY), (point.lob, 9, "lob", "#8b95a1")):
        if value is not None and value > 0:
            ax.plot(
                [point.day],
                [value],
                marker="_",
                markersize=size,
                markeredgewidth=1.1,
                color=colour,
                linestyle="none",
                gid=f"{name}-{point.visit}",
                zorder=2,
            )


def _marker(ax: Axes, point: Point, *, foot: float, bottom: float) -> None:
    look = LOOKS[point.call]
    place = None if point.place is None else max(point.place, foot)
    if place is not None and not point.at_limit and point.low is not None and point.high is not None:
        ends = [max(point.low, bottom), point.high]
        ax.plot([point.day] * 2, ends, color=look.colour, linewidth=1.3, gid=f"interval-{point.visit}", zorder=3)
    if place is not None and point.at_limit:
        down = {"arrowstyle": "-|>", "color": look.colour, "linewidth": 1.1, "shrinkA": 4, "shrinkB": 0}
        ax.annotate("", (point.day, place / 2.2), (point.day, place), arrowprops=down, zorder=3)
    ax.plot(
        [point.day],
        [foot if place is None else place],
        marker=look.marker,
        markersize=7.5,
        markeredgewidth=1.5,
        color=look.colour,
        markerfacecolor=look.colour if look.filled else "white",
        linestyle="none",
        gid=f"call-{point.visit}",
        zorder=4,
    )


def _axes(ax: Axes, ends: tuple[float, float]) -> None:
    ax.set_yscale("log")
    ax.set_ylim(ends)
    decades = [10.0**k for k in range(math.ceil(math.log10(ends[0])), math.floor(math.log10(ends[1])) + 1)]
    ax.yaxis.set_major_locator(FixedLocator(decades))
    ax.yaxis.set_major_formatter(FixedFormatter([percent_label(d) for d in decades]))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_ylabel("MRD, % of leukocytes")
    ax.grid(axis="y", color="#e4e8ec", linewidth=0.7)
    ax.set_axisbelow(True)


def _days(ax: Axes, points: Sequence[Point], happened: Sequence[tuple[float, str]]) -> None:
    days = [p.day for p in points] + [d for d, _ in happened] or [0.0]
    air = max(0.05 * (max(days) - min(days)), 4.0)
    start, end = min(days) - air, max(days) + air
    ax.set_xlim(start, end)
    ax.set_xticks([p.day for p in points], [""] * len(points))
    inch = PLOT_INCHES / (end - start)
    for point, row in zip(points, stack_labels([p.day * inch for p in points], [0.72] * len(points), rows=3), strict=True):
        _below(ax, point, row)
    widths = [0.075 * len(w) + 0.1 for _, w in happened]
    for (day, told), row in zip(happened, stack_labels([d * inch for d, _ in happened], widths, rows=3), strict=True):
        ax.axvline(day, color=GATE_INK, linewidth=0.8, linestyle=(0, (1, 2)), zorder=0)
        ax.annotate(
            told,
            (day, 1),
            (0, 2 + 10 * row),
            xycoords=ax.get_xaxis_transform(),
            textcoords="offset points",
            ha="center",
            fontsize=7.5,
            color=GATE_INK,
        )


def _below(ax: Axes, point: Point, row: int) -> None:
    where: dict[str, Any] = {"xycoords": ax.get_xaxis_transform(), "textcoords": "offset points", "ha": "center", "va": "top"}
    ax.annotate(point.visit, (point.day, 0), (0, -6 - 23 * row), fontsize=8, fontweight="bold", **where)
    ax.annotate(point.collected, (point.day, 0), (0, -16 - 23 * row), fontsize=7, color=GREY, **where)


def _legend(points: Sequence[Point]) -> list[Line2D]:
    calls = [c for c in LOOKS if any(p.call == c for p in points)]
    marks = [
        Line2D(
            [],
            [],
            marker=LOOKS[c].marker,
            color=LOOKS[c].colour,
            markerfacecolor=LOOKS[c].colour if LOOKS[c].filled else "white",
            markeredgewidth=1.5,
            markersize=6.5,
            linestyle="none",
            label=LOOKS[c].label,
        )
        for c in calls
    ]
    lines = (("95 % interval", "|", 11, GREY), ("LoD", "_", 15, GREY), ("LoB", "_", 8, "#8b95a1"))
    rest = [
        Line2D([], [], marker=m, color=colour, markersize=s, markeredgewidth=1.2, linestyle="none", label=label)
        for label, m, s, colour in lines
    ]
    return marks + rest


def course_alt(calls: Sequence[Mapping[str, Any]], *, threshold: float) -> str:
    """The plot in words, for readers who do not see it."""
    told = ", ".join(f"{c['visit']} {LOOKS[str(c['call'])].label.lower()}" for c in calls)
    below = sum(str(c["call"]) in BELOW for c in calls)
    return f"MRD over time against {threshold_text(threshold)}: {told}. {below} of {len(calls)} visits are below."
