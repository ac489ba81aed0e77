"""What is measured once of a subject's drawn LAIPs: the controls inside them, and their recall on the diagnosis tube."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mrd.cli.bank import Bank, Banks, reference_record
from mrd.cli.drawn import ARM, KIND, VERSION, Asked, DrawnGate, drawn_columns, drawn_limits, measured_recall
from mrd.cli.memory import within_memory
from mrd.cli.run_options import Run
from mrd.cli.tubes import shuffled
from mrd.core.digest import digest_file, digest_json
from mrd.core.errors import FileError, PanelError
from mrd.core.provenance import provenance
from mrd.core.settings import stage_settings
from mrd.core.tables import records
from mrd.core.words import FAILED, OK, join_flags
from mrd.detect.align import Adapted
from mrd.detect.chunks import whole_ways
from mrd.detect.device import choose_device, tensor
from mrd.detect.frozen import laip_from
from mrd.detect.laip import Laip, align_tube, leukaemic_chance
from mrd.files.cells import TubeCells, read_cells
from mrd.files.layout import cells_path, drawn_path, find_laip
from mrd.files.ledger import recorded, remember, remembered
from mrd.files.models import LAIP_MODEL, read_model, write_model
from mrd.quantify.burden import Recall

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """Drawn LAIPs to measure: the tube they are taken to be drawn on (its row), and how the rows of every table begin."""

    run: Run
    asked: Asked
    tube: dict[str, Any]

    @property
    def diagnosis(self) -> bool:
        """Whether that tube can tell their recall."""
        return bool(self.tube["role"] == "diagnosis")

    @property
    def head(self) -> dict[str, Any]:
        """The columns that begin every row."""
        tube = self.tube["tube_id"] if self.diagnosis else None
        return {"subject": self.tube["subject"], "panel": self.tube["panel"], "tube_id": tube, "arm": ARM}

    @property
    def learned(self) -> Path:
        """The LAIP that the subject's diagnosis taught; there may be none."""
        return find_laip(self.run.results, self.run.settings.laip_folder, self.tube["subject"], self.tube["panel"])

    @property
    def path(self) -> Path:
        """Where what was measured goes."""
        return drawn_path(self.run.results / "laip", self.tube["subject"], self.tube["panel"])


def first_tube(tubes: pd.DataFrame) -> dict[str, Any]:
    """The largest diagnosis tube, else the first tube of all: the one a gate is taken to be drawn on."""
    diagnosis = tubes[tubes["role"].eq("diagnosis")].sort_values(["n_leukocytes", "tube_id"])
    return records(diagnosis.tail(1) if len(diagnosis) else tubes.sort_values(["collected", "tube_id"]).head(1))[0]


def drawn_record(run: Run, asked: Asked, tube: dict[str, Any], banks: Banks) -> dict[str, Any]:
    """The record of a subject's drawn LAIPs: the frozen one while they are as they were, remembered, or measured anew."""
    task = Task(run, asked, tube)
    kept = frozen_record(task)
    if kept is not None:
        task.path.unlink(missing_ok=True)
        return kept
    panel = tube["panel"]
    reference = reference_record(banks.folder, panel)
    told = provenance(
        "laip",
        inputs={
            tube["tube_id"]: tube["artefact"],
            "reference": reference["artefact"],
            "drawn": asked.digest,
            "laip": digest_file(task.learned) if task.learned.is_file() else "",
        },
        settings=stage_settings(run.settings, "reference", "laip"),
    )
    record = remembered(task.path, digest_json(told))
    if record is not None:
        return record
    task.path.unlink(missing_ok=True)
    if reference["outcome"] == FAILED:
        return remember(task.path, digest_json(told), unmeasured(task, f"no reference: {reference['reason']}", ["no-reference"]))
    log.info("drawn laip %s", tube["subject"])
    tries = whole_ways(choose_device(run.settings.device))
    try:
        made = within_memory(
            f"drawn laip {tube['subject']}", tries, lambda way: make_drawn(task, banks.on(panel, way.device), told)
        )
    except (FileError, PanelError) as error:
        made = unmeasured(task, str(error), [])
    return remember(task.path, digest_json(told), made)


def frozen_record(task: Task) -> dict[str, Any] | None:
    """The frozen record, where the given folder has one of the very same LAIPs."""
    frozen = task.run.settings.laip_folder
    kept = recorded(drawn_path(Path(frozen), task.tube["subject"], task.tube["panel"])) if frozen else None
    return kept if kept is not None and kept.get("drawn") == task.asked.digest else None


def unmeasured(task: Task, reason: str, flags: list[str]) -> dict[str, Any]:
    """The record of LAIPs that cannot be looked for."""
    row = {**task.head, "phenotype": task.asked.name, "outcome": FAILED, "reason": reason, "flags": join_flags(flags)}
    return {"rows": [row], "limits": [], "drawn": task.asked.digest}


def make_drawn(task: Task, bank: Bank, told: dict[str, Any]) -> dict[str, Any]:
    """Measure a subject's drawn LAIPs on the controls and on the diagnosis tube, and write what was measured.

    Raises
    ------
    FileError, PanelError
        The tubes lack what a LAIP needs.
    """
    settings, name = task.run.settings, task.tube["tube_id"]
    cells = shuffled(read_cells(cells_path(task.run.results, name)), settings.seed, name)
    laip = read_learned(task, bank) if task.diagnosis else None
    adapted = align_tube(tensor(cells.values, bank.device), bank.reference.mixture, laip, settings, in_sample=task.diagnosis)
    own = adapted.shift.cpu().numpy() if task.diagnosis else np.zeros(cells.values.shape[1], dtype=np.float32)
    gate = DrawnGate(task.asked, bank.panel, cells.detectors, own, f"drawn LAIP of {task.tube['subject']}")
    assumed = Recall(settings.drawn_recall, settings.drawn_recall_se)
    recall = assumed if laip is None else recall_on(cells, gate, laip, adapted, task)
    limits = drawn_limits(gate, bank, {n: task.head[n] for n in ("subject", "panel", "arm")})
    columns = drawn_columns(recall, limits, assumed=laip is None, excluded=bool(bank.excluded))
    row = {**task.head, "phenotype": task.asked.name, **columns}
    counts = {n: np.array([r[n] for r in limits]) for n in ("n_found", "n_leukocytes")}
    about = {
        **task.head,
        "detectors": list(cells.detectors),
        "controls": bank.names,
        "drawn": task.asked.digest,
        "arms": [row],
        "provenance": {**told, "device": str(bank.device)},
    }
    write_model(task.path, KIND, VERSION, {"shift": own, **counts}, about)
    return {"rows": [row], "limits": limits if row["outcome"] == OK else [], "drawn": task.asked.digest}


def recall_on(cells: TubeCells, gate: DrawnGate, laip: Laip, adapted: Adapted, task: Task) -> Recall:
    """Recall on the half of the diagnosis cells that did not fit the learned LAIP, which tells how likely each is leukaemic."""
    half = min(len(cells.values) // 2, task.run.settings.adapt_cells)
    witnesses = tensor(cells.values[half : 2 * half], adapted.shift.device)
    chance = leukaemic_chance(witnesses, laip, adapted).cpu().numpy()
    gates = {n: g[: 2 * half] for n, g in cells.gates.items()}
    return measured_recall(gate, cells.values[: 2 * half], gates, chance, task.run.settings.drawn_drift)


def read_learned(task: Task, bank: Bank) -> Laip | None:
    """The LAIP that the subject's diagnosis taught, where it taught one."""
    return laip_from(read_model(task.learned, *LAIP_MODEL)[0], bank.device) if task.learned.is_file() else None
