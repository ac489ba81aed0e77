"""Which cells of a tube a lab-drawn LAIP finds, in the frame of the prepared cells: the same cells all arms see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrd.core.drawn import Drawn
from mrd.core.errors import PanelError
from mrd.core.laips import DrawnLaip
from mrd.core.panel import Gate, Panel
from mrd.prepare.cuts import find_anchor
from mrd.prepare.drawn import frame_of_cells, inside_gate
from mrd.prepare.gate import apply_gate, place_gate
from mrd.prepare.phenotypes import inside_phenotype, parse_phenotype

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class PreparedCells:
    """Cells as prepare wrote them, or as a bank keeps those of a control.

    values : (n, m) the panel's model channels on the common scale · detectors : $PnN of each, of the tube or, for a bank,
    of the tube the gates were drawn on · gates : membership of the panel's gates (n,), empty where they are not kept
    """

    values: NDArray[np.float32]
    detectors: Sequence[str]
    gates: Mapping[str, Mask]
    panel: Panel

    @property
    def columns(self) -> dict[str, NDArray[np.float64]]:
        """Each model channel, (n,)."""
        return {n: self.values[:, i].astype(np.float64) for i, n in enumerate(self.panel.model_channels)}


def holds_for(laip: DrawnLaip, panel: Panel, *, where: str) -> bool:
    """Whether a LAIP can be looked for in a panel; one that names its panel, and does not fit it, is a mistake.

    Raises
    ------
    PanelError
        Its phenotype, spans or parent do not fit the panel it names.
    """
    try:
        _fit(laip, panel, where=where)
    except PanelError:
        if laip.panel:
            raise
        return False
    return True


def _fit(laip: DrawnLaip, panel: Panel, *, where: str) -> None:
    """Raise where a LAIP names what a panel lacks; whether a gate's channels are there, only the tube can tell."""
    if laip.phenotype:
        parse_phenotype(laip.phenotype, panel, where=where)
    check_channels(laip, panel, where=where)
    check_parent(laip.parent, panel, where=where)


def check_channels(laip: DrawnLaip, panel: Panel, *, where: str) -> None:
    """See that cells of the panel have the channels that a LAIP's spans are on.

    Raises
    ------
    PanelError
        They do not.
    """
    absent = sorted(set(laip.where) - set(panel.model_channels))
    if absent:
        what = f"a LAIP needs {', '.join(absent)}, the panel has {', '.join(panel.model_channels)}"
        raise PanelError(what, where=where, fix="correct the LAIP")


def check_parent(name: str, panel: Panel, *, where: str) -> None:
    """See that a panel has a gate of this name, where one is given.

    Raises
    ------
    PanelError
        It has not.
    """
    if name and name not in {g.name for g in panel.gates}:
        known = ", ".join(g.name for g in panel.gates)
        raise PanelError(f"panel {panel.name} has no gate {name}", where=where, fix=f"use one of {known}")


def inside_laips(laips: Sequence[tuple[DrawnLaip, Drawn | None]], cells: PreparedCells, *, where: str) -> Mask:
    """Cells inside any of a subject's LAIPs, (n,) bool: several are taken as their union."""
    masks = [inside_laip(laip, cells, drawn, where=where) for laip, drawn in laips]
    return np.logical_or.reduce(masks) if masks else np.zeros(len(cells.values), dtype=bool)


def inside_laip(laip: DrawnLaip, cells: PreparedCells, drawn: Drawn | None, *, where: str) -> Mask:
    """Cells inside one LAIP, (n,) bool.

    Parameters
    ----------
    drawn : the gates it is drawn in, for one of a gating file. Cells are compensated and single already: the tube's own
        matrix stands for the file's, and ancestors on time or scatter that prepared cells no longer carry are passed.

    Raises
    ------
    PanelError
        It names a marker or gate that the panel lacks.
    FileError
        Its gate needs a channel that prepared cells lack.
    """
    panel = cells.panel
    columns = cells.columns
    parent = inside_parent(laip.parent, cells, columns, where=where)
    if laip.gates:
        if drawn is None:
            raise PanelError("the gates of a LAIP were not read", where=where, fix="read them with the LAIP")
        return parent & inside_gate(drawn, laip.gate, frame_of_cells(cells.values, cells.detectors, panel), where=where)
    anchor = anchor_of(columns, panel)
    if laip.phenotype:
        tokens = parse_phenotype(laip.phenotype, panel, where=where)
        return parent & inside_phenotype(tokens, columns, panel, anchor, laip.levels)
    check_channels(laip, panel, where=where)
    gate = Gate(name="laip", where=laip.where)
    spans = place_gate(gate, columns, np.zeros(len(parent)), parent, anchor)
    return parent & apply_gate(gate, spans, columns, np.zeros(len(parent)), {})


def anchor_of(columns: Mapping[str, NDArray[np.float64]], panel: Panel) -> dict[str, float]:
    """Medians of the anchor population among cells; the panel's defaults where there are too few."""
    return find_anchor(columns, np.ones(len(next(iter(columns.values()))), dtype=bool), panel.anchor)[0]


def inside_parent(name: str, cells: PreparedCells, columns: Mapping[str, NDArray[np.float64]], *, where: str) -> Mask:
    """Members of one of the panel's gates: as prepare placed it, else placed anew on the cells.

    Raises
    ------
    PanelError
        The panel has no such gate.
    """
    everything = np.ones(len(cells.values), dtype=bool)
    if name in ("", cells.panel.cells):
        return everything
    if name in cells.gates:
        return np.asarray(cells.gates[name], dtype=bool)
    check_parent(name, cells.panel, where=where)
    return gates_of_cells(columns, cells.panel)[name]


def gates_of_cells(columns: Mapping[str, NDArray[np.float64]], panel: Panel) -> dict[str, Mask]:
    """The panel's gates placed on cells alone; gates above `cells` hold all of them."""
    total = len(next(iter(columns.values())))
    anchor, ratio = anchor_of(columns, panel), np.zeros(total)
    inside = {"events": np.ones(total, dtype=bool)}
    below = False
    for gate in panel.gates:
        parent = inside[gate.parent]
        if below:
            spans = place_gate(gate, columns, ratio, parent, anchor)
            inside[gate.name] = parent & apply_gate(gate, spans, columns, ratio, inside)
        else:
            inside[gate.name] = parent
        below = below or gate.name == panel.cells
    return inside
