"""`mrd`: the command line; one line and exit code 2 for a mistake, a traceback only for a bug."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib import import_module

from mrd import __version__
from mrd.core.errors import MrdError

COMMANDS = {
    "simulate": "make synthetic FCS files with their truth from a plan",
    "settings": "print the default settings, or check and write those of a run",
    "dictionary": "print the data dictionary or write the JSON schemas",
    "inspect": "tell what the reader makes of FCS files, and why",
    "panel": "draft a panel from the channel names of FCS files",
    "prepare": "read, check, compensate and gate a batch of tubes",
    "reference": "fit the reference of normal marrow on a panel's controls",
    "laip": "learn the leukaemia-associated immunophenotypes of a batch of subjects",
    "detect": "score a batch of tubes and count what was found",
    "call": "turn counts into one call per subject and visit",
    "endpoint": "derive the endpoint dataset from calls and clinical tables",
    "estimand": "print the estimands of the trial as YAML, or check those of a file",
    "report": "draw the pages of a batch of subjects, or of the cohort",
    "show": "print the calls of a finished run",
    "review": "serve the web application in which people judge the calls, or make its first admin",
    "audit": "check that the review's log and signed records are as they were written",
    "reviewed": "write the settled visits of the review as a table for the endpoint",
    "manifest": "list every file of a run with its digest and how it came to be",
    "verify": "recompute the digests of a run and name what changed, is missing or was added",
    "lock": "freeze the reference, LAIPs and calls of a trial",
    "compare": "hold the calls of a run against the lock of its trial",
    "deidentify": "clean FCS files and FlowJo workspaces of everything about a person",
    "gates": "apply the gates of a GatingML file or FlowJo workspace to an FCS file and count",
    "tally": "print what a run did: tubes, calls, failures, time per stage",
    "progress": "show how far a run is, now or until it ends",
    "export": "write gates as GatingML 2.0 and events as FCS with scores and gate bits",
}
"""Each command is the module `mrd.cli.<name>` with `add_arguments(parser)` and `run(options)`."""


def build_parser(chosen: str | None) -> argparse.ArgumentParser:
    """The parser; only the chosen command's module is imported, so that a command starts fast."""
    parser = argparse.ArgumentParser(prog="mrd", description=__doc__)
    parser.add_argument("--version", action="version", version=f"flowmrd {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, meaning in COMMANDS.items():
        sub = commands.add_parser(name, help=meaning, description=meaning)
        if name == chosen:
            import_module(f"mrd.cli.{name}").add_arguments(sub)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
    options = build_parser(next((w for w in words if w in COMMANDS), None)).parse_args(words)
    try:
        import_module(f"mrd.cli.{options.command}").run(options)
    except MrdError as error:
        sys.stderr.write(f"mrd {options.command}: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"mrd {options.command}: {os_problem(error)}\n")
        return 2
    return 0


def os_problem(error: OSError) -> str:
    """One line of a file that cannot be used; an FCS file goes unnamed, for its name may be a person's."""
    name = str(error.filename or "")
    where = "a file" if not name or name.lower().endswith((".fcs", ".lmd", ".wsp")) else name
    return f"{where}: {error.strerror or 'it cannot be read or written'}; check its permissions and the space on the disk"


if __name__ == "__main__":
    sys.exit(main())
