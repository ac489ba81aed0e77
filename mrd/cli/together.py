"""Follow-ups of a subject searched beside each other: what differs from normal at one visit, and hardly at others."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mrd.cli.arms import alone
from mrd.cli.bank import Bank, Banks, reference_record
from mrd.cli.memory import within_memory
from mrd.cli.run_options import Run
from mrd.cli.searches import bare, beside_each_other, forget_search, kept_search, remember_search, search, write_search
from mrd.cli.tubes import places_of, shuffled
from mrd.core.digest import digest_json
from mrd.core.provenance import provenance
from mrd.core.settings import Settings, stage_settings
from mrd.detect.align import Adapted
from mrd.detect.chunks import whole_ways
from mrd.detect.device import choose_device, tensor
from mrd.detect.dfn import Bare, Excess, Rare, pooled
from mrd.detect.far import furthest
from mrd.detect.frozen import laip_from
from mrd.detect.laip import Laip, align_tube
from mrd.detect.lost import carried_by, lost_stains
from mrd.files.cells import read_cells
from mrd.files.layout import cells_path, laip_path, search_path
from mrd.files.models import LAIP_MODEL, read_model

log = logging.getLogger(__name__)


class Laid(NamedTuple):
    """A tube laid bare for the search, and its normal marrow with the LAIP of the diagnosis beside it, where there is one."""

    bare: Bare
    aligned: Adapted | None


def search_led(job: Run, tubes: Sequence[dict[str, Any]], banks: Banks, taught: Mapping[str, Any]) -> None:
    """Search the follow-ups of a subject whose diagnosis taught a LAIP; nothing is done where nothing changed."""
    if not beside_each_other(tubes, job.settings):
        return forget_searches(job, tubes)
    subject, name, laip = tubes[0]["subject"], tubes[0]["panel"], taught["artefact"]
    reference = reference_record(banks.folder, name)
    told = provenance(
        "laip",
        inputs={**{t["tube_id"]: t["artefact"] for t in tubes}, "reference": reference["artefact"], "laip": laip},
        settings=stage_settings(job.settings, "reference", "laip"),
    )
    inputs = digest_json(told)
    if are_kept(job, tubes, reference, inputs, laip=laip):
        return None
    forget_searches(job, tubes)
    log.info("laip %s: its follow-ups beside each other", subject)
    arrays, _ = read_model(laip_path(job.results / "laip", subject, name), *LAIP_MODEL)
    within_memory(
        f"laip {subject}",
        whole_ways(choose_device(job.settings.device)),
        lambda way: search_together(job, tubes, banks.on(name, way.device), told, laip_from(arrays, way.device)),
    )
    remember_searches(job, tubes, reference, inputs, laip=laip)
    return None


def are_kept(job: Run, tubes: Sequence[Mapping[str, Any]], reference: Mapping[str, Any], inputs: str, *, laip: str = "") -> bool:
    """Whether what was found in every tube is kept as it was made from these inputs."""
    paths = [search_path(job.results / "laip", t["tube_id"]) for t in tubes]
    return all(kept_search(p, t, reference, laip=laip, inputs=inputs) for p, t in zip(paths, tubes, strict=True))


def remember_searches(
    job: Run, tubes: Sequence[Mapping[str, Any]], reference: Mapping[str, Any], inputs: str, *, laip: str = ""
) -> None:
    """Write the record of what was found in every tube."""
    for tube in tubes:
        remember_search(search_path(job.results / "laip", tube["tube_id"]), inputs, tube, reference, laip=laip)


def search_together(
    job: Run, tubes: Sequence[dict[str, Any]], bank: Bank, told: Mapping[str, Any], laip: Laip | None = None
) -> tuple[dict[str, Bare], dict[str, Excess | None]]:
    """Search every tube of a subject and write what was found; returns the tubes laid bare and the finds."""
    laid = {t["tube_id"]: laid_bare(job, t, bank, laip) for t in tubes}
    searched = {n: tube.bare for n, tube in laid.items()}
    found = search_all(job, tubes, searched, bank)
    for tube_id, excess in found.items():
        about = {"tube_id": tube_id, "provenance": {**told, "device": str(bank.device)}}
        write_search(search_path(job.results / "laip", tube_id), excess, about, aligned=laid[tube_id].aligned)
    return searched, found


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


def laid_bare(job: Run, tube: dict[str, Any], bank: Bank, laip: Laip | None = None) -> Laid:
    """A tube laid bare for the search, which takes no more cells than these."""
    settings, path = job.settings, cells_path(job.results, tube["tube_id"])
    cells = shuffled(read_cells(path), settings.seed, tube["tube_id"], max(settings.control_cells, settings.adapt_cells))
    values = tensor(cells.values, bank.device)
    aligned = align_tube(values, bank.reference.mixture, laip, settings, in_sample=False)
    laid = bare(values, places_of(cells, bank.panel, bank.device), bank, settings, adapted=alone(values, aligned, bank, settings))
    return Laid(laid, None if laip is None else aligned)


def forget_searches(job: Run, tubes: Sequence[Mapping[str, Any]]) -> None:
    """Remove what was found in tubes that are no longer searched beside each other."""
    for tube in tubes:
        forget_search(search_path(job.results / "laip", tube["tube_id"]))
