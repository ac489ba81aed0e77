"""`mrd reviewed`: settled visits of the review as the declared table `review`, for the endpoint."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from mrd.cli.audit import AuditError, reading_review
from mrd.core.contracts import REVIEW
from mrd.files.tables import write_table
from mrd.review.anchor import anchor_path, read_anchors
from mrd.review.evidence import read_run
from mrd.review.export import Exported, export_review
from mrd.review.verify import verify

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("results", type=Path, help="results folder whose review to export")
    parser.add_argument("--out", type=Path, required=True, help="table to write")


def run(options: argparse.Namespace) -> None:
    """Check the records, then write the settled visits that rest on this run."""
    exported = read_review(options.results)
    for subject, visit in exported.stale:
        log.warning("review: %s %s was settled on another run and is asked again; it is not exported", subject, visit)
    write_table(options.out, exported.review, REVIEW)


def read_review(results: Path) -> Exported:
    """What the review settled on the run in this folder.

    Raises
    ------
    AuditError
        The records are not as they were signed: nothing of them goes into an endpoint.
    FileError
        The database cannot be read.
    """
    visits = read_run(results).visits
    with reading_review(results) as connection:
        problems = verify(connection, read_anchors(anchor_path(results))).problems
        if problems:
            raise AuditError(f"the records are not as they were signed: {problems[0]}", where=str(results), fix="see `mrd audit`")
        return export_review(connection, visits)
