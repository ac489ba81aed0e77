"""Lab-drawn LAIPs in a run: which hold for a tube, what controls show in them, and what they find of the diagnosis.

Gates are applied by FlowKit, which takes a second to import: it is imported where a LAIP is applied, since few runs have any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mrd.core.drawn import Drawn
from mrd.core.errors import PanelError
from mrd.core.laips import DrawnLaip
from mrd.core.panel import Panel
from mrd.core.settings import Settings
from mrd.core.words import FAILED, OK, join_flags
from mrd.files.laips import laips_of, read_laips
from mrd.files.panels import read_panel
from mrd.quantify.burden import Recall
from mrd.quantify.cut import LEAST_RECALL, strata_flags
from mrd.quantify.gated import gate_recall, share_inside

if TYPE_CHECKING:
    from mrd.cli.bank import Bank

Mask = NDArray[np.bool_]
Values = NDArray[np.float32]
KIND, VERSION = "drawn", 1
ARM = "drawn"
JUDGED = 30_000
"""Cells of the diagnosis tube on which drift is tried."""


@dataclass(frozen=True)
class Asked:
    """A subject's drawn LAIPs for a panel, each with its gates where it has any, and the digest of all that was read."""

    laips: list[tuple[DrawnLaip, Drawn | None]]
    digest: str

    @property
    def name(self) -> str:
        """The LAIPs in words that hold nothing but markers."""
        return ", ".join(laip.phenotype or " ".join([*laip.where, "gate"]) for laip, _ in self.laips)


@dataclass(frozen=True)
class DrawnGate:
    """A subject's drawn LAIPs, ready for any tube of a panel.

    detectors : $PnN of the model channels in the tube they were drawn on · own : that tube's shift (d,)
    """

    asked: Asked
    panel: Panel
    detectors: Sequence[str]
    own: Values
    where: str

    def inside(self, values: Values, shift: Values, gates: Mapping[str, Mask]) -> Mask:
        """Cells inside any of the LAIPs, (n,).

        A tube's cells are moved back by its shift, as every arm sees them: phenotypes and spans are looked for in the frame of
        the reference, gates in that of the tube they were drawn on (in which that tube itself stays where it is).

        Raises
        ------
        FileError, PanelError
            The cells lack what a LAIP needs.
        """
        from mrd.prepare.drawn_laip import PreparedCells, inside_laip

        frames = {
            gated: values - (shift - self.own if gated else shift) for gated in {g is not None for _, g in self.asked.laips}
        }
        masks = [
            inside_laip(
                laip, PreparedCells(frames[drawn is not None], self.detectors, gates, self.panel), drawn, where=self.where
            )
            for laip, drawn in self.asked.laips
        ]
        return np.asarray(np.logical_or.reduce(masks))


def asked_of(settings: Settings, samples: pd.DataFrame, subject: str, panel: str) -> Asked | None:
    """A subject's drawn LAIPs for a panel; None where the lab drew none.

    Raises
    ------
    FileError, PanelError
        The file of LAIPs, or one that it names, cannot be used.
    """
    if not settings.drawn_laips:
        return None
    from mrd.prepare.drawn_laip import holds_for

    mine = samples[samples["subject"].eq(subject) & samples["panel"].eq(panel)]
    diagnosis = mine[mine["role"].eq("diagnosis")]
    files = [Path(p).name for p in (diagnosis if len(diagnosis) else mine)["path"]]
    told, digest = _laips_of(Path(settings.drawn_laips), subject, panel, tuple(files))
    where = f"drawn LAIP of {subject}"
    fitting = [(laip, gates) for laip, gates in told if holds_for(laip, read_panel(panel), where=where)]
    return Asked(fitting, digest) if fitting else None


@cache
def _laips_of(path: Path, subject: str, panel: str, files: tuple[str, ...]) -> tuple[list[tuple[DrawnLaip, Drawn | None]], str]:
    """Read once a job: it was checked when the job began."""
    return laips_of(path, subject, panel, files=files)


