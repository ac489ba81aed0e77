"""`mrd laip`: the diagnosis tubes of a batch to frozen LAIPs, each with its cut, its recall and its honest blanks."""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mrd.cli.bank import Bank, read_bank
from mrd.cli.run_options import Run, add_run_options, start_run
from mrd.cli.tubes import gather_tubes, shuffled
from mrd.core.contracts import LAIPS, LIMITS
from mrd.core.digest import digest_json
from mrd.core.errors import FileError
from mrd.core.provenance import provenance
from mrd.core.seeds import generator
from mrd.core.settings import stage_settings
from mrd.core.tables import records
from mrd.core.words import FAILED, OK, join_flags
from mrd.detect.device import choose_device, tensor
from mrd.detect.frozen import laip_arrays
from mrd.detect.laip import Laip, Places, Witness, learn_laip, score_laip, spiked_scores
from mrd.detect.phenotype import phenotype
from mrd.files.cells import read_cells
from mrd.files.layout import cells_path, laip_path, laip_tables, reference_folder, reference_path
from mrd.files.ledger import recorded, remember, remembered
from mrd.files.models import write_model
from mrd.files.tables import write_table
from mrd.quantify.burden import Recall
from mrd.quantify.cut import CUTS, Curves, choose_cut, count_above, cross_fitted, recall_at, share_above, strata_flags

log = logging.getLogger(__name__)
KIND, VERSION = "laip", 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_run_options(parser, batch=True)
    parser.add_argument("--tubes", type=Path, required=True, help="table of the batch's prepared tubes")


def run(options: argparse.Namespace) -> None:
    """Take frozen LAIPs as they are; learn those whose diagnosis tube, reference, code or settings changed."""
    job = start_run(options)
    tubes = gather_tubes([options.tubes], patients=True)
    diagnosis = tubes[tubes["role"].eq("diagnosis")].sort_values(["n_leukocytes", "tube_id"])
    largest = {(r["subject"], r["panel"]): r for r in records(diagnosis)}
    banks: dict[str, Bank] = {}
    told = []
    for subject, panel in sorted({(r["subject"], r["panel"]) for r in records(tubes)}):
        frozen = frozen_record(job, subject, panel)
        if frozen is not None:
            told.append(frozen)
        elif (subject, panel) in largest:
            told.append(laip_record(job, largest[subject, panel], banks))
    laips, limits = laip_tables(job.results, options.batch)
    rows = [{**r["row"], "inputs": r["inputs"], "artefact": r["artefact"]} for r in told]
    write_table(limits, LIMITS.frame([x for r in told for x in r["limits"]]), LIMITS)
    write_table(laips, LAIPS.frame(rows), LAIPS)


def frozen_record(job: Run, subject: str, panel: str) -> dict[str, Any] | None:
    """The record of a frozen LAIP, where the given folder has one."""
    if not job.settings.laip_folder:
        return None
    return recorded(laip_path(Path(job.settings.laip_folder), subject, panel))


def laip_record(job: Run, row: dict[str, Any], banks: dict[str, Bank]) -> dict[str, Any]:
    """The record of a subject's LAIP: remembered where nothing changed, else learned."""
    subject, name = row["subject"], row["panel"]
    folder = reference_folder(job.results, job.settings.reference)
    path = laip_path(job.results / "laip", subject, name)
    reference = reference_record(folder, name)
    told = provenance(
        "laip",
        inputs={row["tube_id"]: row["artefact"], "reference": reference["artefact"]},
        settings=stage_settings(job.settings, "reference", "laip"),
    )
    record = remembered(path, digest_json(told))
    if record is not None:
        return record
    if reference["outcome"] == FAILED:
        return remember(path, digest_json(told), nothing_learned(row, f"no reference: {reference['reason']}", "no-reference"))
    log.info("laip %s from %s", subject, row["tube_id"])
    if name not in banks:
        banks[name] = read_bank(folder, name, choose_device(job.settings.device))
    return remember(path, digest_json(told), make_laip(job, row, banks[name], path, told))


def reference_record(folder: Path, panel: str) -> dict[str, Any]:
    """The record of a panel's reference; a frozen one may come without a record of its outcome.

    Raises
    ------
    FileError
        There is none.
    """
    record = recorded(reference_path(folder, panel))
    if record is None:
        raise FileError(f"there is no whole reference of panel {panel}", where=str(folder), fix="run the workflow again")
    return record


