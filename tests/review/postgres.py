"""A PostgreSQL cluster of the tests' own, in a folder that goes with them."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "postgres"


def find_program(name: str) -> str | None:
    """Path of a PostgreSQL program, the newest version where there are several."""
    there = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: int(p.parts[-3]) if p.parts[-3].isdigit() else 0
    )
    return str(there[-1]) if there else shutil.which(name)


def why_not() -> str:
    """Why no cluster can be started here; empty where one can."""
    if find_program("initdb") is None or find_program("postgres") is None:
        return "PostgreSQL is not installed"
    if os.geteuid() == 0 and (shutil.which("runuser") is None or not _has_user()):
        return f"PostgreSQL does not run as root, and there is no user {USER}"
    return ""


def _has_user() -> bool:
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return False
    return True


@contextmanager
def cluster() -> Iterator[str]:
    """A running cluster; yields the URL of its database, and leaves nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix="mrd-pg-", dir="/tmp"))
    before = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    if before:
        shutil.chown(folder, USER)
    data, port = folder / "data", _free_port()
    quick = ["-c", "fsync=off", "-c", "max_connections=120", "-c", f"port={port}", "-c", "listen_addresses=127.0.0.1"]
    _run([*before, find_program("initdb"), "-D", data, "-U", USER, "-A", "trust", "--no-sync", "-E", "UTF8"])
    ctl = [*before, find_program("pg_ctl"), "-D", data, "-s"]
    options = " ".join([*quick, "-c", f"unix_socket_directories={folder}"])
    _run([*ctl, "-w", "-l", folder / "log", "-o", options, "start"])
    try:
        yield f"postgresql://{USER}@127.0.0.1:{port}/postgres"
    finally:
        _run([*ctl, "-m", "immediate", "stop"])
        shutil.rmtree(folder, ignore_errors=True)


def _run(words: list[object]) -> None:
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
