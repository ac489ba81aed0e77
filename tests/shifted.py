"""Synthetic tubes whose markers lie elsewhere, and blood-diluted ones, as FCS files with known truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from mrd.cli.simulate import fcs_image
from mrd.files.fcs_write import write_fcs
from mrd.prepare.compensate import compensate
from mrd.simulate.instruments import RANGE
from mrd.simulate.truth import count_truth
from mrd.simulate.tube import SyntheticTube, simulate_tube
from tests.simulate.tubes import planned, spill_of


def move_markers(tube: SyntheticTube, moves: Mapping[str, float], lost: Sequence[str] = ()) -> SyntheticTube:
    """The tube with markers moved on the asinh(x / 150) scale after compensation, or unstained, and their light spilt again."""
    pns, detectors = list(tube.instrument.pns), [d.name for d in tube.instrument.detectors]
    linear = compensate(tube.events.astype(float), tube.instrument.pnn, spill_of(tube), where="test")
    for marker, move in moves.items():
        at = pns.index(marker)
        linear[:, at] = 150 * np.sinh(np.arcsinh(linear[:, at] / 150) + move)
    for marker in lost:
        linear[:, pns.index(marker)] = np.random.default_rng(1).normal(0, 50, len(linear))
    columns = [tube.instrument.pnn.index(d) for d in detectors]
    events = tube.events.astype(float)
    events[:, columns] = linear[:, columns] @ tube.spill
    return replace(tube, events=np.clip(np.rint(events), -RANGE, RANGE - 2).astype(np.float32))


def add_tube(
    plan: Path,
    visit: str,
    moves: Mapping[str, float],
    *,
    lost: Sequence[str] = (),
    burden: float = 0.0,
    events: int = 5_000,
    artefacts: str = "",
):
    """A further follow-up of P1 (a CD56+ leukaemia) as a row of the plan and an FCS file; returns its true fraction."""
    told = planned(
        subject="P1",
        visit=visit,
        role="follow-up",
        events=events,
        burden=burden,
        laip="CD56+" if burden else "",
        artefacts=artefacts,
    )
    tube = move_markers(simulate_tube(told, 1), moves, lost)
    write_fcs(plan.parent / "fcs" / f"P1_{visit}_T1.fcs", fcs_image(tube))
    frame = pd.read_csv(plan, sep="\t", dtype=str, keep_default_na=False)
    like = frame[frame["visit"].eq("FU1")].iloc[0].to_dict()
    row = {**like, "visit": visit, "specimen": f"P1-{visit}", "fcs": f"fcs/P1_{visit}_T1.fcs", "collected": "2024-05-01"}
    pd.concat([frame, pd.DataFrame([row])]).to_csv(plan, sep="\t", index=False)
    counts = count_truth(tube.code)
    return counts["n_leukaemic"] / counts["n_leukocytes"]
