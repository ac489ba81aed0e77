"""`mrd lock`: freeze the reference, LAIPs and calls of a trial."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mrd.cli.manifest import from_outside, settings_of
from mrd.core.contracts import CALLS_TABLE
from mrd.core.digest import code_digest
from mrd.core.errors import ContractError, FileError
from mrd.core.provenance import provenance
from mrd.core.settings import Settings
from mrd.files.layout import result_table
from mrd.files.lock import freeze, lock_folder
from mrd.files.manifest import compare_files, manifest_path, read_manifest
from mrd.files.tables import read_table

METHOD = ("prepare", "reference", "laip", "detect", "call")
"""Commands whose code can move a call."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("results", type=Path, help="results folder of the run")
    parser.add_argument("--settings", type=Path, help="settings of the run; by default those in the results folder")


def run(options: argparse.Namespace) -> None:
    """Lock the trial, unless its results are not what the run wrote."""
    settings = settings_of(options.results, options.settings)
    check_results(options.results)
    check_shared(options.results)
    n_calls = len(read_table(options.results / "calls.tsv", CALLS_TABLE))
    when = datetime.now(UTC).isoformat(timespec="seconds")
    freeze(options.results, settings, {"locked_at": when, "n_calls": n_calls, **behind(options.results, settings)})
    sys.stdout.write(f"{n_calls} calls are locked in {lock_folder(options.results)}\n")


def check_results(results: Path) -> None:
    """Refuse to freeze what is not what the run wrote; without a manifest there is nothing to hold it against.

    Raises
    ------
    ContractError
        Files changed since, or are missing.
    """
    if not manifest_path(results).is_file():
        return
    strayed = compare_files(results, read_manifest(manifest_path(results)))
    if strayed.changed or strayed.missing:
        raise ContractError("its files are not what the run wrote", where=str(results), fix="see `mrd verify`, then lock")


def check_shared(results: Path) -> None:
    """Refuse calls without the table of what most subjects share, which some of them hang on.

    Raises
    ------
    FileError
        It is missing: the calls are of an earlier version.
    """
    path = result_table(results, "shared")
    if not path.is_file():
        raise FileError("missing, and the calls may hang on it", where=str(path), fix="run the workflow again, then lock")


def behind(results: Path, settings: Settings) -> dict[str, Any]:
    """What the calls of a run were made from."""
    told = provenance("call", inputs={}, settings=settings.model_dump())
    return {
        **{n: told[n] for n in ("software", "version", "settings", "libraries", "python")},
        "code": {name: code_digest(name) for name in METHOD},
        **from_outside(results, settings),
    }
