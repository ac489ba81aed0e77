"""One run at a time in a results folder, and what a killed run leaves to the next."""

from __future__ import annotations

import errno
import fcntl
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import IO, NamedTuple

from mrd.core.errors import RunningError

HELD = Path("logs") / ".running"
"""What a run holds in its results folder; the system lets go of it however the run ends."""


class Hold(NamedTuple):
    """A held results folder: the open file that holds it, and whether it is certain that no other run works in it."""

    handle: IO[str]
    alone: bool


def hold_results(results: Path) -> Hold | None:
    """Hold a results folder until this process ends; None where another run holds it.

    A disk that knows no locks (some cluster file systems) leaves it open whether another run works there.
    """
    path = results / HELD
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = path.open("a", encoding="utf-8")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            return Hold(handle, alone=False)
        handle.close()
        return None
    return Hold(handle, alone=True)


def check_held(hold: Hold | None, results: Path) -> Hold:
    """Return the hold of a results folder, tried once more where it was not had.

    Raises
    ------
    RunningError
        Another run holds it.
    """
    held = hold or hold_results(results)
    if held is None:
        raise RunningError("another run is writing into it", where=f"results = {results}", fix="wait for it, or end it")
    return held


def free_killed(snakemake: Path, results: str) -> None:
    """Free what a killed run left of a results folder that this run now holds.

    Snakemake's locks outlive the process that set them, and so do its marks of files that were being written; those files
    are taken away, so that they are made again.
    """
    for outputs in (snakemake / "locks").glob("*.output.lock"):
        if any(inside(name, results) for name in outputs.read_text(encoding="utf-8").splitlines()):
            outputs.unlink(missing_ok=True)
            outputs.with_name(outputs.name.replace("output", "input")).unlink(missing_ok=True)
    marks = snakemake / "incomplete"
    for mark in [p for p in marks.rglob("*") if p.is_file()]:
        name = marked_file(mark.relative_to(marks))
        if inside(name, results):
            Path(name).unlink(missing_ok=True)
            mark.unlink()


def marked_file(mark: Path) -> str:
    """The file that a mark of Snakemake's stands for: its name in base 64, in pieces where it is long; empty for no such mark."""
    try:
        return urlsafe_b64decode("".join(part.removeprefix("@") for part in mark.parts)).decode()
    except ValueError:
        return ""


def inside(name: str, results: str) -> bool:
    """Whether a file, as Snakemake names it, lies in a results folder."""
    return bool(name) and Path(name).resolve().is_relative_to(Path(results).resolve())
