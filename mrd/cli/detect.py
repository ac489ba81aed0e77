"""`mrd detect`: every tube of a batch under every arm, and what each found counted."""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from mrd.cli.arms import ARMS, Look, Sight, align
from mrd.cli.bank import Bank, read_bank, reference_record
from mrd.cli.run_options import Run, add_run_options, start_run
from mrd.cli.tubes import gather_tubes, shuffled
from mrd.core.contracts import BURDENS, CLUSTERS, LAIPS, LIMITS
from mrd.core.digest import digest_json
from mrd.core.panel import Panel
from mrd.core.provenance import provenance
from mrd.core.settings import stage_settings
from mrd.core.slots import SCORES
from mrd.core.tables import records
from mrd.core.words import FAILED, OK, join_flags, split_flags
from mrd.detect.align import Adapted
from mrd.detect.chunks import Chunks, Way, ways
from mrd.detect.device import choose_device, tensor
from mrd.detect.frozen import classifier_from, laip_from
from mrd.detect.laip import Laip
from mrd.detect.learned import Classifier
from mrd.files.anndata_io import write_anndata
from mrd.files.cells import TubeCells, read_cells
from mrd.files.layout import cells_path, detect_tables, find_laip, reference_folder, scores_path
from mrd.files.ledger import remember, remembered
from mrd.files.models import read_model
from mrd.files.tables import read_table, write_table

log = logging.getLogger(__name__)
Banks = dict[tuple[str, str], Bank]
"""Banks by panel and device."""


@dataclass(frozen=True)
class Job:
    """One tube to look at: its row, the rows of what its subject's diagnosis taught by arm, the run, threads to score with."""

    run: Run
    tube: dict[str, Any]
    taught: dict[str, dict[str, Any]]
    threads: int = 1

    @property
    def path(self) -> Path:
        """Where the scores go."""
        return scores_path(self.run.results, self.tube["tube_id"])

    @property
    def reference(self) -> Path:
        """Folder of the references."""
        return reference_folder(self.run.results, self.run.settings.reference)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_run_options(parser, batch=True)
    parser.add_argument("--tubes", type=Path, required=True, help="table of the batch's prepared tubes")
    parser.add_argument("--laips", type=Path, required=True, help="table of the batch's LAIPs")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads that score cells; scores stay the same")


def run(options: argparse.Namespace) -> None:
    """Look at every tube of the batch whose cells, LAIP, reference, code or settings changed."""
    job = start_run(options)
    tubes = gather_tubes([options.tubes], patients=True)
    laips = records(read_table(options.laips, LAIPS))
    banks: Banks = {}
    told = []
    for tube in records(tubes):
        taught = {r["arm"]: r for r in laips if (r["subject"], r["panel"]) == (tube["subject"], tube["panel"])}
        told.append(sight_record(Job(job, tube, taught, max(options.threads, 1)), banks))
    burdens, limits, clusters = detect_tables(job.results, options.batch)
    rows = [{**row, "inputs": r["inputs"], "artefact": r["artefact"]} for r in told for row in r["rows"]]
    write_table(limits, LIMITS.frame([x for r in told for x in r["limits"]]), LIMITS)
    write_table(clusters, CLUSTERS.frame([x for r in told for x in r["clusters"]]), CLUSTERS)
    write_table(burdens, BURDENS.frame(rows), BURDENS)


def sight_record(job: Job, banks: Banks) -> dict[str, Any]:
    """The record of a tube: remembered where nothing changed, a reason where there is no reference, else looked at."""
    name, settings = job.tube["panel"], job.run.settings
    reference = reference_record(job.reference, name)
    behind = {a: r["inputs"] for a, r in job.taught.items()}
    inputs = {"cells": job.tube["artefact"], "reference": reference["artefact"]}
    told = provenance(
        "detect",
        inputs={**inputs, **behind},
        settings=stage_settings(settings, "reference", "laip", "detect"),
        reference=reference["artefact"],
    )
    record = remembered(job.path, digest_json(told))
    if record is not None:
        return record
    if reference["outcome"] == FAILED:
        job.path.unlink(missing_ok=True)
        return remember(job.path, digest_json(told), without_reference(job, reference["reason"]))
    log.info("detect %s", job.tube["tube_id"])
    return remember(job.path, digest_json(told), sights_within(job, banks, told))


