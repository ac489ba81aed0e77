"""Read panels and spillover matrices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from mrd.core.errors import FileError, PanelError
from mrd.core.panel import Panel, check_panel, panel_path

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
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        raise PanelError("not a YAML file", where=str(path), fix="see panels/README.md") from None
    return check_panel(values, where=str(path))


def read_matrix(path: Path, *, where: str) -> tuple[tuple[str, ...], np.ndarray]:
    """A spillover matrix from CSV: detectors across the top, one row per detector.

    Raises
    ------
    FileError
        The file is missing, or is not a square matrix with the same names on both sides.
    """
    fix = "write detectors in the first row and column, 1 on the diagonal"
    if not path.is_file():
        raise FileError("its compensation file is missing", where=where, fix="correct the compensation column")
    try:
        frame = pd.read_csv(path, index_col=0)
        values = frame.to_numpy(dtype=np.float64)
    except (ValueError, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError):
        raise FileError("its compensation file is not a CSV matrix", where=where, fix=fix) from None
    names = [str(c).strip() for c in frame.columns]
    rows = [str(i).strip() for i in frame.index]
    if sorted(names) != sorted(rows) or len(set(names)) != len(names):
        raise FileError("its compensation file names different detectors in rows and columns", where=where, fix=fix)
    order = [rows.index(n) for n in names]
    return tuple(names), values[order]
