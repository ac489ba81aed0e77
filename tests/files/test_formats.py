"""Clinical tables of every format, and a folder of them."""

import json

import pandas as pd
import pyreadstat
import pytest

from mrd.core.contracts import DISPOSITION, EXPOSURE, LABS
from mrd.core.errors import FileError, SheetError
from mrd.files.clinical import find_clinical, read_clinical
from mrd.files.formats import read_any

ROWS = [
    {"subject": "P01", "test": "ANC", "collected": "2026-01-05", "sequence": 1, "value": 0.45, "unit": "10^9/L"},
    {"subject": "P01", "test": "PLTTRANS", "collected": "2026-01-07", "sequence": None, "value": None, "unit": None},
]
TEXT = [["P01", "ANC", "2026-01-05", "1", "0.45", "10^9/L"], ["P01", "PLTTRANS", "2026-01-07", None, None, None]]
NAMES = list(ROWS[0])


def _write(path):
    frame = pd.DataFrame(ROWS)
    if path.suffix == ".parquet":
        frame.assign(collected=pd.to_datetime(frame["collected"]).dt.date).to_parquet(path)
    elif path.suffix == ".xpt":
        short = {"collected": "COLLDT", "sequence": "SEQ"}
        dated = frame.assign(collected=pd.to_datetime(frame["collected"]).dt.date, unit=frame["unit"].fillna(""))
        pyreadstat.write_xport(dated.rename(columns=lambda n: short.get(n, n.upper())), path, file_format_version=5)
    elif path.suffix == ".json":
        told = [[None if pd.isna(v) else v for v in row] for row in frame.astype(object).to_numpy()]
        path.write_text(json.dumps({"columns": [{"name": n} for n in NAMES], "rows": told}))
    else:
        sep = "," if path.suffix == ".csv" else "\t"
        frame.astype({"sequence": "Int64"}).to_csv(path, sep=sep, index=False, encoding="utf-8-sig" if sep == "," else "utf-8")


@pytest.mark.parametrize("suffix", [".tsv", ".csv", ".parquet", ".xpt", ".json"])
def test_a_table_reads_the_same_from_every_format(tmp_path, suffix):
    _write(tmp_path / f"labs{suffix}")
    frame = read_any(tmp_path / f"labs{suffix}", LABS)
    assert frame[NAMES].astype(object).where(frame[NAMES].notna(), None).to_numpy().tolist() == TEXT
    typed = read_clinical({"labs": tmp_path / f"labs{suffix}"})["labs"]
    assert (typed["value"][0], typed["sequence"][0]) == (0.45, 1)


@pytest.mark.parametrize("suffix", [".parquet", ".xpt", ".json", ".csv"])
def test_a_file_of_another_format_is_told_in_one_line(tmp_path, suffix):
    (tmp_path / f"labs{suffix}").write_bytes(b"\xff\xfe\x00 not a table")
    with pytest.raises(FileError, match=r"labs\S+: not a"):
        read_any(tmp_path / f"labs{suffix}", LABS)


def test_what_is_not_there_not_known_or_named_twice_is_told(tmp_path):
    with pytest.raises(FileError, match="the table is missing"):
        read_any(tmp_path / "labs.csv", LABS)
    (tmp_path / "labs.xlsx").write_text("")
    with pytest.raises(FileError, match=r"not a known format; use one of \.tsv"):
        read_any(tmp_path / "labs.xlsx", LABS)
    (tmp_path / "labs.csv").write_text("collected,COLLDT\n,\n")
    with pytest.raises(FileError, match="column collected stands twice"):
        read_any(tmp_path / "labs.csv", LABS)


def test_rows_of_different_length_are_no_dataset_json(tmp_path):
    (tmp_path / "labs.json").write_text(json.dumps({"columns": [{"name": "a"}, {"name": "b"}], "rows": [[1, 2], [3]]}))
    with pytest.raises(FileError, match="not a Dataset-JSON file"):
        read_any(tmp_path / "labs.json", LABS)


