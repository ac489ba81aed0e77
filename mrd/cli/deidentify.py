"""`mrd deidentify`: copies of FCS files and FlowJo workspaces with nothing about a person in them, under pseudonyms."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

from mrd.core.contracts import DEIDENTIFIED
from mrd.core.digest import digest_file
from mrd.core.errors import MrdError, SettingsError
from mrd.core.keywords import STANDARD
from mrd.files.deidentify import Cleaned, clean_fcs
from mrd.files.deidentify_wsp import clean_workspace
from mrd.files.pseudonyms import check_apart, next_pseudonym, read_map, stem_of, write_map
from mrd.files.tables import write_table

log = logging.getLogger(__name__)
KINDS = {".fcs": "fcs", ".lmd": "fcs", ".wsp": "wsp"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("files", type=Path, nargs="+", help="FCS files (.fcs, .lmd) and FlowJo workspaces (.wsp)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the cleaned files and their manifest")
    parser.add_argument(
        "--map", type=Path, required=True, help="pseudonym map (read and added to); outside --out and any repository"
    )


def run(options: argparse.Namespace) -> None:
    """Clean every file; the map is written first, so that no cleaned file ever lacks its entry.

    Raises
    ------
    SettingsError
        The map lies where it must not, or a file is of no known kind.
    """
    check_apart(options.map, out=options.out)
    unknown = [i for i, f in enumerate(options.files, start=1) if f.suffix.lower() not in KINDS]
    if unknown:
        what = f"file {unknown[0]} is neither .fcs, .lmd nor .wsp"
        raise SettingsError(what, where="deidentify", fix="name FCS files and FlowJo workspaces only")
    names = Names(read_map(options.map))
    for file in sorted(options.files, key=lambda f: f.suffix.lower() == ".wsp"):
        names.of(file.name)
    write_map(options.map, names.known)
    rows = clean_all(options.files, options.out, names)
    write_map(options.map, names.known)
    write_table(options.out / "deidentified.tsv", DEIDENTIFIED.frame(sorted(rows, key=lambda r: str(r["file"]))), DEIDENTIFIED)


def clean_all(files: list[Path], out: Path, names: Names) -> list[dict[str, Any]]:
    """Clean every file or, where one cannot be, none.

    Raises
    ------
    MrdError
        A file cannot be cleaned.
    """
    rows: list[dict[str, Any]] = []
    try:
        for number, file in enumerate(files, start=1):
            rows.append(clean(file, out, names, number))
    except MrdError:
        for row in rows:
            (out / str(row["file"])).unlink(missing_ok=True)
        raise
    return rows


class Names:
    """Pseudonyms of files by their name without ending, so that a workspace finds its samples."""

    def __init__(self, known: dict[str, str]) -> None:
        self.known = dict(known)

    def of(self, name: str) -> str:
        """The pseudonym of a file or sample, its ending kept; one that has none gets the next."""
        stem, ending = stem_of(name)
        key = f"{stem}.wsp" if ending == ".wsp" else stem
        if key not in self.known:
            self.known[key] = next_pseudonym(self.known)
        return self.known[key] + ending


def clean(file: Path, out: Path, names: Names, number: int) -> dict[str, Any]:
    """Clean one file; returns its row of the manifest. Messages call it by its number: its name may be a person's.

    Raises
    ------
    MrdError
        It would be written over, or cannot be read.
    """
    target = out / names.of(file.name)
    where, kind = f"file {number} (to be {target.name})", KINDS[file.suffix.lower()]
    if target.resolve() == file.resolve():
        raise SettingsError("it would be written over", where=where, fix="give another folder with --out")
    log.info("deidentify %s", target.name)
    done = clean_fcs(file, target, where=where) if kind == "fcs" else clean_workspace(file, target, names.of, where=where)
    return {"file": target.name, "kind": kind, "sha256": digest_file(target), **counts(done)}


def counts(done: Cleaned) -> dict[str, Any]:
    """What was kept and removed; keywords that are not of the standard are counted only, for their names may tell."""
    standard = [k for k in done.removed if k in STANDARD]
    return {
        "data_sets": done.data_sets,
        "n_kept": len(done.kept),
        "n_removed": len(done.removed),
        "removed": ";".join(standard) or None,
    }
