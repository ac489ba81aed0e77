"""The pseudonym map: which file got which name; kept apart from everything else we write."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path

from mrd.core.errors import FileError, SettingsError
from mrd.files.atomic import whole

HEAD = ["original", "pseudonym"]


def check_apart(path: Path, *, out: Path) -> None:
    """Refuse a place for the map from which it could travel with the cleaned files or the code.

    Raises
    ------
    SettingsError
        It lies in the folder of the cleaned files, in a results folder, or in a repository.
    """
    here, fix = path.resolve(), "keep the map in a place of its own that only those may read who may know the names"
    above = [here.parent, *here.parent.parents]
    if out.resolve() in above:
        raise SettingsError("the pseudonym map would lie beside the cleaned files", where="--map", fix=fix)
    if any((p / ".git").exists() for p in above):
        raise SettingsError("the pseudonym map would lie in a repository", where="--map", fix=fix)
    if any((p / "calls.tsv").exists() or (p / "manifest.json").exists() for p in above):
        raise SettingsError("the pseudonym map would lie in a results folder", where="--map", fix=fix)


def read_map(path: Path) -> dict[str, str]:
    """Pseudonyms given so far, by original name; none where there is no map yet.

    Raises
    ------
    FileError
        The map is not one.
    """
    if not path.is_file():
        return {}
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8")), delimiter="\t"))
    except (UnicodeDecodeError, csv.Error):
        rows = []
    if not rows or rows[0] != HEAD or any(len(r) != 2 for r in rows) or len({r[1] for r in rows}) != len(rows):
        raise FileError("not a pseudonym map", where="--map", fix="give the map of an earlier run, or a new path")
    return {r[0]: r[1] for r in rows[1:]}


def write_map(path: Path, known: Mapping[str, str]) -> None:
    """Write the map, readable by its owner alone."""
    told = io.StringIO()
    csv.writer(told, delimiter="\t", lineterminator="\n").writerows([HEAD, *map(list, sorted(known.items(), key=lambda r: r[1]))])
    with whole(path) as temporary:
        temporary.write_text(told.getvalue(), encoding="utf-8")
    path.chmod(0o600)


def next_pseudonym(known: Mapping[str, str]) -> str:
    """The next free name: F0001, F0002, ..."""
    taken = [int(m[1]) for p in known.values() if (m := re.fullmatch(r"F(\d+)", p))]
    return f"F{max(taken, default=0) + 1:04d}"


def stem_of(name: str) -> tuple[str, str]:
    """A file's name without folder and ending, as pseudonyms are kept for it, and its ending."""
    bare = re.split(r"[/\\]", name.strip())[-1]
    match = re.fullmatch(r"(.+?)(\.(?:fcs|lmd|wsp))?", bare, re.IGNORECASE)
    return (match[1], (match[2] or "").lower()) if match else (bare, "")
