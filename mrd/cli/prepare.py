"""`mrd prepare`: FCS files of a batch to cells, one AnnData file a tube, and the batch's tables of tubes and gate counts."""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from mrd.cli.run_options import Run, add_run_options, add_threads, start_run
from mrd.core.contracts import QC, TUBES
from mrd.core.digest import digest_file, digest_json
from mrd.core.errors import ChoiceError, FileError, PanelError
from mrd.core.matching import match_channels
from mrd.core.panel import Panel
from mrd.core.progress import follow
from mrd.core.provenance import provenance
from mrd.core.settings import stage_settings
from mrd.core.slots import CELLS
from mrd.core.tables import records
from mrd.core.words import CHOOSE, FAILED, OK, REFUSED, REPAIRED, join_flags
from mrd.files.anndata_io import write_anndata
from mrd.files.fcs import FcsData, read_fcs
from mrd.files.layout import cells_path, prepare_tables
from mrd.files.ledger import remember, remembered
from mrd.files.matrices import read_matrix
from mrd.files.panels import find_panel, read_panel
from mrd.files.sheet import COMPENSATION_WORDS
from mrd.files.tables import write_table
from mrd.prepare.acquired import parse_acquired, says_compensated
from mrd.prepare.compensate import Spill, check_spill, compensated, compensated_names, fit_spill, parse_spill
from mrd.prepare.tube import Cells, Measured, prepare_events

log = logging.getLogger(__name__)
CARRIED = (
    "tube_id",
    "subject",
    "visit",
    "role",
    "control_kind",
    "tube",
    "specimen",
    "specimen_type",
    "collected",
    "panel",
    "received",
)


class Linear(NamedTuple):
    """One tube as measured and compensated, the file it came from, the matrix that was undone, and what to flag."""

    measured: Measured
    data: FcsData
    spill: Spill | None
    flags: list[str]

    @property
    def pnn(self) -> tuple[str, ...]:
        """$PnN of the file's channels."""
        return self.data.pnn

    @property
    def reading(self) -> dict[str, Any]:
        """How the events came out of the file: what the reader did, and the digest of the matrix that was undone."""
        repairs, matrix = "; ".join(self.data.repairs) or None, self.spill.digest if self.spill else None
        return {"reading": self.data.outcome, "repairs": repairs, "dataset": self.data.dataset, "matrix": matrix}


class Job(NamedTuple):
    """One tube to prepare: its row of the sheet, its panel, and the run."""

    row: dict[str, Any]
    panel: Panel
    run: Run
    threads: int = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_run_options(parser, batch=True)
    add_threads(parser, "bring events to the common scale")


def run(options: argparse.Namespace) -> None:
    """Prepare every tube of the batch whose inputs changed; a bad tube is an outcome, never a stop."""
    job = start_run(options)
    batch = job.batch(options.batch)
    panels = {name: read_panel(name) for name in batch["panel"].unique()}
    made = [prepare_tube(Job(row, panels[row["panel"]], job, options.threads)) for row in follow(records(batch), "prepare")]
    tubes, nodes = prepare_tables(job.results, options.batch)
    rows = [{**r["row"], "inputs": r["inputs"], "artefact": r["artefact"]} for r in made]
    write_table(nodes, QC.frame([n for r in made for n in r["nodes"]]), QC)
    write_table(tubes, TUBES.frame(rows), TUBES)


def prepare_tube(job: Job) -> dict[str, Any]:
    """The record of a tube: remembered where nothing changed, else made anew."""
    tube, path = job.row["tube_id"], cells_path(job.run.results, job.row["tube_id"])
    told = provenance("prepare", inputs=input_digests(job), settings=stage_settings(job.run.settings, "prepare"))
    inputs = digest_json({**told, "row": {n: _text(job.row[n]) for n in CARRIED}})
    record = remembered(path, inputs)
    if record is not None:
        return record
    log.info("prepare %s", tube)
    try:
        record = make_cells(job, path, told)
    except (FileError, PanelError) as error:
        log.warning("prepare %s: %s", tube, error)
        path.unlink(missing_ok=True)
        reading = CHOOSE if isinstance(error, ChoiceError) else REFUSED
        record = {"row": {**carried(job.row), "outcome": FAILED, "reason": str(error), "reading": reading}, "nodes": []}
    return remember(path, inputs, record)


def input_digests(job: Job) -> dict[str, str]:
    """Digests of what a tube is made from; `missing` for a file that is not there."""
    paths = {"fcs": Path(job.row["path"]), "panel": find_panel(job.row["panel"])}
    if job.row["compensation"] not in ("", *COMPENSATION_WORDS):
        paths["compensation"] = Path(job.row["compensation"])
    digests = {n: digest_file(p) if p.is_file() else "missing" for n, p in paths.items()}
    return {**digests, "told": digest_json([job.row["compensation"], _text(job.row["dataset"])])}


