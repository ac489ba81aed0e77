"""The figures of a trial: waterfall, swimmer and Kaplan-Meier plots."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import log10
from typing import Any

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mrd.endpoint.cells import Record, read_records

GREEN, RED, GREY, BLUE, INK = "#00695c", "#a8231b", "#7a8691", "#0b4f8a", "#17212b"
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "flowmrd",
    "axes.edgecolor": INK,
}
EVENTS = {
    "CRDT": ("CR or CRi", "^", GREEN),
    "CONSDT": ("consolidation", "s", BLUE),
    "TRANSDT": ("transplant", "P", BLUE),
    "NEWTRDT": ("new therapy", "D", GREY),
    "RELDT": ("relapse", "v", RED),
    "DTHDT": ("death", "X", INK),
}
"""Date of ADSL: its words, marker and colour in the swimmer plot."""
COLOURS = {"all": INK, "MRD below": GREEN, "MRD not below": RED, "MRD not told": GREY}


@dataclass(frozen=True)
class Picture:
    """A figure, and what it shows in words."""

    figure: Figure
    alt: str


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of the page, without touching anybody's settings."""
    with rc_context(STYLE):
        yield


def plot_waterfall(admrd: pd.DataFrame) -> Picture:
    """Plot the lowest MRD of each subject's window against its baseline, in powers of ten."""
    bars = sorted(_reductions(admrd), key=lambda bar: -bar[1])
    figure, ax = _axes(max(3.2, 0.22 * len(bars) + 1.5), 3.6)
    for i, (subject, value, converted, detected) in enumerate(bars):
        patch = ax.bar(i, value, color=GREEN if converted else RED, alpha=1 if detected else 0.45, width=0.8)[0]
        patch.set_url(f"#subject-{subject}")
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.set_xticks(range(len(bars)), [b[0] for b in bars], rotation=90, fontsize=7)
    ax.set_ylabel("lowest MRD of the window / baseline (log10)")
    _legend(ax, [("converted", GREEN, 1.0), ("not converted", RED, 1.0), ("not detected: drawn at its LoD", GREY, 0.45)])
    return Picture(figure, f"Waterfall plot of {len(bars)} subjects with a baseline and a marrow of the window.")


Bar = tuple[str, float, bool, bool]


def _reductions(admrd: pd.DataFrame) -> Iterator[Bar]:
    converted = {r.subject: r["AVALC"] == "Y" for r in read_records("admrd", admrd, PARAMCD="MRDCONV")}
    lowest: dict[str, Record] = {}
    for r in read_records("admrd", admrd, PARAMCD="MRDPCT", ANL01FL="Y"):
        if r["BASE"] and r["AVAL"] is not None and (r.subject not in lowest or r["AVAL"] < lowest[r.subject]["AVAL"]):
            lowest[r.subject] = r
    for subject, r in lowest.items():
        detected = r["MRDCALL"] != "not-detected"
        value = r["AVAL"] if detected else max(r["AVAL"], r["LOD"] or 0)
        if value > 0:
            yield _short(r), log10(value / r["BASE"]), converted.get(subject, False), detected


def _short(record: Record) -> str:
    return record.subject.removeprefix(f"{record['STUDYID']}-")


def plot_swimmer(adsl: pd.DataFrame, admrd: pd.DataFrame) -> Picture:
    """Plot the course of every treated subject from the first dose, the longest first."""
    lanes = sorted((r for r in read_records("adsl", adsl) if r["TRTSDT"]), key=lambda r: (-_length(r), r.subject))
    marrows = read_records("admrd", admrd, PARAMCD="MRDPCT", ANL01FL="Y")
    figure, ax = _axes(8.4, max(2.4, 0.17 * len(lanes) + 1.4))
    for y, lane in enumerate(lanes):
        bar = ax.barh(y, _length(lane), color="#dfe5ea", height=0.7, zorder=1)[0]
        bar.set_url(f"#subject-{_short(lane)}")
        own = [m for m in marrows if m.subject == lane.subject]
        for r in own:
            ax.plot(r["ADY"], y, "|", color=GREEN if r["CRIT1FL"] == "Y" else RED, markersize=7, markeredgewidth=2, zorder=2)
        for column, (_, marker, colour) in EVENTS.items():
            if lane[column]:
                ax.plot(_days(lane["TRTSDT"], lane[column]), y, marker, color=colour, markersize=5, zorder=3)
    ax.set_yticks(range(len(lanes)), [_short(r) for r in lanes], fontsize=7)
    ax.set_ylim(len(lanes) - 0.4, -0.6)
    ax.set_xlabel("days since the first dose")
    for words, marker, colour in [*EVENTS.values(), ("marrow below", "|", GREEN), ("marrow not below", "|", RED)]:
        ax.plot([], [], marker, color=colour, label=words)
    ax.legend(loc="lower right", fontsize=7, frameon=False, ncols=2)
    return Picture(figure, f"Swimmer plot of {len(lanes)} treated subjects.")


