"""`mrd audit`: whether the review's log and every signed record are as they were written; the log as a file."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from mrd.core.errors import FileError, MrdError
from mrd.files.atomic import whole
from mrd.review.anchor import anchor_path, read_anchors
from mrd.review.audit import read_entries
from mrd.review.database import ENVIRONMENT, connect_engine, review_folder, sqlite_url
from mrd.review.verify import Verdict, verify


class AuditError(MrdError):
    """A log or record that is not as it was written."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("results", type=Path, help="results folder whose review to check")
    parser.add_argument("--expect", metavar="HASH", default="", help="a head noted down earlier, to be found in the log")
    parser.add_argument("--export", type=Path, help="file to write the log to, one entry a line (JSON)")


def run(options: argparse.Namespace) -> None:
    """Check, write the log where asked, and tell.

    Raises
    ------
    AuditError
        Something was changed, taken out, put in, moved or cut off; every finding is told before.
    """
    with reading_review(options.results) as connection:
        verdict = verify(connection, read_anchors(anchor_path(options.results)), expected=options.expect)
        if options.export:
            write_log(options.export, connection)
    tell(verdict, options.results)


@contextmanager
def reading_review(results: Path) -> Iterator[Connection]:
    """Read the review's database as it is: nothing is made or migrated.

    Raises
    ------
    FileError
        There is none, or it cannot be read.
    """
    url = os.environ.get(ENVIRONMENT)
    if not url and not (review_folder(results) / "review.sqlite").is_file():
        raise FileError("there is no review", where=str(results), fix=f"give its results folder, or set {ENVIRONMENT}")
    engine = connect_engine(url or sqlite_url(results))
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        told = f"the database cannot be read ({str(error.__cause__ or error).splitlines()[0]})"
        raise FileError(told, where=str(results), fix="restore a backup") from None
    finally:
        engine.dispose()


def write_log(path: Path, connection: Connection) -> None:
    """Write the log whole or not at all."""
    with whole(path) as temporary, temporary.open("w", encoding="utf-8") as handle:
        handle.writelines(log_lines(connection))


def log_lines(connection: Connection) -> Iterator[str]:
    """Yield each entry as a line of JSON."""
    return (json.dumps(asdict(entry), sort_keys=True) + "\n" for entry in read_entries(connection))


def tell(verdict: Verdict, results: Path) -> None:
    """Print the findings, or that all is well.

    Raises
    ------
    AuditError
        There are findings.
    """
    for problem in verdict.problems:
        sys.stdout.write(f"{problem}\n")
    if verdict.problems:
        count = len(verdict.problems)
        raise AuditError(f"the log is not whole: {count} finding{'s' if count > 1 else ''}", where=str(results), fix="see above")
    sys.stdout.write(f"the log is whole: {verdict.head.seq} entries, head {verdict.head.hash or 'none'}\n")
