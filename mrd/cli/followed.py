"""LAIPs of subjects without a diagnosis tube: what one follow-up shows to differ from normal, to be followed in the others."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mrd.cli.arms import of_the_whole
from mrd.cli.bank import Bank, Banks, reference_record
from mrd.cli.calibrate import calibrate, laip_columns, laip_scorer
from mrd.cli.memory import within_memory
from mrd.cli.run_options import Run
from mrd.cli.searches import bare, forget_search, search, write_search
from mrd.cli.tubes import places_of, shuffled
from mrd.core.digest import digest_json
from mrd.core.provenance import provenance
from mrd.core.settings import Settings, stage_settings
from mrd.core.words import FAILED, FOLLOWED
from mrd.detect.chunks import whole_ways
from mrd.detect.device import choose_device, tensor
from mrd.detect.dfn import Bare, Excess, part_of, standing
from mrd.detect.frozen import laip_arrays
from mrd.detect.laip import Laip, Witness
from mrd.files.cells import read_cells
from mrd.files.layout import cells_path, laip_path, search_path
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


def followed_record(job: Run, tubes: Sequence[dict[str, Any]], banks: Banks) -> dict[str, Any]:
    """The record of the LAIP that a subject's follow-ups of one panel teach: remembered where nothing changed, else searched for.

    It has no rows where none of them shows a population, or where there is no other visit to look for it at. What the
    search found in every tube is kept for the detect stage.
    """
    name, subject = tubes[0]["panel"], tubes[0]["subject"]
    path = laip_path(job.results / "laip", subject, name)
    reference = reference_record(banks.folder, name)
    told = provenance(
        "laip",
        inputs={**{t["tube_id"]: t["artefact"] for t in tubes}, "reference": reference["artefact"]},
        settings=stage_settings(job.settings, "reference", "laip"),
    )
    alone = reference["outcome"] == FAILED or len({t["visit"] for t in tubes}) < 2
    searches = {} if alone else {t["tube_id"]: search_path(job.results, t["tube_id"]) for t in tubes}
    record = remembered(path, digest_json(told))
    if record is not None and all(remembered(s, digest_json(told)) for s in searches.values()):
        return record
    forget(job, tubes, path)
    if alone:
        return remember(path, digest_json(told), {"rows": [], "limits": []})
    log.info("laip %s from its follow-ups", subject)
    tries = whole_ways(choose_device(job.settings.device))
    found, taught = within_memory(
        f"laip {subject}", tries, lambda way: learn_followed(job, tubes, banks.on(name, way.device), path, told)
    )
    for tube_id, excess in found.items():
        write_search(searches[tube_id], excess, {"tube_id": tube_id, "provenance": told})
        remember(searches[tube_id], digest_json(told), {})
    return remember(path, digest_json(told), taught)


def learn_followed(
    job: Run, tubes: Sequence[dict[str, Any]], bank: Bank, path: Path, told: dict[str, Any]
) -> tuple[dict[str, Excess | None], dict[str, Any]]:
    """What the search finds in each tube of a subject, and the rows of the LAIP that the richest teaches."""
    found = search_all(job, tubes, bank)
    shown = [s for t in tubes if (s := shown_in(t, found[t["tube_id"]], job.settings)) is not None]
    if not shown:
        return found, {"rows": [], "limits": []}
    best = max(shown, key=lambda s: s.laip.share)
    return found, make_followed(job, best, bank, path, told)


def forget(job: Run, tubes: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Remove what follow-ups taught earlier, and what was found in them."""
    path.unlink(missing_ok=True)
    forget_searches(job, tubes)


def forget_searches(job: Run, tubes: Sequence[Mapping[str, Any]]) -> None:
    """Remove what was found in tubes that are no longer searched beside each other."""
    for tube in tubes:
        forget_search(search_path(job.results, tube["tube_id"]))


def search_all(job: Run, tubes: Sequence[dict[str, Any]], bank: Bank) -> dict[str, Excess | None]:
    """What differs from normal in each tube of a subject, its other visits standing beside the controls."""
    laid = {t["tube_id"]: laid_bare(job, t, bank) for t in tubes}
    found = {}
    for tube in tubes:
        visits = [laid[t["tube_id"]].rare for t in tubes if t["visit"] != tube["visit"]]
        found[tube["tube_id"]] = search(tube["tube_id"], laid[tube["tube_id"]], bank, job.settings, visits=visits)
    return found


def laid_bare(job: Run, tube: dict[str, Any], bank: Bank) -> Bare:
    """A tube laid bare for the search, which takes no more cells than these."""
    settings, path = job.settings, cells_path(job.results, tube["tube_id"])
    cells = shuffled(read_cells(path), settings.seed, tube["tube_id"], max(settings.control_cells, settings.adapt_cells))
    return bare(tensor(cells.values, bank.device), places_of(cells, bank.panel, bank.device), bank, settings)


def shown_in(tube: dict[str, Any], excess: Excess | None, settings: Settings) -> Shown | None:
    """The populations of a follow-up that differ from normal by themselves, if they are no handful."""
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
