"""`mrd manifest` and `mrd verify`: nothing in a results folder changes unnoticed."""

import json
import os

import pytest

from mrd.cli.main import main
from mrd.core.errors import ContractError
from mrd.core.provenance import check_provenance, provenance_schema
from mrd.files.manifest import read_provenance
from tests.test_project import ROOT


def verify(results, capsys, *more):
    capsys.readouterr()
    code = main(["verify", str(results), *more])
    told = capsys.readouterr()
    return code, told.out.splitlines(), told.err


def test_a_finished_run_is_what_it_wrote(finished, capsys):
    code, lines, error = verify(finished[1], capsys, "--inputs")
    assert (code, error) == (0, "")
    listed = len(json.loads((finished[1] / "manifest.json").read_text())["files"])
    assert lines == [f"{listed} files are what the run wrote"]
    assert listed > 30


@pytest.mark.parametrize(
    "name", ["calls.tsv", "prepare/cells/P1_FU1_T1.h5ad", "endpoint/admrd.parquet", "report/subjects/P1.html"]
)
def test_one_changed_byte_is_named(copied, capsys, name):
    path = copied[1] / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    code, lines, error = verify(copied[1], capsys)
    assert (code, lines) == (2, [f"changed\t{name}"])
    assert error.count("\n") == 1


def test_what_is_missing_or_was_added_is_named(copied, capsys):
    (copied[1] / "arms.tsv").unlink()
    (copied[1] / "laip" / "extra.tsv").write_text("x")
    (copied[1] / ".hidden").write_text("x")
    (copied[1] / "linked.tsv").symlink_to(copied[1] / "calls.tsv")
    code, lines, _ = verify(copied[1], capsys)
    assert code == 2
    assert lines == ["missing\tarms.tsv", "added\t.hidden", "added\tlaip/extra.tsv", "added\tlinked.tsv"]


def test_logs_and_what_a_killed_write_left_do_not_count(copied, capsys):
    (copied[1] / "logs").mkdir()
    (copied[1] / "logs" / "call.log").write_text("x")
    (copied[1] / ".calls.ab12cd_9.tsv").write_text("half")
    assert verify(copied[1], capsys)[0] == 0


def test_a_changed_manifest_is_no_manifest(copied, capsys):
    path = copied[1] / "manifest.json"
    path.write_text(path.read_text().replace('"bytes": ', '"bytes": 1', 1))
    assert "manifest.json is not what was written" in verify(copied[1], capsys)[2]
    path.unlink()
    code, _, error = verify(copied[1], capsys)
    assert code == 2
    assert "there is no manifest.json; finish the workflow, or write one with `mrd manifest RESULTS`" in error


def test_a_changed_fcs_file_is_named_by_its_tube(copied, capsys):
    path = copied[0].parent / "samples.tsv"
    target = copied[0].parent / "fcs" / "P1_FU1_T1.fcs"
    target.write_bytes(target.read_bytes()[:-1] + b"\0")
    assert path.is_file()
    code, lines, _ = verify(copied[1], capsys, "--inputs")
    assert (code, lines) == (2, ["changed\tinput of P1_FU1_T1"])


def test_every_artefact_says_how_it_came_to_be(finished):
    manifest = json.loads((finished[1] / "manifest.json").read_text())
    own = [n for n in manifest["files"] if n.endswith((".h5ad", ".safetensors"))]
    assert len(own) >= 10
    for name in own:
        told = check_provenance(read_provenance(finished[1] / name), where=name)
        assert told.inputs
        assert manifest["files"][name]["inputs"] == told.inputs
    named = {e["stage"] for e in manifest["files"].values()}
    assert named == {"prepare", "reference", "laip", "detect", "call", "compare", "endpoint", "report", "export", "settings"}
    assert set(manifest["stages"]) == named - {"settings"}
    for stage, told in manifest["stages"].items():
        assert check_provenance(told, where=stage).inputs, stage
    outside = manifest["outside"]
    assert set(outside["fcs"]) == {"N0_V1_T1", "N1_V1_T1", "N2_V1_T1", "N3_V1_T1", "P1_DX_T1", "P1_FU1_T1"}
    assert manifest["stages"]["prepare"]["inputs"]["fcs/P1_FU1_T1"] == outside["fcs"]["P1_FU1_T1"]
    assert manifest["stages"]["laip"]["seed"] == 1
    assert manifest["stages"]["call"]["settings"]["threshold"] == 0.02


def test_the_schema_of_provenance_is_that_of_the_code():
    assert json.loads((ROOT / "workflow/schemas/provenance.schema.json").read_text()) == provenance_schema()


def test_a_provenance_that_lacks_a_field_is_refused():
    with pytest.raises(ContractError, match=r"x: software: .*; version: Field required"):
        check_provenance({"software": "other"}, where="x")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_one_line(copied, capsys):
    copied[1].chmod(0o555)
    capsys.readouterr()
    assert main(["manifest", str(copied[1])]) == 2
    copied[1].chmod(0o755)
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "cannot write (Permission denied)" in error


def test_a_file_that_cannot_be_used_is_one_line_and_an_fcs_file_goes_unnamed(monkeypatch, capsys):
    import mrd.cli.settings

    for name, told in (("/x/DOE JANE.fcs", "a file"), ("/x/calls.tsv", "/x/calls.tsv")):

        def fail(_, name=name):
            raise PermissionError(13, "Permission denied", name)

        monkeypatch.setattr(mrd.cli.settings, "run", fail)
        assert main(["settings"]) == 2
        what = f"mrd settings: {told}: Permission denied; check its permissions and the space on the disk\n"
        assert capsys.readouterr().err == what
