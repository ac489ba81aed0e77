"""Datasets in the formats of a submission: the same values back, valid against the published schemas."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import jsonschema
import odmlib
import pandas as pd
import pyreadstat
import pytest
from lxml import etree

from mrd.core.contracts import PIPELINE_TABLES
from mrd.core.errors import ContractError
from mrd.core.tables import Column, Table
from mrd.files.define_xml import write_define
from mrd.files.submission import Stamp, write_dataset, write_dataset_json, write_xpt
from tests.endpoint.mock import mock_trial

STAMP = Stamp("VENAZACAG", "1", datetime(2026, 11, 24, 12, 0, 5, tzinfo=UTC))
PUBLISHED = Path(__file__).parents[1] / "endpoint" / "published" / "dataset.schema.json"
DEFINE = Path(odmlib.__file__).parent / "schemas" / "define" / "2.1" / "define2-1-0.xsd"
TABLES = {t.name: t for t in PIPELINE_TABLES}
NS = {"odm": "http://www.cdisc.org/ns/odm/v1.3", "def": "http://www.cdisc.org/ns/def/v2.1"}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Every dataset of the mock trial, in every format."""
    folder, trial = tmp_path_factory.mktemp("submission"), mock_trial()
    for name, standard, frames in (("adam", "ADaM", trial.adam), ("sdtm", "SDTM", trial.sdtm)):
        for dataset, frame in frames.items():
            write_dataset(folder / name, frame, TABLES[dataset], STAMP)
        write_define(folder / name / "define.xml", [TABLES[d] for d in frames], standard, STAMP)
    return folder


DATASETS = [("adam", n) for n in ("adsl", "admrd", "adrs", "adtte", "adae")] + [("sdtm", n) for n in ("cp", "rs")]


def _frame(folder, name):
    trial = mock_trial()
    return (trial.adam if folder == "adam" else trial.sdtm)[name]


def _expected(frame, table, *, dates):
    """Rows of a frame as a transport file tells them: text is never missing but empty, numbers are floats."""
    out = []
    for row in frame.to_dict("records"):
        told = {}
        for c in table.columns:
            value = None if pd.isna(row[c.name]) else row[c.name]
            if c.kind == "d" and table.structure != "FINDINGS":
                told[c.name] = None if value is None else dates(date.fromisoformat(value))
            else:
                told[c.name] = value if c.kind in "if" else (value or "")
        out.append(told)
    return out


def _plain(frame):
    return [{k: None if pd.isna(v) else v for k, v in row.items()} for row in frame.astype(object).to_dict("records")]


@pytest.mark.parametrize(("folder", "name"), DATASETS)
def test_a_transport_file_opens_in_pyreadstat_with_the_same_values_and_labels(written, folder, name):
    read, meta = pyreadstat.read_xport(written / folder / f"{name}.xpt")
    table = TABLES[name]
    assert _plain(read) == _expected(_frame(folder, name), table, dates=lambda d: d)
    assert meta.column_names == table.names
    assert meta.column_labels == [c.title for c in table.columns]
    assert (meta.table_name, meta.file_label) == (name.upper(), table.label)


@pytest.mark.parametrize(("folder", "name"), DATASETS)
def test_a_transport_file_opens_in_pandas_with_the_same_values(written, folder, name):
    read = pd.read_sas(written / folder / f"{name}.xpt", format="xport", encoding="ascii")
    expected = _expected(_frame(folder, name), TABLES[name], dates=lambda d: float((d - date(1960, 1, 1)).days))
    told = [
        {k: "" if v is None and isinstance(expected[i][k], str) else v for k, v in r.items()} for i, r in enumerate(_plain(read))
    ]
    assert [list(r) for r in told] == [list(r) for r in expected]
    for row, other in zip(told, expected, strict=True):
        assert {k: v for k, v in row.items() if v != other[k] and not _is_zero(v, other[k])} == {}


def _is_zero(value, expected):
    """pandas reads the zero of any transport file as 16 ** -65."""
    return expected == 0 and value == 16.0**-65


