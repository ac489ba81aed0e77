"""Which events of a tube lie inside a gate that a lab drew: FlowKit's gates and transforms on our own events."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from flowkit import RatioDimension, gates
from flowkit.exceptions import FlowKitException, QuadrantReferenceError
from numpy.typing import NDArray

from mrd.core.drawn import Drawn, GateId, gate_path
from mrd.core.errors import FileError
from mrd.core.panel import Panel, Scale
from mrd.prepare.compensate import WORST_CONDITION, Spill, compensate

Mask = NDArray[np.bool_]
RAW = (None, "uncompensated")
QUALITY = re.compile(r"(FSC?|SSC?|BSC|FORWARD|SIDE).*|TIME.*|.*(-[HW]|WIDTH|HEIGHT|PEAK|TOF)", re.IGNORECASE)
"""Scatter, time, and pulse heights and widths: what gates of single, steady events are drawn on."""


@dataclass(frozen=True)
class Frame:
    """Events as gates see them.

    raw : (n, c) linear, before compensation · pnn, pns : c names · spill : the tube's own matrix, None without one
    compensated : `raw` already is compensated (prepared cells): the tube's own matrix then stands for every matrix
    """

    raw: NDArray[np.float64]
    pnn: tuple[str, ...]
    pns: tuple[str, ...]
    spill: Spill | None
    compensated: bool = False

    def column(self, label: str) -> int | None:
        """Column of a channel by $PnN (FlowJo writes _ for /), else by $PnS where only one is called so."""
        for names in (self.pnn, tuple(n.replace("/", "_") for n in self.pnn)):
            if label in names:
                return names.index(label)
        return self.pns.index(label) if label and self.pns.count(label) == 1 else None


def frame_of_cells(values: NDArray[np.float32], detectors: Sequence[str], panel: Panel) -> Frame:
    """Prepared cells as gates see them: linear and compensated, by detector and by the panel's names.

    Parameters
    ----------
    values : (n, m) on the common scale · detectors : $PnN of the m model channels
    """
    names = panel.model_channels
    columns = [undo_scale(values[:, i].astype(np.float64), panel.channels[n].scale) for i, n in enumerate(names)]
    return Frame(np.column_stack(columns), tuple(detectors), tuple(names), None, compensated=True)


def undo_scale(values: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Linear values from those on a channel's common scale."""
    if scale.kind == "asinh":
        return np.asarray(np.sinh(values) * scale.cofactor)
    from flowutils import transforms

    column = (values / (scale.m * np.log(10))).reshape(-1, 1)
    return np.asarray(transforms.logicle_inverse(column, None, t=scale.t, m=scale.m, w=scale.w, a=scale.a)).reshape(-1)


def inside_gate(drawn: Drawn, told: str, frame: Frame, *, where: str) -> Mask:
    """Which events lie inside a gate and all its ancestors, (n,) bool.

    Only the gate asked for and those it needs are applied, so that gates of other panels in the file do no harm.

    Raises
    ------
    FileError
        There is no such gate, it needs a channel or matrix the tube lacks, or FlowKit cannot apply it.
    """
    return _Gating(drawn, frame, where).inside(drawn.find(told, where=where))


def inside_gates(drawn: Drawn, frame: Frame, *, where: str) -> dict[str, Mask]:
    """Membership of every gate of the file by its path, (n,) bool each."""
    gating = _Gating(drawn, frame, where)
    return {gate_path(i): gating.inside(i) for i in drawn.ids}


