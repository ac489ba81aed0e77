"""Read back what prepare wrote, as the detectors need it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrd.core.slots import CELLS
from mrd.files.anndata_io import read_anndata


@dataclass(frozen=True)
class TubeCells:
    """Cells of one tube: values (n, m) float32, event numbers (n,), gates (n,) bool each, channels (m,), $PnN of each (m,)."""

    values: NDArray[np.float32]
    events: NDArray[np.uint32]
    gates: dict[str, NDArray[np.bool_]]
    channels: tuple[str, ...]
    uns: dict[str, Any]
    detectors: tuple[str, ...]


def read_cells(path: Path) -> TubeCells:
    """Cells of a tube as prepare wrote them."""
    data = read_anndata(path, CELLS)
    gates = {n: data.obs[n].to_numpy(dtype=bool) for n in data.obs.columns if n != "event"}
    values = np.asarray(data.x, dtype=np.float32)
    events, detectors = data.obs["event"].to_numpy(dtype=np.uint32), tuple(data.var["detector"].astype(str))
    return TubeCells(values, events, gates, tuple(data.var.index), dict(data.uns), detectors)
