"""`mrd endpoint` from files to files."""

from pathlib import Path

import pandas as pd
import pytest

from mrd.cli.main import main
from mrd.core.contracts import ADMRD, CALLS_TABLE, CONVERSION, SUBJECTS, SUMMARY
from mrd.files.datasets import read_parquet
from mrd.files.tables import read_table, write_table

from .tables import call, day, rows, subject

STAMPED = (".xpt", ".json", ".xml")
"""Files that say when they were made."""
OLD = Path(__file__).parent / "admrd.v1.parquet"


@pytest.fixture
def inputs(tmp_path):
    write_table(
        tmp_path / "calls.tsv", CALLS_TABLE.frame([call(-3, "positive"), call(28, "below"), call(56, "positive")]), CALLS_TABLE
    )
    write_table(tmp_path / "subjects.tsv", SUBJECTS.frame([subject(consolidation=40), subject("P02")]), SUBJECTS)
    return tmp_path


def _run(folder, *more):
    return main(["endpoint", "--calls", str(folder / "calls.tsv"), "--out", str(folder / "out"), *more])


def test_the_command_writes_the_dataset_twice_the_line_list_and_the_summary(inputs):
    assert _run(inputs, "--subjects", str(inputs / "subjects.tsv")) == 0
    out = inputs / "out"
    admrd = read_parquet(out / "admrd.parquet", ADMRD)
    text = pd.read_csv(out / "admrd.csv", dtype={"AVISIT": "string"})
    assert text["AVAL"].round(9).tolist()[:3] == admrd["AVAL"].tolist()[:3] == [2.0, 0.02, 2.0]
    assert text.shape == admrd.shape == (3 * 6 + 2 * 2, len(ADMRD.names))
    assert [(r["subject"], r["converted"], r["reason"]) for r in rows(read_table(out / "conversion.tsv", CONVERSION))] == [
        ("P01", "Y", "converted"),
        ("P02", "N", "missing"),
    ]
    (primary,) = rows(read_table(out / "summary.tsv", SUMMARY), primary="Y")
    assert (primary["n_converted"], primary["n_subjects"], primary["percent"]) == (1, 2, 50.0)


def test_the_command_writes_the_same_bytes_twice(inputs):
    told = []
    for _ in range(2):
        _run(inputs, "--subjects", str(inputs / "subjects.tsv"))
        files = [p for p in (inputs / "out").rglob("*") if p.is_file()]
        told.append({str(p.relative_to(inputs)): p.read_bytes() for p in files if p.suffix not in STAMPED})
    assert told[0] == told[1]
    assert {"out/admrd.csv", "out/adam/adtte.parquet", "out/index.html", "out/figures/os.svg", "out/tables/cells.csv"} <= set(
        told[0]
    )


def test_settings_and_responses_reach_the_derivation(inputs):
    (inputs / "settings.yaml").write_text("study: OTHER\nblast_percent: 2\n")
    (inputs / "responses.tsv").write_text(f"subject\tassessed\tmarrow_blasts\nP01\t{day(28)}\t3\n")
    more = ["--settings", str(inputs / "settings.yaml"), "--responses", str(inputs / "responses.tsv")]
    assert _run(inputs, "--subjects", str(inputs / "subjects.tsv"), *more) == 0
    assert read_table(inputs / "out" / "conversion.tsv", CONVERSION)["reason"].tolist() == ["blasts", "missing"]
    assert set(read_parquet(inputs / "out" / "admrd.parquet", ADMRD)["STUDYID"]) == {"OTHER"}


def test_without_a_clinical_table_no_rate_is_written_and_none_left_from_before(inputs, capsys):
    _run(inputs, "--subjects", str(inputs / "subjects.tsv"))
    assert _run(inputs, "--subjects", "") == 0
    assert sorted(p.name for p in (inputs / "out").iterdir()) == ["admrd.csv", "admrd.parquet", "admrd.schema.json"]
    assert "no clinical table" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("study: [1", "not YAML"),
        ("- study", "not a mapping of names to values"),
        ("window_day: 3", "window_day is not a setting"),
        ("conversion_rule: first", "conversion_rule = 'first'"),
    ],
)
def test_wrong_settings_end_in_one_line_and_code_2(inputs, capsys, text, told):
    (inputs / "settings.yaml").write_text(text)
    assert _run(inputs, "--settings", str(inputs / "settings.yaml")) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line
    assert not (inputs / "out").exists()


def test_settings_that_are_not_there_are_told(inputs, capsys):
    assert _run(inputs, "--settings", str(inputs / "none.yaml")) == 2
    assert "the settings are missing" in capsys.readouterr().err


def test_empty_settings_are_the_defaults(inputs):
    (inputs / "settings.yaml").write_text("# nothing\n")
    assert _run(inputs, "--settings", str(inputs / "settings.yaml")) == 0
    assert set(read_parquet(inputs / "out" / "admrd.parquet", ADMRD)["STUDYID"]) == {"VENAZACAG"}


def test_a_refused_clinical_table_leaves_no_file(inputs, capsys):
    write_table(inputs / "subjects.tsv", SUBJECTS.frame([subject(consolidation=-1)]), SUBJECTS)
    assert _run(inputs, "--subjects", str(inputs / "subjects.tsv")) == 2
    assert f"row 2: consolidation {day(-1)} lies before first_dose {day(0)}" in capsys.readouterr().err
    assert not (inputs / "out").exists()


def test_a_dataset_of_version_1_still_opens():
    conv = rows(read_parquet(OLD, ADMRD), PARAMCD="MRDCONV")
    assert [(r["USUBJID"], r["AVALC"], r["ADT"]) for r in conv] == [("VENAZACAG-P01", "Y", day(28)), ("VENAZACAG-P02", "N", None)]
