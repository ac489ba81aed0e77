"""Cells that a report draws: those of a subject's tubes, and those of the controls beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mrd.cli.bank import read_reference
from mrd.cli.run_options import Run
from mrd.core.digest import digest_file
from mrd.core.matching import match_channels
from mrd.core.panel import Panel
from mrd.core.seeds import generator
from mrd.core.slots import CONTROLS, SCORES
from mrd.core.tables import records
from mrd.core.words import CONTROL_KINDS, OK
from mrd.detect.device import choose_device, tensor
from mrd.detect.frozen import laip_from
from mrd.detect.laip import score_laip
from mrd.files.anndata_io import read_anndata
from mrd.files.cells import TubeCells, read_cells
from mrd.files.fcs import read_fcs
from mrd.files.layout import cells_path, controls_path, find_laip, reference_folder, reference_path, scores_path
from mrd.files.models import LAIP_MODEL, read_model
from mrd.files.panels import read_panel
from mrd.prepare.transform import transform
from mrd.report.acquired import Acquired
from mrd.report.drawn import Drawn, Gates, draw_cells, inside, sample
from mrd.report.evidence import ControlLook, TubeLook


def look_at(job: Run, tube: dict[str, Any], burdens: pd.DataFrame) -> TubeLook:
    """Cells of a tube to draw, found cells marked where an arm scored it."""
    name, panel = str(tube["tube_id"]), panel_of(str(tube["panel"]))
    cells = read_cells(cells_path(job.results, name))
    scored = burdens.loc[burdens["tube_id"].eq(name), "outcome"].eq(OK).any()
    drawn = draw_cells(
        name,
        cells.values,
        cells.channels,
        leukocytes=cells.gates[panel.leukocytes],
        blasts=cells.gates[panel.blasts],
        found=found_cells(job, name, cells) if scored else None,
        gates=json.loads(cells.uns["gates"]),
        most=job.settings.plot_cells,
        rng=generator(job.settings.seed, "plot", name),
    )
    told = json.loads(cells.uns["provenance"])
    return TubeLook(drawn, told, events_of(job, name, panel, cells.events, told))


def events_of(job: Run, tube: str, panel: Panel, kept: np.ndarray, told: dict[str, Any]) -> Acquired | None:
    """A sample of a tube's events; None where its file is not the one its cells were made from, or is gone."""
    mine = job.samples[job.samples["tube_id"] == tube]
    path = Path(str(mine["path"].iloc[0])) if len(mine) else Path()
    if not path.is_file() or digest_file(path) != told["inputs"]["fcs"]:
        return None
    data = read_fcs(path, where=f"tube {tube}", dataset=str(mine["dataset"].fillna("").iloc[0]))
    if len(kept) and int(kept.max()) >= len(data.events):
        return None
    index = match_channels(panel, data.pnn, data.pns, where=f"tube {tube}")
    rows = sample(np.arange(len(data.events)), job.settings.plot_cells, generator(job.settings.seed, "events", tube))
    wanted = {n: i for n, i in index.items() if panel.channels[n].role in ("area", "height")}
    columns = transform(data.events[rows], wanted, panel)
    area, height = (columns[str(panel.role(r))] for r in ("area", "height"))
    time = panel.role("time")
    ticks = data.events[rows, index[time]].astype(np.float64) if time in index else None
    return Acquired(ticks, area, height, np.isin(rows, kept))


@cache
def panel_of(name: str) -> Panel:
    """A panel, read once a job."""
    return read_panel(name)


def found_cells(job: Run, tube: str, cells: TubeCells) -> np.ndarray:
    """Which cells of a tube were found, by a LAIP or as different from normal, (n,) bool."""
    scores = read_anndata(scores_path(job.results, tube), SCORES).obs
    told = np.logical_or.reduce([scores[a].to_numpy(dtype=bool) for a in ("laip", "dfn", "drawn") if a in scores])
    found = scores.loc[told, "event"].to_numpy(dtype=np.uint32)
    return np.isin(cells.events, found)


@dataclass(frozen=True)
class Banked:
    """The control cells that lie with a reference: values (n, m), masks and densities (n,), each cell's control."""

    values: np.ndarray
    control: pd.Series
    leukocyte: np.ndarray
    normal: np.ndarray


