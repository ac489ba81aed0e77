import shutil

import pytest

from mrd.cli.main import main
from mrd.core.errors import SheetError
from mrd.files.settings import read_settings
from mrd.files.sheet import read_samples
from tests.cohort import controls, make_cohort, patient, read_calls, run_stages, tube

ROOT_ROWS = [*controls(4, events=4_000), *patient("P1", "CD56+", [0.06], events=5_000)]


@pytest.fixture(scope="module")
def fcs(tmp_path_factory):
    """Simulated files that the cohorts of these tests draw on."""
    rows = [*ROOT_ROWS, *patient("P2", "CD19+", [0.05, 0.05, 0.05, 0.05], events=4_000), tube("P3", "FU1", "follow-up", 5_000)]
    rows += [tube("L1", "V1", "control", 4_000, kind="normal", burden=0.3, laip="CD117hi")]
    return make_cohort(tmp_path_factory.mktemp("fcs"), rows).parent / "fcs"


def cohort(fcs, folder, rows, **settings):
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(fcs, folder / "fcs", dirs_exist_ok=True)
    return make_cohort(folder, rows, **settings)


def test_bad_tubes_are_outcomes_with_a_reason_and_the_others_go_on(fcs, tmp_path, capsys):
    rows = [*ROOT_ROWS, *patient("P2", "CD19+", [0.05, 0.05, 0.05, 0.05], events=4_000), tube("P3", "FU1", "follow-up", 5_000)]
    settings = cohort(fcs, tmp_path, rows)
    files = tmp_path / "fcs"
    whole = (files / "P2_FU1_T1.fcs").read_bytes()
    (files / "P2_FU1_T1.fcs").write_bytes(whole[: len(whole) // 2])
    (files / "P2_FU2_T1.fcs").write_bytes(b"")
    (files / "P2_FU3_T1.fcs").unlink()
    (files / "P2_FU4_T1.fcs").write_bytes(whole.replace(b"CD117", b"CD999").replace(b"PE-Cy7-A", b"XX-Xx7-A"))
    calls = read_calls(run_stages(settings))
    assert calls.loc[("P1", "FU1"), "call"] == "positive"
    assert calls.loc[("P2", "DX"), "call"] == "positive"
    told = {v: calls.loc[("P2", v), "reason"] for v in ("FU1", "FU2", "FU3", "FU4")}
    assert set(calls.loc["P2"].loc[list(told), "call"]) == {"not-evaluable"}
    assert set(calls.loc["P2"].loc[list(told), "flags"]) == {"tube-failed"}
    assert "its events are cut off" in told["FU1"]
    assert "empty or too short" in told["FU2"]
    assert "the FCS file is missing" in told["FU3"]
    assert "CD117 is absent" in told["FU4"]
    assert "add a name or detector in panels/aml-lyric-9.yaml" in told["FU4"]
    row = calls.loc[("P3", "FU1")]
    assert (row["call"], row["arm"]) == ("indeterminate", "dfn")
    assert {"no-diagnosis", "dfn-only"} <= set(row["flags"].split(";"))
    assert row["n_leukocytes"] > 3500


def test_a_leukaemic_control_is_left_out_named_and_flagged(fcs, tmp_path):
    rows = [*ROOT_ROWS, tube("L1", "V1", "control", 4_000, kind="normal", burden=0.3, laip="CD117hi")]
    results = run_stages(cohort(fcs, tmp_path, rows))
    calls = read_calls(results)
    assert calls["flags"].str.contains("control-excluded").all()
    assert "L1_V1_T1" not in (results / "limits.tsv").read_text()
    assert calls.loc[("P1", "FU1"), "call"] == "positive"


def test_without_regenerating_controls_the_calls_are_flagged(fcs, tmp_path):
    rows = [[*r[:3], "normal" if r[2] == "control" else r[3], *r[4:]] for r in ROOT_ROWS]
    calls = read_calls(run_stages(cohort(fcs, tmp_path, rows)))
    assert calls["flags"].str.contains("no-regenerating-controls").all()


def test_too_few_control_cells_for_the_reference_is_an_outcome_of_its_panel(fcs, tmp_path):
    calls = read_calls(run_stages(cohort(fcs, tmp_path, ROOT_ROWS, components=400, control_cells=1000)))
    assert set(calls["call"]) == {"not-evaluable"}
    assert set(calls["reason"]) == {
        "no reference: panel aml-lyric-9: 4000 control cells are too few for 400 components; add controls or set components lower"
    }
    assert calls.loc[("P1", "FU1"), "flags"] == "no-reference"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"threshold": 7}, "threshold = 7: Input should be less than 1"),
        ({"thresold": 0.1}, "thresold is not a setting"),
    ],
)
def test_what_cannot_be_run_is_one_line_and_exit_code_two(fcs, tmp_path, capsys, change, told):
    settings = cohort(fcs, tmp_path, ROOT_ROWS, **change)
    capsys.readouterr()
    assert main(["prepare", "--settings", str(settings), "--batch", "s001"]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(("first", "most"), [(2, 2), (4, 0)])
def test_a_run_without_three_controls_of_any_panel_is_refused_before_any_work(fcs, tmp_path, first, most):
    settings = cohort(fcs, tmp_path, ROOT_ROWS[first:])
    with pytest.raises(SheetError, match=rf"no panel has 3 control tubes \(the most is {most}\): add controls, or give a frozen"):
        read_samples(read_settings(settings))
    assert not (tmp_path / "results").exists()


def test_an_unknown_batch_names_those_there_are(fcs, tmp_path, capsys):
    settings = cohort(fcs, tmp_path, ROOT_ROWS)
    assert main(["prepare", "--settings", str(settings), "--batch", "b7"]) == 2
    assert "there is no batch b7; there are c001, s001" in capsys.readouterr().err


def test_a_missing_panel_names_those_there_are(fcs, tmp_path, capsys):
    settings = cohort(fcs, tmp_path, ROOT_ROWS, panel="aml9")
    assert main(["prepare", "--settings", str(settings), "--batch", "s001"]) == 2
    told = capsys.readouterr().err
    assert "there is no panel aml9; use one of aml-lsc-8, aml-lyric-9, " in told
    assert ", eln-core-8, " in told


@pytest.mark.parametrize("threads", ["0", "-1", "two"])
def test_no_number_of_threads_is_exit_code_two(threads, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["prepare", "--settings", "s.yaml", "--batch", "s001", "--threads", threads])
    assert stop.value.code == 2
    assert "number of threads: give 1 or more" in capsys.readouterr().err
