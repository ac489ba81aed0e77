"""The frozen reference of a panel with its bank of control cells, ready for scoring."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mrd.core.errors import FileError, PanelError
from mrd.core.panel import Panel
from mrd.core.slots import CONTROLS
from mrd.detect.align import Adapted
from mrd.detect.device import tensor
from mrd.detect.frozen import reference_from
from mrd.detect.judge import Rare, rare_cells, rare_level
from mrd.detect.reference import Reference
from mrd.files.anndata_io import read_anndata
from mrd.files.layout import controls_path, reference_path
from mrd.files.ledger import recorded
from mrd.files.models import REFERENCE_MODEL, read_model
from mrd.files.panels import read_panel
from mrd.quantify.purity import Made

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bank:
    """A reference, and of each control its name, kind, leukocytes, adaptation, cells and their normal log density.

    rare, level : each control's rare cells, and the log density under which a cell is one
    blanks : cells of each control that the search for what differs from normal took for leukaemic
    changed : had every population of it changed since other visits; none of a reference that was frozen before it was told
    made : what each control is made of; none of a reference that was frozen before it was told
    kind_cells, kind_recall : from how many cells on it finds known kinds, and the share of their cells it then tells
    """

    panel: Panel
    reference: Reference
    names: list[str]
    kinds: list[str]
    totals: list[int]
    excluded: list[str]
    adapted: list[Adapted]
    cells: list[Tensor]
    normal: list[Tensor]
    device: torch.device
    rare: list[Rare]
    level: float
    blanks: list[int]
    changed: list[int]
    made: list[Made]
    kind_cells: float
    kind_recall: float


def read_reference(folder: Path, name: str, device: torch.device) -> tuple[Reference, list[Adapted], dict[str, object]]:
    """The frozen reference of a panel, its controls' adaptations, and what its file says.

    Raises
    ------
    PanelError
        It was learned on other channels than the panel has.
    """
    path = reference_path(folder, name)
    arrays, about = read_model(path, *REFERENCE_MODEL)
    channels = read_panel(name).model_channels
    if about["channels"] != channels:
        raise PanelError(
            f"learned on channels {about['channels']}, the panel has {channels}",
            where=str(path),
            fix="use the panel it was learned with",
        )
    reference, adapted = reference_from(arrays, device)
    return reference, adapted, about


def read_bank(folder: Path, name: str, device: torch.device) -> Bank:
    """The frozen reference with its control cells on the device."""
    panel = read_panel(name)
    reference, adapted, about = read_reference(folder, name, device)
    controls = list(about["controls"])  # type: ignore[call-overload]
    data = read_anndata(controls_path(folder, name), CONTROLS)
    rows = [np.flatnonzero(data.obs["control"] == c["control"]) for c in controls]
    values, normal = np.asarray(data.x, dtype=np.float32), data.obs["normal"].to_numpy(dtype=np.float32)
    cells, normals = [tensor(values[r], device) for r in rows], [tensor(normal[r], device) for r in rows]
    level, rehearsal = rare_level(normals), dict(about["rehearsal"])  # type: ignore[call-overload]
    return Bank(
        panel=panel,
        reference=reference,
        names=[c["control"] for c in controls],
        kinds=[c["kind"] for c in controls],
        totals=[int(c["n_leukocytes"]) for c in controls],
        excluded=list(about["excluded"]),  # type: ignore[call-overload]
        adapted=adapted,
        cells=cells,
        normal=normals,
        device=device,
        rare=[rare_cells(c, n, a.shift, level) for c, n, a in zip(cells, normals, adapted, strict=True)],
        level=level,
        blanks=list(rehearsal["found"]),
        changed=list(rehearsal.get("changed", [])),
        made=[Made(c["n_erythroid"], c["n_lymphocytes"], c["n_leukocytes"]) for c in controls if "n_erythroid" in c],
        kind_cells=float("inf") if rehearsal["cells"] is None else float(rehearsal["cells"]),
        kind_recall=float(rehearsal["recall"]),
    )


class Banks:
    """References of a folder with their controls, each read once for a device."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[tuple[str, str], Bank] = {}
        self._tells: dict[str, bool] = {}

    def on(self, name: str, device: torch.device) -> Bank:
        """The reference of a panel on a device."""
        at = (name, str(device))
        if at not in self._read:
            self._read[at] = read_bank(self.folder, name, device)
        return self._read[at]

    def tells_changed(self, name: str) -> bool:
        """Whether the reference of a panel tells what a search beside other visits finds in its controls."""
        if name not in self._tells:
            _, _, about = read_reference(self.folder, name, torch.device("cpu"))
            self._tells[name] = "changed" in dict(about["rehearsal"])  # type: ignore[call-overload]
            if not self._tells[name]:
                log.warning(
                    "the reference of panel %s is of before searches beside other visits: each tube is searched alone", name
                )
        return self._tells[name]


def reference_record(folder: Path, panel: str) -> dict[str, Any]:
    """The record of a panel's reference; a frozen one may come without a record of its outcome.

    Raises
    ------
    FileError
        There is none.
    """
    record = recorded(reference_path(folder, panel))
    if record is None:
        raise FileError(f"there is no whole reference of panel {panel}", where=str(folder), fix="run the workflow again")
    return record
