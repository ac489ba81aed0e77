"""The anchor: heads of the audit log, kept in a file outside the database, so that a cut or rewritten log is found."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mrd.core.errors import FileError
from mrd.review.audit import Head
from mrd.review.database import review_folder


def anchor_path(results: Path) -> Path:
    """Where the heads of a run's review are kept."""
    return review_folder(results) / "anchor.tsv"


def add_anchor(path: Path, head: Head) -> None:
    """Add a head to the file, durably, in one write; heads of several servers may interleave.

    Raises
    ------
    FileError
        The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, f"{head.seq}\t{head.hash}\n".encode())
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        told = f"cannot write ({os.strerror(error.errno or 0)})"
        raise FileError(told, where=str(path), fix="free space or make the folder writable") from error


def read_anchors(path: Path) -> list[Head]:
    """Heads of the file; none where there is no file.

    Raises
    ------
    FileError
        A line is not a head.
    """
    if not path.is_file():
        return []
    return [_head(line, i, path) for i, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)]


def _head(line: str, number: int, path: Path) -> Head:
    seq, _, digest = line.partition("\t")
    if not seq.isdecimal() or len(digest) != 64:
        raise FileError(f"line {number} is not a head of the log", where=str(path), fix="restore the file from a backup")
    return Head(int(seq), digest)


def find_lost(anchors: Iterable[Head], hashes: Mapping[int, str]) -> Iterator[str]:
    """Yield what the anchors know and the log does not: entries cut off at its end, or rewritten with fresh hashes."""
    last = max(hashes, default=0)
    beyond = [a.seq for a in anchors if a.seq > last]
    if beyond:
        yield f"the log ends at entry {last}, but entry {max(beyond)} was anchored: entries were cut off"
    for anchor in anchors:
        if anchor.seq in hashes and hashes[anchor.seq] != anchor.hash:
            yield f"entry {anchor.seq} is not the one that was anchored: the log was rewritten"
