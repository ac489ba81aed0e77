"""Clinical tables: read whole, or refused with every problem told."""

import pandas as pd
import pytest

from mrd.core.contracts import SUBJECTS
from mrd.core.errors import FileError, SheetError
from mrd.files.clinical import read_responses, read_subjects


def _write(path, *rows, columns=SUBJECTS.names):
    lines = ["\t".join(columns)] + ["\t".join(row.get(c, "") for c in columns) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _refusal(path, *rows, **options):
    with pytest.raises(SheetError) as error:
        read_subjects(_write(path, *rows, **options))
    return str(error.value)


@pytest.fixture
def sheet(tmp_path):
    return tmp_path / "subjects.tsv"


GOOD = {
    "subject": "P01",
    "first_dose": "2026-01-05",
    "cr_date": "2026-02-01",
    "consolidation": "2026-02-10",
    "transplant": "2026-03-10",
    "relapse": "2026-06-01",
    "new_therapy": "2026-06-05",
    "death": "2026-09-01",
    "last_alive": "2026-09-01",
    "disease_at_entry": "relapsed",
}


def test_a_sound_table_is_read_with_empty_cells_missing_and_its_own_columns_kept(sheet):
    frame = read_subjects(_write(sheet, GOOD | {"site": "S1"}, {"subject": "P02"}, columns=[*SUBJECTS.names, "site"]))
    assert frame.loc[0, list(GOOD)].to_dict() == GOOD
    assert frame["site"].tolist()[0] == "S1"
    assert frame.loc[1].drop("subject").isna().all()
    assert frame.loc[0, "refractory"] is pd.NA


def test_a_table_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FileError, match="the table is missing"):
        read_subjects(tmp_path / "none.tsv")


def test_a_missing_column_is_told_and_the_rest_still_checked(sheet):
    columns = [c for c in SUBJECTS.names if c not in ("relapse", "death")]
    told = _refusal(sheet, {"subject": "P01", "first_dose": "05.01.2026"}, columns=columns)
    assert "column relapse is missing" in told
    assert "column death is missing" in told
    assert "column first_dose has '05.01.2026' in row 2; it takes a date YYYY-MM-DD" in told


def test_a_table_without_first_doses_is_told_once_not_per_date(sheet):
    told = _refusal(sheet, GOOD, columns=[c for c in SUBJECTS.names if c != "first_dose"])
    assert "column first_dose is missing" in told
    assert "without first_dose" not in told


def test_every_problem_is_told_at_once_with_row_and_column(sheet):
    told = _refusal(
        sheet,
        {"subject": "P01", "first_dose": "2026-02-30"},
        {"subject": "P02", "first_dose": "2026-01-05", "disease_at_entry": "cured"},
        {"subject": "P02", "first_dose": "2026-01-05", "death": "2026-01-04"},
        {"subject": "P04", "first_dose": "2026-01-05", "consolidation": "2026-01-01"},
        {"subject": "", "first_dose": "2026-01-05"},
    )
    for problem in (
        "column first_dose has '2026-02-30' in row 2; it takes a date YYYY-MM-DD",
        "column disease_at_entry has 'cured' in row 3; it takes one of relapsed, refractory, newly diagnosed",
        "subject P02 stands in rows 3, 4",
        "row 4: death 2026-01-04 lies before first_dose 2026-01-05",
        "row 5: consolidation 2026-01-01 lies before first_dose 2026-01-05",
        "column subject is empty in row 6",
    ):
        assert problem in told


@pytest.mark.parametrize(
    ("earlier", "later", "same_day"),
    [
        ("first_dose", "consolidation", False),
        ("first_dose", "transplant", False),
        ("first_dose", "new_therapy", False),
        ("first_dose", "relapse", False),
        ("first_dose", "refractory", False),
        ("first_dose", "cr_date", False),
        ("first_dose", "death", True),
        ("first_dose", "last_alive", True),
        ("refractory", "relapse", False),
        ("cr_date", "relapse", False),
        ("consolidation", "death", True),
        ("transplant", "death", True),
        ("new_therapy", "death", True),
        ("relapse", "death", True),
        ("refractory", "death", True),
        ("cr_date", "death", True),
        ("last_alive", "death", True),
    ],
)
def test_dates_of_a_subject_keep_their_order(sheet, earlier, later, same_day):
    start = {} if earlier == "first_dose" else {"first_dose": "2026-01-05"}
    row = {"subject": "P01", **start, earlier: "2026-03-10", later: "2026-03-10"}
    if same_day:
        assert read_subjects(_write(sheet, row)).loc[0, later] == "2026-03-10"
    else:
        assert f"row 2: {later} 2026-03-10 is the day of {earlier} 2026-03-10" in _refusal(sheet, row)
    assert read_subjects(_write(sheet, row | {later: "2026-03-11"})).loc[0, later] == "2026-03-11"
    told = _refusal(sheet, row | {later: "2026-03-09"})
    assert f"row 2: {later} 2026-03-09 lies before {earlier} 2026-03-10" in told


@pytest.mark.parametrize("column", ["consolidation", "relapse", "refractory", "cr_date"])
def test_a_date_of_the_regimen_needs_a_first_dose(sheet, column):
    told = _refusal(sheet, {"subject": "P01", column: "2026-03-10"})
    assert f"row 2: {column} 2026-03-10 without first_dose" in told


def test_an_untreated_subject_may_die_or_be_treated_elsewhere(sheet):
    row = {"subject": "P01", "new_therapy": "2026-03-10", "death": "2026-04-01"}
    assert read_subjects(_write(sheet, row))["subject"].tolist() == ["P01"]


def test_a_history_date_says_where_history_belongs(sheet):
    told = _refusal(sheet, {"subject": "P01", "first_dose": "2026-01-05", "relapse": "2025-12-01"})
    assert "what came before this trial belongs in disease_at_entry" in told


def test_responses_are_read_with_numbers(tmp_path):
    rows = [{"subject": "P01", "assessed": "2026-02-01", "marrow_blasts": "4.5", "response": "CR"}]
    path = _write(tmp_path / "responses.tsv", *rows, columns=["subject", "assessed", "marrow_blasts", "response"])
    assert read_responses(path).to_dict("records") == [
        {"subject": "P01", "assessed": "2026-02-01", "marrow_blasts": 4.5, "response": "CR"}
    ]


def test_blasts_that_are_no_percentage_are_told(tmp_path):
    rows = [
        {"subject": "P01", "assessed": "2026-02-01", "marrow_blasts": "120"},
        {"subject": "P01", "assessed": "soon", "marrow_blasts": "few"},
    ]
    with pytest.raises(SheetError) as error:
        read_responses(_write(tmp_path / "responses.tsv", *rows, columns=["subject", "assessed", "marrow_blasts"]))
    assert "column marrow_blasts has '120' in row 2, 3; it takes a number from 0 to 100" in str(error.value)
    assert "column assessed has 'soon' in row 3" in str(error.value)
