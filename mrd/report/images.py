"""Figures as a page takes them: SVG inline, or PNG; the same figure gives the same bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any, TypeVar

import matplotlib as mpl
from matplotlib.figure import Figure
from PIL import Image

Encoded = TypeVar("Encoded", str, bytes)
DPI = 150
COLOURS = 48
STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.edgecolor": "#6b7684",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": "#364352",
    "ytick.color": "#364352",
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "flowmrd",
}
"""One look for all figures; text stays text in SVG, and its ids do not change from run to run.

Not typed: matplotlib's own hints list the keys of one version.
"""


def styled(plot: Callable[[], Figure], encode: Callable[[Figure], Encoded]) -> Encoded:
    """Draw and encode a figure in the house style, leaving matplotlib's settings as they were."""
    with mpl.rc_context(STYLE):
        return encode(plot())


def png_bytes(figure: Figure) -> bytes:
    """A figure as a palette PNG, without a date."""
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=DPI, metadata={"Software": None})
    few = Image.open(raw).convert("RGB").quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    out = io.BytesIO()
    few.save(out, format="PNG", optimize=True)
    return out.getvalue()


def svg_inline(figure: Figure, *, name: str, alt: str) -> str:
    """A figure as an `<svg>` element; `name` keeps its ids apart from those of other figures of the page.

    Returns
    -------
    str
        Markup with role img and `alt` as its accessible name; no metadata, no dates, no outside addresses.
    """
    raw = io.StringIO()
    figure.savefig(raw, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    told = raw.getvalue()
    body = told[told.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'\s(xmlns(:xlink)?|version)="[^"]*"', "", body)
    body = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{name}-", body)
    head = re.match(r"<svg[^>]*>", body)
    size = re.search(r'viewBox="[^"]*"', head.group() if head else "")
    rest = body[head.end() if head else 0 :]
    lines = 'style="stroke-linejoin:round;stroke-linecap:butt"'
    return f'<svg role="img" aria-label="{_attribute(alt)}" {size.group() if size else ""} {lines}>{rest}'.strip()


def _attribute(value: str) -> str:
    return value.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
