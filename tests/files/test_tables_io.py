import json

import pandas as pd
import pytest

from mrd.core.contracts import CALLS_TABLE, PIPELINE_TABLES
from mrd.core.errors import ContractError, FileError
from mrd.core.tables import Column, Table
from mrd.files.tables import read_table, read_text_table, read_together, write_table

T = Table(
    "t", 3, "thing", (Column("id", "s", "name", required=True), Column("n", "i", "count"), Column("x", "f", "value")), key=("id",)
)


def test_what_is_written_is_read_back_with_its_kinds(tmp_path):
    frame = T.frame([{"id": "a", "n": 3, "x": 1e-7}, {"id": "b", "n": None, "x": None}])
    write_table(tmp_path / "t.tsv", frame, T)
    back = read_table(tmp_path / "t.tsv", T)
    assert back["n"].tolist()[0] == 3
    assert back["x"].tolist()[0] == 1e-7
    assert back.loc[1, ["n", "x"]].isna().all()


NUMBERLIKE = "3e8456564087df6ff93de5d3a9cfcaba14046c07dc48a4113ab56ebf3a7f9605"
"""A digest at which pandas up to 2.3 crashes where it takes it for a number."""
DIGESTS = Table("t", 1, "thing", (Column("id", "s", "name"), Column("made", "h", "digest"), Column("of", "h", "digest")), ("id",))


def test_a_digest_never_reads_as_a_number(tmp_path):
    path = tmp_path / "t.tsv"
    write_table(path, DIGESTS.frame([{"id": "a", "made": NUMBERLIKE}, {"id": "b", "made": ""}]), DIGESTS)
    assert path.read_text() == f"id\tmade\tof\na\tsha256:{NUMBERLIKE}\t\nb\t\t\n"
    assert pd.read_csv(path, sep="\t").loc[0, "made"] == f"sha256:{NUMBERLIKE}"
    back = read_table(path, DIGESTS)
    assert back["made"].dropna().tolist() == [NUMBERLIKE]
    path.write_text(f"id\tmade\tof\na\t{NUMBERLIKE}\t\n")
    assert read_table(path, DIGESTS).loc[0, "made"] == NUMBERLIKE


def test_every_digest_of_every_table_is_declared_as_one():
    columns = [c for t in PIPELINE_TABLES for c in t.columns]
    assert {c.kind for c in columns if c.meaning.startswith("digest") or c.name == "sha256"} == {"h"}


def test_the_schema_lies_beside_and_another_version_is_refused(tmp_path):
    write_table(tmp_path / "t.tsv", T.frame([{"id": "a"}]), T)
    schema = tmp_path / "t.schema.json"
    assert json.loads(schema.read_text())["title"] == "t"
    schema.write_text(schema.read_text().replace('"version": 3', '"version": 2'))
    with pytest.raises(ContractError, match=r"t\.tsv is not version 3"):
        read_table(tmp_path / "t.tsv", T)


def test_batches_are_read_as_one_and_none_of_them_twice(tmp_path):
    paths = [tmp_path / f"{name}.tsv" for name in ("a", "b", "none")]
    for path, rows in zip(paths, ([{"id": "a", "n": 3}], [{"id": "b"}], []), strict=True):
        write_table(path, T.frame(rows), T)
    both = read_together(paths, T)
    assert both["id"].tolist() == ["a", "b"]
    assert both["n"].dtype == "Int64"
    assert read_together(paths[2:], T).empty
    with pytest.raises(ContractError, match="table t: two files tell of id a; name"):
        read_together([*paths, paths[0]], T)


def test_a_frame_that_breaks_its_declaration_is_not_written(tmp_path):
    with pytest.raises(ContractError, match="column id is empty"):
        write_table(tmp_path / "t.tsv", pd.DataFrame({"id": [""], "n": [1], "x": [1.0]}), T)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"a\tb\n1\t2\t3\n4\t5\t6\t7\n", b"\xff\xfe\x00a"])
def test_what_is_no_table_is_refused(tmp_path, content):
    path = tmp_path / "x.tsv"
    path.write_bytes(content)
    with pytest.raises(FileError, match="not a tab-separated UTF-8 table"):
        read_text_table(path, where="x")


def test_a_missing_table_is_told(tmp_path):
    with pytest.raises(FileError, match="subjects: the table is missing; check the path"):
        read_text_table(tmp_path / "no.tsv", where="subjects")


@pytest.mark.parametrize("table", PIPELINE_TABLES, ids=lambda t: t.name)
def test_an_empty_table_of_every_kind_survives_the_round_trip(tmp_path, table):
    write_table(tmp_path / "e.tsv", table.empty(), table)
    assert list(read_table(tmp_path / "e.tsv", table).columns) == table.names


def test_calls_written_by_version_one_still_open():
    from pathlib import Path

    calls = read_table(Path(__file__).parent / "old" / "calls.v1.tsv", CALLS_TABLE)
    assert calls["call"].tolist() == ["positive", "indeterminate", "not-evaluable"]