@cache
def banked(folder: Path, panel: str) -> Banked:
    """The control cells of a panel, read once a job."""
    data = read_anndata(controls_path(folder, panel), CONTROLS)
    leukocyte, normal = data.obs["leukocyte"].to_numpy(dtype=bool), data.obs["normal"].to_numpy(dtype=np.float32)
    return Banked(np.asarray(data.x, dtype=np.float32), data.obs["control"], leukocyte, normal)


def controls_of(job: Run, subject: str, panel: str, limits: pd.DataFrame, laips: pd.DataFrame) -> list[ControlLook]:
    """Of each kind the control with the most background, counted as the limits count it; without a LAIP, the first of each kind.

    Where the panel has no reference there is no control to show. A frozen LAIP may have limits from controls that do not
    lie with this run's reference: those cannot be shown.
    """
    folder = reference_folder(job.results, job.settings.reference)
    if not controls_path(folder, panel).is_file() or not reference_path(folder, panel).is_file():
        return []
    learned = laips["panel"].eq(panel) & laips["arm"].eq("laip") & laips["outcome"].eq(OK)
    counted = limits[limits["panel"].eq(panel) & limits["arm"].eq("laip")] if learned.any() else limits.iloc[:0]
    counted = counted[counted["control"].isin(banked(folder, panel).control.cat.categories)]
    rows = [r for kind in CONTROL_KINDS for r in worst_of(counted, kind)] or first_of_each_kind(folder, panel)
    return [control_look(job, folder, subject, panel, r) for r in rows]


def worst_of(limits: pd.DataFrame, kind: str) -> list[dict[str, Any]]:
    """The control of a kind with the most background, as a list of one or none."""
    mine = limits[limits["control_kind"].eq(kind)].sort_values(["fraction", "control"], ascending=[False, True])
    return records(mine.head(1))


def first_of_each_kind(folder: Path, panel: str) -> list[dict[str, Any]]:
    """The first control of each kind behind a reference."""
    _, _, about = read_reference(folder, panel, choose_device("cpu"))
    controls: Any = about["controls"]
    told = {c["kind"]: c["control"] for c in sorted(controls, key=lambda c: str(c["control"]), reverse=True)}
    return [{"control": told[k], "control_kind": k, "cut": None} for k in CONTROL_KINDS if k in told]


def control_look(job: Run, folder: Path, subject: str, panel: str, row: dict[str, Any]) -> ControlLook:
    """Cells of a control to draw, those marked that pass the cut which was chosen without it."""
    name, bank, told = str(row["control"]), banked(folder, panel), panel_of(panel)
    mine = np.flatnonzero(bank.control == name)
    found = None if row["cut"] is None else control_scores(job, folder, subject, panel, name) > float(row["cut"])
    gates, channels = placed_gates(job, name), told.model_channels
    values, leukocyte = bank.values[mine], bank.leukocyte[mine]
    blasts = leukocyte & inside(gates, told.blasts, values, channels) if gates else np.zeros(len(mine), dtype=bool)
    drawn: Drawn = draw_cells(
        name,
        values,
        channels,
        leukocytes=leukocyte,
        blasts=blasts,
        found=found,
        gates=gates,
        most=job.settings.plot_cells,
        rng=generator(job.settings.seed, "plot", name),
    )
    return ControlLook(name, str(row["control_kind"]), drawn)


def control_scores(job: Run, folder: Path, subject: str, panel: str, control: str) -> np.ndarray:
    """Scores of a control's cells under a subject's LAIP, against a reference that did not see the control."""
    device = choose_device("cpu")
    _, adapted, about = read_reference(folder, panel, device)
    controls: Any = about["controls"]
    arrays, _ = read_model(find_laip(job.results, job.settings.laip_folder, subject, panel), *LAIP_MODEL)
    bank, place = banked(folder, panel), [c["control"] for c in controls].index(control)
    mine = np.flatnonzero(bank.control == control)
    values, normal = tensor(bank.values[mine], device), tensor(bank.normal[mine], device)
    return np.asarray(score_laip(values, laip_from(arrays, device), adapted[place].shift, normal).cpu().numpy())


def placed_gates(job: Run, control: str) -> Gates:
    """Gates of a control as placed, where this run prepared it; a frozen reference comes without."""
    path = cells_path(job.results, control)
    return dict(json.loads(read_cells(path).uns["gates"])) if path.is_file() else {}
