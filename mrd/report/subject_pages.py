"""The page and the laboratory reports of a subject; the cohort's page does without what draws them, and is there sooner."""

from __future__ import annotations

from mrd.report.evidence import SubjectEvidence
from mrd.report.pages import templates
from mrd.report.pdf import lab_pdf
from mrd.report.specimens import lab_course, lab_reports
from mrd.report.subject import subject_page


def render_subject(evidence: SubjectEvidence) -> str:
    """The page of one subject."""
    return templates().get_template("subject.html").render(subject_page(evidence))


def render_lab(evidence: SubjectEvidence) -> bytes:
    """The laboratory reports of one subject, a page or more per visit, as PDF."""
    reports, pictures = lab_reports(evidence)
    return lab_pdf(evidence.subject, evidence.settings.title, reports, pictures, lab_course(evidence))
