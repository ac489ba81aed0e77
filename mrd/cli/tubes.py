"""Prepared tubes as the detection commands take them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch

from mrd.core.contracts import TUBES
from mrd.core.panel import Panel
from mrd.core.seeds import generator
from mrd.core.words import OK
from mrd.detect.laip import Places
from mrd.files.cells import TubeCells
from mrd.files.tables import read_table
from mrd.quantify.purity import Made


def gather_tubes(
    tables: Sequence[Path], *, role: str | None = None, panel: str | None = None, patients: bool = False
) -> pd.DataFrame:
    """Tubes with cells of several batches: of one role, of one panel, of patients only, where asked."""
    tubes = pd.concat([read_table(p, TUBES) for p in tables], ignore_index=True)
    keep = tubes["outcome"].eq(OK)
    keep &= tubes["role"].eq(role) if role else True
    keep &= tubes["panel"].eq(panel) if panel else True
    keep &= tubes["role"].ne("control") if patients else True
    return tubes[keep]


def places_of(cells: TubeCells, panel: Panel, device: torch.device) -> Places:
    """Which cells lie where the panel looks for leukaemia."""
    return Places(*(torch.from_numpy(cells.gates[g]).to(device) for g in (panel.laip_in, panel.laip_maybe)))


def made_of(cells: TubeCells, panel: Panel) -> Made:
    """What a tube is made of; none of a gate the panel does not have."""
    erythroid, lymphocytes, leukocytes = (
        int(cells.gates[n].sum()) if n in cells.gates else 0 for n in ("erythroid", "lymphocytes", panel.leukocytes)
    )
    return Made(erythroid, lymphocytes, leukocytes)


def shuffled(cells: TubeCells, seed: int, tube: str, most: int | None = None) -> TubeCells:
    """Cells in an order of their own (events of one time lie together in a file), at most `most` of them."""
    order = generator(seed, "shuffle", tube).permutation(len(cells.events))[:most]
    gates = {n: g[order] for n, g in cells.gates.items()}
    return TubeCells(cells.values[order], cells.events[order], gates, cells.channels, cells.uns, cells.detectors)
