"""The cells of a tube as a browser draws them: a fixed sample of the background, the found cells, the gates."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrd.core import words
from mrd.core.errors import FileError, MrdError
from mrd.core.panel import Panel
from mrd.core.seeds import generator
from mrd.core.slots import SCORES
from mrd.files.anndata_io import read_anndata
from mrd.files.cells import TubeCells, read_cells
from mrd.files.layout import cells_path, scores_path
from mrd.files.panels import read_panel
from mrd.report.drawn import sample
from mrd.report.pairs import choose_pairs
from mrd.report.ticks import channel_ticks

MOST_BACKGROUND, MOST_FOUND = 12_000, 12_000
LEUKOCYTE, BLAST, FOUND = 0, 1, 2
NO_CLUSTER = 0
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Plotted:
    """A tube to draw.

    told : channels, axis ends, ticks, gates, pairs to start with, and how many cells there are
    data : float32, channel after channel, then the kind (leukocyte, blast, found) and the cluster of each cell
    """

    told: dict[str, Any]
    data: bytes


@lru_cache(maxsize=16)
def plot_tube(results: Path, tube: str, panel_name: str, artefacts: str, seed: int) -> Plotted:
    """Cells of a tube to draw; kept until the tube's artefacts change.

    Raises
    ------
    FileError
        The cells are missing, or the tube's id would lead out of the results folder.
    """
    cells, panel = read_cells(cells_path(results, check_tube(tube))), find_panel(panel_name)
    found, clusters = read_found(results, tube, cells)
    gates = json.loads(str(cells.uns["gates"]))
    leukocytes, blasts = (_gate(cells, getattr(panel, n, "")) for n in ("leukocytes", "blasts"))
    rng = generator(seed, "review", tube)
    rest = sample(np.flatnonzero(leukocytes & ~found), MOST_BACKGROUND, rng)
    hits = sample(np.flatnonzero(found), MOST_FOUND, rng)
    rows = np.concatenate([rest, hits])
    kinds = np.where(found[rows], FOUND, np.where(blasts[rows], BLAST, LEUKOCYTE))
    values = cells.values[rows]
    told = {
        "tube": tube,
        "channels": list(cells.channels),
        "n": len(rows),
        "drawn": {"background": len(rest), "found": len(hits)},
        "there": {"background": int((leukocytes & ~found).sum()), "found": int(found.sum())},
        "limits": axis_ends(values, cells.channels),
        "pairs": start_pairs(values, kinds, cells.channels, panel),
        "gates": [{"name": n, "spans": g["spans"]} for n, g in gates.items() if g.get("spans")],
        "ticks": {c: _ticks(panel, c) for c in cells.channels},
    }
    columns = [*values.T, kinds, clusters[rows]]
    return Plotted(told, np.ascontiguousarray(np.stack(columns), dtype="<f4").tobytes())


def check_tube(tube: str) -> str:
    """A tube's id as it was given.

    Raises
    ------
    FileError
        It holds a path.
    """
    if Path(tube).name != tube or "\\" in tube:
        raise FileError("this cannot be a tube's id", where=repr(tube[:80]), fix="run the workflow again")
    return tube


def find_panel(name: str) -> Panel | None:
    """The panel of a tube, where it can still be read; without it the axes have no ticks."""
    try:
        return read_panel(name)
    except MrdError:
        return None


def _gate(cells: TubeCells, name: str) -> Mask:
    """Membership of a gate; every cell where there is no such gate."""
    return cells.gates.get(name, np.ones(len(cells.events), dtype=bool))


def read_found(results: Path, tube: str, cells: TubeCells) -> tuple[Mask, NDArray[np.int64]]:
    """Which cells any arm found, and the cluster of each (0 = none); none where the tube was not scored."""
    path = scores_path(results, tube)
    nothing = np.zeros(len(cells.events), dtype=bool), np.full(len(cells.events), NO_CLUSTER, dtype=np.int64)
    if not path.is_file():
        return nothing
    obs = read_anndata(path, SCORES).obs
    marked = np.logical_or.reduce([obs[a].to_numpy(dtype=bool) for a in words.ARMS if a in obs])
    events = obs["event"].to_numpy(dtype=np.int64)
    order = np.argsort(events)
    at = order[np.clip(np.searchsorted(events[order], cells.events), 0, max(len(events) - 1, 0))] if len(events) else None
    if at is None:
        return nothing
    known = events[at] == cells.events
    numbers = _clusters(obs["cluster"].to_numpy()) if "cluster" in obs else nothing[1][: len(events)]
    return marked[at] & known, np.where(known, numbers[at], NO_CLUSTER)


def _clusters(values: Any) -> NDArray[np.int64]:
    numbers = np.asarray(values, dtype=object)
    return np.array([int(v) if str(v).lstrip("-").isdecimal() or _whole(v) else NO_CLUSTER for v in numbers], dtype=np.int64)


def _whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def axis_ends(values: NDArray[np.float32], channels: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Ends of each axis: nearly all drawn cells, and a little air."""
    if not len(values):
        return dict.fromkeys(channels, (-1.0, 8.0))
    low, high = np.quantile(values, (0.001, 0.999), axis=0)
    air = 0.06 * np.maximum(high - low, 1.0)
    return {c: (float(a - e), float(b + e)) for c, a, b, e in zip(channels, low, high, air, strict=True)}


def start_pairs(
    values: NDArray[np.float32], kinds: NDArray[Any], channels: Sequence[str], panel: Panel | None
) -> list[list[str]]:
    """CD45 against side scatter, then the pairs in which found cells lie apart from the normal blasts."""
    markers = list(panel.markers) if panel else [c for c in channels if c.startswith(("CD", "HLA"))]
    side = (panel.role("side") or panel.role("area")) if panel else next((c for c in channels if c.startswith("SSC")), None)
    lead = ["CD45" if "CD45" in markers else (markers or list(channels))[0], side or channels[-1]]
    among = [m for m in markers if m not in lead]
    pairs = choose_pairs(values[kinds == FOUND], values[kinds == BLAST], channels, among=among, count=2)
    return [lead, *(list(p) for p in pairs)]


def _ticks(panel: Panel | None, channel: str) -> Mapping[str, list[Any]] | None:
    ticks = channel_ticks(panel.channels[channel]) if panel and channel in panel.channels else None
    return {"at": ticks[0], "labels": ticks[1]} if ticks else None
