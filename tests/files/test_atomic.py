import subprocess
import sys
import time

import pytest

from mrd.core.errors import DiskError
from mrd.files.atomic import whole, write_text


def test_a_file_takes_its_place_when_the_block_ends(tmp_path):
    write_text(tmp_path / "deep" / "a.txt", "one")
    write_text(tmp_path / "deep" / "a.txt", "two")
    assert (tmp_path / "deep" / "a.txt").read_text() == "two"
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a.txt"]


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    write_text(tmp_path / "a.txt", "old")

    def fail():
        with whole(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise KeyError("oh")

    with pytest.raises(KeyError):
        fail()
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_file_is_readable_as_any_other(tmp_path):
    write_text(tmp_path / "a.txt", "x")
    (tmp_path / "b.txt").write_text("x")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode


def test_a_place_that_cannot_be_written_is_told_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match=r"cannot write .*; free space or choose another results folder"):
        write_text(tmp_path / "file" / "a.txt", "x")


def test_killed_in_the_middle_of_writing_the_old_file_stands(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    code = f"""
import sys, time
from pathlib import Path
from mrd.files.atomic import whole
with whole(Path({str(tmp_path / "a.txt")!r})) as t:
    with t.open("w") as h:
        h.write("half"); h.flush(); print("writing", flush=True); time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.05)
    process.kill()
    process.wait()
    process.stdout.close()
    assert (tmp_path / "a.txt").read_text() == "old"
