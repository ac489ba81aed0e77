"""Purity and age of specimens through the commands, from tubes with known truth to the endpoint dataset."""

import json

import pandas as pd
import pytest

from mrd.cli.main import main
from mrd.core.contracts import SPECIMENS
from mrd.files.layout import reference_path
from mrd.files.ledger import record_path, remember
from mrd.files.models import REFERENCE_MODEL, read_model, write_model
from mrd.files.tables import read_table
from tests.cohort import read_calls, run_some
from tests.shifted import add_tube

COUNTS = {"rbc_marrow": "1.5", "rbc_blood": "3", "wbc_marrow": "5", "wbc_blood": "4"}
"""Half of the red cells and four fifths of the white ones: 40 % came with blood, 60 % are marrow."""


def say(plan, visit, **columns):
    """Have the sheet say more of a visit."""
    frame = pd.read_csv(plan, sep="\t", dtype=str, keep_default_na=False)
    for name, value in columns.items():
        frame[name] = frame.get(name, "")
        frame.loc[frame["visit"].eq(visit), name] = value
    frame.fillna("").to_csv(plan, sep="\t", index=False)


def test_a_diluted_and_an_old_specimen_are_flagged_and_stand_in_the_endpoint_dataset(copied):
    settings, results = copied
    plan = settings.parent / "samples.tsv"
    true = add_tube(plan, "FU2", {}, burden=0.08, events=6_000, artefacts="hemodilution=0.6")
    add_tube(plan, "FU3", {}, events=7_000)
    say(plan, "FU1", received="2024-02-04", **COUNTS)
    say(plan, "FU2", received="2024-05-05")
    run_some(settings, "prepare", "laip", "detect", "call")
    told = read_table(results / "specimens.tsv", SPECIMENS).set_index(["subject", "visit"])
    calls = read_calls(results).join(told).loc["P1"]
    assert calls["purity_method"].to_dict() == {
        "DX": "composition", "FU1": "holdrinet", "FU2": "composition", "FU3": "composition"
    }  # fmt: skip
    assert calls.loc["FU1", "purity"] == pytest.approx(0.6)
    assert calls.loc["FU2", "purity"] == pytest.approx(0.4, abs=0.15)
    assert calls.loc[["DX", "FU3"], "purity"].min() > 0.6
    assert calls["storage_days"].fillna(-1).to_dict() == {"DX": -1, "FU1": 3, "FU2": 4, "FU3": -1}
    flags = calls["flags"].str.split(";")
    assert {v for v in flags.index if "hemodiluted" in flags[v]} == {"FU2"}
    assert {v for v in flags.index if "old-specimen" in flags[v]} == {"FU2"}
    assert calls.loc["FU2", "mrd_fraction"] == pytest.approx(true, rel=0.25)  # reported as it is, never rescaled
    out = results / "endpoint"
    assert main(["endpoint", "--calls", str(results / "calls.tsv"), "--settings", str(settings), "--out", str(out)]) == 0
    rows = pd.read_csv(out / "admrd.csv").query("PARAMCD == 'MRDPCT'").set_index("AVISIT")
    assert rows["HEMODFL"].to_dict() == {"DX": "N", "FU1": "N", "FU2": "Y", "FU3": "N"}
    assert rows["STORDAYS"].fillna(-1).to_dict() == {"DX": -1, "FU1": 3, "FU2": 4, "FU3": -1}


def test_with_a_reference_that_tells_not_what_its_controls_hold_purity_by_composition_is_not_told(copied, capsys):
    settings, results = copied
    path = reference_path(results / "reference", "aml-lyric-9")
    arrays, about = read_model(path, *REFERENCE_MODEL)
    for control in about["controls"]:
        del control["n_erythroid"], control["n_lymphocytes"]
    write_model(path, *REFERENCE_MODEL, arrays, about)
    record = json.loads(record_path(path).read_text())
    remember(path, record["inputs"], record)
    run_some(settings, "laip", "detect", "call")
    assert read_table(results / "specimens.tsv", SPECIMENS)["purity"].isna().all()
    assert "aml-lyric-9 does not tell what its controls hold: no purity by composition" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"received": "2024-01-31"}, "P1_FU1_T1 was received before it was collected"),
        ({"received": "31.1.2024"}, "P1_FU1_T1: received takes a day as YYYY-MM-DD"),
        ({"rbc_marrow": "1.5"}, "P1_FU1_T1: rbc_marrow, rbc_blood, wbc_marrow, wbc_blood are needed together"),
        ({**COUNTS, "wbc_marrow": "0"}, "P1_FU1_T1: wbc_marrow takes a number above zero"),
    ],
)
def test_a_sheet_that_cannot_be_is_one_line(copied, capsys, columns, told):
    say(copied[0].parent / "samples.tsv", "FU1", **columns)
    capsys.readouterr()
    assert main(["prepare", "--settings", str(copied[0]), "--batch", "s001"]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