def test_a_transport_file_is_version_5(written):
    head = (written / "adam" / "adsl.xpt").read_bytes()
    assert head.startswith(b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!000000000000000000000000000000  ")
    assert len(head) % 80 == 0


@pytest.mark.parametrize(("folder", "name"), DATASETS)
def test_dataset_json_keeps_the_published_schema_and_holds_the_same_values(written, folder, name):
    told = json.loads((written / folder / f"{name}.json").read_text())
    jsonschema.Draft201909Validator(json.loads(PUBLISHED.read_text())).validate(told)
    frame, table = _frame(folder, name), TABLES[name]
    assert (told["datasetJSONVersion"], told["datasetJSONCreationDateTime"]) == ("1.1.0", "2026-11-24T12:00:05")
    assert (told["itemGroupOID"], told["records"], len(told["rows"])) == (f"IG.{name.upper()}", len(frame), len(frame))
    assert [c["name"] for c in told["columns"]] == table.names
    expected = [[None if pd.isna(row[n]) else row[n] for n in table.names] for row in frame.to_dict("records")]
    assert told["rows"] == expected


def test_dates_of_an_analysis_dataset_are_numbers_to_be_and_those_of_a_tabulation_text(written):
    adsl = json.loads((written / "adam" / "adsl.json").read_text())
    start = next(c for c in adsl["columns"] if c["name"] == "TRTSDT")
    assert (start["dataType"], start["targetDataType"], start["displayFormat"]) == ("date", "integer", "DATE9.")
    cp = json.loads((written / "sdtm" / "cp.json").read_text())
    assert "targetDataType" not in next(c for c in cp["columns"] if c["name"] == "CPDTC")


@pytest.mark.parametrize("folder", ["adam", "sdtm"])
def test_define_xml_keeps_the_schema_of_2_1_and_describes_every_variable(written, folder):
    document = etree.parse(str(written / folder / "define.xml"))
    schema = etree.XMLSchema(etree.parse(str(DEFINE)))
    assert schema.validate(document), schema.error_log
    for where, name in DATASETS:
        if where == folder:
            items = document.findall(f".//odm:ItemGroupDef[@Name='{name.upper()}']/odm:ItemRef", NS)
            assert [i.get("ItemOID") for i in items] == [f"IT.{name.upper()}.{n}" for n in TABLES[name].names]


@pytest.mark.parametrize("folder", ["adam", "sdtm"])
def test_every_reference_in_define_xml_leads_somewhere(written, folder):
    document = etree.parse(str(written / folder / "define.xml"))
    defined = {e.get("OID") for e in document.iter() if e.get("OID")}
    told = [(a, v) for e in document.iter() for a, v in e.attrib.items() if a.endswith("OID") and a not in ("OID", "FileOID")]
    assert len(told) > 80
    assert {v for _, v in told} <= defined
    for leaf in document.iter(f"{{{NS['def']}}}leaf"):
        assert (written / folder / leaf.get("{http://www.w3.org/1999/xlink}href")).is_file()


def test_codes_of_a_variable_stand_in_define_xml(written):
    document = etree.parse(str(written / "adam" / "define.xml"))
    codes = document.findall(".//odm:CodeList[@OID='CL.ADTTE.SRCDOM']/odm:EnumeratedItem", NS)
    assert [c.get("CodedValue") for c in codes] == list(TABLES["adtte"].column("SRCDOM").codes)


def _dataset(name="AVALC", meaning="Value", length=200):
    column = Column(name, "s", meaning, length=length, origin="Derived", derivation="as told")
    return Table("adxx", 1, "row", (column,), key=(name,), label="A Dataset", structure="BASIC DATA STRUCTURE")


@pytest.mark.parametrize("write", [write_xpt, lambda p, f, t: write_dataset_json(p, f, t, STAMP)], ids=["xpt", "json"])
@pytest.mark.parametrize(
    ("table", "value"),
    [
        pytest.param(_dataset("ANALYSISV"), "x", id="a name of 9 letters"),
        pytest.param(_dataset(meaning="x" * 41), "x", id="a label of 41 characters"),
        pytest.param(_dataset(), "x" * 201, id="a text of 201 bytes"),
        pytest.param(_dataset(), "é" * 101, id="a text of more than 200 bytes in few letters"),
        pytest.param(_dataset(length=199), "x" * 200, id="a text of 200 bytes in 199"),
        pytest.param(_dataset(), "Zoë", id="a text that is not ASCII"),
    ],
)
def test_what_does_not_fit_is_refused_and_no_file_is_left(tmp_path, write, table, value):
    frame = table.frame([{table.names[0]: value}])
    with pytest.raises(ContractError):
        write(tmp_path / "adxx.out", frame, table)
    assert list(tmp_path.iterdir()) == []


def test_a_text_of_200_bytes_is_written_whole(tmp_path):
    table = _dataset()
    write_xpt(tmp_path / "adxx.xpt", table.frame([{"AVALC": "x" * 200}]), table)
    assert pyreadstat.read_xport(tmp_path / "adxx.xpt")[0]["AVALC"].tolist() == ["x" * 200]


def test_a_dataset_without_rows_is_written_too(tmp_path):
    write_dataset(tmp_path, TABLES["adae"].empty(), TABLES["adae"], STAMP)
    read, meta = pyreadstat.read_xport(tmp_path / "adae.xpt")
    assert (len(read), meta.column_names) == (0, TABLES["adae"].names)


def test_days_before_1960_are_days_too(tmp_path):
    table = Table(
        "adxx",
        1,
        "row",
        (Column("ADT", "d", "Day", origin="Derived", derivation="as told"),),
        key=("ADT",),
        label="Days",
        structure="BASIC DATA STRUCTURE",
    )
    day = date(1960, 1, 1) - timedelta(days=1)
    write_xpt(tmp_path / "adxx.xpt", table.frame([{"ADT": day.isoformat()}]), table)
    assert pyreadstat.read_xport(tmp_path / "adxx.xpt")[0]["ADT"].tolist() == [day]
