"""`mrd compare`: hold the calls of a run against the trial's lock: locked calls stay, what differs is told."""

from __future__ import annotations

import argparse
import logging

import pandas as pd

from mrd.cli.lock import behind
from mrd.cli.run_options import Run, add_run_options, start_run
from mrd.core.contracts import CALLS_TABLE, DIFFERENCES
from mrd.core.differences import differences, keep_locked, reasons
from mrd.files.lock import is_locked, lock_folder, read_lock
from mrd.files.tables import read_text_table, table_text, typed, write_table

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_run_options(parser)


def run(options: argparse.Namespace) -> None:
    """Write differences.tsv; in a locked trial, put the locked calls back into calls.tsv and keep the fresh ones beside."""
    job = start_run(options)
    if not is_locked(job.results):
        write_table(job.results / "differences.tsv", DIFFERENCES.empty(), DIFFERENCES)
        return
    lock = read_lock(job.results)
    locked, fresh = read_text_table(lock_folder(job.results) / "calls.tsv", where="locked calls"), fresh_calls(job)
    now = behind(job.results, job.settings)
    visits = job.samples.groupby(["subject", "visit"], sort=False)
    why = {(str(t["subject"].iloc[0]), str(t["visit"].iloc[0])): reasons(lock, now, list(t["tube_id"])) for _, t in visits}
    rows = differences(locked, fresh, why)
    for row in rows:
        if row["decides"] == "Y":
            log.warning(
                "%s %s: %s is locked as %s and would be %s", *(row[n] for n in ("subject", "visit", "column", "old", "new"))
            )
    write_table(job.results / "recalled.tsv", as_calls(fresh), CALLS_TABLE)
    write_table(job.results / "differences.tsv", DIFFERENCES.frame(rows), DIFFERENCES)
    write_table(job.results / "calls.tsv", as_calls(keep_locked(locked, fresh)), CALLS_TABLE)


def fresh_calls(job: Run) -> pd.DataFrame:
    """The run's own calls as text: those of `mrd call`, also where an earlier comparison has put locked ones in their place."""
    path, kept = job.results / "calls.tsv", job.results / "recalled.tsv"
    present = read_text_table(path, where="calls")
    if not kept.is_file():
        return present
    locked = read_text_table(lock_folder(job.results) / "calls.tsv", where="locked calls")
    earlier = read_text_table(kept, where="recalled calls")
    held = table_text(as_calls(keep_locked(locked, earlier)), CALLS_TABLE)
    return earlier if held == path.read_text(encoding="utf-8") else present


def as_calls(text: pd.DataFrame) -> pd.DataFrame:
    """Text columns as the declared kinds; a column that came after the lock stays empty in locked rows."""
    return typed(text.reindex(columns=CALLS_TABLE.names), CALLS_TABLE)
