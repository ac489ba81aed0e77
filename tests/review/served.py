"""A review served by its own process, and plain HTTP clients for it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.review.cases import PASSWORD

PROGRAM = [sys.executable, "-m", "mrd.cli.main", "review"]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(results: Path, port: int, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """The server on a results folder, once it answers; it is killed at the end, if it still runs."""
    process = subprocess.Popen([*PROGRAM, str(results), "--port", str(port)], env={**os.environ, **env}, stderr=subprocess.PIPE)
    try:
        wait_for(port, process)
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()


def wait_for(port: int, process: subprocess.Popen[bytes], *, seconds: float = 60) -> None:
    """Wait until the server answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server does not answer")


def signed_in(port: int, name: str, password: str = PASSWORD) -> httpx2.Client:
    """A client that is signed in."""
    client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
    answer = client.post(
        "/sign-in", data={"token": hidden(client.get("/sign-in").text, "token"), "name": name, "password": password}
    )
    assert answer.status_code == 303, answer.text
    return client


def hidden(page: str, name: str) -> str:
    """A hidden field of a page."""
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', page)
    assert found, name
    return found.group(1)
