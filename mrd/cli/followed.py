"""LAIPs of subjects without a diagnosis tube: what one follow-up shows to differ from normal, to be followed in the others."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mrd.cli.arms import added, of_the_whole
from mrd.cli.bank import Bank, Banks, reference_record
from mrd.cli.calibrate import calibrate, laip_columns, laip_scorer
from mrd.cli.memory import within_memory
from mrd.cli.run_options import Run
from mrd.cli.searches import searched_beside
from mrd.cli.together import (
    forget_searches,
    is_far,
    is_kept,
    made_from,
    remember_searches,
    search_together,
    told_of,
)
from mrd.core.digest import digest_json
from mrd.core.settings import Settings
from mrd.core.words import FOLLOWED
from mrd.detect.chunks import BY_CHUNK, Chunks, whole_ways
from mrd.detect.device import choose_device
from mrd.detect.dfn import Excess, part_of, standing
from mrd.detect.frozen import laip_arrays
from mrd.detect.laip import Laip, Witness
from mrd.files.layout import laip_path
from mrd.files.ledger import remember, remembered
from mrd.files.models import LAIP_MODEL, write_model

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shown:
    """What a follow-up shows: its tube, the populations as a LAIP, and the cells that did not fit it."""

    tube: Mapping[str, Any]
    laip: Laip
    witness: Witness


def followed_record(job: Run, tubes: Sequence[dict[str, Any]], banks: Banks) -> dict[str, Any]:
    """The record of the LAIP that a subject's follow-ups of one panel teach: remembered where nothing changed, else searched for.

    It has no rows where none of them shows a population, or where there is no other visit to look for it at. What the
    search found in every tube is kept for the detect stage.
    """
    name, subject = tubes[0]["panel"], tubes[0]["subject"]
    path = laip_path(job.results / "laip", subject, name)
    reference = reference_record(banks.folder, name)
    told, searches = made_from(job, tubes, reference), {t["tube_id"]: told_of(job, t, tubes, reference) for t in tubes}
    inputs, record = digest_json(told), remembered(path, digest_json(told))
    if not searched_beside(job, tubes, banks):
        forget(job, tubes, path)
        return remember(path, inputs, {"rows": [], "limits": []})
    if record is not None and all(is_kept(job, t, reference, searches[t["tube_id"]]) for t in tubes):
        return record
    forget(job, tubes, path)
    log.info("laip %s from its follow-ups", subject)
    tries = whole_ways(choose_device(job.settings.device))
    taught = within_memory(
        f"laip {subject}",
        tries,
        lambda way: learn_followed(job, tubes, banks.on(name, way.device), path, told=told, searches=searches, by=way.chunks),
    )
    remember_searches(job, tubes, reference, searches)
    return remember(path, inputs, taught)


def learn_followed(
    job: Run,
    tubes: Sequence[dict[str, Any]],
    bank: Bank,
    path: Path,
    *,
    told: dict[str, Any],
    searches: Mapping[str, Mapping[str, Any]],
    by: Chunks = BY_CHUNK,
) -> dict[str, Any]:
    """Search every tube of a subject and write what was found; returns the record of the LAIP that the richest teaches.

    told, searches : what the LAIP, and by tube its search, are made from
    """
    laid, found = search_together(job, tubes, bank, searches, by=by)
    near = [t for t in tubes if not is_far(laid[t["tube_id"]], bank, job.settings)]
    shown = [s for t in near if (s := shown_in(t, found[t["tube_id"]], job.settings, by)) is not None]
    if not shown:
        return {"rows": [], "limits": []}
    return make_followed(job, max(shown, key=lambda s: s.laip.share), bank, path, told, by=by)


def forget(job: Run, tubes: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Remove what follow-ups taught earlier, and what was found in them."""
    path.unlink(missing_ok=True)
    forget_searches(job, tubes)


def shown_in(tube: dict[str, Any], excess: Excess | None, settings: Settings, by: Chunks = BY_CHUNK) -> Shown | None:
    """The populations of a follow-up that differ from normal by themselves, if they are no handful."""
    chosen = None if excess is None else standing(excess, settings.dfn_ratio)
    if excess is None or chosen is None or not bool(chosen.any()):
        return None
    laip, witness = part_of(excess, chosen, by)
    return Shown(tube, laip, witness) if laip.share >= settings.followed_least else None


def make_followed(
    job: Run, shown: Shown, bank: Bank, path: Path, told: dict[str, Any], *, by: Chunks = BY_CHUNK
) -> dict[str, Any]:
    """Calibrate and write what a follow-up shows as the LAIP of its subject."""
    tube, laip = shown.tube, shown.laip
    head = {"subject": tube["subject"], "panel": tube["panel"]}
    fitted = calibrate(laip_scorer(laip, shown.witness, bank, by), shown.witness, bank, job.settings, {**head, "arm": "laip"})
    limits = [{**r, **added(r, n)} for r, n in zip(fitted.limits, bank.changed, strict=True)]
    whole = replace(fitted, recall=of_the_whole(fitted.recall), limits=limits)
    row = {**head, "tube_id": tube["tube_id"], "arm": "laip", **laip_columns(whole, laip, bank, FOLLOWED)}
    about = {
        **head,
        "tube_id": tube["tube_id"],
        "phenotype": row["phenotype"],
        "arms": [row],
        "provenance": {**told, "device": str(bank.device)},
    }
    write_model(path, *LAIP_MODEL, laip_arrays(laip), about)
    return {"rows": [row], "limits": whole.limits}
