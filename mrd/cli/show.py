"""`mrd show`: the calls of a finished run as a table a person can read."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

from mrd.core.contracts import CALLS_TABLE
from mrd.files.tables import read_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("results", type=Path, help="results folder of the run")


def run(options: argparse.Namespace) -> None:
    """Print the calls and where the report lies."""
    calls = read_table(options.results / "calls.tsv", CALLS_TABLE)
    sys.stdout.write(calls_text(calls) + "\n")
    report = options.results / "report" / "index.html"
    if report.is_file():
        sys.stdout.write(f"\nreport: {report}\n")


def calls_text(calls: pd.DataFrame) -> str:
    """Calls as aligned text: MRD with its interval and LoD, the call, and its flags."""
    told = pd.DataFrame(
        {
            "subject": calls["subject"],
            "visit": calls["visit"],
            "leukocytes": [_whole(v) for v in calls["n_leukocytes"]],
            "MRD": [_percent(v) for v in calls["mrd_fraction"]],
            "95 % interval": [_span(a, b) for a, b in zip(calls["ci_low"], calls["ci_high"], strict=True)],
            "LoD": [_percent(v) for v in calls["lod"]],
            "below": calls["below_threshold"].fillna("?"),
            "call": calls["call"],
            "flags": calls["flags"].fillna(""),
        }
    )
    return told.to_string(index=False, justify="left")


def _percent(value: float) -> str:
    return "" if pd.isna(value) else f"{100 * value:.4f} %"


def _span(low: float, high: float) -> str:
    return "" if pd.isna(low) else f"{100 * low:.4f}-{100 * high:.4f}"


def _whole(value: float) -> str:
    return "" if pd.isna(value) else f"{int(value):,}"