def _days(first: str, then: str) -> int:
    return int((pd.Timestamp(then) - pd.Timestamp(first)).days)


def _length(record: Record) -> int:
    end = record["DTHDT"] or record["LSTALVDT"] or record["TRTSDT"]
    return _days(record["TRTSDT"], end)


def plot_survival(curves: pd.DataFrame, code: str, groups: Sequence[str], *, origin: str) -> Picture:
    """Plot Kaplan-Meier curves with their intervals, censoring, and the numbers at risk under the axis."""
    figure, ax = _axes(5.6, 3.6 + 0.22 * len(groups))
    drawn = [g for g in groups if len(_curve(curves, code, g))]
    for name in drawn:
        curve, colour = _curve(curves, code, name), COLOURS.get(name, BLUE)
        ax.step(curve["time"], curve["survival"], where="post", color=colour, label=name)
        ax.fill_between(curve["time"], curve["ci_low"], curve["ci_high"], step="post", color=colour, alpha=0.12, linewidth=0)
        lost = curve[curve["censored"] > 0]
        ax.plot(lost["time"], lost["survival"], "|", color=colour, markersize=7)
    ax.set_ylim(0, 1.02)
    ax.set_xlim(left=0)
    ax.set_xlabel(f"days since {origin}")
    ax.set_ylabel("share without the event")
    if drawn:
        ax.legend(fontsize=8, frameon=False, loc="best")
    _write_risk(ax, {name: _curve(curves, code, name) for name in drawn})
    return Picture(figure, f"Kaplan-Meier curve of {code} for {', '.join(drawn) or 'nobody'}.")


def _curve(curves: pd.DataFrame, code: str, group: str) -> pd.DataFrame:
    return curves[(curves["endpoint"] == code) & (curves["group"] == group)]


def _write_risk(ax: Axes, curves: Mapping[str, pd.DataFrame]) -> None:
    """Write how many are at risk at each tick."""
    ticks = [t for t in ax.get_xticks() if 0 <= t <= ax.get_xlim()[1]]
    for line, (name, curve) in enumerate(curves.items(), 1):
        y = -0.17 - 0.06 * line
        ax.text(-0.06, y, "at risk", transform=ax.transAxes, ha="right", fontsize=7, color=COLOURS.get(name, BLUE))
        for tick in ticks:
            later = curve[curve["time"] >= tick]
            n = int(later["at_risk"].iloc[0]) if len(later) else 0
            ax.text(tick, y, str(n), transform=ax.get_xaxis_transform(), ha="center", fontsize=7, color=COLOURS.get(name, BLUE))


def _axes(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _legend(ax: Axes, told: Sequence[tuple[str, str, float]]) -> None:
    for words, colour, alpha in told:
        ax.bar(0, 0, color=colour, alpha=alpha, label=words)
    ax.legend(fontsize=7, frameon=False, loc="lower left")


def settle(picture: Picture) -> Picture:
    """Lay a figure out once, so that every encoding takes the same place for everything."""
    for _ in range(2):  # the second pass knows how much room the text under the axes takes
        picture.figure.draw_without_rendering()
    picture.figure.set_layout_engine("none")
    return picture


def encode_svg(picture: Picture) -> bytes:
    """Encode a figure as SVG without anything of the moment in it."""
    raw = io.BytesIO()
    picture.figure.savefig(raw, format="svg", metadata={"Date": None, "Creator": None})
    return raw.getvalue()


def encode_png(picture: Picture) -> bytes:
    """Encode a figure as PNG."""
    raw = io.BytesIO()
    picture.figure.savefig(raw, format="png", dpi=120, metadata={"Software": None})
    return raw.getvalue()


def inline_svg(svg: bytes, name: str, alt: str) -> str:
    """Make an SVG fit to stand in a page: no prologue, no fixed size, ids of its own, its meaning told."""
    text = svg.decode()
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text[text.index("<svg") :], flags=re.DOTALL)
    body = re.sub(r'\b(id="|xlink:href="#|url\(#)(?!subject-)', rf"\g<1>{name}-", body)
    body = re.sub(r'^<svg([^>]*?) width="[^"]*"', r"<svg\1", body)
    body = re.sub(r'^<svg([^>]*?) height="[^"]*"', r"<svg\1", body)
    return body.replace("<svg", f'<svg role="img" aria-label="{alt}"', 1)


ENCODERS: dict[str, Callable[[Picture], bytes]] = {"svg": encode_svg, "png": encode_png}
