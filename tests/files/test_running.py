import fcntl
import os
import signal
import subprocess
import sys
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from mrd.core.errors import RunningError
from mrd.files.running import HELD, check_held, free_killed, hold_results, inside, marked_file

HOLDER = """
import sys, time
from pathlib import Path
from mrd.files.running import hold_results
hold = hold_results(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_folder_that_another_run_holds_is_refused_in_one_line(tmp_path, other):
    assert hold_results(tmp_path) is None
    with pytest.raises(RunningError, match=rf"results = {tmp_path}: another run is writing into it; wait for it, or end it"):
        check_held(None, tmp_path)


def test_a_killed_run_holds_nothing(tmp_path, other):
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    hold = hold_results(tmp_path)
    assert hold.alone
    assert check_held(hold, tmp_path) is hold
    hold.handle.close()


def test_a_disk_without_locks_does_not_stop_a_run_but_is_not_taken_for_certain(tmp_path, monkeypatch):
    def none(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", none)
    hold = hold_results(tmp_path)
    assert not hold.alone
    hold.handle.close()


def mark(folder, name, pieces=200):
    """Mark a file as being written, as Snakemake does."""
    told = urlsafe_b64encode(name.encode()).decode()
    parts = [told[i : i + pieces] for i in range(0, len(told), pieces)]
    path = folder.joinpath("incomplete", *(f"@{p}" for p in parts[:-1]), parts[-1])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    return path


def lock(folder, number, outputs):
    """Lock files, as Snakemake does."""
    (folder / "locks").mkdir(exist_ok=True, parents=True)
    for kind, names in (("input", ["in.fcs"]), ("output", outputs)):
        (folder / "locks" / f"{number}.{kind}.lock").write_text("\n".join(names) + "\n")


def test_what_a_killed_run_left_is_freed_and_what_belongs_to_others_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    snakemake = tmp_path / ".snakemake"
    for folder in ("out", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "half.tsv").write_text("half")
        (tmp_path / folder / "whole.tsv").write_text("whole")
    ours, long, theirs = (
        mark(snakemake, "out/half.tsv"),
        mark(snakemake, "out/long.tsv", pieces=6),
        mark(snakemake, "other/half.tsv"),
    )
    lock(snakemake, 0, ["out/calls.tsv", "out/half.tsv"])
    lock(snakemake, 1, ["other/calls.tsv"])
    free_killed(snakemake, "out")
    assert [p.exists() for p in (ours, long, theirs)] == [False, False, True]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["whole.tsv"]
    assert (tmp_path / "other" / "half.tsv").exists()
    assert sorted(p.name for p in (snakemake / "locks").iterdir()) == ["1.input.lock", "1.output.lock"]


def test_nothing_is_freed_where_nothing_ran(tmp_path):
    free_killed(tmp_path / ".snakemake", "out")
    assert not (tmp_path / ".snakemake").exists()


@pytest.mark.parametrize(
    ("name", "is_in"), [("out/a/b", True), ("out", True), ("outer/a", False), ("out/../a", False), ("", False)]
)
def test_a_file_is_inside_by_its_folders_not_its_letters(name, is_in):
    assert inside(name, "out") is is_in


def test_what_is_no_mark_names_no_file(tmp_path):
    assert marked_file(mark(tmp_path, "out/ä.tsv").relative_to(tmp_path / "incomplete")) == "out/ä.tsv"
    assert marked_file(Path("migration_underway!")) == ""
    assert HELD.parts[0] == "logs"  # no part of what is verified