def sights_within(job: Job, banks: Banks, told: dict[str, Any]) -> dict[str, Any]:
    """Look at a tube within the memory there is: where a device's does not suffice, less at a time, in the end on the CPU."""
    *before, last = ways(choose_device(job.run.settings.device), job.threads)
    for way in before:
        try:
            return make_sights(job, bank_on(job, way, banks), told, way.chunks)
        except torch.OutOfMemoryError:
            log.warning("detect %s: out of memory on %s, %d cells at a time", job.tube["tube_id"], way.device, way.chunks.size)
        torch.cuda.empty_cache()
    return make_sights(job, bank_on(job, last, banks), told, last.chunks)


def bank_on(job: Job, way: Way, banks: Banks) -> Bank:
    """The reference and its controls on a device, read once."""
    at = (job.tube["panel"], str(way.device))
    if at not in banks:
        banks[at] = read_bank(job.reference, job.tube["panel"], way.device)
    return banks[at]


def without_reference(job: Job, reason: str) -> dict[str, Any]:
    """The record of a tube whose panel has no reference."""
    why = {"outcome": FAILED, "reason": f"no reference: {reason}", "flags": join_flags(["no-reference"])}
    return {"rows": [{"tube_id": job.tube["tube_id"], "arm": a, **why} for a in ARMS], "limits": [], "clusters": []}


def make_sights(job: Job, bank: Bank, told: dict[str, Any], by: Chunks) -> dict[str, Any]:
    """Look at one tube with every arm, write the scores, and return its rows."""
    tube, settings = job.tube, job.run.settings
    cells = shuffled(read_cells(cells_path(job.run.results, tube["tube_id"])), settings.seed, tube["tube_id"])
    laip, classifier = taught_models(job, bank)
    look = Look(
        tube=tube,
        values=tensor(cells.values, bank.device),
        likely=torch.from_numpy(cells.gates[bank.panel.laip_in]).to(bank.device),
        leukocytes=cells.gates[bank.panel.leukocytes],
        laip=laip,
        classifier=classifier,
        taught=job.taught,
        bank=bank,
        settings=settings,
        by=by,
    )
    adapted = align(look)
    sights = {arm: see(look, adapted) for arm, see in ARMS.items()}
    write_scores(job, cells, sights, {**told, "device": str(bank.device)})
    where = alignment(bank.panel, adapted)
    return {
        "rows": [burden_row(tube, arm, s, where) for arm, s in sights.items()],
        "limits": [x for s in sights.values() for x in s.limits],
        "clusters": [x for s in sights.values() for x in s.clusters],
    }


def taught_models(job: Job, bank: Bank) -> tuple[Laip | None, Classifier | None]:
    """The LAIP and the classifier that the subject's diagnosis taught, where it taught any."""
    told = job.taught.get("laip")
    if told is None or told["outcome"] != OK:
        return None, None
    path = find_laip(job.run.results, job.run.settings.laip_folder, told["subject"], told["panel"])
    arrays, _ = read_model(path, "laip", 2)
    return laip_from(arrays, bank.device), classifier_from(arrays, bank.device)


def alignment(panel: Panel, adapted: Adapted) -> float:
    """Distance of a tube from the reference: root mean square of its markers' shift, asinh units."""
    markers = np.array([role == "marker" for role in panel.model_roles])
    return float(np.sqrt(np.mean(adapted.shift.cpu().numpy()[markers] ** 2)))


FAR = 0.5
"""Distance from which a tube is flagged as far from the reference."""


def burden_row(tube: dict[str, Any], arm: str, sight: Sight, distance: float) -> dict[str, Any]:
    """A burdens row: what an arm saw, where the tube lies, and flags of both."""
    flags = [*split_flags(sight.row.get("flags")), *(["shifted"] if distance > FAR else [])]
    return {"tube_id": tube["tube_id"], "arm": arm, **sight.row, "distance": distance, "flags": join_flags(flags)}


def write_scores(job: Job, cells: TubeCells, sights: dict[str, Sight], told: dict[str, Any]) -> None:
    """Scores and verdicts of every arm as AnnData, in the order of the file's events."""
    order, n = np.argsort(cells.events), len(cells.events)
    columns: dict[str, Any] = {"event": cells.events}
    for arm, sight in sights.items():
        columns[f"{arm}_score"] = np.full(n, np.nan, np.float32) if sight.scores is None else sight.scores
        columns[arm] = np.zeros(n, bool) if sight.found is None else sight.found
    cluster = sights["dfn"].cluster
    columns["cluster"] = np.zeros(n, np.int16) if cluster is None else cluster
    obs = pd.DataFrame({c: v[order] for c, v in columns.items()})
    write_anndata(job.path, SCORES, obs=obs, var=pd.DataFrame(index=[]), uns={"tube_id": job.tube["tube_id"]}, provenance=told)
