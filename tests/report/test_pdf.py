import re

import pytest

from mrd.report.pdf import clipped
from mrd.report.subject_pages import render_lab
from tests.report.cases import SETTINGS, call, failed, laip, subject, tube, unread

HOSTILE = "<script>alert(1)</script> & <b>bold</font>"


def pages(told):
    """Pages of a PDF."""
    return len(re.findall(rb"/Type /Page\b", told))


def evidence():
    """A subject with two visits, one of which could not be read."""
    rows = [call(), unread(visit="FU2", collected="2024-03-01")]
    return subject(calls=rows, tubes=[tube(), failed(visit="FU2", tube_id="P1_FU2_T1")])


@pytest.fixture(scope="module")
def told():
    """The laboratory reports of that subject."""
    return render_lab(evidence())


def test_each_visit_starts_a_page_and_stands_in_the_outline(told):
    assert told.startswith(b"%PDF-1.")
    assert pages(told) >= 2
    assert told.count(b"/Title (Subject P1") + told.count(b"/Title (\\376\\377") >= 2


def test_the_same_evidence_gives_the_same_bytes(told):
    assert render_lab(evidence()) == told


def test_the_pdf_names_its_language_and_subject_and_opens_nothing(told):
    assert b"/Lang (en)" in told
    assert not re.search(rb"/(JavaScript|JS|URI|Launch|OpenAction)\b", told)
    assert b"http" not in told


def test_it_is_small(told):
    assert len(told) < 500_000


def test_hostile_text_is_drawn_as_text():
    row = call(subject=HOSTILE, visit=HOSTILE, specimen=HOSTILE, reason=HOSTILE, guideline=HOSTILE, version=HOSTILE)
    settings = SETTINGS.model_copy(update={"title": HOSTILE, "study": HOSTILE})
    made = render_lab(
        subject(
            subject=HOSTILE,
            calls=[row],
            laips=[laip(phenotype=HOSTILE)],
            tubes=[tube(visit=HOSTILE)],
            looks={},
            settings=settings,
        )
    )
    assert pages(made) >= 1


def test_a_subject_without_any_visit_still_has_a_pdf():
    assert pages(render_lab(subject(calls=[], tubes=[], looks={}, laips=[], limits=[], arms=[], qc=[], panels={}))) == 1


def test_very_long_values_break_over_lines_instead_of_failing():
    long = "CD34+" * 120
    tubes = [tube(tube_id=f"P1_FU1_T{i}", tube=f"T{i}") for i in range(60)]
    made = render_lab(
        subject(laips=[laip(phenotype=long)], calls=[call(reason="why " * 900)], tubes=tubes, looks={}, arms=[], burdens=[])
    )
    assert pages(made) >= 2


def test_a_clipped_value_says_so():
    assert clipped("abcd", 4) == "abcd"
    assert clipped("abcde", 4) == "abc…"
