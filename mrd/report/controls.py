"""What the controls show of a LAIP: one point per control, against threshold and limit of blank."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from mrd.core.words import CONTROL_KINDS
from mrd.report.looks import BLAST_INK, GREY, THRESHOLD_INK
from mrd.report.numbers import is_told, threshold_text
from mrd.report.ticks import percent_label

WIDTH, HEIGHT = 5.4, 1.75


def plot_controls(limits: Sequence[Mapping[str, Any]], *, threshold: float) -> Figure:
    """Share of each control's leukocytes that pass the LAIP's cut, by kind of control.

    Parameters
    ----------
    limits : rows of the limits table of one subject and panel

    The artists carry gids: `threshold` and `controls-<kind>`. A control in which nothing passed stands at the left end.
    """
    ends = x_ends([float(r["fraction"]) for r in limits], threshold)
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    ax = figure.add_subplot()
    for row, kind in enumerate(CONTROL_KINDS):
        _strip(ax, [float(r["fraction"]) for r in limits if r["control_kind"] == kind], row, kind, ends)
    ax.axvline(threshold, color=THRESHOLD_INK, linewidth=1.1, linestyle=(0, (6, 3)), gid="threshold")
    ax.text(
        threshold, 1.02, threshold_text(threshold), transform=ax.get_xaxis_transform(), ha="center", va="bottom", fontsize=7.5
    )
    _axes(ax, ends)
    return figure


def x_ends(fractions: Sequence[float], threshold: float) -> tuple[float, float]:
    """Whole decades around the fractions above zero, with room for zero at the left."""
    told = [f for f in fractions if f > 0]
    low = min([*told, threshold / 10])
    high = max([*told, threshold])
    return 10.0 ** math.floor(math.log10(low)) / 2, 10.0 ** math.ceil(math.log10(high)) * 2


def _strip(ax: Axes, fractions: Sequence[float], row: int, kind: str, ends: tuple[float, float]) -> None:
    places = np.sort(np.maximum(np.asarray(fractions, dtype=float), ends[0] * 1.15))
    lift = 0.14 * (np.arange(len(places)) % 3 - 1)
    ax.plot(
        places,
        row + lift,
        marker="o",
        markersize=5,
        linestyle="none",
        color=BLAST_INK,
        alpha=0.85,
        markeredgecolor="white",
        markeredgewidth=0.6,
        gid=f"controls-{kind}",
    )
    if len(places):
        ax.plot([float(np.median(places))] * 2, [row - 0.32, row + 0.32], color=GREY, linewidth=1.5)


def _axes(ax: Axes, ends: tuple[float, float]) -> None:
    ax.set_xscale("log")
    ax.set_xlim(ends)
    ax.set_ylim(len(CONTROL_KINDS) - 0.4, -0.6)
    ax.set_yticks(range(len(CONTROL_KINDS)), CONTROL_KINDS)
    decades = [10.0**k for k in range(math.ceil(math.log10(ends[0])), math.floor(math.log10(ends[1])) + 1)]
    ax.xaxis.set_major_locator(FixedLocator(decades))
    ax.xaxis.set_major_formatter(FixedFormatter([percent_label(d) for d in decades]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("found among the control's leukocytes")
    ax.grid(axis="x", color="#e4e8ec", linewidth=0.7)
    ax.set_axisbelow(True)


def controls_alt(limits: Sequence[Mapping[str, Any]]) -> str:
    """The plot in words."""
    told = []
    for kind in CONTROL_KINDS:
        fractions = [float(r["fraction"]) for r in limits if r["control_kind"] == kind and is_told(r["fraction"])]
        if fractions:
            told.append(f"{len(fractions)} {kind} controls from {100 * min(fractions):.2g} to {100 * max(fractions):.2g} %")
        else:
            told.append(f"no {kind} controls")
    return "Share of control leukocytes that pass the cut: " + ", ".join(told) + "."
