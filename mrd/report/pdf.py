"""The laboratory reports of a subject as one PDF: each visit starts a page; the same evidence gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import matplotlib as mpl
from PIL import Image as Picture
from reportlab.graphics import shapes
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Image, KeepTogether, PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from mrd.report.lab import Fields, LabReport
from mrd.report.scatter import Outline, Plot

INK, SOFT, LINE = HexColor("#17212b"), HexColor("#4a5764"), HexColor("#d5dbe2")
MARGIN, WIDTH = 16 * mm, A4[0] - 32 * mm - 12  # a frame keeps six points on each side to itself
FONT, BOLD = "flowmrd", "flowmrd-bold"
MARKED, _HEAD = "visit", {"fontName": BOLD, "fontSize": 15, "leading": 20, "textColor": INK}
SIDE = 47 * mm
"""Side of a scatter plot."""
_TIGHT = [("LEFTPADDING", (0, 0), (-1, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 1.5), ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5)]
_LINED = [("LINEBELOW", (0, 0), (-1, -1), 0.6, LINE), *_TIGHT]
_BOXED = [("BOX", (0, 0), (-1, -1), 0.6, LINE), ("INNERGRID", (0, 0), (-1, -1), 0.6, LINE)]
WIDE, LONGEST = ("Why", "Immunophenotype", "Method"), 1000
"""Sections over the whole width, and the signs that a value there may have; a page cannot hold any length."""
ONLY = "Research use only; not a medical device"


def lab_pdf(subject: str, title: str, reports: Sequence[LabReport], pictures: dict[str, list[Plot]], course: bytes) -> bytes:
    """A subject's laboratory reports.

    Parameters
    ----------
    reports : one per visit, oldest first
    pictures : by visit, the plots of the tube that decided
    course : the course of MRD as PNG; empty where there is none
    """
    use_fonts()
    story: list[Flowable] = []
    for number, report in enumerate(reports):
        story += [PageBreak()] if number else []
        story += visit_story(report, subject, title, pictures.get(report.visit, []))
        story += course_story(course) if course and number == len(reports) - 1 else []
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=14 * mm,
        bottomMargin=16 * mm,
        title=f"{title}: subject {subject}",
        subject="Laboratory report, measurable residual disease by flow cytometry",
        author="flowmrd",
        lang="en",
        invariant=1,
    )
    document.afterFlowable = partial(_mark, document)
    foot = partial(_foot, subject=subject)
    document.build(story or [_paragraph("There is no visit with a call.", 10)], onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


@cache
def use_fonts() -> None:
    """Fonts with every sign the pages use; matplotlib carries them."""
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    pdfmetrics.registerFont(TTFont(FONT, str(folder / "DejaVuSans.ttf")))
    pdfmetrics.registerFont(TTFont(BOLD, str(folder / "DejaVuSans-Bold.ttf")))


def visit_story(report: LabReport, subject: str, title: str, plots: Sequence[Plot]) -> list[Flowable]:
    """The report of one visit: result first, evidence after."""
    sections = [_section(name, fields) for name, fields in report.sections]
    halves = Table([[sections[0], sections[1]], [sections[2], sections[3]]], colWidths=[WIDTH / 2] * 2)
    halves.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
    remarks = [_paragraph(f"• {line}", 8) for line in report.remarks]
    return [
        _paragraph(title, 9, colour=SOFT),
        Paragraph(escape(f"Subject {subject} · visit {report.visit}"), ParagraphStyle(MARKED, **_HEAD)),
        _paragraph(ONLY, 8.5, bold=True),
        Spacer(0, 3 * mm),
        _paragraph(report.headline, 13, bold=True, colour=HexColor(report.tone)),
        _paragraph(report.verdict, 9.5),
        Spacer(0, 2 * mm),
        halves,
        *sections[4],
        *sections[5],
        KeepTogether([_heading("Remarks"), *remarks]),
        KeepTogether([_heading("Requirements of the specimen"), _adequacy(report)]),
        *([KeepTogether([_heading("Cells"), _row_of(plots), _key()])] if plots else []),
        *sections[6],
        KeepTogether([_heading("Review"), _signatures()]),
    ]


def course_story(course: bytes) -> list[Flowable]:
    """The course of MRD over all visits."""
    width, height = Picture.open(io.BytesIO(course)).size
    return [KeepTogether([_heading("Course of MRD"), Image(io.BytesIO(course), WIDTH, WIDTH * height / width)])]


def _paragraph(told: str, size: float, *, bold: bool = False, colour: Any = INK) -> Paragraph:
    style = ParagraphStyle(f"{size}", fontName=BOLD if bold else FONT, fontSize=size, leading=size * 1.35, textColor=colour)
    return Paragraph(escape(told), style)


def _heading(told: str, width: float = WIDTH) -> Table:
    return Table([[_paragraph(told, 9.5, bold=True)]], colWidths=[width], style=_LINED)


def _mark(document: Any, flowable: Any) -> None:
    """Enter the head of a visit into the outline of the PDF."""
    if isinstance(flowable, Paragraph) and flowable.style.name == MARKED:
        told = flowable.getPlainText()
        document.canv.bookmarkPage(told)
        document.canv.addOutlineEntry(told, told)


def _section(name: str, fields: Fields) -> list[Flowable]:
    wide = name in WIDE
    most = LONGEST if wide else LONGEST // 4
    rows = [[_paragraph(label, 8, colour=SOFT), _paragraph(clipped(value, most), 8, bold=True)] for label, value in fields]
    widths = [WIDTH * 0.24, WIDTH * 0.76] if wide else [WIDTH * 0.22, WIDTH * 0.26]
    return [_heading(name, sum(widths)), Table(rows, colWidths=widths, style=[("VALIGN", (0, 0), (-1, -1), "TOP"), *_TIGHT])]


def _adequacy(report: LabReport) -> Table:
    rows = [[_paragraph(t, 8, bold=True) for t in ("What", "Seen", "Needed", "Met")]]
    rows += [[_paragraph(t, 8) for t in (line.what, line.seen, line.needed, line.state)] for line in report.adequacy]
    widths = [WIDTH * w for w in (0.27, 0.33, 0.25, 0.15)]
    return Table(rows, colWidths=widths, style=[("VALIGN", (0, 0), (-1, -1), "TOP"), *_TIGHT])


def clipped(value: str, most: int) -> str:
    """A value that fits; what is left out is marked, and stands in the tables."""
    return value if len(value) <= most else value[: most - 1] + "…"


def _signatures() -> Table:
    """No decision of a person stands behind a report until somebody signs it."""
    names = [_paragraph(t, 8, colour=SOFT) for t in ("Reviewed by (name)", "Meaning", "Date, time", "Signature")]
    grid = Table([names, [""] * 4], colWidths=[WIDTH / 4] * 4, rowHeights=[None, 10 * mm], style=_BOXED)
    return Table([[_paragraph("Not reviewed yet.", 8)], [grid]], colWidths=[WIDTH], style=_TIGHT)


def _row_of(plots: Sequence[Plot]) -> Table:
    return Table([[_drawing(p) for p in plots]], style=_TIGHT, hAlign="LEFT")


def _key() -> Paragraph:
    return _paragraph(
        "Orange: found cells. Blue: other cells of the blast compartment. Grey: other leukocytes.", 7.5, colour=SOFT
    )


def _drawing(plot: Plot) -> shapes.Drawing:
    """A plot with its gates and axes, as vectors around the picture of the cells."""
    left, foot = 9 * mm, 9 * mm
    drawing = shapes.Drawing(left + SIDE + 2 * mm, foot + SIDE + 1 * mm)
    drawing.add(shapes.Image(left, foot, SIDE, SIDE, Picture.open(io.BytesIO(plot.png)).convert("RGB")))
    drawing.add(shapes.PolyLine([left, foot + SIDE, left, foot, left + SIDE, foot], strokeColor=SOFT, strokeWidth=0.6))
    for place, label in plot.x.labels:
        drawing.add(_label(left + place * SIDE, foot - 3.2 * mm, label, "middle"))
    for place, label in plot.y.labels:
        drawing.add(_label(left - 0.8 * mm, foot + place * SIDE - 2, label, "end"))
    drawing.add(_label(left + SIDE / 2, 1.2 * mm, plot.x.name, "middle", font=BOLD))
    turned = shapes.Group(_label(0, 0, plot.y.name, "middle", font=BOLD))
    turned.translate(2.6 * mm, foot + SIDE / 2)
    turned.rotate(90)
    drawing.add(turned)
    for gate in plot.outlines:
        for part in _gate(gate, left, foot):
            drawing.add(part)
    return drawing


def _label(x: float, y: float, told: str, anchor: str, *, font: str = FONT) -> shapes.String:
    return shapes.String(x, y, told, textAnchor=anchor, fontName=font, fontSize=6, fillColor=INK)


def _gate(gate: Outline, left: float, foot: float) -> list[shapes.Shape]:
    x = [left + SIDE * (0 if gate.left is None else gate.left), left + SIDE * (1 if gate.right is None else gate.right)]
    y = [foot + SIDE * (0 if gate.bottom is None else gate.bottom), foot + SIDE * (1 if gate.top is None else gate.top)]
    sides = [
        (gate.left, (x[0], y[0], x[0], y[1])),
        (gate.right, (x[1], y[0], x[1], y[1])),
        (gate.bottom, (x[0], y[0], x[1], y[0])),
        (gate.top, (x[0], y[1], x[1], y[1])),
    ]
    lines = [shapes.Line(*ends, strokeColor=INK, strokeWidth=0.6) for side, ends in sides if side is not None]
    return [*lines, _label(x[0] + 2, y[1] - 7, gate.name, "start")]


def _foot(canvas: Any, document: Any, *, subject: str) -> None:
    canvas.saveState()
    canvas.setFont(FONT, 7)
    canvas.setFillColor(SOFT)
    canvas.drawString(MARGIN, 9 * mm, f"Subject {subject} · {ONLY}")
    canvas.drawRightString(A4[0] - MARGIN, 9 * mm, f"page {document.page}")
    canvas.restoreState()
