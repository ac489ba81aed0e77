"""Our gates as placed in one tube, as FlowKit's gating strategy: what GatingML 2.0 says of them, exactly."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flowkit import Dimension, GatingStrategy, Matrix, RatioDimension, gates, transforms
from numpy.typing import NDArray

from mrd.core.panel import Scale
from mrd.prepare.compensate import Spill
from mrd.prepare.gate import RATIO, Placed
from mrd.prepare.tube import GatedTube, Measured

MATRIX = "matrix"
TOP = 262144.0
RAW = "uncompensated"
NO_RATIO = 1e30
"""No ratio of scatter is so large: FlowKit reads a ratio only where both ends are given."""
Span = tuple[float | None, float | None]


@dataclass(frozen=True)
class Region:
    """An ellipsoid on the common scale: mean (d,), spread (d, d), and squared distance of its border."""

    name: str
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    distance: float


def outline_gates(tube: Measured, done: GatedTube, pnn: Sequence[str], spill: Spill | None) -> GatingStrategy:
    """The quality steps and gates of one tube with their transforms and matrix.

    Read by FlowKit and applied to the tube's FCS file, the counts are those of the qc table.
    """
    strategy = GatingStrategy()
    axes = _Axes(tube, pnn, spill)
    if spill is not None:
        strategy.add_comp_matrix(MATRIX, Matrix(spill.matrix, list(spill.detectors), list(spill.detectors)))
    for name in tube.panel.model_channels:
        strategy.add_transform(transform_id(name), gml_transform(tube.panel.channels[name].scale))
    strategy.add_transform(RATIO, _ratio(axes))
    _add_quality(strategy, axes, done)
    paths: dict[str, tuple[str, ...]] = {"events": ("root", "time")}
    for name, placed in done.gated.placed.items():
        strategy.add_gate(_gate(name, placed, axes, paths), paths[placed.parent])
        paths[name] = (*paths[placed.parent], xml_name(name))
    return strategy


def add_regions(
    strategy: GatingStrategy, regions: Sequence[Region], tube: Measured, pnn: Sequence[str], spill: Spill | None
) -> None:
    """Put ellipsoids, such as the components of a LAIP, below the panel's `cells` gate."""
    axes = _Axes(tube, pnn, spill)
    panel = tube.panel
    factors = np.array([scale_factor(panel.channels[n].scale) for n in panel.model_channels])
    cells = xml_name(panel.cells)
    path = next(tuple(p) for n, p in strategy.get_gate_ids() if n == cells)
    for region in regions:
        spread = region.spread / np.outer(factors, factors)
        dimensions = [axes.dimension(n, (None, None)) for n in panel.model_channels]
        gate = gates.EllipsoidGate(
            xml_name(region.name), dimensions, (region.mean / factors).tolist(), spread.tolist(), region.distance
        )
        strategy.add_gate(gate, (*path, cells))


@dataclass(frozen=True)
class _Axes:
    """How the channels of a panel are called in one tube's file, and whether they are compensated."""

    tube: Measured
    pnn: Sequence[str]
    spill: Spill | None

    def detector(self, name: str) -> str:
        return self.pnn[self.tube.index[name]]

    def dimension(self, name: str, span: Span) -> Dimension:
        """A channel on its transform, with the ends of a span carried over to it."""
        detector, factor = self.detector(name), scale_factor(self.tube.panel.channels[name].scale)
        matrix = MATRIX if self.spill is not None and detector in self.spill.detectors else RAW
        low, high = (None if v is None else v / factor for v in span)
        return Dimension(detector, matrix, transform_id(name), range_min=low, range_max=high)

    def raw(self, name: str, span: Span) -> Dimension:
        """A channel as measured."""
        return Dimension(self.detector(name), RAW, None, range_min=span[0], range_max=span[1])