@dataclass(frozen=True)
class Calibrated:
    """A LAIP with its cut and what the controls say of it."""

    laip: Laip
    cut: float
    recall: Recall
    limits: list[dict[str, Any]]
    background: float


def make_laip(job: Run, row: dict[str, Any], bank: Bank, path: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Learn, calibrate and write one LAIP; finding none is an outcome."""
    subject, seed = str(row["subject"]), job.settings.seed
    cells = shuffled(read_cells(cells_path(job.results, row["tube_id"])), seed, row["tube_id"])
    gates = [torch.from_numpy(cells.gates[g]).to(bank.device) for g in (bank.panel.laip_in, bank.panel.laip_maybe)]
    rng = generator(seed, "laip", subject, bank.panel.name)
    learned = learn_laip(tensor(cells.values, bank.device), Places(*gates), bank.reference, job.settings, rng)
    head = {"subject": subject, "panel": row["panel"], "tube_id": row["tube_id"]}
    if learned is None:
        path.unlink(missing_ok=True)
        return nothing_learned(row, "no population of the diagnosis tube exceeds what the controls show", "no-laip")
    fitted = calibrate(*learned, bank, job, head)
    name = phenotype(
        fitted.laip.mixture, bank.panel.model_channels, [bank.panel.channels[n].role for n in bank.panel.model_channels]
    )
    about = {
        **head,
        "phenotype": name,
        "cut": fitted.cut,
        "recall": fitted.recall.value,
        "recall_se": fitted.recall.error,
        "provenance": told,
    }
    write_model(path, KIND, VERSION, laip_arrays(fitted.laip), about)
    return {"row": {**head, **laip_columns(fitted, name, bank)}, "limits": fitted.limits}


def nothing_learned(row: dict[str, Any], reason: str, flag: str) -> dict[str, Any]:
    """The record of a subject without a LAIP."""
    head = {"subject": row["subject"], "panel": row["panel"], "tube_id": row["tube_id"]}
    return {"row": {**head, "outcome": FAILED, "reason": reason, "flags": join_flags([flag])}, "limits": []}


def calibrate(laip: Laip, witness: Witness, bank: Bank, job: Run, head: dict[str, Any]) -> Calibrated:
    """Choose the cut on the controls and state blanks and recall honestly."""
    curves = control_curves(laip, witness, bank)
    n, least = float(np.median(bank.totals)), job.settings.min_cluster
    best = choose_cut(curves, n, least)
    blanks, cuts = cross_fitted(curves, n, least)
    recall = recall_at(curves, best, float(witness.leukaemic.sum()), job.settings.recall_drift)
    limits = [
        {
            "subject": head["subject"],
            "panel": head["panel"],
            "arm": "laip",
            "control": bank.names[i],
            "control_kind": bank.kinds[i],
            "cut": float(cuts[i]),
            "n_leukocytes": int(blanks.total[i]),
            "n_found": int(blanks.found[i]),
            "fraction": float(blanks.found[i] / blanks.total[i]),
            "recall": float(curves.recall[i, best]),
        }
        for i in range(len(bank.names))
    ]
    return Calibrated(laip, float(CUTS[best]), recall, limits, float((blanks.found / blanks.total).mean()))


def control_curves(laip: Laip, witness: Witness, bank: Bank) -> Curves:
    """Over all cuts: cells of each control that pass, and the recall of the witnesses spiked into each."""
    found, recall = [], []
    probability = witness.leukaemic[:4000].cpu().numpy()
    for i, adapted in enumerate(bank.adapted):
        scores = score_laip(bank.cells[i], laip, adapted.shift, bank.normal[i])
        found.append(count_above(scores.cpu().numpy()))
        recall.append(share_above(spiked_scores(witness, laip, adapted).cpu().numpy(), probability))
    return Curves(np.stack(found), np.array(bank.totals, dtype=np.int64), tuple(bank.kinds), np.stack(recall))


def laip_columns(fitted: Calibrated, name: str, bank: Bank) -> dict[str, Any]:
    """The columns of the laips table that calibration gives."""
    weak = ["weak-laip"] if fitted.recall.value < 0.5 else []
    return {
        "outcome": OK,
        "phenotype": name,
        "share": fitted.laip.share,
        "cut": fitted.cut,
        "recall": fitted.recall.value,
        "recall_se": fitted.recall.error,
        "background": fitted.background,
        "n_controls": len(bank.names),
        "flags": join_flags(weak, strata_flags(bank.kinds), ["control-excluded"] if bank.excluded else []),
    }
