"""`mrd detect`: score every tube of a batch with its subject's LAIP and count what passes the cut."""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mrd.cli.bank import read_reference
from mrd.cli.run_options import Run, add_run_options, start_run
from mrd.cli.tubes import gather_tubes, shuffled
from mrd.core.contracts import BURDENS, LAIPS
from mrd.core.digest import digest_json
from mrd.core.panel import Panel
from mrd.core.provenance import provenance
from mrd.core.settings import stage_settings
from mrd.core.slots import SCORES
from mrd.core.tables import records
from mrd.core.words import FAILED, OK, join_flags
from mrd.detect.device import choose_device, tensor
from mrd.detect.frozen import laip_from
from mrd.detect.laip import adapt_with, score_laip
from mrd.detect.mixture import Mixture, log_density
from mrd.files.anndata_io import write_anndata
from mrd.files.cells import TubeCells, read_cells
from mrd.files.layout import burdens_table, cells_path, find_laip, reference_folder, scores_path
from mrd.files.ledger import remember, remembered
from mrd.files.models import read_model
from mrd.files.panels import read_panel
from mrd.files.tables import read_table, write_table

log = logging.getLogger(__name__)
FAR = 0.5
"""Shift of the markers (rms, asinh units) from which a tube is flagged as far from the reference."""


@dataclass(frozen=True)
class Job:
    """One tube to score: its row, the row of its subject's LAIP if there is one, and the run."""

    run: Run
    tube: dict[str, Any]
    laip: dict[str, Any] | None

    @property
    def path(self) -> Path:
        """Where the scores go."""
        return scores_path(self.run.results, self.tube["tube_id"])


@dataclass(frozen=True)
class Scored:
    """Cells of a tube with their scores (n,), which of them count (n,), and the tube's shift from the reference (d,)."""

    cells: TubeCells
    scores: np.ndarray
    found: np.ndarray
    shift: np.ndarray


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_run_options(parser, batch=True)
    parser.add_argument("--tubes", type=Path, required=True, help="table of the batch's prepared tubes")
    parser.add_argument("--laips", type=Path, required=True, help="table of the batch's LAIPs")


def run(options: argparse.Namespace) -> None:
    """Score every tube of the batch whose cells, LAIP, code or settings changed."""
    job = start_run(options)
    tubes = gather_tubes([options.tubes], patients=True)
    laips = {(r["subject"], r["panel"]): r for r in records(read_table(options.laips, LAIPS))}
    told = [burden_record(Job(job, t, laips.get((t["subject"], t["panel"])))) for t in records(tubes)]
    rows = [{**r["row"], "inputs": r["inputs"], "artefact": r["artefact"]} for r in told]
    write_table(burdens_table(job.results, options.batch), BURDENS.frame(rows), BURDENS)


def burden_record(job: Job) -> dict[str, Any]:
    """The record of a tube: remembered where nothing changed, a reason where no LAIP applies, else scored."""
    behind = {"cells": job.tube["artefact"], "laip": job.laip["artefact"] if job.laip else "none"}
    told = provenance("detect", inputs=behind, settings=stage_settings(job.run.settings, "reference", "detect"))
    inputs = digest_json([told, job.laip and job.laip["inputs"]])
    return remembered(job.path, inputs) or remember(job.path, inputs, make_burden(job, told))


def make_burden(job: Job, told: dict[str, Any]) -> dict[str, Any]:
    """Score and count one tube, or say why not."""
    head = {"tube_id": job.tube["tube_id"], "arm": "laip"}
    if job.laip is None or job.laip["outcome"] != OK:
        job.path.unlink(missing_ok=True)
        none = {"reason": "no diagnosis tube of this panel", "flags": "no-diagnosis"}
        why = job.laip or none
        return {"row": {**head, "outcome": FAILED, "reason": why["reason"], "flags": why["flags"]}}
    log.info("detect %s", job.tube["tube_id"])
    panel = read_panel(job.tube["panel"])
    scored = score_tube(job, panel, job.laip)
    write_scores(job, scored, told)
    return {"row": {**head, **burden_columns(scored, panel, job.laip)}}


def score_tube(job: Job, panel: Panel, laip: dict[str, Any]) -> Scored:
    """Adapt the reference to the tube with the LAIP taking part, and score every cell."""
    settings, device = job.run.settings, choose_device(job.run.settings.device)
    reference = normal_marrow(reference_folder(job.run.results, settings.reference), job.tube["panel"], settings.device)
    arrays, _ = read_model(find_laip(job.run.results, settings.laip_folder, laip["subject"], laip["panel"]), "laip", 1)
    known = laip_from(arrays, device)
    cells = shuffled(read_cells(cells_path(job.run.results, job.tube["tube_id"])), settings.seed, job.tube["tube_id"])
    values = tensor(cells.values, device)
    adapted = adapt_with(values, reference, known, settings, in_sample=job.tube["role"] == "diagnosis")
    scores = score_laip(values, known, adapted.shift, log_density(values, adapted.mixture)).cpu().numpy()
    return Scored(cells, scores, scores > laip["cut"], adapted.shift.cpu().numpy())


@cache
def normal_marrow(folder: Path, panel: str, device: str) -> Mixture:
    """The reference mixture of a panel, read once a job."""
    return read_reference(folder, panel, choose_device(device))[0].mixture


def burden_columns(scored: Scored, panel: Panel, laip: dict[str, Any]) -> dict[str, Any]:
    """Counts of a scored tube; a found cell is a leukocyte whatever the erythroid gate says."""
    markers = np.array([panel.channels[n].role == "marker" for n in panel.model_channels])
    distance = float(np.sqrt(np.mean(scored.shift[markers] ** 2)))
    return {
        "outcome": OK,
        "n_leukocytes": int((scored.cells.gates[panel.leukocytes] | scored.found).sum()),
        "n_found": int(scored.found.sum()),
        "recall": laip["recall"],
        "recall_se": laip["recall_se"],
        "distance": distance,
        "flags": join_flags(["shifted"] if distance > FAR else []),
    }


def write_scores(job: Job, scored: Scored, told: dict[str, Any]) -> None:
    """Scores as AnnData in the order of the file's events."""
    order = np.argsort(scored.cells.events)
    columns = {"event": scored.cells.events, "laip_score": scored.scores, "laip": scored.found}
    obs = pd.DataFrame({n: v[order] for n, v in columns.items()}, index=np.arange(len(order)).astype(str))
    write_anndata(job.path, SCORES, obs=obs, var=pd.DataFrame(index=[]), uns={"tube_id": job.tube["tube_id"]}, provenance=told)
