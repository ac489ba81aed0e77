"""Read the estimands of a trial, and write those that were used."""

from __future__ import annotations

from pathlib import Path

from mrd.core.estimand import Estimands, check_estimands, estimands_yaml
from mrd.files.atomic import write_text
from mrd.files.settings import read_mapping


def read_estimands(path: Path) -> Estimands:
    """Read and validate estimands.

    Raises
    ------
    SettingsError
        The file is missing, not YAML, or a part of it does not exist; all problems are named.
    """
    return check_estimands(read_mapping(path, what="estimands"))


def write_estimands(path: Path, estimands: Estimands) -> None:
    """Write estimands so that they can be read again."""
    write_text(path, estimands_yaml(estimands))
