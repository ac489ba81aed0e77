"""Write a file whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mrd.core.errors import DiskError


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well, and vanishes when it does not.

    Bytes, name and folder are made durable in this order, so that after a crash the name shows the old file or the
    whole new one.

    Raises
    ------
    DiskError
        The disk is full or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            _settle(temporary)
            temporary.replace(path)
            _sync(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise disk_error(path, error) from error


def disk_error(path: Path, error: OSError) -> DiskError:
    """One line of why a file cannot be written; libraries that write by themselves do not always say."""
    told = re.search(r"errno = (\d+)", str(error))
    number = error.errno or (int(told[1]) if told else 0)
    why = os.strerror(number) if number else "the disk is full or the folder cannot be written"
    return DiskError(f"cannot write ({why})", where=str(path), fix="free space or choose another results folder")


def _settle(path: Path) -> None:
    """Make the bytes durable and the file as readable as any other new file."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)
    _sync(path)


def _sync(path: Path) -> None:
    """Flush a file, or a folder's list of names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write text whole or not at all."""
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes whole or not at all."""
    with whole(path) as temporary:
        temporary.write_bytes(data)