def _folder(path, **tables):
    for name, lines in tables.items():
        (path / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return path


def test_a_folder_is_read_by_the_names_of_its_files(tmp_path):
    _folder(tmp_path, subjects=["subject"], labs=["x"], other=["y"])
    (tmp_path / "labs.schema.json").write_text("{}")
    assert {n: p.name for n, p in find_clinical(tmp_path).items()} == {"subjects": "subjects.csv", "labs": "labs.csv"}


def test_a_folder_that_cannot_be_used_is_told(tmp_path):
    with pytest.raises(SheetError, match="the folder of clinical tables is missing"):
        find_clinical(tmp_path / "none")
    with pytest.raises(SheetError, match="there is no table subjects"):
        find_clinical(tmp_path)
    _folder(tmp_path, subjects=["subject"])
    (tmp_path / "subjects.tsv").write_text("subject\n")
    with pytest.raises(SheetError, match=r"subjects\.csv and subjects\.tsv are both subjects"):
        find_clinical(tmp_path)


def test_every_problem_of_every_table_is_told_at_once_with_row_and_column(tmp_path):
    _folder(
        tmp_path,
        subjects=["subject,disease_at_entry,age", "P01,cured,140"],
        exposure=["subject,treatment,start,end", "P01,induction,2026-01,", "P01,surgery,2026-02-30,",
                  "P01,consolidation,2026-03,2026-02"],
        labs=["subject,test,collected,value,unit", "P01,ANC,2026-01-05,,10^9/L", "P01,PLT,soon,-1,mg"],
        adverse_events=["subject,sequence,term,grade,onset,end", "P01,1,Nausea,6,2026-13,", ",1,,2,2026-02,2026-01"],
        disposition=["subject,event,date", "P01,death,2026", "P01,death,2026-01-01"],
        review=[
            "subject,visit,call,value,reviewer,reviewed_at,meaning,reason,source_id",
            "P01,FU1,negative,2,R,2026-01-01 10:00,approved,seen,1",
        ],
    )  # fmt: skip
    with pytest.raises(SheetError) as error:
        read_clinical(find_clinical(tmp_path))
    told = str(error.value)
    for problem in (
        "subjects.csv: column disease_at_entry has 'cured' in row 2",
        "subjects.csv: column age has '140' in row 2; it takes a whole number from 0 to 130",
        "exposure.csv: column start has '2026-01' in row 2; induction takes a whole date YYYY-MM-DD",
        "exposure.csv: column treatment has 'surgery' in row 3",
        "exposure.csv: column start has '2026-02-30' in row 3; it takes a date YYYY-MM-DD, YYYY-MM or YYYY",
        "exposure.csv: column end has '2026-02' in row 4, which lies before start 2026-03",
        "labs.csv: column value is empty in row 2; a count needs it",
        "labs.csv: column collected has 'soon' in row 3",
        "labs.csv: column value has '-1' in row 3",
        "labs.csv: column unit has 'mg' in row 3",
        "adverse_events.csv: column grade has '6' in row 2; it takes a whole number from 1 to 5",
        "adverse_events.csv: column onset has '2026-13' in row 2",
        "adverse_events.csv: column subject is empty in row 3",
        "adverse_events.csv: column term is empty in row 3",
        "adverse_events.csv: column end has '2026-01' in row 3, which lies before onset 2026-02",
        "disposition.csv: subject + event P01 death stands in rows 2, 3",
        "review.csv: column call has 'negative' in row 2",
        "review.csv: column value has '2' in row 2; it takes a number from 0 to 1",
        "review.csv: column reviewed_at has '2026-01-01 10:00' in row 2; it takes UTC as YYYY-MM-DDThh:mm:ssZ",
    ):
        assert problem in told, problem


def test_partial_dates_pass_where_they_may(tmp_path):
    _folder(
        tmp_path,
        exposure=["subject,treatment,start", "P01,induction,2026-01-05", "P01,transplant,2026-03"],
        disposition=["subject,event,date", "P01,death,2026"],
    )
    told = read_clinical({"exposure": tmp_path / "exposure.csv", "disposition": tmp_path / "disposition.csv"})
    assert told["exposure"]["start"].tolist() == ["2026-01-05", "2026-03"]
    assert told["disposition"]["date"].tolist() == ["2026"]
    assert {c.name for c in (*EXPOSURE.columns, *DISPOSITION.columns) if c.kind == "p"} == {"start", "end", "date"}
