"""`mrd estimand`: the estimands of the trial as config."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mrd.core.estimand import Estimands, estimands_yaml
from mrd.files.estimands import read_estimands


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--check", type=Path, help="file to check and print in full, instead of the trial's own")


def run(options: argparse.Namespace) -> None:
    """Print estimands as YAML."""
    sys.stdout.write(estimands_yaml(Estimands() if options.check is None else read_estimands(options.check)))
