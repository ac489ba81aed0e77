"""What the tubes table says of how each tube came out of its file: data set, repairs, matrix."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from mrd.cli.main import main
from mrd.core.contracts import TUBES
from mrd.core.slots import CELLS
from mrd.files.anndata_io import read_anndata
from mrd.files.fcs import read_fcs
from mrd.files.tables import read_table
from mrd.prepare.compensate import parse_spill

SOURCE = Path(__file__).parents[2] / "test_fcs" / "fcs" / "S01_DX_T1.fcs"
COLUMNS = "subject visit role control_kind tube specimen specimen_type collected fcs compensation dataset".split()  # noqa: SIM905


def with_keyword(raw: bytes, old: str, new: str) -> bytes:
    """The file with a keyword renamed or changed at the same length."""
    assert len(old) == len(new)
    assert raw.count(old.encode()) == 1
    return raw.replace(old.encode(), new.encode())


@pytest.fixture(scope="module")
def tubes(tmp_path_factory):
    """Tubes of one batch, all made from one synthetic file in different ways, and prepared."""
    folder = tmp_path_factory.mktemp("reading")
    raw = SOURCE.read_bytes()
    spill = parse_spill(read_fcs(SOURCE, where="t").spill, where="t")
    frame = pd.DataFrame(
        spill.matrix, index=[f"Comp-{d}" for d in spill.detectors], columns=[f"Comp-{d}" for d in spill.detectors]
    )
    frame.to_csv(folder / "lab.csv")
    unspilled = with_keyword(raw, "$SPILLOVER", "$SPILLWAYS")
    begin = int(raw[26:34])
    files = {
        "plain": (raw, "", ""),
        "none": (raw, "none", ""),
        "lab": (unspilled, "lab.csv", ""),
        "bare": (unspilled, "", ""),
        "absent": (raw, "no.csv", ""),
        "offbyone": (raw[:34] + f"{int(raw[34:42]) + 1:>8}".encode() + raw[42:] + b"00000000", "", ""),
        "cut": (raw[: len(raw) - 7], "", ""),
        "twosets": (two_sets(raw), "", ""),
        "second": (two_sets(raw), "", "2"),
        "third": (two_sets(raw), "", "3"),
        "before": (before(raw), "", ""),
        "empty": (emptied(raw, begin), "", ""),
    }
    rows = []
    for name, (data, compensation, dataset) in files.items():
        (folder / f"{name}.fcs").write_bytes(data)
        rows.append(
            ["S", name, "follow-up", "", "T1", f"S-{name}", "bone marrow", "2024-01-01", f"{name}.fcs", compensation, dataset]
        )
    pd.DataFrame(rows, columns=COLUMNS).to_csv(folder / "samples.tsv", sep="\t", index=False)
    settings = folder / "settings.yaml"
    settings.write_text(
        yaml.safe_dump({"samples": str(folder / "samples.tsv"), "results": str(folder / "results"), "reference": "x"})
    )
    assert main(["prepare", "--settings", str(settings), "--batch", "s001"]) == 0
    return read_table(folder / "results" / "prepare" / "s001.tsv", TUBES).set_index(
        "visit"
    ), folder / "results" / "prepare" / "cells"


def two_sets(raw: bytes) -> bytes:
    """The file twice, the first pointing at the second; the pointer takes the room of keywords that may be absent."""
    old = "$BEGINANALYSIS/0/$ENDANALYSIS/0/$BEGINSTEXT/0/$ENDSTEXT/0/$NEXTDATA/0/"
    new = f"$NEXTDATA/{len(raw):09d}/$COM/"
    return with_keyword(raw, old, new + "x" * (len(old) - len(new) - 1) + "/") + raw


def before(raw: bytes) -> bytes:
    """The file with a matrix of what was subtracted at acquisition instead of one to undo."""
    text = raw.decode("latin-1")
    begin = text.index("$SPILLOVER/")
    end = text.index("/", begin + len("$SPILLOVER/"))
    comp = "$COMP/2,0,-5,0,0"
    filler = "/$COM/" + "x" * (end - begin - len(comp) - len("/$COM/"))
    return (text[:begin] + comp + filler + text[end:]).encode("latin-1")


def emptied(raw: bytes, begin: int) -> bytes:
    """The file without its events."""
    text = raw[:begin].replace(b"$TOT/3400/", b"$TOT/0000/")
    return text[:26] + f"{0:>8}{0:>8}".encode() + text[42:]


def test_the_files_own_matrix_is_undone_and_its_digest_travels(tubes):
    table, cells = tubes
    spill = parse_spill(read_fcs(SOURCE, where="t").spill, where="t")
    row = table.loc["plain"]
    assert (row["reading"], row["dataset"], row["matrix"], row["outcome"]) == ("read", 1, spill.digest, "ok")
    told = json.loads(read_anndata(cells / "S_plain_T1.h5ad", CELLS).uns["provenance"])
    assert told["reading"] == {"reading": "read", "repairs": None, "dataset": 1, "matrix": spill.digest}


def test_a_matrix_of_the_lab_gives_what_the_files_own_gives(tubes):
    table, cells = tubes
    assert table.loc["lab", "matrix"] == table.loc["plain", "matrix"]
    assert "compensation-file" in table.loc["lab", "flags"]
    plain, lab = (read_anndata(cells / f"S_{n}_T1.h5ad", CELLS).x for n in ("plain", "lab"))
    assert np.allclose(plain, lab, atol=1e-4)


@pytest.mark.parametrize("name", ["none", "bare"])
def test_without_a_matrix_the_tube_is_flagged(tubes, name):
    row = tubes[0].loc[name]
    assert pd.isna(row["matrix"])
    assert "uncompensated" in row["flags"].split(";")
    assert row["n_events"] == 3400


def test_what_was_subtracted_at_acquisition_is_left_and_told(tubes):
    row = tubes[0].loc["before"]
    assert pd.isna(row["matrix"])
    assert "compensated-before" in row["flags"].split(";")
    assert "uncompensated" not in row["flags"].split(";")


def test_a_repair_is_in_the_table_the_flags_and_the_artefact(tubes):
    table, cells = tubes
    row = table.loc["offbyone"]
    assert row["reading"] == "repaired"
    assert "HEADER and TEXT disagree on where DATA ends" in row["repairs"]
    assert "repaired" in row["flags"].split(";")
    told = json.loads(read_anndata(cells / "S_offbyone_T1.h5ad", CELLS).uns["provenance"])
    assert told["reading"]["repairs"] == row["repairs"]
    assert row["n_leukocytes"] == table.loc["plain", "n_leukocytes"]


def test_several_data_sets_wait_for_the_sheet_to_name_one(tubes):
    table = tubes[0]
    assert (table.loc["twosets", "outcome"], table.loc["twosets", "reading"]) == ("failed", "choose")
    assert (
        "it holds 2 data sets, of 3400 and 3400 events; name one in the sheet's dataset column" in table.loc["twosets", "reason"]
    )
    assert (table.loc["second", "outcome"], table.loc["second", "dataset"]) == ("ok", 2)
    assert table.loc["second", "n_leukocytes"] == table.loc["plain", "n_leukocytes"]
    assert "it has no data set '3'; write a number from 1 to 2" in table.loc["third", "reason"]


@pytest.mark.parametrize(
    ("name", "told"),
    [("cut", "its events are cut off"), ("absent", "its compensation file is missing"), ("empty", "it holds no events")],
)
def test_what_cannot_be_used_is_refused_with_its_reason(tubes, name, told):
    row = tubes[0].loc[name]
    assert (row["outcome"], row["reading"]) == ("failed", "refused")
    assert told in row["reason"]


def test_nothing_is_left_of_a_tube_that_failed(tubes):
    assert not (tubes[1] / "S_cut_T1.h5ad").exists()
