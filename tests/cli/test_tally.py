import os

import pandas as pd
import pytest

from mrd.cli.main import main
from mrd.cli.tally import Spent, failures_text, shared_text, tally_text
from mrd.core.contracts import BURDENS, CALLS_TABLE, LAIPS, SHARED, TUBES
from mrd.core.settings import Settings
from mrd.files.settings import write_settings
from mrd.files.tables import write_table
from tests.cohort import COLUMNS, controls, patient

BLANK = {"d": "2024-01-01", "i": 1, "f": 0.5, "b": True}
HEAD = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def row_of(table, **values):
    """A row with every required column filled."""
    blank = {c.name: (c.codes[0] if c.codes else BLANK.get(c.kind, "x")) for c in table.columns if c.required}
    return {**blank, **values}


@pytest.fixture
def results(tmp_path):
    """A results folder in which the controls of a small cohort and one of its subject's tubes were prepared."""
    rows = [*controls(3), *patient("P1", "CD56+", [0.1])]
    pd.DataFrame(rows, columns=COLUMNS).to_csv(tmp_path / "samples.tsv", sep="\t", index=False)
    results = tmp_path / "results"
    write_settings(results / "settings.yaml", Settings(samples=str(tmp_path / "samples.tsv"), results=str(results)))
    tubes = {
        "c001": [{"tube_id": f"N{i}", "role": "control", "outcome": "ok"} for i in range(3)],
        "s001": [
            {"tube_id": "P1_DX_T1", "role": "diagnosis", "outcome": "ok"},
            {"tube_id": "P1_FU1_T1", "role": "follow-up", "outcome": "failed", "reason": "tube P1_FU1_T1: cut short"},
        ],
    }
    for batch, found in tubes.items():
        write_table(results / "prepare" / f"{batch}.tsv", TUBES.frame([row_of(TUBES, **r) for r in found]), TUBES)
    return results


def time_job(results, name, seconds, cpu="1.0", memory="250.5"):
    """A benchmark file as Snakemake writes it."""
    path = results / "benchmarks" / f"{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{HEAD}{seconds}\t0:00:00\t{memory}\t1\t1\t1\t0\t0\t0\t{cpu}\n")
    return path


def learn(results, reason="no population exceeds the controls"):
    """The laips and burdens of the one patient: nothing learned, so that two arms see nothing and one has its own reason."""
    laips = [row_of(LAIPS, subject="P1", arm=a, outcome="failed", reason=reason) for a in ("laip", "learned")]
    looks = [row_of(BURDENS, tube_id="P1_DX_T1", arm=a, outcome="failed", reason=reason) for a in ("laip", "learned")]
    own = row_of(BURDENS, tube_id="P1_DX_T1", arm="dfn", outcome="failed", reason="no reference: too few controls")
    write_table(results / "laip" / "s001.tsv", LAIPS.frame(laips), LAIPS)
    write_table(results / "detect" / "s001.tsv", BURDENS.frame([*looks, own]), BURDENS)


def test_tubes_are_counted_and_a_run_without_calls_says_so(results):
    lines = tally_text(results).splitlines()
    assert lines[:2] == ["tubes    5 (3 of controls), 1 failed", "calls    none yet"]
    assert lines[2:] == ["failures tube P1_FU1_T1: tube P1_FU1_T1: cut short", "time     nothing was run"]


def test_calls_are_counted_by_kind_the_commonest_first(results):
    kinds = ["positive", "not-detected", "not-detected"]
    rows = [row_of(CALLS_TABLE, subject=f"P{i}", call=k) for i, k in enumerate(kinds)]
    write_table(results / "calls.tsv", CALLS_TABLE.frame(rows), CALLS_TABLE)
    assert "calls    3: 2 not-detected, 1 positive\n" in tally_text(results)


def test_what_follows_from_a_failure_is_not_told_again(results):
    learn(results)
    told = tally_text(results)
    assert told.count("no population exceeds the controls") == 2  # once for each arm that learns
    assert "tube P1_DX_T1 (dfn): no reference: too few controls" in told


def test_a_subject_without_diagnosis_is_no_failure_of_the_run(results):
    learn(results, "no diagnosis tube of this panel")
    (results / "laip" / "s001.tsv").unlink()
    assert "no diagnosis tube" not in tally_text(results)


def test_a_batch_of_an_earlier_size_is_not_counted(results):
    write_table(results / "prepare" / "s002.tsv", TUBES.frame([row_of(TUBES, role="follow-up")]), TUBES)
    assert tally_text(results).startswith("tubes    5 ")


@pytest.mark.parametrize(("count", "last"), [(0, "failures none"), (10, "9"), (11, "and 1 more, in the tables")])
def test_at_most_ten_failures_are_told_one_by_one(count, last):
    text = failures_text([str(i) for i in range(count)])
    assert text.splitlines()[-1].strip().startswith(last)


def test_time_is_summed_per_stage_the_longest_first(results):
    time_job(results, "prepare/c001", 30.0, memory="100.4")
    time_job(results, "prepare/s001", 61.4, cpu="9.5", memory="300.2")
    time_job(results, "call", 5.0, cpu="NA", memory="NA")
    rows = [line.split() for line in tally_text(results).split("time     ")[1].splitlines()]
    assert rows[1:3] == [["prepare", "2", "1:31", "1:01", "0:10", "300", "MB"], ["call", "1", "0:05", "0:05", "0:00"]]


def test_jobs_of_an_earlier_run_are_left_out(results):
    old = time_job(results, "prepare/c001", 30.0)
    time_job(results, "call", 5.0)
    os.utime(old, (1000, 1000))
    told = tally_text(results, since=2000.0).split("time     ")[1]
    assert "call" in told
    assert "prepare" not in told


def test_the_time_no_job_used_is_stated(results):
    time_job(results, "prepare/c001", 90.0)
    time_job(results, "prepare/s001", 60.0)
    last = tally_text(results, spent=Spent(100.0, 2)).splitlines()[-1]
    assert last == "run      1:40 on 2 cores, 2:30 in jobs; 25 % of the cores' time was idle or the workflow's own"


def test_the_command_prints_the_tally_and_a_folder_without_a_run_is_one_line(results, tmp_path, capsys):
    assert main(["tally", str(results)]) == 0
    assert capsys.readouterr().out == tally_text(results)
    assert main(["tally", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_what_most_subjects_share_is_told_with_what_to_do(tmp_path):
    row = {"phenotype": "CD45midCD34hi/CD45+", "n_subjects": 5, "n_searched": 6}
    write_table(tmp_path / "shared.tsv", SHARED.frame([row]), SHARED)
    told = shared_text(tmp_path / "shared.tsv")
    assert told.startswith("shared   CD45midCD34hi/CD45+ in 5 of 6 subjects, likelier normal marrow")
    assert shared_text(tmp_path / "none.tsv") == ""
