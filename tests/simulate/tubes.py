"""What the tests of the simulator share: plans by keyword, and tubes read as the pipeline reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from mrd.core.matching import match_channels
from mrd.core.panel import Panel, check_panel
from mrd.core.settings import Settings
from mrd.prepare.compensate import Spill, compensate
from mrd.prepare.tube import Cells, Measured, prepare_events
from mrd.simulate.instruments import RANGE
from mrd.simulate.plan import TubePlan
from mrd.simulate.truth import CODE
from mrd.simulate.tube import SyntheticTube

ROOT = Path(__file__).resolve().parents[2]
USUAL: dict[str, Any] = {
    "subject": "A",
    "visit": "V1",
    "tube": "T1",
    "role": "control",
    "control_kind": "",
    "blood": False,
    "panel": "aml-lyric-9",
    "fcs": "A.fcs",
    "events": 20_000,
    "burden": 0.0,
    "laip": "",
    "artefacts": "",
}


def planned(**changes: Any) -> TubePlan:
    """A plan of one tube: a normal control unless told otherwise."""
    return TubePlan(**{**USUAL, **changes})


def spill_of(tube: SyntheticTube) -> Spill:
    return Spill(tuple(d.name for d in tube.instrument.detectors), tube.spill)


def levels(tube: SyntheticTube, marker: str, population: str | None = None) -> NDArray[np.float64]:
    """Compensated asinh levels of a marker, of one population or of all events."""
    linear = compensate(tube.events.astype(float), tube.instrument.pnn, spill_of(tube), where="test")
    column = np.arcsinh(linear[:, tube.instrument.pns.index(marker)] / 150)
    return column if population is None else column[tube.code == CODE[population]]


def share(tube: SyntheticTube, population: str) -> float:
    return float((tube.code == CODE[population]).mean())


def panel_of(tube: SyntheticTube) -> Panel:
    name = tube.instrument.panel
    return check_panel(yaml.safe_load((ROOT / "panels" / f"{name}.yaml").read_text()), where=name)


def prepared(tube: SyntheticTube) -> Cells:
    """Cells as `mrd prepare` makes them, with the check for a stable signal out of the way: only the gates are judged."""
    panel, instrument, raw = panel_of(tube), tube.instrument, tube.events.astype(float)
    index = match_channels(panel, instrument.pnn, instrument.pns, where="test")
    linear = compensate(raw, instrument.pnn, spill_of(tube), where="test")
    measured = Measured(raw, linear, np.full(len(instrument.pnn), RANGE), index, panel)
    return prepare_events(measured, Settings(time_least=99.0))