def make_cells(job: Job, path: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Read, prepare and write one tube.

    Raises
    ------
    FileError, PanelError
        The file cannot be read, holds no events, or does not fit its panel or its matrix.
    """
    tube = job.row["tube_id"]
    read = measure_tube(job)
    cells, reading, flags = prepare_events(read.measured, job.run.settings, job.threads), read.reading, read.flags
    detectors = {n: read.pnn[i] for n, i in read.measured.index.items()}
    del read  # the events, which would lie beside the file that is made of their cells
    write_cells(path, cells, job.panel, detectors, {**told, "tube_id": tube, "reading": reading})
    return {"row": {**tube_row(job, cells, flags), **reading}, "nodes": [{"tube_id": tube, **n} for n in cells.nodes]}


def measure_tube(job: Job) -> Linear:
    """Read one tube's FCS file, find the panel's channels in it and compensate.

    Raises
    ------
    FileError, PanelError
        The file cannot be read, holds no events, or does not fit its panel or its matrix.
    """
    where = f"tube {job.row['tube_id']}"
    data = read_fcs(Path(job.row["path"]), where=where, dataset=_text(job.row["dataset"]) or "")
    if not len(data.events):
        raise FileError("it holds no events", where=where, fix="leave the tube out of the sheet, or export it again")
    index = match_channels(job.panel, data.pnn, data.pns, where=where)
    spill, flags = choose_spill(job, data)
    linear = data.events if spill is None else compensated(data.events, data.pnn, spill, where=where)
    flags += [REPAIRED] if data.repairs else []
    return Linear(Measured(data.events, linear, data.ranges, index, job.panel), data, spill, flags)


def choose_spill(job: Job, data: FcsData) -> tuple[Spill | None, list[str]]:
    """The sheet's matrix, else the file's own, else none; and what to flag."""
    where, told = f"tube {job.row['tube_id']}", job.row["compensation"]
    if told == "none" or job.run.settings.compensation == "none":
        return None, ["uncompensated"]
    if told == "keyword":
        return parse_acquired(data.acquired, data.pnn, where=where), []
    if told:
        found = Spill(*read_matrix(Path(told), where=where, sample=Path(job.row["path"]).name))
        return fit_spill(check_spill(found, where=where), data.pnn, data.pns, where=where), ["compensation-file"]
    return own_spill(data, where=where)


def own_spill(data: FcsData, *, where: str) -> tuple[Spill | None, list[str]]:
    """The file's own matrix; none where it was undone before, or the file has none."""
    if not data.spill:
        return None, ["compensated-before" if says_compensated(data.acquired) else "uncompensated"]
    spill = parse_spill(data.spill, where=where)
    if compensated_names(spill, data.pnn):
        return None, ["compensated-before"]
    fitted = fit_spill(spill, data.pnn, data.pns, where=where)
    return fitted, ["uncompensated"] if fitted.identity else []


def write_cells(path: Path, cells: Cells, panel: Panel, detectors: dict[str, str], told: dict[str, Any]) -> None:
    """Cells as AnnData: channels on the common scale, gates as columns of obs."""
    names = panel.model_channels
    obs = pd.DataFrame({"event": cells.events, **cells.gates})
    about = {"role": pd.Categorical([panel.channels[n].role for n in names]), "detector": [detectors[n] for n in names]}
    gates = json.dumps({n: asdict(g) for n, g in cells.placed.items()})
    uns = {"tube_id": told["tube_id"], "panel": f"{panel.name} {panel.version}", "gates": gates}
    write_anndata(path, CELLS, obs=obs, var=pd.DataFrame(about, index=names), uns=uns, provenance=told, x=cells.values)


def tube_row(job: Job, cells: Cells, flags: list[str]) -> dict[str, Any]:
    """The tube's row of the tubes table; too few leukocytes is an outcome."""
    n = cells.count(job.panel.leukocytes)
    least = job.run.settings.least_cells
    short = f"{n} leukocytes, {least} are needed to look at a tube" if n < least else None
    return {
        **carried(job.row),
        "outcome": FAILED if short else OK,
        "reason": short,
        "n_events": cells.n_events,
        "n_cells": len(cells.events),
        "n_leukocytes": n,
        "n_blast": cells.count(job.panel.blasts),
        "flags": join_flags(cells.flags, flags),
    }


def carried(row: dict[str, Any]) -> dict[str, Any]:
    """The sheet's columns that travel with a tube."""
    return {n: _text(row[n]) for n in CARRIED}


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)
