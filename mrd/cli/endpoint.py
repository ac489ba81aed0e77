"""`mrd endpoint`: the endpoint dataset from calls and clinical tables."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from mrd import __version__
from mrd.core.contracts import ADMRD, CALLS_TABLE, CONVERSION, SUMMARY
from mrd.core.settings import Settings
from mrd.endpoint.derive import EndpointTables, derive_endpoint
from mrd.files.clinical import read_responses, read_subjects
from mrd.files.datasets import write_csv, write_parquet
from mrd.files.settings import read_settings
from mrd.files.tables import read_table, write_table

LOG = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--calls", type=Path, required=True, help="calls.tsv of a run")
    parser.add_argument(
        "--subjects", default="", help="clinical table of subjects (tab-separated); without it only the visits are written"
    )
    parser.add_argument(
        "--responses", default="", help="marrow blasts per assessment (tab-separated), where there is such a table"
    )
    parser.add_argument("--settings", default="", help="settings of the run (YAML); without it the defaults")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")


def run(options: argparse.Namespace) -> None:
    """Read the tables, derive the endpoint, write its datasets."""
    settings = read_settings(Path(options.settings)) if options.settings else Settings()
    tables = derive_endpoint(
        read_table(options.calls, CALLS_TABLE),
        read_subjects(Path(options.subjects)) if options.subjects else None,
        read_responses(Path(options.responses)) if options.responses else None,
        settings,
        version=__version__,
    )
    _write(options.out, tables)


def _write(out: Path, tables: EndpointTables) -> None:
    write_csv(out / "admrd.csv", tables.admrd, ADMRD)
    write_parquet(out / "admrd.parquet", tables.admrd, ADMRD)
    if tables.conversion is None or tables.summary is None:
        _remove(out / "conversion.tsv", out / "summary.tsv")
        LOG.info("no clinical table: ADMRD has visits only; there is no conversion.tsv and no summary.tsv")
        return
    write_table(out / "conversion.tsv", tables.conversion, CONVERSION)
    write_table(out / "summary.tsv", tables.summary, SUMMARY)


def _remove(*paths: Path) -> None:
    """Leave nothing of an earlier run beside this one's ADMRD."""
    for path in paths:
        path.unlink(missing_ok=True)
        path.with_suffix(".schema.json").unlink(missing_ok=True)
