"""Digests: of values, of files' bytes, and of the code a stage can reach."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent
DRAWN = (
    "cli/drawn.py", "prepare/cuts.py", "prepare/drawn.py", "prepare/drawn_laip.py", "prepare/gate.py", "prepare/phenotypes.py",
)  # fmt: skip
"""What lab-drawn LAIPs are applied with."""
LOOKING = (
    "cli/arms.py", "cli/bank.py", "cli/calibrate.py", "cli/memory.py", "cli/searches.py", "cli/tubes.py", *DRAWN,
)  # fmt: skip
"""What commands that look at tubes share."""
REACH = {
    "prepare": ("core", "files", "prepare"),
    "reference": ("core", "files", "detect", "quantify/purity.py", "cli/memory.py", "cli/tubes.py"),
    "laip": (
        "core",
        "files",
        "detect",
        "quantify",
        *LOOKING,
        "cli/drawn_record.py",
        "cli/followed.py",
        "cli/together.py",
    ),
    "detect": ("core", "files", "detect", "quantify", *LOOKING),
    "call": ("core", "files", "quantify"),
    "endpoint": ("core", "files", "endpoint"),
    "report": (
        "core",
        "files",
        "prepare",
        "detect",
        "report",
        "quantify/purity.py",
        "cli/bank.py",
        "cli/looks.py",
        "cli/subject_pages.py",
    ),
    "simulate": ("core", "files", "simulate"),
    "reviewed": ("core", "files", "review"),
    "export": ("core", "files", "prepare"),
    "compare": ("core", "files"),
    "manifest": ("core", "files"),
    "lock": ("core", "files"),
}
"""The layers, and single files of `cli`, that each command can reach besides its own file there."""


def digest_bytes(*parts: bytes) -> str:
    """SHA-256 over parts, each preceded by its length so that borders count."""
    h = hashlib.sha256()
    for part in parts:
        h.update(len(part).to_bytes(8, "big") + part)
    return h.hexdigest()


def digest_json(value: Any) -> str:
    """SHA-256 of a plain value; the order of mapping keys does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def digest_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@cache
def code_digest(command: str) -> str:
    """Digest of the source a command can reach: an edit there makes its results stale, one elsewhere does not."""
    files = [p for part in REACH[command] for p in _sources(PACKAGE / part)]
    files.append(PACKAGE / "cli" / f"{command}.py")
    return digest_bytes(*(b for p in files for b in (str(p.relative_to(PACKAGE)).encode(), p.read_bytes())))


def _sources(part: Path) -> list[Path]:
    return sorted(part.rglob("*.py")) if part.is_dir() else [part]
