"""One tube from linear events to cells: the stages of prepare in their order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mrd.core.panel import Panel
from mrd.core.settings import Settings
from mrd.prepare.gate import Gated, Placed, gate_events
from mrd.prepare.qc import flag_margins, flag_unstable, share_saturated
from mrd.prepare.transform import Rows, transform

SATURATED = 0.01


@dataclass(frozen=True)
class Cells:
    """The cells of one tube.

    values : (n, m) float32, the panel's model channels on the common scale · events : (n,) number of each in the file
    gates : membership of each gate below `cells`, (n,) · nodes : rows of the qc table · placed : gates as placed
    """

    values: NDArray[np.float32]
    events: NDArray[np.uint32]
    gates: dict[str, NDArray[np.bool_]]
    nodes: list[dict[str, object]]
    flags: list[str]
    n_events: int
    placed: dict[str, Placed]

    def count(self, gate: str) -> int:
        """Cells inside a gate."""
        return int(self.gates[gate].sum())


@dataclass(frozen=True)
class Measured:
    """One tube as measured and compensated.

    raw : (n, c) before compensation · linear : the same after it, or what works it out · ranges : (c,)
    index : channel of the panel to column
    """

    raw: NDArray[np.float64]
    linear: Rows
    ranges: NDArray[np.float64]
    index: dict[str, int]
    panel: Panel

    def columns(self, *roles: str) -> list[int]:
        """Columns of the channels with these roles."""
        return [i for n, i in self.index.items() if self.panel.channels[n].role in roles]


@dataclass(frozen=True)
class GatedTube:
    """Every event of a tube on the common scale with the quality steps (inner, steady; (n,) bool) and gates applied."""

    columns: dict[str, NDArray[np.float64]]
    inner: NDArray[np.bool_]
    steady: NDArray[np.bool_]
    gated: Gated
    flags: list[str]


def prepare_events(tube: Measured, settings: Settings, threads: int = 1) -> Cells:
    """Quality, transform and gates of one tube, its cells collected."""
    done = gate_tube(tube, settings, threads)
    return collect_cells(
        done.columns, done.gated, [("margins", done.inner), ("time", done.inner & done.steady)], tube.panel, done.flags
    )


def gate_tube(tube: Measured, settings: Settings, threads: int = 1) -> GatedTube:
    """Quality, transform and gates of one tube, in PeacoQC's order: margins, (compensated) transform, stability, gates."""
    panel = tube.panel
    inner = ~flag_margins(tube.raw, tube.ranges, tube.columns("area", "side"))
    area, height = tube.columns("area")[0], tube.columns("height")[0]
    flags = ["saturated"] if share_saturated(tube.raw, tube.ranges, tube.columns("marker")) > SATURATED else []
    columns = transform(tube.linear, tube.index, panel, threads)
    steady, time_flags = steady_events(columns, inner, panel, settings, threads)
    gated = gate_events(columns, tube.raw[:, area] / (1.0 + tube.raw[:, height]), inner & steady, panel)
    return GatedTube(columns, inner, steady, gated, flags + time_flags)


def steady_events(
    columns: dict[str, NDArray[np.float64]], inner: NDArray[np.bool_], panel: Panel, settings: Settings, threads: int = 1
) -> tuple[NDArray[np.bool_], list[str]]:
    """Events of stable stretches, and what to flag; without a time channel all of them."""
    time = panel.role("time")
    if time is None or time not in columns or not len(inner) or np.ptp(columns[time]) == 0:
        return np.ones(len(inner), dtype=bool), ["time-missing"]
    signals = [partial(columns[n].__getitem__, inner) for n in panel.model_channels]
    bad = np.zeros(len(inner), dtype=bool)
    bad[inner] = flag_unstable(
        columns[time][inner],
        signals,
        bins=settings.time_bins,
        mads=settings.time_mads,
        least=settings.time_least,
        threads=threads,
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
    values = np.empty((len(keep), len(panel.model_channels)), dtype=np.float32)
    for i, name in enumerate(panel.model_channels):
        values[:, i] = columns[name][keep]
    below = {n: m[keep] for n, m in gated.inside.items() if n not in ("events", panel.cells)}
    nodes = qc_nodes(gated, steps)
    told = sorted({*flags, *_gate_flags(gated, steps)})
    return Cells(values, keep.astype(np.uint32), below, nodes, told, len(steps[0][1]), gated.placed)


def qc_nodes(gated: Gated, steps: list[tuple[str, NDArray[np.bool_]]]) -> list[dict[str, object]]:
    """Rows of the qc table: the file, the quality steps, then the gates."""
    total = len(steps[0][1])
    counts = {"events": total, **{n: int(m.sum()) for n, m in steps}}
    parents = dict(zip(counts, ["", *counts], strict=False))
    last = steps[-1][0]
    for name, placed in gated.placed.items():
        counts[name] = int(gated.inside[name].sum())
        parents[name] = last if placed.parent == "events" else placed.parent
    digests = {n: g.digest for n, g in gated.placed.items()}
    return [
        {
            "node": name,
            "parent": parents[name],
            "count": count,
            "share_parent": count / max(counts.get(parents[name], total), 1),
            "share_events": count / max(total, 1),
            "gate": digests.get(name, ""),
        }
        for name, count in counts.items()
    ]


def _gate_flags(gated: Gated, steps: list[tuple[str, NDArray[np.bool_]]]) -> list[str]:
    good = gated.inside["events"]
    singlets = next(iter(gated.placed))
    flags = [] if gated.anchored else ["anchor-missing"]
    if len(good) and good.mean() < 0.8:
        flags.append("events-lost")
    if good.sum() and gated.inside[singlets].sum() < 0.75 * good.sum():
        flags.append("doublets-high")
    return flags
