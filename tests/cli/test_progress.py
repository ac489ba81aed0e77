import io
import os
import re
import subprocess
import sys
import time

import pandas as pd
import pytest

from mrd.cli import progress
from mrd.cli.main import main
from mrd.cli.progress import COST, WHOLE, alive, left_text, looks, share_done, show_bar, show_lines
from mrd.core.settings import Settings
from mrd.files.settings import write_settings
from tests.cohort import COLUMNS, controls, patient

PREPARE, REFERENCE = 5 * COST["prepare"], 3 * COST["reference"]
ALL = PREPARE + REFERENCE + COST["laip"] + 2 * COST["detect"] + COST["report"] + 3 * WHOLE


@pytest.fixture
def results(tmp_path):
    """The results folder of a run of 3 controls and a subject with 2 tubes that has only begun."""
    rows = [*controls(3), *patient("P1", "CD56+", [0.1])]
    pd.DataFrame(rows, columns=COLUMNS).to_csv(tmp_path / "samples.tsv", sep="\t", index=False)
    folder = tmp_path / "results"
    write_settings(folder / "settings.yaml", Settings(samples=str(tmp_path / "samples.tsv"), results=str(folder)))
    return folder


def make(results, name, at, text=""):
    """A file of the run, written at a moment."""
    path = results / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (at, at))


RECORD = "reference/aml-lyric-9/reference.safetensors.json"
STEPS = [
    ("prepare/c001.tsv", 3 * COST["prepare"]),
    ("prepare/s001.tsv", 2 * COST["prepare"]),
    (RECORD, REFERENCE),
    ("laip/s001.tsv", COST["laip"]),
    ("detect/s001.tsv", 2 * COST["detect"]),
    ("calls.tsv", WHOLE),
    ("report/s001.tsv", COST["report"]),
    ("endpoint/admrd.csv", WHOLE),
    ("report/index.html", WHOLE),
]


def test_each_file_adds_its_share_and_the_last_makes_it_whole(results):
    done = 0.0
    assert share_done(results) == 0
    for at, (name, cost) in enumerate(STEPS):
        make(results, name, 1000 + at)
        done += cost
        assert share_done(results) == pytest.approx(done / ALL)
    assert done == ALL


def test_what_is_older_than_what_it_is_made_from_is_still_to_do(results):
    for at, (name, _) in enumerate(STEPS):
        make(results, name, 1000 + at)
    make(results, "laip/s001.tsv", 1004)  # as old as detect's table: that stands
    assert share_done(results) == 1
    make(results, "laip/s001.tsv", 1004.5)
    assert share_done(results) == pytest.approx(1 - 2 * COST["detect"] / ALL)


def test_a_running_job_counts_by_the_last_line_of_its_log(results):
    make(
        results,
        "logs/prepare/c001.log",
        1000,
        "prepare N0\nprepare: 1 of 3, 0:06 gone, about 0:12 left\nprepare: 2 of 3, 0:12 gone\n",
    )
    assert share_done(results) == pytest.approx(3 * COST["prepare"] * 2 / 3 / ALL)


def test_a_log_that_says_all_is_done_does_not_stand_for_the_file(results):
    make(results, "logs/prepare/c001.log", 1000, "prepare: 3 of 3, 0:12 gone\n")
    assert share_done(results) < 3 * COST["prepare"] / ALL


def test_lines_come_at_every_twentieth_and_tell_what_is_left(capsys, monkeypatch):
    moments = iter([0.0, 0.0, 10.0, 20.0, 40.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(moments))
    show_lines(iter([0.0, 0.04, 0.25, 1.0]))
    assert capsys.readouterr().err.splitlines() == ["run: 0 %", "run: 25 %, about 0:30 left", "run: 100 %"]


def test_the_bar_starts_where_the_run_is_and_takes_its_pace_from_what_it_sees(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr("sys.stderr", screen)

    def shares():
        yield 0.5
        time.sleep(0.3)
        yield 0.75  # a quarter in 0.3 s: as long again for the rest
        time.sleep(0.3)
        yield 0.76

    show_bar(shares())
    assert re.search(r"\rrun  50 %\|.*\| 00:00 gone, about \? left", screen.getvalue())
    assert re.search(r"\rrun  7[56] %\|.*\| 00:00 gone, about 00:00 left", screen.getvalue())


@pytest.mark.parametrize(("gained", "rest", "text"), [(0.0, 0.5, ""), (0.5, 0.0, ""), (0.25, 0.5, ", about 2:00 left")])
def test_the_rest_is_taken_to_go_on_as_what_was_seen(gained, rest, text):
    assert left_text(gained, rest, 60.0) == text


def test_looking_ends_with_the_process_or_with_the_run(results, monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.01)
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    seen = looks(results, process.pid)
    assert next(seen) == 0
    process.kill()
    process.wait()
    assert not alive(process.pid)
    assert list(seen) == []
    for at, (name, _) in enumerate(STEPS):
        make(results, name, 1000 + at)
    assert list(looks(results, os.getpid())) == [1.0]


def test_a_run_that_has_not_written_its_settings_yet_is_at_nothing(tmp_path):
    assert next(looks(tmp_path, os.getpid())) == 0


def test_the_command_says_once_how_far_the_run_is(results, capsys, tmp_path):
    assert main(["progress", str(results)]) == 0
    assert capsys.readouterr().err == "run: 0 %\n"
    assert main(["progress", str(tmp_path)]) == 2
    assert "settings" in capsys.readouterr().err
