"""Read the settings of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mrd.core.errors import SettingsError
from mrd.core.settings import Settings, check_settings
from mrd.files.atomic import write_text
from mrd.files.yaml_text import UnreadableError, read_yaml


def read_settings(path: Path) -> Settings:
    """Read settings from a YAML mapping; those it does not name keep their defaults.

    Raises
    ------
    SettingsError
        The file is missing or not a YAML mapping, or a setting is unknown or out of range.
    """
    return check_settings(read_mapping(path, what="settings"))


def read_mapping(path: Path, *, what: str) -> dict[str, Any]:
    """Read a YAML mapping; an empty file is an empty one.

    Raises
    ------
    SettingsError
        The file is missing, or not a YAML mapping of names.
    """
    fix = f"see `mrd {what}`" if what == "settings" else "see `mrd estimand`"
    if not path.is_file():
        raise SettingsError(f"the {what} are missing", where=str(path), fix="check the path")
    try:
        values = read_yaml(path)
    except UnreadableError:
        raise SettingsError("not YAML", where=str(path), fix=fix) from None
    values = {} if values is None else values
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise SettingsError("not a mapping of names to values", where=str(path), fix=fix)
    return values


def write_settings(path: Path, settings: Settings) -> None:
    """Write the merged settings of a run, unless they already stand there."""
    text = yaml.safe_dump(settings.model_dump(), sort_keys=False)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)
