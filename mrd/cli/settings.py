"""`mrd settings`: the default settings as YAML, or their JSON schema."""

from __future__ import annotations

import argparse
import json
import sys

from mrd.core.settings import Settings, default_yaml


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--schema", action="store_true", help="print the JSON schema instead of the default YAML")


def run(options: argparse.Namespace) -> None:
    """Print what was asked for."""
    schema = json.dumps(Settings.model_json_schema(), indent=1) + "\n"
    sys.stdout.write(schema if options.schema else default_yaml())