def check_drawn(settings: Settings, samples: pd.DataFrame) -> None:
    """Refuse a file of drawn LAIPs that cannot be used, before any work starts.

    Raises
    ------
    FileError, PanelError
        It, or a gating file it names, is missing or broken; a LAIP fits no tube of its subject; or no subject is in the sheet.
    """
    if not settings.drawn_laips:
        return
    _laips_of.cache_clear()
    told = read_laips(Path(settings.drawn_laips)).subjects
    patients = samples[samples["role"].ne("control")]
    known = [s for s in told if s in set(patients["subject"])]
    if not known:
        raise PanelError(
            "none of its subjects is a patient of the sheet", where="drawn LAIPs", fix="name subjects as the sheet does"
        )
    for subject in known:
        panels = [str(p) for p in patients.loc[patients["subject"].eq(subject), "panel"].unique()]
        placed = [a.laips for p in panels if (a := asked_of(settings, samples, subject, p))]
        for laip in told[subject]:
            if not any(laip == other for laips in placed for other, _ in laips):
                _refuse(laip, panels, where=f"drawn LAIP of {subject}")


def _refuse(laip: DrawnLaip, panels: Sequence[str], *, where: str) -> None:
    """Tell why a LAIP fits none of the panels of its subject's tubes."""
    from mrd.prepare.drawn_laip import holds_for

    if laip.panel:
        raise PanelError(f"no tube of the subject is of panel {laip.panel}", where=where, fix=f"use {' or '.join(panels)}")
    holds_for(laip.model_copy(update={"panel": panels[0]}), read_panel(panels[0]), where=where)


def measured_recall(gate: DrawnGate, values: Values, gates: Mapping[str, Mask], chance: Values, drift: float) -> Recall:
    """Recall of a drawn LAIP on diagnosis cells that did not fit the learned one.

    Parameters
    ----------
    values : (n, d) cells of the diagnosis tube · chance : (m,) probability of the last m of them being leukaemic
    """
    inside = gate.inside(values, gate.own, gates)[len(values) - len(chance) :]
    return gate_recall(inside, chance, drift_slides(gate, values[len(values) - len(chance) :], chance, drift))


def drift_slides(gate: DrawnGate, values: Values, chance: Values, drift: float) -> list[float]:
    """Change of the recall where the leukaemic cells, and no others, lie one standard deviation off in one marker."""
    cells, odds = values[:JUDGED], chance[:JUDGED]
    leukaemic = odds > 0.5
    slides = []
    for i, role in enumerate(gate.panel.model_roles):
        if role == "marker":
            off = np.zeros(cells.shape[1], dtype=np.float32)
            off[i] = drift
            low, high = (
                share_inside(gate.inside(cells + side * leukaemic[:, None] * off, gate.own, {}), odds) for side in (-1, 1)
            )
            slides.append((high - low) / 2)
    return slides


def drawn_limits(gate: DrawnGate, bank: Bank, head: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each control of the bank counted in the same gate and frame: it was not tuned on them, so all are honest blanks."""
    rows = []
    for i, name in enumerate(bank.names):
        found = int(gate.inside(bank.cells[i].cpu().numpy(), bank.adapted[i].shift.cpu().numpy(), {}).sum())
        n = max(bank.totals[i], found)
        rows.append(
            {
                **head,
                "control": name,
                "control_kind": bank.kinds[i],
                "n_leukocytes": n,
                "n_found": found,
                "fraction": found / n,
            }
        )
    return rows


def drawn_columns(recall: Recall, limits: Sequence[Mapping[str, Any]], *, assumed: bool, excluded: bool) -> dict[str, Any]:
    """The columns of the laips table that measuring gives; a gate that misses the leukaemia it was drawn for is no arm."""
    if recall.value < LEAST_RECALL:
        told = (
            f"the drawn LAIP holds {100 * recall.value:.0f} % of the leukaemic cells of the diagnosis tube: too few to count by"
        )
        return {"outcome": FAILED, "reason": told, "recall": recall.value, "recall_se": recall.error, "flags": ""}
    flags = (["recall-assumed"] if assumed else []) + (["weak-laip"] if recall.value < 0.5 else [])
    return {
        "outcome": OK,
        "recall": recall.value,
        "recall_se": recall.error,
        "background": float(np.mean([r["fraction"] for r in limits])),
        "n_controls": len(limits),
        "flags": join_flags(flags, strata_flags([r["control_kind"] for r in limits]), ["control-excluded"] if excluded else []),
    }
