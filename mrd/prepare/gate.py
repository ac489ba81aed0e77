"""The panel's gate tree as FlowKit gates, placed in this tube's data and applied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from flowkit import Dimension, RatioDimension, gates
from numpy.typing import NDArray

from mrd.core.digest import digest_json
from mrd.core.panel import Gate, Panel
from mrd.prepare.cuts import Columns, find_anchor, find_cut

RATIO = "area_to_height"
Spans = dict[str, tuple[float | None, float | None]]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Placed:
    """A gate as placed in one tube: its parent, where each span ends, and the gates it leaves out."""

    parent: str
    spans: Spans
    minus: tuple[str, ...]

    @property
    def digest(self) -> str:
        """What tells this gate, as placed, from another."""
        return digest_json([self.parent, self.spans, self.minus])[:16]


@dataclass(frozen=True)
class Gated:
    """Membership of every gate (n,), each gate as placed, and whether the anchor population was found."""

    inside: dict[str, Mask]
    placed: dict[str, Placed]
    anchored: bool


def gate_events(columns: Columns, ratio: NDArray[np.float64], good: Mask, panel: Panel) -> Gated:
    """Place and apply the panel's gates.

    Parameters
    ----------
    columns : channels on the common scale, (n,) each
    ratio : area / (1 + height) on the linear scale, (n,)
    good : events that passed the quality steps: the root of the tree
    """
    inside: dict[str, Mask] = {"events": good}
    placed: dict[str, Placed] = {}
    anchor, anchored = dict(panel.anchor.default), False
    for gate in panel.gates:
        placed[gate.name] = Placed(gate.parent, place_gate(gate, columns, ratio, inside[gate.parent], anchor), gate.minus)
        inside[gate.name] = inside[gate.parent] & apply_gate(gate, placed[gate.name].spans, columns, ratio, inside)
        if gate.name == panel.anchor.parent:
            anchor, anchored = find_anchor(columns, inside[gate.name], panel.anchor)
    return Gated(inside, placed, anchored)


def place_gate(gate: Gate, columns: Columns, ratio: NDArray[np.float64], parent: Mask, anchor: dict[str, float]) -> Spans:
    """Where each span of a gate ends in this tube, (low, high) per channel."""
    if gate.ratio_max is not None:
        return {RATIO: (None, find_cut(gate.ratio_max, ratio[parent], 0.0))}
    spans: Spans = {}
    for name, span in gate.where.items():
        values = columns[name][parent]
        low, high = (None if c is None else find_cut(c, values, anchor.get(name, 0.0)) for c in (span.min, span.max))
        spans[name] = (low, high)
    return spans


def apply_gate(gate: Gate, spans: Spans, columns: Columns, ratio: NDArray[np.float64], inside: dict[str, Mask]) -> Mask:
    """Membership of a placed gate, its parent not yet applied."""
    if gate.minus:
        return np.asarray(~np.logical_or.reduce([inside[m] for m in gate.minus]))
    frame = pd.DataFrame({n: ratio if n == RATIO else columns[n] for n in spans}, copy=False)
    return np.asarray(flowkit_gate(gate.name, spans).apply(frame), dtype=bool)


def flowkit_gate(name: str, spans: Spans) -> gates.RectangleGate:
    """A placed box as a FlowKit rectangle gate on compensated, transformed channels."""
    return gates.RectangleGate(name, [_dimension(n, low, high) for n, (low, high) in spans.items()])


def _dimension(name: str, low: float | None, high: float | None) -> Dimension | RatioDimension:
    if name != RATIO:
        return Dimension(name, compensation_ref="FCS", transformation_ref=name, range_min=low, range_max=high)
    ratio = RatioDimension(RATIO, compensation_ref="uncompensated", range_max=high)
    ratio.min = low
    return ratio
