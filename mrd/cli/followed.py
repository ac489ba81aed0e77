"""LAIPs of subjects without a diagnosis tube: what one follow-up shows to differ from normal, to be followed in the others."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from mrd.cli.arms import of_the_whole, search
from mrd.cli.bank import Bank, read_bank, reference_record
from mrd.cli.calibrate import calibrate, laip_columns, laip_scorer
from mrd.cli.run_options import Run
from mrd.cli.tubes import shuffled
from mrd.core.digest import digest_json
from mrd.core.provenance import provenance
from mrd.core.settings import Settings, stage_settings
from mrd.core.words import FAILED, FOLLOWED
from mrd.detect.device import choose_device, tensor
from mrd.detect.dfn import part_of, standing
from mrd.detect.frozen import laip_arrays
from mrd.detect.laip import Laip, Witness
from mrd.files.cells import read_cells
from mrd.files.layout import cells_path, laip_path, reference_folder
from mrd.files.ledger import remember, remembered
from mrd.files.models import LAIP_MODEL, write_model

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shown:
    """What a follow-up shows: its tube, the populations as a LAIP, and the cells that did not fit it."""

    tube: Mapping[str, Any]
    laip: Laip
    witness: Witness


def follows(settings: Settings) -> bool:
    """Whether follow-ups may teach: not with a frozen reference, where no call may hang on a later tube."""
    return settings.follow_found and not settings.reference


def followed_record(job: Run, tubes: Sequence[dict[str, Any]], banks: dict[str, Bank]) -> dict[str, Any]:
    """The record of the LAIP that a subject's follow-ups of one panel teach: remembered where nothing changed, else searched for.

    It has no rows where none of them shows a population, or where there is no other tube to look for it in.
    """
    name, subject = tubes[0]["panel"], tubes[0]["subject"]
    folder = reference_folder(job.results, job.settings.reference)
    path = laip_path(job.results / "laip", subject, name)
    reference = reference_record(folder, name)
    told = provenance(
        "laip",
        inputs={**{t["tube_id"]: t["artefact"] for t in tubes}, "reference": reference["artefact"]},
        settings=stage_settings(job.settings, "reference", "laip"),
    )
    record = remembered(path, digest_json(told))
    if record is not None:
        return record
    path.unlink(missing_ok=True)
    if reference["outcome"] == FAILED or len({t["visit"] for t in tubes}) < 2:
        return remember(path, digest_json(told), {"rows": [], "limits": []})
    log.info("laip %s from its follow-ups", subject)
    if name not in banks:
        banks[name] = read_bank(folder, name, choose_device(job.settings.device))
    shown = [s for t in tubes if (s := shown_in(job, t, banks[name])) is not None]
    if not shown:
        return remember(path, digest_json(told), {"rows": [], "limits": []})
    best = max(shown, key=lambda s: s.laip.share)
    return remember(path, digest_json(told), make_followed(job, best, banks[name], path, told))


def shown_in(job: Run, tube: dict[str, Any], bank: Bank) -> Shown | None:
    """The populations of a follow-up that differ from normal by themselves, if they are no handful."""
    settings, path = job.settings, cells_path(job.results, tube["tube_id"])
    most = max(settings.control_cells, settings.adapt_cells)  # the search takes no more
    cells = shuffled(read_cells(path), settings.seed, tube["tube_id"], most)
    likely = torch.from_numpy(cells.gates[bank.panel.laip_in]).to(bank.device)
    excess = search(tube["tube_id"], tensor(cells.values, bank.device), likely, bank, settings)
    chosen = None if excess is None else standing(excess, settings.dfn_ratio)
    if excess is None or chosen is None or not bool(chosen.any()):
        return None
    laip, witness = part_of(excess, chosen)
    return Shown(tube, laip, witness) if laip.share >= settings.followed_least else None


def make_followed(job: Run, shown: Shown, bank: Bank, path: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Calibrate and write what a follow-up shows as the LAIP of its subject."""
    tube, laip = shown.tube, shown.laip
    head = {"subject": tube["subject"], "panel": tube["panel"]}
    fitted = calibrate(laip_scorer(laip, shown.witness, bank), shown.witness, bank, job.settings, {**head, "arm": "laip"})
    whole = replace(fitted, recall=of_the_whole(fitted.recall))
    row = {**head, "tube_id": tube["tube_id"], "arm": "laip", **laip_columns(whole, laip, bank, FOLLOWED)}
    about = {
        **head,
        "tube_id": tube["tube_id"],
        "phenotype": row["phenotype"],
        "arms": [row],
        "provenance": {**told, "device": str(bank.device)},
    }
    write_model(path, *LAIP_MODEL, laip_arrays(laip), about)
    return {"rows": [row], "limits": fitted.limits}
