"""`mrd report` on a cohort in which something of everything went wrong."""

import shutil

import pytest
import yaml

from mrd.cli.main import main
from mrd.core.contracts import LIMITS, PAGES, SUBJECTS
from mrd.files.tables import read_table, write_table
from tests.cohort import controls, make_cohort, patient, read_calls, run_stages, tube

ROWS = [
    *controls(4, 3_000),
    *patient("P1", "CD56+", [0.06], events=4_000),
    tube("P2", "FU1", "follow-up", 3_000),
    tube("P3", "DX", "diagnosis", 3_000),
    tube("P3", "FU1", "follow-up", 3_000, day="2024-02-01"),
]
CHEAP = {
    "plot_cells": 200,
    "components": 8,
    "laip_components": 6,
    "adapt_rounds": 3,
    "reference_cells": 6_000,
    "adapt_cells": 3_000,
}


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """Settings of a finished run with its pages: P1 as planned, P2 without diagnosis, both tubes of P3 cut short."""
    folder = tmp_path_factory.mktemp("report")
    settings = make_cohort(folder, ROWS, **CHEAP)
    for name in ("P3_DX_T1", "P3_FU1_T1"):
        path = folder / "fcs" / f"{name}.fcs"
        path.write_bytes(path.read_bytes()[:900])
    run_stages(settings, until="report")
    return settings


@pytest.fixture
def copied(reported, tmp_path):
    """A copy of the finished run to change."""
    folder = tmp_path / "run"
    shutil.copytree(reported.parent, folder)
    path = folder / "settings.yaml"
    path.write_text(path.read_text().replace(str(reported.parent), str(folder)))
    return path


def page(settings, subject):
    """Text of a subject's page."""
    return (settings.parent / "results" / "report" / "subjects" / f"{subject}.html").read_text()


def times(settings):
    """When each page was last written."""
    folder = settings.parent / "results" / "report" / "subjects"
    return {p.stem: p.stat().st_mtime_ns for p in folder.glob("*.html")}


def draw(settings):
    """Draw the pages of every batch again."""
    for batch in sorted(settings.parent.joinpath("results", "laip").glob("s*.limits.tsv")):
        assert main(["report", "--settings", str(settings), "--batch", batch.name.split(".")[0]]) == 0


def test_every_subject_has_a_page_and_a_row_and_the_cohort_links_to_each(reported):
    results = reported.parent / "results"
    rows = [r for p in sorted((results / "report").glob("s*.tsv")) for r in read_table(p, PAGES)["subject"]]
    assert sorted(rows) == ["P1", "P2", "P3"]
    cohort = (results / "report" / "index.html").read_text()
    assert all(f'href="subjects/{s}.html"' in cohort for s in rows)


def test_the_page_shows_the_numbers_of_the_calls_table(reported):
    row = read_calls(reported.parent / "results").loc[("P1", "FU1")]
    limits = read_table(reported.parent / "results" / "limits.tsv", LIMITS)
    text = page(reported, "P1")
    assert f"{row['n_laip']:,.0f} / {row['n_leukocytes']:,.0f}" in text
    assert text.count("<symbol") == 4 * 6 + 2 * 2
    counted = (
        limits.loc[limits["subject"].eq("P1") & limits["arm"].eq("laip")]
        .sort_values("fraction")
        .groupby("control_kind")["n_found"]
        .last()
    )
    assert all(f"{n:,} found" in text for n in counted)


def test_a_subject_without_diagnosis_or_without_a_readable_tube_still_has_its_page(reported):
    assert "indeterminate" in page(reported, "P2").lower()
    assert "No diagnosis tube and no LAIP" in page(reported, "P2")
    assert "<symbol" in page(reported, "P2")
    assert "Normal control" in page(reported, "P2")
    assert "This tube could not be used." in page(reported, "P3")
    assert "<symbol" not in page(reported, "P3")


def test_events_are_shown_only_of_the_file_the_cells_were_made_from(copied):
    path = copied.parent / "fcs" / "P1_FU1_T1.fcs"
    path.write_bytes(path.read_bytes() + b" ")
    (copied.parent / "results" / "report" / "subjects" / "P1.html").unlink()
    draw(copied)
    assert page(copied, "P1").count("From events to cells") == 1


def test_controls_of_a_frozen_laip_that_this_run_does_not_have_are_not_looked_for(copied):
    table = copied.parent / "results" / "laip" / "s001.limits.tsv"
    frame = read_table(table, LIMITS)
    write_table(table, frame.assign(control="X" + frame["control"]), LIMITS)
    draw(copied)
    assert "Normal control" in page(copied, "P1")
    assert "N0_V1_T1: no arm looked" in page(copied, "P1")


def test_no_page_names_the_machines_paths(reported):
    folder = reported.parent / "results" / "report"
    assert not [p.name for p in folder.rglob("*.html") if str(reported.parent) in p.read_text()]


def test_every_subject_has_laboratory_reports_that_come_back_when_they_are_lost(copied):
    lab = copied.parent / "results" / "report" / "subjects" / "P1.pdf"
    whole = lab.read_bytes()
    assert whole.startswith(b"%PDF")
    assert 'href="P1.pdf"' in page(copied, "P1")
    lab.write_bytes(whole[:500])
    draw(copied)
    assert lab.read_bytes() == whole


def test_pages_drawn_again_are_the_same_bytes_and_unchanged_ones_are_not_drawn(copied):
    before, text = times(copied), page(copied, "P1")
    draw(copied)
    assert times(copied) == before
    (copied.parent / "results" / "report" / "subjects" / "P1.html").unlink()
    draw(copied)
    assert page(copied, "P1") == text


def test_a_clinical_date_redraws_only_the_page_of_its_subject(copied):
    table = copied.parent / "subjects.tsv"
    SUBJECTS.frame([{"subject": "P1", "first_dose": "2024-01-05"}]).to_csv(table, sep="\t", index=False)
    copied.write_text(copied.read_text() + yaml.safe_dump({"subjects": str(table)}))
    before = times(copied)
    draw(copied)
    assert {s for s, when in times(copied).items() if before[s] != when} == {"P1"}
    assert "2024-01-05" in page(copied, "P1")


def test_a_batch_that_does_not_exist_is_one_line(reported, capsys):
    assert main(["report", "--settings", str(reported), "--batch", "s999"]) == 2
    told = capsys.readouterr().err
    assert "there is no batch s999" in told
    assert "Traceback" not in told


def test_a_stage_that_has_not_run_is_one_line_and_leaves_no_page(copied, capsys):
    results = copied.parent / "results"
    shutil.rmtree(results / "report")
    (results / "calls.tsv").unlink()
    assert main(["report", "--settings", str(copied), "--cohort"]) == 2
    assert "the table is missing" in capsys.readouterr().err
    assert not (results / "report" / "index.html").exists()