@dataclass
class _Gating:
    """Gates of one file applied to one tube; what was worked out once is kept."""

    drawn: Drawn
    frame: Frame
    where: str
    known: dict[GateId, Mask] = field(default_factory=dict)
    linear: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def inside(self, gate: GateId) -> Mask:
        """Members of a gate and of all its ancestors."""
        if gate not in self.known:
            name, path = gate
            parent = self._parent(path)
            self.known[gate] = self._alone(name, path) & parent
        return self.known[gate]

    def _parent(self, path: tuple[str, ...]) -> Mask:
        """Members of the parent; a quadrant's parent is that of its quadrant gate."""
        if len(path) < 2:
            return np.ones(len(self.frame.raw), dtype=bool)
        try:
            owner = self.drawn.strategy.get_gate(path[-1], path[:-1])
        except QuadrantReferenceError:
            owner = None
        if isinstance(owner, gates.QuadrantGate):
            return self._parent(path[:-1])
        if self._was_quality(owner):
            return self._parent(path[:-1])
        return self.inside((path[-1], path[:-1]))

    def _was_quality(self, gate: Any) -> bool:
        """Whether an ancestor is a quality gate that prepared cells have behind them: on channels they no longer carry."""
        if not self.frame.compensated or gate is None or isinstance(gate, gates.BooleanGate):
            return False
        labels = [n for d in gate.dimensions for n in self._needs(d)]
        return any(self.frame.column(n) is None and QUALITY.fullmatch(n) for n in labels)

    def _needs(self, dimension: Any) -> list[str]:
        """Channels a dimension is made of."""
        if not isinstance(dimension, RatioDimension):
            return [str(getattr(dimension, "dimension_ref", dimension.id))]
        told = self.drawn.strategy.transformations.get(dimension.ratio_ref)
        return [] if told is None else list(told.dimensions)

    def _alone(self, name: str, path: tuple[str, ...]) -> Mask:
        """Members of a gate, its parent not yet applied; of a quadrant gate as a whole, every event."""
        try:
            gate = self.drawn.strategy.get_gate(name, path)
        except QuadrantReferenceError:
            owner = self.drawn.strategy.get_gate(path[-1], path[:-1])
            return np.asarray(self._apply(owner)[name], dtype=bool)
        if isinstance(gate, gates.QuadrantGate):
            return np.asarray(np.logical_or.reduce(list(self._apply(gate).values())), dtype=bool)
        return np.asarray(self._apply(gate), dtype=bool)

    def _apply(self, gate: Any) -> Any:
        try:
            if isinstance(gate, gates.BooleanGate):
                return self._combine(gate)
            with np.errstate(all="ignore"):
                return gate.apply(pd.DataFrame({_label(d): self._values(d, gate.gate_name) for d in gate.dimensions}))
        except (FlowKitException, ValueError, LookupError, TypeError, np.linalg.LinAlgError) as error:
            why = f"gate {gate.gate_name} cannot be applied ({type(error).__name__})"
            raise FileError(why, where=self.where, fix="draw it as GatingML 2.0 declares it") from None

    def _combine(self, gate: Any) -> Mask:
        """A Boolean gate of others, each with its own ancestors."""
        parts = [self.inside((r["ref"], tuple(r["path"]))) ^ bool(r["complement"]) for r in gate.gate_refs]
        if gate.type == "not":
            return ~parts[0]
        return np.asarray((np.logical_and if gate.type == "and" else np.logical_or).reduce(parts))

    def _values(self, dimension: Any, gate: str) -> NDArray[np.float64]:
        """One axis of a gate: compensated where it says so, then transformed."""
        if isinstance(dimension, RatioDimension):
            values = self._ratio(dimension, gate)
        else:
            label = getattr(dimension, "dimension_ref", dimension.id)
            values = self._compensated(dimension.compensation_ref, gate)[:, self._column(label, dimension, gate)]
        if dimension.transformation_ref is None:
            return values
        return np.asarray(self._transform(dimension.transformation_ref, gate).apply(values.reshape(-1, 1))).reshape(-1)

    def _ratio(self, dimension: Any, gate: str) -> NDArray[np.float64]:
        """A ratio of two channels: A (x - B) / (y - C) (GatingML 2.0, section 6.2)."""
        told = self._transform(dimension.ratio_ref, gate)
        over, under = (
            self._compensated(dimension.compensation_ref, gate)[:, self._column(n, dimension, gate)] for n in told.dimensions
        )
        with np.errstate(all="ignore"):
            return np.asarray(told.param_a * (over - told.param_b) / (under - told.param_c))

    def _transform(self, name: str, gate: str) -> Any:
        if name not in self.drawn.strategy.transformations:
            raise self._refused(gate, f"transformation {name}, which the file does not declare", "declare it in the file")
        return self.drawn.strategy.transformations[name]

    def _column(self, label: str, dimension: Any, gate: str) -> int:
        found = self.frame.column(label)
        if found is None and dimension.compensation_ref not in (*RAW, "FCS"):
            matrix = self._matrix(dimension.compensation_ref, gate)
            named = dict(zip(matrix.fluorochromes, matrix.detectors, strict=False))
            found = self.frame.column(named.get(label, ""))
        if found is None:
            raise self._refused(gate, f"channel {label}, the tube has [{', '.join(self.frame.pnn)}]", "draw it on this panel")
        return found

    def _matrix(self, name: str, gate: str) -> Any:
        if name not in self.drawn.strategy.comp_matrices:
            raise self._refused(gate, f"matrix {name}, which the file does not declare", "declare it in the file")
        return self.drawn.strategy.comp_matrices[name]

    def _compensated(self, name: str | None, gate: str) -> NDArray[np.float64]:
        """All channels compensated as a gate says: not at all, with the tube's own matrix, or with one of the file's."""
        if name in RAW or self.frame.compensated:
            return self.frame.raw
        if name not in self.linear:
            self.linear[str(name)] = self._undo(str(name), gate)
        return self.linear[str(name)]

    def _undo(self, name: str, gate: str) -> NDArray[np.float64]:
        frame = self.frame
        if name == "FCS":  # without a matrix of its own the tube counts as uncompensated (GatingML 2.0, section 6.1)
            return frame.raw if frame.spill is None else compensate(frame.raw, frame.pnn, frame.spill, where=self.where)
        told = self._matrix(name, gate)
        matrix = np.asarray(told.matrix, dtype=np.float64)
        if matrix.shape != (len(told.detectors),) * 2:
            raise self._refused(gate, f"matrix {name}, which is not square", "give unmixed events")
        if not np.isfinite(matrix).all() or np.linalg.cond(matrix) > WORST_CONDITION:
            raise self._refused(gate, f"matrix {name}, which is singular", "export the matrix again")
        found = [frame.column(d) for d in told.detectors]
        columns = [c for c in found if c is not None]
        if len(columns) < len(found):
            raise self._refused(gate, f"matrix {name}, whose detectors the tube lacks", "draw it on this panel")
        out = frame.raw.copy()
        out[:, columns] = np.linalg.solve(matrix.T, frame.raw[:, columns].T).T
        return out

    def _refused(self, gate: str, needs: str, fix: str) -> FileError:
        return FileError(f"gate {gate} needs {needs}", where=self.where, fix=fix)


def _label(dimension: Any) -> str:
    """Name FlowKit looks a dimension's values up by."""
    if isinstance(dimension, RatioDimension):
        return str(dimension.ratio_ref)
    return str(getattr(dimension, "dimension_ref", dimension.id))
