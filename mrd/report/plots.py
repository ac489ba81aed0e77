"""The figures of a subject's page: every tube's gating steps as symbols, the course, the controls, what differs from normal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mrd.core.panel import Panel
from mrd.report.controls import controls_alt, plot_controls
from mrd.report.course import course_alt, plot_course
from mrd.report.differs import Difference, difference_words, differences, plot_levels
from mrd.report.drawn import Drawn, Limits, Values, axis_limits
from mrd.report.evidence import ControlLook, Row, SubjectEvidence
from mrd.report.images import styled, svg_inline
from mrd.report.maps import FlatMap, fit_map, map_step, on_map
from mrd.report.numbers import whole
from mrd.report.pairs import choose_pairs
from mrd.report.scatter import Plot, plot_step
from mrd.report.steps import Step, gating_steps, lead_pair


@dataclass(frozen=True)
class View:
    """How all tubes and controls of one panel are drawn: the steps, one set of axis ends, and the map where there is one."""

    panel: Panel
    steps: tuple[Step, ...]
    limits: Limits
    map: FlatMap | None


def subject_views(evidence: SubjectEvidence) -> dict[str, View]:
    """The view of each panel that the subject's tubes were read with."""
    return {name: panel_view(evidence, name) for name in sorted(evidence.panels) if tubes_drawn(evidence, name)}


def panel_view(evidence: SubjectEvidence, name: str) -> View:
    """Steps whose last pairs separate the LAIP cells from normal blasts, and axes that hold all visits and controls."""
    panel, drawn = evidence.panels[name], [d for _, d in tubes_drawn(evidence, name)]
    among = [m for m in panel.markers if m not in lead_pair(panel)]
    found, channels = laip_cells(evidence, name), drawn[0].channels
    pairs = choose_pairs(found, normal_blasts(evidence, name), channels, among=among)
    every = [*drawn, *(c.drawn for c in evidence.controls.get(name, ()))]
    told = fit_map(normal_leukocytes(evidence, name), found, channels)
    limits = axis_limits(every) | (axis_limits([on_map(d, told) for d in every]) if told else {})
    return View(panel, (*gating_steps(panel, pairs), *([map_step(told)] if told else [])), limits, told)


def tubes_drawn(evidence: SubjectEvidence, panel: str) -> list[tuple[Row, Drawn]]:
    """Tubes of a panel that have cells, with their cells."""
    rows = [r for r in evidence.rows["tubes"] if r["panel"] == panel and r["tube_id"] in evidence.looks]
    return [(r, evidence.looks[r["tube_id"]].drawn) for r in rows]


def laip_cells(evidence: SubjectEvidence, panel: str) -> Values:
    """Found cells at diagnosis; those of the follow-ups where no diagnosis tube was scored."""
    scored = [(r["role"], d) for r, d in tubes_drawn(evidence, panel) if d.found is not None]
    first = [d for role, d in scored if role == "diagnosis"] or [d for _, d in scored]
    channels = tubes_drawn(evidence, panel)[0][1].channels
    return _together([d.found for d in first if d.found is not None], len(channels))


def normal_blasts(evidence: SubjectEvidence, panel: str) -> Values:
    """Blasts of the controls; where none can be told, the subject's own that were not found."""
    drawn = tubes_drawn(evidence, panel)
    controls = [c.drawn.blasts for c in evidence.controls.get(panel, ())]
    own = [d.blasts for _, d in drawn]
    return _together(controls if any(len(c) for c in controls) else own, len(drawn[0][1].channels))


def normal_leukocytes(evidence: SubjectEvidence, panel: str) -> Values:
    """Leukocytes of the controls, else the subject's own that were not found."""
    drawn = tubes_drawn(evidence, panel)
    controls = [c.drawn.leukocytes for c in evidence.controls.get(panel, ())]
    return _together(controls or [d.leukocytes for _, d in drawn], len(drawn[0][1].channels))


def _together(parts: Sequence[Values], width: int) -> Values:
    return np.concatenate([np.empty((0, width), dtype=np.float32), *parts])


def control_name(look: ControlLook) -> str:
    """What a control is called among the tubes."""
    return f"{look.kind} control {look.name}"


def plots_of(drawn: Drawn, view: View, steps: Sequence[Step]) -> Iterator[tuple[Step, Plot]]:
    """Yield some steps of a tube as plots."""
    placed = on_map(drawn, view.map) if view.map else drawn
    for step in steps:
        mapped = view.map is not None and step == map_step(view.map)
        yield step, plot_step(placed if mapped else drawn, step, view.panel, view.limits)


def step_alt(drawn: Drawn, step: Step, what: str) -> str:
    """A plot in words."""
    found = "" if drawn.found is None else f", {whole(drawn.n_found)} found cells on top"
    return f"{step.title} of {what}: {step.pair[1]} against {step.pair[0]}{found}."


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


def found_groups(evidence: SubjectEvidence, panel: str) -> dict[str, Values]:
    """Found cells of each visit of a panel, tubes of a visit together, visits with too few to tell left out."""
    least = evidence.settings.min_cluster
    groups: dict[str, list[Values]] = {}
    for row, drawn in sorted(tubes_drawn(evidence, panel), key=lambda t: (t[0]["role"] != "diagnosis", t[0]["collected"])):
        if drawn.found is not None and len(drawn.found) >= least:
            groups.setdefault(str(row["visit"]), []).append(drawn.found)
    return {visit: np.concatenate(parts) for visit, parts in groups.items()}


def panel_differences(evidence: SubjectEvidence, panel: str) -> list[Difference]:
    """How the found cells at diagnosis differ from normal blasts."""
    channels = tubes_drawn(evidence, panel)[0][1].channels
    return differences(
        laip_cells(evidence, panel), normal_blasts(evidence, panel), channels, among=evidence.panels[panel].markers
    )


def levels_picture(evidence: SubjectEvidence, panel: str, name: str) -> str:
    """Marker levels of the found cells of each visit beside normal blasts, as inline SVG; empty where there are none."""
    groups, normal, told = found_groups(evidence, panel), normal_blasts(evidence, panel), panel_differences(evidence, panel)
    if not groups or not len(normal):
        return ""
    channels = tubes_drawn(evidence, panel)[0][1].channels
    alt = "Found cells against normal blasts: " + (", ".join(difference_words(told)) or "no marker differs clearly") + "."
    markers = [d.marker for d in told]
    return styled(lambda: plot_levels(groups, normal, channels, markers), lambda f: svg_inline(f, name=name, alt=alt))
