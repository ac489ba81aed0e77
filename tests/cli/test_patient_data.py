"""Nothing that an FCS file says of a person reaches anything we write: artefacts, pages, logs, the console, file names."""

import logging
import resource

import anndata as ad
import pandas as pd
import pytest
from safetensors import safe_open

from mrd.cli.main import main
from tests.cohort import run_some
from tests.planted import MARKERS, read_keywords, told_in


def unpacked(path):
    """What a file tells once its compression is undone."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path).to_csv()
    if path.suffix == ".h5ad":
        data = ad.read_h5ad(path)
        return f"{dict(data.uns)} {data.obs.to_csv()} {data.var.to_csv()}"
    if path.suffix == ".safetensors":
        with safe_open(path, framework="np") as handle:
            return str(handle.metadata())
    return ""


def leaks(folder):
    """Markers in the bytes, the unpacked content or the name of every file."""
    files = [p for p in folder.rglob("*") if p.is_file()]
    told = {str(p.relative_to(folder)): [*told_in(p), *(m for m in MARKERS if m in unpacked(p))] for p in files}
    return {name: found for name, found in told.items() if found}


def test_the_markers_do_stand_in_the_files_that_were_read(finished):
    files = sorted((finished[0].parent / "fcs").glob("*.fcs"))
    assert len(files) == 6
    for path in files:
        assert set(told_in(path)) == set(MARKERS)
        assert sum(MARKERS[0] in v for v in read_keywords(path).values()) > 100


def test_a_whole_results_tree_tells_of_no_person(finished):
    kinds = {p.suffix for p in finished[1].rglob("*") if p.is_file()}
    assert {".tsv", ".json", ".h5ad", ".safetensors", ".csv", ".parquet", ".html", ".xml", ".fcs", ".yaml"} <= kinds
    assert leaks(finished[1]) == {}


def test_errors_logs_and_the_console_tell_of_no_person(copied, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    settings, results = copied
    files = settings.parent / "fcs"
    whole = (files / "P1_FU1_T1.fcs").read_bytes()
    (files / "P1_FU1_T1.fcs").write_bytes(whole[: len(whole) // 2])
    (files / "P1_DX_T1.fcs").write_bytes(whole.replace(b"|$PAR|", b"|$PAT|"))
    (files / "N0_V1_T1.fcs").write_bytes(whole.replace(b"CD117", b"CD999").replace(b"PE-Cy7-A", b"XX-Xx7-A"))
    assert main(["prepare", "--settings", str(settings), "--batch", "c001"]) == 0
    run_some(settings, "prepare", "laip", "detect", "call")
    reasons = pd.read_csv(results / "calls.tsv", sep="\t")["reason"]
    assert reasons.str.startswith("tube P1_").all()
    for words in (["verify", str(results), "--inputs"], ["export", "--settings", str(settings), "--tubes", "P1_FU1_T1"]):
        assert main(words) == 2
    console = "".join(capfd.readouterr()) + caplog.text
    assert "P1_FU1_T1" in console
    assert [m for m in MARKERS if m in console] == []
    assert leaks(results) == {}


@pytest.mark.parametrize("limit", [200, 20_000])
def test_a_full_disk_ends_the_command_and_is_never_an_outcome_of_a_tube(copied, capsys, limit):
    settings, results = copied
    tables = {p.name: p.read_bytes() for p in (results / "prepare").glob("*.tsv")}
    for path in (results / "prepare" / "cells").iterdir():
        path.unlink()
    capsys.readouterr()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        assert main(["prepare", "--settings", str(settings), "--batch", "s001"]) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("mrd prepare: ")
    assert "cannot write" in error
    assert {p.name: p.read_bytes() for p in (results / "prepare").glob("*.tsv")} == tables
    assert list((results / "prepare" / "cells").iterdir()) == []
