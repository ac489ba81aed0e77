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
from mrd.cli.searches import bare, beside_each_other, forget_search, kept_search, remember_search, search, write_search
from mrd.cli.tubes import places_of, shuffled
from mrd.core.digest import digest_json
from mrd.core.provenance import provenance
from mrd.core.settings import Settings, stage_settings
from mrd.core.words import FAILED, FOLLOWED
from mrd.detect.chunks import whole_ways
from mrd.detect.device import choose_device, tensor
from mrd.detect.dfn import Bare, Excess, Rare, part_of, pooled, standing
from mrd.detect.far import furthest
from mrd.detect.frozen import laip_arrays
from mrd.detect.laip import Laip, Witness
from mrd.detect.lost import carried_by, lost_stains
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
    inputs, record = digest_json(told), remembered(path, digest_json(told))
    if reference["outcome"] == FAILED or not beside_each_other(tubes, job.settings):
        forget(job, tubes, path)
        return remember(path, inputs, {"rows": [], "limits": []})
    searches = [search_path(job.results / "laip", t["tube_id"]) for t in tubes]
    if record is not None and all(kept_search(s, t, reference, inputs) for s, t in zip(searches, tubes, strict=True)):
        return record
    forget(job, tubes, path)
    log.info("laip %s from its follow-ups", subject)
    tries = whole_ways(choose_device(job.settings.device))
    taught = within_memory(
        f"laip {subject}", tries, lambda way: learn_followed(job, tubes, banks.on(name, way.device), path, told)
    )
    for search_file, tube in zip(searches, tubes, strict=True):
        remember_search(search_file, inputs, tube, reference)
    return remember(path, inputs, taught)


def learn_followed(job: Run, tubes: Sequence[dict[str, Any]], bank: Bank, path: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Search every tube of a subject and write what was found; returns the record of the LAIP that the richest teaches."""
    told, laid = {**told, "device": str(bank.device)}, {t["tube_id"]: laid_bare(job, t, bank) for t in tubes}
    found = search_all(job, tubes, laid, bank)
    for tube_id, excess in found.items():
        write_search(search_path(job.results / "laip", tube_id), excess, {"tube_id": tube_id, "provenance": told})
    near = [t for t in tubes if not is_far(laid[t["tube_id"]], bank, job.settings)]
    shown = [s for t in near if (s := shown_in(t, found[t["tube_id"]], job.settings)) is not None]
    if not shown:
        return {"rows": [], "limits": []}
    return make_followed(job, max(shown, key=lambda s: s.laip.share), bank, path, told)


def forget(job: Run, tubes: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Remove what follow-ups taught earlier, and what was found in them."""
    path.unlink(missing_ok=True)
    forget_searches(job, tubes)


def forget_searches(job: Run, tubes: Sequence[Mapping[str, Any]]) -> None:
    """Remove what was found in tubes that are no longer searched beside each other."""
    for tube in tubes:
        forget_search(search_path(job.results / "laip", tube["tube_id"]))


def search_all(job: Run, tubes: Sequence[dict[str, Any]], laid: Mapping[str, Bare], bank: Bank) -> dict[str, Excess | None]:
    """What differs from normal in each tube of a subject, its other visits standing beside the controls."""
    fit, found = comparable(tubes, laid, bank, job.settings), {}
    for tube in tubes:
        visits: dict[str, list[Rare]] = {}
        for other in fit:
            if other["visit"] != tube["visit"] and other["specimen_type"] == tube["specimen_type"]:
                visits.setdefault(other["visit"], []).append(laid[other["tube_id"]].rare)
        beside = [pooled(v) for v in visits.values()]
        found[tube["tube_id"]] = search(tube["tube_id"], laid[tube["tube_id"]], bank, job.settings, visits=beside)
    return found


def comparable(tubes: Sequence[dict[str, Any]], laid: Mapping[str, Bare], bank: Bank, settings: Settings) -> list[dict[str, Any]]:
    """Tubes that can tell what another visit lacks: near the reference, and with no stain lost."""
    carried = carried_by([c - a.shift for c, a in zip(bank.cells, bank.adapted, strict=True)])

    def fit(bare_tube: Bare) -> bool:
        names, roles = bank.panel.model_channels, bank.panel.model_roles
        return not (is_far(bare_tube, bank, settings) or lost_stains(bare_tube.cells, bare_tube.adapted, carried, names, roles))

    return [t for t in tubes if fit(laid[t["tube_id"]])]


def is_far(bare_tube: Bare, bank: Bank, settings: Settings) -> bool:
    """Whether a tube lies beyond the limit, where no arm tells anything of it."""
    shifts = [a.shift for a in bank.adapted]
    return (
        furthest(bare_tube.adapted.shift, shifts, bank.panel.model_channels, bank.panel.model_roles).distance > settings.far_limit
    )


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
