"""`mrd verify`: recompute every digest of a results folder and name what changed, is missing or was added."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from mrd.core.digest import digest_file
from mrd.core.errors import ContractError
from mrd.core.settings import check_settings
from mrd.core.tables import records
from mrd.files.lock import lock_folder, read_lock
from mrd.files.manifest import compare_files, manifest_path, read_manifest
from mrd.files.sheet import read_samples


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("results", type=Path, help="results folder of the run")
    parser.add_argument("--inputs", action="store_true", help="look at the FCS files of the sheet too")


def run(options: argparse.Namespace) -> None:
    """Print a line per file that strayed; none is a clean bill.

    Raises
    ------
    ContractError
        Files changed, are missing or were added.
    """
    manifest = read_manifest(manifest_path(options.results))
    lines = compare_files(options.results, manifest).lines()
    if lock_folder(options.results).is_dir():
        read_lock(options.results)
    if options.inputs:
        lines += strayed_inputs(manifest)
    if lines:
        sys.stdout.write("\n".join(lines) + "\n")
        what = f"{len(lines)} files are not what the run wrote"
        raise ContractError(what, where=str(options.results), fix="restore them, or run the workflow again")
    sys.stdout.write(f"{len(manifest['files'])} files are what the run wrote\n")


def strayed_inputs(manifest: dict[str, Any]) -> list[str]:
    """A line for each tube whose FCS file is no longer the one its cells were made from; files go by their tube."""
    samples = read_samples(check_settings(manifest["outside"]["settings"]), whole_run=False)
    paths = {r["tube_id"]: Path(r["path"]) for r in records(samples)}
    told = manifest["outside"]["fcs"]
    absent = [f"missing\tinput of {t}" for t in told if t not in paths or not paths[t].is_file()]
    return absent + [
        f"changed\tinput of {t}" for t, d in told.items() if t in paths and paths[t].is_file() and digest_file(paths[t]) != d
    ]