def xml_name(name: str) -> str:
    """A name as XML takes one for an identifier."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    return plain if re.match(r"[A-Za-z_]", plain) else f"_{plain}"


def transform_id(channel: str) -> str:
    """What a channel's transform is called: gates, transforms and matrices share one space of identifiers."""
    return xml_name(f"scale-{channel}")


def gml_transform(scale: Scale) -> transforms.AsinhTransform | transforms.LogicleTransform:
    """GatingML's transform of a scale: ours divided by `scale_factor` (GatingML 2.0, sections 6.4 and 6.5)."""
    if scale.kind == "asinh":
        return transforms.AsinhTransform(TOP, math.asinh(TOP / scale.cofactor) / math.log(10), 0.0)
    return transforms.LogicleTransform(scale.t, scale.w, scale.m, scale.a)


def scale_factor(scale: Scale) -> float:
    """What a value on GatingML's scale, where the top is 1, is multiplied with to give ours."""
    return math.asinh(TOP / scale.cofactor) if scale.kind == "asinh" else scale.m * math.log(10)


def _ratio(axes: _Axes) -> transforms.RatioTransform:
    """Area over 1 + height, as doublets are found: A (x - B) / (y - C)."""
    panel = axes.tube.panel
    names = [panel.role("area"), panel.role("height")]
    return transforms.RatioTransform([axes.detector(n) for n in names if n], 1.0, 0.0, -1.0)


def _gate(name: str, placed: Placed, axes: _Axes, paths: dict[str, tuple[str, ...]]) -> gates.RectangleGate | gates.BooleanGate:
    """One gate: a box, a ratio, or the parent less others."""
    if placed.minus:
        refs = [{"ref": xml_name(m), "path": paths[m][:-1], "complement": True} for m in placed.minus]
        return gates.BooleanGate(xml_name(name), "and", refs if len(refs) > 1 else refs * 2)
    dimensions = []
    for channel, span in placed.spans.items():
        if channel == RATIO:
            low, high = (bound if v is None else v for v, bound in zip(span, (-NO_RATIO, NO_RATIO), strict=True))
            dimensions.append(RatioDimension(RATIO, RAW, range_min=low, range_max=high))
        else:
            dimensions.append(axes.dimension(channel, span))
    return gates.RectangleGate(xml_name(name), dimensions)


def _add_quality(strategy: GatingStrategy, axes: _Axes, done: GatedTube) -> None:
    """The quality steps as gates: margins as a box on raw scatter, unstable stretches as ranges of time left out."""
    tube = axes.tube
    scatter = [n for n in tube.index if tube.panel.channels[n].role in ("area", "side")]
    boxes = [axes.raw(n, (np.nextafter(0.0, 1.0), float(tube.ranges[tube.index[n]]) - 1)) for n in scatter]
    strategy.add_gate(gates.RectangleGate("margins", boxes), ("root",))
    time = tube.panel.role("time")
    stretches = removed_stretches(tube.raw[:, tube.index[time]], done.inner, done.steady) if time in tube.index and time else []
    names = []
    for i, span in enumerate(stretches, start=1):
        names.append(f"unstable-{i}")
        strategy.add_gate(gates.RectangleGate(names[-1], [axes.raw(str(time), span)]), ("root",))
    refs = [{"ref": n, "path": ("root",), "complement": True} for n in names]
    whole = {"ref": "margins", "path": ("root",), "complement": False}
    strategy.add_gate(gates.BooleanGate("time", "and", [whole, *(refs or [whole])]), ("root",))  # a parent may not be referred to


def removed_stretches(time: NDArray[np.float64], inner: NDArray[np.bool_], steady: NDArray[np.bool_]) -> list[Span]:
    """Ranges of time [low, high) that hold the inner events that were removed as unstable, and no others."""
    order = np.argsort(time[inner], kind="stable")
    times, bad = time[inner][order], ~steady[inner][order]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], bad, [False]]).astype(int)))
    ends = [float(times[e]) if e < len(times) else None for e in edges]
    return [(low, high) for low, high in zip(ends[::2], ends[1::2], strict=True)]
