"""The encoded figures of a subject's page: scatter plots per tube, the course, the controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from mrd.core.panel import Panel
from mrd.report.controls import controls_alt, plot_controls
from mrd.report.course import course_alt, plot_course
from mrd.report.drawn import Drawn, Limits, axis_limits
from mrd.report.evidence import Row, SubjectEvidence, told_rows
from mrd.report.images import png_address, styled, svg_inline
from mrd.report.numbers import whole
from mrd.report.pairs import Pair, choose_pairs
from mrd.report.scatter import plot_cells


@dataclass(frozen=True)
class Picture:
    """An image for a page: its `data:` address, what it shows in words, its two channels."""

    source: str
    alt: str
    pair: Pair


@dataclass(frozen=True)
class View:
    """How all tubes of one panel are drawn: the channel pairs, and one set of axis ends."""

    panel: Panel
    pairs: tuple[Pair, ...]
    limits: Limits


def subject_views(evidence: SubjectEvidence) -> dict[str, View]:
    """The view of each panel that the subject's tubes were read with."""
    return {name: panel_view(evidence, name) for name in sorted(evidence.panels) if tubes_drawn(evidence, name)}


def panel_view(evidence: SubjectEvidence, name: str) -> View:
    """Pairs that separate the LAIP cells from the normal blasts of all visits, and axes that hold all visits."""
    panel, drawn = evidence.panels[name], [d for _, d in tubes_drawn(evidence, name)]
    lead = lead_pair(panel)
    among = [m for m in panel.markers if m not in lead]
    normal = np.concatenate([d.background[d.blast] for d in drawn])
    pairs = choose_pairs(laip_cells(evidence, name), normal, drawn[0].channels, among=among)
    return View(panel, (lead, *pairs), axis_limits(drawn))


def lead_pair(panel: Panel) -> Pair:
    """The plot every reader starts from: CD45 against side scatter."""
    across = "CD45" if "CD45" in panel.markers else panel.markers[0]
    return across, panel.role("side") or panel.role("area") or panel.markers[-1]


def tubes_drawn(evidence: SubjectEvidence, panel: str) -> list[tuple[Row, Drawn]]:
    """Tubes of a panel that have cells, with their cells."""
    rows = [r for r in told_rows(evidence.tubes) if r["panel"] == panel and r["tube_id"] in evidence.looks]
    return [(r, evidence.looks[r["tube_id"]].drawn) for r in rows]


def laip_cells(evidence: SubjectEvidence, panel: str) -> np.ndarray:
    """Found cells at diagnosis; those of the follow-ups where no diagnosis tube was scored."""
    scored = [(r["role"], d.found) for r, d in tubes_drawn(evidence, panel) if d.found is not None]
    first = [found for role, found in scored if role == "diagnosis"] or [found for _, found in scored]
    return np.concatenate(first) if first else np.empty((0, 0), dtype=np.float32)


def tube_pictures(drawn: Drawn, view: View, visit: str) -> list[Picture]:
    """The scatter plots of one tube."""
    return [
        Picture(styled(partial(plot_cells, drawn, pair, view.panel, view.limits), png_address), _alt(drawn, pair, visit), pair)
        for pair in view.pairs
    ]


def _alt(drawn: Drawn, pair: Pair, visit: str) -> str:
    cells = f"{whole(len(drawn.background))} leukocytes in grey"
    found = "" if drawn.found is None else f", {whole(len(drawn.found))} found cells on top"
    return f"{visit}, tube {drawn.tube_id}: {pair[1]} against {pair[0]}, {cells}{found}."


def course_picture(visits: Sequence[Row], clinical: Mapping[str, object] | None, threshold: float) -> str:
    """The course of MRD as inline SVG."""
    alt = course_alt(visits, threshold=threshold)
    return styled(
        lambda: plot_course(visits, threshold=threshold, events=clinical), lambda f: svg_inline(f, name="course", alt=alt)
    )


def controls_picture(limits: Sequence[Row], threshold: float, name: str) -> str:
    """What the controls show of a LAIP, as inline SVG."""
    alt = controls_alt(limits)
    return styled(lambda: plot_controls(limits, threshold=threshold), lambda f: svg_inline(f, name=name, alt=alt))
