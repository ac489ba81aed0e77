"""Read panels."""

from __future__ import annotations

from pathlib import Path

from mrd.core.errors import PanelError
from mrd.core.panel import Panel, check_panel, panel_path
from mrd.files.yaml_text import UnreadableError, read_yaml

FOLDER = Path(__file__).resolve().parents[2] / "panels"


def find_panel(name: str) -> Path:
    """The YAML file of a panel, by name or path.

    Raises
    ------
    PanelError
        There is no such panel; those there are, are named.
    """
    path = panel_path(name, FOLDER)
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.yaml")))
        raise PanelError(f"there is no panel {name}", where="panel", fix=f"use one of {known}, or the path of a YAML file")
    return path


def read_panel(name: str) -> Panel:
    """A panel by name or path.

    Raises
    ------
    PanelError
        There is no such panel, or its file is wrong.
    """
    path = find_panel(name)
    try:
        values = read_yaml(path)
    except UnreadableError:
        raise PanelError("not a YAML file", where=str(path), fix="see panels/README.md") from None
    return check_panel(values, where=str(path))
