"""What of the found cells differs from normal blasts: per marker, how surely a found cell is the brighter of the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import rankdata

from mrd.report.drawn import Values
from mrd.report.looks import FOUND_INK, GREY

CLEAR, LIKELY = 0.95, 0.8
"""From these shares of pairs on, a marker is called clearly or rather different."""
ROW, WIDTH = 0.24, 6.0
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BAND_INK, BAND_MEDIAN = "#c8d4e2", "#3d6796"


@dataclass(frozen=True)
class Difference:
    """One marker: share of pairs of a found cell and a normal blast in which the found cell is brighter (ties count half)."""

    marker: str
    brighter: float

    @property
    def word(self) -> str:
        """How the found cells differ."""
        sure = max(self.brighter, 1 - self.brighter)
        if sure < LIKELY:
            return "like normal"
        side = "brighter" if self.brighter > 0.5 else "dimmer"
        return side if sure >= CLEAR else f"rather {side}"


def differences(found: Values, normal: Values, channels: Sequence[str], *, among: Sequence[str]) -> list[Difference]:
    """How each marker of the found cells differs from normal blasts, most different first; nothing where either is absent.

    Parameters
    ----------
    found, normal : (k, m) and (n, m) cells x channels on the common scale
    """
    if not len(found) or not len(normal):
        return []
    told = [Difference(c, brighter_share(found[:, channels.index(c)], normal[:, channels.index(c)])) for c in among]
    return sorted(told, key=lambda d: (-abs(d.brighter - 0.5), d.marker))


def brighter_share(found: Values, normal: Values) -> float:
    """P(found > normal) + P(found = normal) / 2, the area under the curve of Mann and Whitney (1947)."""
    ranks = rankdata(np.concatenate([found, normal]))[: len(found)]
    return float((ranks.sum() - len(found) * (len(found) + 1) / 2) / (len(found) * len(normal)))


def difference_words(told: Sequence[Difference]) -> list[str]:
    """The markers that differ, as a lab would say it."""
    shares = [(d, 100 * max(d.brighter, 1 - d.brighter)) for d in told if d.word != "like normal"]
    return [f"{d.marker} {d.word} ({share:.0f} % of pairs)" for d, share in shares]


def plot_levels(groups: Mapping[str, Values], normal: Values, channels: Sequence[str], markers: Sequence[str]) -> Figure:
    """Levels of each marker: normal blasts as a band (5-95 %), each group of found cells as median and quartiles.

    The artists carry gids: `normal-<marker>`, and `<group>-<marker>` for the medians.
    """
    figure = Figure(figsize=(WIDTH, ROW * len(markers) * max(len(groups), 1.4) + 0.7), layout="constrained")
    ax = figure.add_subplot()
    for row, marker in enumerate(markers):
        _band(ax, row, normal[:, channels.index(marker)], marker)
        for i, (name, cells) in enumerate(groups.items()):
            place = row + 0.62 * ((i + 0.5) / len(groups) - 0.5)
            _levels(ax, place, cells[:, channels.index(marker)], f"{name}-{marker}", i)
    ax.set_yticks(range(len(markers)), markers)
    ax.set_ylim(len(markers) - 0.4, -0.6)
    ax.set_xlabel("level on the common scale")
    ax.grid(axis="x", color="#e4e8ec", linewidth=0.7)
    ax.set_axisbelow(True)
    return figure


def _band(ax: Axes, row: int, cells: Values, marker: str) -> None:
    low, _, middle, _, high = np.quantile(cells, QUANTILES)
    ax.barh(row, high - low, left=low, height=0.72, color=BAND_INK, gid=f"normal-{marker}")
    ax.plot([middle, middle], [row - 0.36, row + 0.36], color=BAND_MEDIAN, linewidth=1.4)


def _levels(ax: Axes, place: float, cells: Values, gid: str, number: int) -> None:
    _, low, middle, high, _ = np.quantile(cells, QUANTILES)
    colour = FOUND_INK if number == 0 else GREY
    ax.plot([low, high], [place, place], color=colour, linewidth=1.6, solid_capstyle="butt")
    ax.plot([middle], [place], marker="oDs^v"[number % 5], markersize=4.5, color=colour, linestyle="none", gid=gid)
