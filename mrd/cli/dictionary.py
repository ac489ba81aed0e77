"""`mrd dictionary`: the data dictionary of every table, or their JSON schemas."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from mrd.core.contracts import PIPELINE_TABLES
from mrd.core.provenance import provenance_schema
from mrd.core.tables import dictionary, json_schema
from mrd.files.atomic import write_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--schemas", type=Path, help="folder to write one JSON schema per table to, instead of printing")


def run(options: argparse.Namespace) -> None:
    """Print the dictionary, or write the schemas."""
    if options.schemas is None:
        sys.stdout.write(dictionary(PIPELINE_TABLES))
        return
    write_text(options.schemas / "provenance.schema.json", json.dumps(provenance_schema(), indent=1) + "\n")
    for table in PIPELINE_TABLES:
        write_text(options.schemas / f"{table.name}.schema.json", json.dumps(json_schema(table), indent=1) + "\n")
