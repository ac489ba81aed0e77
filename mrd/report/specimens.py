"""The laboratory reports of a subject's visits, with the plots of the tubes that decided."""

from __future__ import annotations

from mrd.report.course import plot_course
from mrd.report.differs import difference_words
from mrd.report.evidence import Row, SubjectEvidence, visits_in_order
from mrd.report.images import png_bytes, styled
from mrd.report.lab import LabReport, lab_report
from mrd.report.plots import View, panel_differences, plots_of, subject_views
from mrd.report.scatter import Plot
from mrd.report.steps import lead_pair
from mrd.report.subject import panel_title, tube_section, visit_adequacy

SHOWN = 3
"""Plots of a laboratory report: CD45 against side scatter, and the pairs of the LAIP."""


def lab_reports(evidence: SubjectEvidence) -> tuple[list[LabReport], dict[str, list[Plot]]]:
    """One report per visit, oldest first, and by visit the plots of the tube that decided."""
    views = subject_views(evidence)
    differs = {p: difference_words(panel_differences(evidence, p)) for p in views}
    reports, pictures = [], {}
    for call in visits_in_order(evidence.calls):
        tubes = [t for t in evidence.rows["tubes"] if t["visit"] == call["visit"]]
        adequacy = visit_adequacy(call, [tube_section(t, call, evidence) for t in tubes], evidence)
        panel = str(call["panel"] or (tubes[0]["panel"] if tubes else ""))
        title = panel_title(evidence, panel) if panel else "none"
        reports.append(lab_report(call, adequacy, evidence, panel=title, differs=differs.get(panel, ())))
        pictures[str(call["visit"])] = lab_plots(deciding_tube(call, tubes, evidence), evidence, views)
    return reports, pictures


def deciding_tube(call: Row, tubes: list[Row], evidence: SubjectEvidence) -> Row | None:
    """The tube that gave the call, the first of a pool; where none decided, the first with cells."""
    decided = [a for a in evidence.rows["arms"] if a["visit"] == call["visit"] and a["decided"] == "Y"]
    names = decided[0]["tubes"].split("+") if decided else [t["tube_id"] for t in tubes]
    return next((t for n in names for t in tubes if t["tube_id"] == n and n in evidence.looks), None)


def lab_plots(tube: Row | None, evidence: SubjectEvidence, views: dict[str, View]) -> list[Plot]:
    """CD45 against side scatter and the pairs of the LAIP."""
    if tube is None or tube["panel"] not in views:
        return []
    view, drawn = views[tube["panel"]], evidence.looks[tube["tube_id"]].drawn
    wanted = [s for s in view.steps if s.pair == lead_pair(view.panel) or s.of == "leukocytes"][:SHOWN]
    return [plot for _, plot in plots_of(drawn, view, wanted)]


def lab_course(evidence: SubjectEvidence) -> bytes:
    """The course of MRD as PNG; empty without visits."""
    visits = visits_in_order(evidence.calls)
    if not visits:
        return b""
    return styled(lambda: plot_course(visits, threshold=evidence.settings.threshold, events=evidence.clinical), png_bytes)
