"""`mrd inspect`: what the reader makes of FCS files, as a table: read, repaired, choose or refused, and why."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mrd.core.errors import PanelError
from mrd.core.matching import match_channels, shared_labels
from mrd.core.words import REFUSED
from mrd.files.fcs import Channels, Verdict, inspect_fcs, read_channels
from mrd.files.panels import read_panel

COLUMNS = ("file", "outcome", "n_events", "why")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="FCS or LMD files")
    parser.add_argument("--dataset", default="", help="data set to read of files with several, from 1")
    parser.add_argument("--panel", default="", help="panel the files should fit: a name in panels/ or a YAML file")


def run(options: argparse.Namespace) -> None:
    """Print one line a file."""
    sys.stdout.write("\t".join(COLUMNS) + "\n")
    for path in options.files:
        told = judge(path, dataset=options.dataset, panel=options.panel)
        n = "" if told.n_events is None else str(told.n_events)
        sys.stdout.write("\t".join((str(path), told.outcome, n, told.why)) + "\n")


def judge(path: Path, *, dataset: str = "", panel: str = "") -> Verdict:
    """The reader's verdict, and whether markers can be told apart: by the panel where one is given, else by their labels."""
    told = inspect_fcs(path, where=path.name, dataset=dataset)
    if told.n_events is None:
        return told
    channels = read_channels(path, where=path.name, dataset=dataset or "1")
    problem = panel_problem(channels, panel) if panel else label_problem(channels)
    return Verdict(REFUSED, None, problem) if problem else told


def panel_problem(channels: Channels, panel: str) -> str:
    """Why a file does not fit a panel; empty where it does."""
    try:
        match_channels(read_panel(panel), channels.pnn, channels.pns, where="")
    except PanelError as error:
        return f"{error.what}; {error.fix}"
    return ""


def label_problem(channels: Channels) -> str:
    """Why markers cannot be told apart by their labels; empty where they can."""
    shared = "; ".join(shared_labels(channels.pnn, channels.pns))
    return f"two detectors share one name: {shared}; name a panel that tells which to take" if shared else ""
