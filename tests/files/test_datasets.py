"""Datasets on disk: the same values back, the same bytes twice, the declaration inside."""

import json
from datetime import date

import pandas as pd
import pyarrow.parquet as pq
import pytest

from mrd.core.errors import ContractError, FileError
from mrd.core.tables import Column, Table
from mrd.files.datasets import read_parquet, write_csv, write_parquet

TABLE = Table(
    "visits",
    3,
    "visit",
    (
        Column("VISIT", "s", "visit", required=True),
        Column("N", "i", "cells"),
        Column("AVAL", "f", "burden", unit="%"),
        Column("ADT", "d", "day"),
        Column("OK", "b", "passed"),
    ),
    key=("VISIT",),
)
FRAME = TABLE.frame(
    [
        {"VISIT": "FU1", "N": 600_000, "AVAL": 0.1 + 0.2, "ADT": "2026-02-01", "OK": True},
        {"VISIT": 'FU2, "late"', "N": None, "AVAL": None, "ADT": None, "OK": None},
    ]
)


def test_csv_holds_the_values_with_empty_cells_for_missing_ones(tmp_path):
    write_csv(tmp_path / "v.csv", FRAME, TABLE)
    assert (tmp_path / "v.csv").read_text() == 'VISIT,N,AVAL,ADT,OK\nFU1,600000,0.3,2026-02-01,True\n"FU2, ""late""",,,,\n'
    schema = json.loads((tmp_path / "v.schema.json").read_text())
    assert (schema["title"], schema["version"]) == ("visits", 3)


def test_parquet_brings_back_the_very_same_frame(tmp_path):
    write_parquet(tmp_path / "v.parquet", FRAME, TABLE)
    pd.testing.assert_frame_equal(read_parquet(tmp_path / "v.parquet", TABLE), FRAME)


def test_parquet_is_typed_and_carries_name_version_and_meanings(tmp_path):
    write_parquet(tmp_path / "v.parquet", FRAME, TABLE)
    read = pq.read_table(tmp_path / "v.parquet")
    assert read.schema.metadata == {b"name": b"visits", b"version": b"3", b"row": b"visit"}
    assert [str(f.type) for f in read.schema] == ["string", "int64", "double", "date32[day]", "bool"]
    assert read.schema.field("AVAL").metadata == {b"meaning": b"burden", b"unit": b"%"}
    assert read["ADT"].to_pylist() == [date(2026, 2, 1), None]


def test_the_same_frame_makes_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_csv(tmp_path / f"{name}.csv", FRAME, TABLE)
        write_parquet(tmp_path / f"{name}.parquet", FRAME[FRAME.columns[::-1]], TABLE)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_a_frame_that_breaks_its_declaration_is_not_written(tmp_path, write):
    with pytest.raises(ContractError, match="column ADT has 'soon' in row 2"):
        write(
            tmp_path / "v.out", FRAME.assign(ADT=pd.Series(["2026-02-01x"]).replace("2026-02-01x", "soon").reindex([0, 1])), TABLE
        )
    assert list(tmp_path.iterdir()) == []


def test_another_version_is_refused(tmp_path):
    write_parquet(tmp_path / "v.parquet", FRAME, TABLE)
    newer = Table("visits", 4, "visit", TABLE.columns, key=("VISIT",))
    with pytest.raises(ContractError, match="not version 4 of table visits"):
        read_parquet(tmp_path / "v.parquet", newer)


def test_another_table_is_refused(tmp_path):
    write_parquet(tmp_path / "v.parquet", FRAME, TABLE)
    with pytest.raises(ContractError, match="not version 3 of table other"):
        read_parquet(tmp_path / "v.parquet", Table("other", 3, "visit", TABLE.columns, key=("VISIT",)))


def test_what_is_no_parquet_is_told(tmp_path):
    (tmp_path / "v.parquet").write_text("VISIT,N\n")
    for name in ("v.parquet", "none.parquet"):
        with pytest.raises(FileError, match="not a readable Parquet file"):
            read_parquet(tmp_path / name, TABLE)
