"""`mrd gates`: the gates of a GatingML 2.0 file or FlowJo workspace on one FCS file, counted."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np

from mrd.core.contracts import GATED
from mrd.core.drawn import Drawn
from mrd.files.fcs import FcsData, read_fcs
from mrd.files.gates import read_gates
from mrd.files.matrices import read_matrix
from mrd.files.tables import table_text, write_table
from mrd.prepare.compensate import Spill, check_spill, fit_spill, parse_spill
from mrd.prepare.drawn import Frame, Mask, inside_gates

log = logging.getLogger(__name__)
TOLERANCE, FEW = 0.01, 10
"""FlowJo applies polygons on a grid of 256 bins, FlowKit exactly: small differences are the grid's."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("gates", type=Path, help="GatingML 2.0 file, or FlowJo 10 workspace (.wsp) that holds the FCS file")
    parser.add_argument("--fcs", type=Path, required=True, help="FCS file")
    parser.add_argument("--compensation", type=Path, help="matrix (CSV) in place of the file's own, where a gate asks for that")
    parser.add_argument("--out", type=Path, help="table to write, instead of printing")


def run(options: argparse.Namespace) -> None:
    """Print or write one row per gate; counts that FlowJo wrote otherwise are told."""
    data = read_fcs(options.fcs, where="--fcs")
    drawn = read_gates(options.gates, files=[options.fcs.name], where=options.gates.suffix.lstrip(".") or "gates")
    frame = Frame(data.events, data.pnn, data.pns, matrix_of(data, options.compensation))
    table = GATED.frame(gate_rows(drawn, inside_gates(drawn, frame, where="--fcs"), len(data.events)))
    for gate in table.loc[table["differs"].eq("Y"), "gate"]:
        log.warning("gate %s: FlowJo counted otherwise", gate)
    if options.out is None:
        sys.stdout.write(table_text(table, GATED))
        return
    write_table(options.out, table, GATED)


def matrix_of(data: FcsData, given: Path | None) -> Spill | None:
    """The matrix given, else the file's own, else none."""
    if given is not None:
        found = check_spill(Spill(*read_matrix(given, where="--compensation")), where="--compensation")
        return fit_spill(found, data.pnn, data.pns, where="--compensation")
    return parse_spill(data.spill, where="--fcs") if data.spill else None


def gate_rows(drawn: Drawn, inside: dict[str, Mask], total: int) -> list[dict[str, Any]]:
    """Count of each gate beside what FlowJo wrote."""
    rows = []
    for path, mask in inside.items():
        count, told = int(np.sum(mask)), drawn.counts.get(path)
        row = {"gate": path, "count": count, "share_events": count / max(total, 1), "count_told": told}
        rows.append({**row, "differs": None if told is None else "Y" if differs(count, told) else "N"})
    return rows


def differs(count: int, told: int) -> bool:
    """Whether two counts of one gate differ by more than the grid explains."""
    return abs(count - told) > max(FEW, TOLERANCE * max(count, told))
