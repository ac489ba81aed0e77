"""One tube from linear events to cells: the stages of prepare in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrd.core.panel import Panel
from mrd.core.settings import Settings
from mrd.prepare.compensate import Spill, compensate
from mrd.prepare.gate import Gated, gate_events
from mrd.prepare.qc import flag_margins, flag_unstable, share_saturated
from mrd.prepare.transform import transform


@dataclass(frozen=True)
class Cells:
    """The cells of one tube.

    values : (n, m) float32, the panel's model channels on the common scale · events : (n,) number of each in the file
    gates : membership of each gate below `cells`, (n,) · nodes : rows of the qc table · flags
    """

    values: NDArray[np.float32]
    events: NDArray[np.uint32]
    gates: dict[str, NDArray[np.bool_]]
    nodes: list[dict[str, object]]
    flags: list[str]
    n_events: int

    def count(self, gate: str) -> int:
        """Cells inside a gate."""
        return int(self.gates[gate].sum())


def prepare_events(
    events: NDArray[np.float64],
    ranges: NDArray[np.float64],
    pnn: Sequence[str],
    index: dict[str, int],
    spill: Spill | None,
    panel: Panel,
    settings: Settings,
    *,
    where: str,
) -> Cells:
    """Quality, compensation, transform and gates of one tube.

    The order is PeacoQC's: margins, compensate, transform, then stability of the signal.

    Parameters
    ----------
    events : (n, c) linear · ranges : (c,) · index : channel of the panel to column of the file
    """
    inner = ~flag_margins(events, ranges, _columns(panel, index, "area", "side"))
    raw_ratio = events[:, index[_need(panel, "area")]] / (1.0 + events[:, index[_need(panel, "height")]])
    flags = ["saturated"] if share_saturated(events, ranges, _columns(panel, index, "marker")) > 0.01 else []
    linear = events if spill is None else compensate(events, pnn, spill, where=where)
    flags += ["uncompensated"] if spill is None else []
    columns = transform(linear, index, panel)
    steady, time_flags = steady_events(columns, inner, panel, settings)
    gated = gate_events(columns, raw_ratio, inner & steady, panel)
    return collect_cells(columns, gated, [("margins", inner), ("time", inner & steady)], panel, flags + time_flags)


def steady_events(
    columns: dict[str, NDArray[np.float64]], inner: NDArray[np.bool_], panel: Panel, settings: Settings
) -> tuple[NDArray[np.bool_], list[str]]:
    """Events of stable stretches, and what to flag; without a time channel all of them."""
    time = panel.role("time")
    if time is None or time not in columns or not len(inner) or np.ptp(columns[time]) == 0:
        return np.ones(len(inner), dtype=bool), ["time-missing"]
    signals = np.column_stack([columns[n][inner] for n in panel.model_channels])
    bad = np.zeros(len(inner), dtype=bool)
    bad[inner] = flag_unstable(
        columns[time][inner], signals, bins=settings.time_bins, mads=settings.time_mads, least=settings.time_least
    )
    return ~bad, ["unstable"] if bad.any() else []


def collect_cells(
    columns: dict[str, NDArray[np.float64]],
    gated: Gated,
    steps: list[tuple[str, NDArray[np.bool_]]],
    panel: Panel,
    flags: list[str],
) -> Cells:
    """Cells of the panel's `cells` gate with every gate's membership, and the count at each node."""
    keep = np.flatnonzero(gated.inside[panel.cells])
    values = np.column_stack([columns[n][keep] for n in panel.model_channels]).astype(np.float32)
    below = {n: m[keep] for n, m in gated.inside.items() if n not in ("events", panel.cells)}
    nodes = qc_nodes(gated, steps)
    return Cells(values, keep.astype(np.uint32), below, nodes, sorted({*flags, *_gate_flags(gated, steps)}), len(steps[0][1]))


def qc_nodes(gated: Gated, steps: list[tuple[str, NDArray[np.bool_]]]) -> list[dict[str, object]]:
    """Rows of the qc table: the file, the quality steps, then the gates."""
    total = len(steps[0][1])
    rows = [_node("events", "", total, total, total, "")]
    parent, parent_count = "events", total
    for name, mask in steps:
        rows.append(_node(name, parent, int(mask.sum()), parent_count, total, ""))
        parent, parent_count = name, int(mask.sum())
    for name, placed in gated.placed.items():
        above = parent if placed.parent == "events" else placed.parent
        rows.append(_node(name, above, int(gated.inside[name].sum()), int(gated.inside[placed.parent].sum()), total, placed.digest))
    return rows


def _node(name: str, parent: str, count: int, parent_count: int, total: int, gate: str) -> dict[str, object]:
    share = count / parent_count if parent_count else 0.0
    return {"node": name, "parent": parent, "count": count, "share_parent": share, "share_events": count / total if total else 0.0, "gate": gate}


def _gate_flags(gated: Gated, steps: list[tuple[str, NDArray[np.bool_]]]) -> list[str]:
    good = gated.inside["events"]
    singlets = next(iter(gated.placed))
    flags = [] if gated.anchored else ["anchor-missing"]
    if len(good) and good.mean() < 0.8:
        flags.append("events-lost")
    if good.sum() and gated.inside[singlets].sum() < 0.75 * good.sum():
        flags.append("doublets-high")
    return flags


def _columns(panel: Panel, index: dict[str, int], *roles: str) -> list[int]:
    return [i for n, i in index.items() if panel.channels[n].role in roles]


def _need(panel: Panel, role: str) -> str:
    return next(n for n, c in panel.channels.items() if c.role == role)
