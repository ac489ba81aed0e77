"""Follow-ups of a subject searched beside each other: what differs from normal at one visit, and hardly at others."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mrd.cli.arms import alone
from mrd.cli.bank import Bank, Banks, reference_record
from mrd.cli.memory import within_memory
from mrd.cli.run_options import Run
from mrd.cli.searches import (
    bare,
    forget_search,
    kept_search,
    remember_search,
    search,
    searched_beside,
    stands_beside,
    write_search,
)
from mrd.cli.tubes import places_of, shuffled
from mrd.core.digest import digest_json
from mrd.core.provenance import provenance
from mrd.core.settings import Settings, stage_settings
from mrd.detect.align import Adapted
from mrd.detect.chunks import BY_CHUNK, Chunks, whole_ways
from mrd.detect.device import choose_device, tensor
from mrd.detect.dfn import Bare, Excess
from mrd.detect.far import furthest
from mrd.detect.frozen import laip_from
from mrd.detect.judge import Rare, pooled
from mrd.detect.laip import Laip, align_tube
from mrd.detect.lost import carried_by, lost_stains
from mrd.files.cells import read_cells
from mrd.files.layout import cells_path, find_laip, search_path
from mrd.files.models import LAIP_MODEL, read_model

log = logging.getLogger(__name__)


class Laid(NamedTuple):
    """A tube laid bare for the search, and its normal marrow with the LAIP of the diagnosis beside it, where there is one."""

    bare: Bare
    aligned: Adapted | None


def search_follow_ups(job: Run, tubes: Sequence[dict[str, Any]], banks: Banks, taught: Mapping[str, Any] | None = None) -> None:
    """Search the follow-ups of a subject and panel beside each other, and beside the LAIP that its diagnosis taught.

    What a frozen folder keeps, or was made from the same inputs, is not searched for again.
    """
    if not tubes:
        return
    name, laip = tubes[0]["panel"], "" if taught is None else taught["artefact"]
    reference = reference_record(banks.folder, name)
    own = [t for t in searched_beside(job, tubes, banks) if not is_frozen(job, t, reference, laip=laip)]
    told = {t["tube_id"]: told_of(job, t, tubes, reference, laip=laip) for t in own}
    wanted = {t["tube_id"]: told[t["tube_id"]] for t in own if not is_kept(job, t, reference, told[t["tube_id"]], laip=laip)}
    forget_searches(job, [t for t in tubes if t["tube_id"] in wanted or t["tube_id"] not in told])
    if not wanted:
        return
    log.info("laip %s: its follow-ups beside each other", tubes[0]["subject"])
    arrays = None if taught is None else read_model(laip_of(job, tubes[0]), *LAIP_MODEL)[0]
    within_memory(
        f"laip {tubes[0]['subject']}",
        whole_ways(choose_device(job.settings.device)),
        lambda way: search_together(
            job,
            tubes,
            banks.on(name, way.device),
            wanted,
            None if arrays is None else laip_from(arrays, way.device),
            by=way.chunks,
        ),
    )
    remember_searches(job, tubes, reference, wanted, laip=laip)


def laip_of(job: Run, tube: Mapping[str, Any]) -> Path:
    """Where the LAIP of a tube's subject and panel lies."""
    return find_laip(job.results, job.settings.laip_folder, tube["subject"], tube["panel"])


def is_frozen(job: Run, tube: Mapping[str, Any], reference: Mapping[str, Any], *, laip: str = "") -> bool:
    """Whether a frozen folder keeps what was found in a tube."""
    frozen = job.settings.laip_folder
    return bool(frozen) and kept_search(search_path(Path(frozen), tube["tube_id"]), tube, reference, laip=laip) is not None


def told_of(
    job: Run, tube: Mapping[str, Any], tubes: Sequence[Mapping[str, Any]], reference: Mapping[str, Any], *, laip: str = ""
) -> dict[str, Any]:
    """What the search of a tube is made from: it and the tubes that stand beside it, reference and LAIP."""
    beside = [t for t in tubes if t["tube_id"] == tube["tube_id"] or stands_beside(t, tube, job.settings)]
    return made_from(job, beside, reference, laip=laip)


def made_from(job: Run, tubes: Sequence[Mapping[str, Any]], reference: Mapping[str, Any], *, laip: str = "") -> dict[str, Any]:
    """Provenance of what is made from tubes of a subject, a reference and, where there is one, a LAIP."""
    inputs = {**{t["tube_id"]: t["artefact"] for t in tubes}, "reference": reference["artefact"]}
    inputs |= {"laip": laip} if laip else {}
    return provenance("laip", inputs=inputs, settings=stage_settings(job.settings, "reference", "laip"))


def is_kept(job: Run, tube: Mapping[str, Any], reference: Mapping[str, Any], told: Mapping[str, Any], *, laip: str = "") -> bool:
    """Whether what was found in a tube is kept as it was made from these inputs."""
    path = search_path(job.results / "laip", tube["tube_id"])
    return kept_search(path, tube, reference, laip=laip, inputs=digest_json(told)) is not None


def remember_searches(
    job: Run,
    tubes: Sequence[Mapping[str, Any]],
    reference: Mapping[str, Any],
    told: Mapping[str, Mapping[str, Any]],
    *,
    laip: str = "",
) -> None:
    """Write the record of what was found in every tube that was searched, by what each search was made from."""
    for tube in (t for t in tubes if t["tube_id"] in told):
        path = search_path(job.results / "laip", tube["tube_id"])
        remember_search(path, digest_json(told[tube["tube_id"]]), tube, reference, laip=laip)


def search_together(
    job: Run,
    tubes: Sequence[dict[str, Any]],
    bank: Bank,
    told: Mapping[str, Mapping[str, Any]],
    laip: Laip | None = None,
    *,
    by: Chunks = BY_CHUNK,
) -> tuple[dict[str, Bare], dict[str, Excess | None]]:
    """Search tubes of a subject and write what was found; returns the tubes laid bare and the finds.

    told : by tube, what its search is made from; the others are laid bare where one of these stands beside them
    """
    wanted = [t for t in tubes if t["tube_id"] in told]
    needed = [t for t in tubes if t in wanted or any(stands_beside(t, w, job.settings) for w in wanted)]
    laid = {t["tube_id"]: laid_bare(job, t, bank, laip, by=by) for t in needed}
    searched = {n: tube.bare for n, tube in laid.items()}
    found = search_all(job, wanted, needed, searched, bank, by=by)
    for tube_id, excess in found.items():
        about = {"tube_id": tube_id, "provenance": {**told[tube_id], "device": str(bank.device)}}
        write_search(search_path(job.results / "laip", tube_id), excess, about, aligned=laid[tube_id].aligned)
    return searched, found


def search_all(
    job: Run,
    wanted: Sequence[dict[str, Any]],
    tubes: Sequence[dict[str, Any]],
    laid: Mapping[str, Bare],
    bank: Bank,
    *,
    by: Chunks = BY_CHUNK,
) -> dict[str, Excess | None]:
    """What differs from normal in each wanted tube of a subject, its other visits standing beside the controls."""
    fit, found = comparable(tubes, laid, bank, job.settings), {}
    for tube in wanted:
        visits: dict[str, list[Rare]] = {}
        for other in fit:
            if stands_beside(other, tube, job.settings):
                visits.setdefault(other["visit"], []).append(laid[other["tube_id"]].rare)
        beside = [pooled(v) for v in visits.values()]
        found[tube["tube_id"]] = search(tube["tube_id"], laid[tube["tube_id"]], bank, job.settings, visits=beside, by=by)
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


def laid_bare(job: Run, tube: dict[str, Any], bank: Bank, laip: Laip | None = None, *, by: Chunks = BY_CHUNK) -> Laid:
    """A tube laid bare for the search, which takes no more cells than these."""
    settings, path = job.settings, cells_path(job.results, tube["tube_id"])
    cells = shuffled(read_cells(path), settings.seed, tube["tube_id"], max(settings.control_cells, settings.adapt_cells))
    values = tensor(cells.values, bank.device)
    aligned = align_tube(values, bank.reference.mixture, laip, settings, in_sample=False, by=by)
    by_itself = alone(values, aligned, bank, settings, by)
    laid = bare(values, places_of(cells, bank.panel, bank.device), bank, settings, adapted=by_itself, by=by)
    return Laid(laid, None if laip is None else aligned)


def forget_searches(job: Run, tubes: Sequence[Mapping[str, Any]]) -> None:
    """Remove what was found in tubes that are no longer searched beside each other; what is frozen stays."""
    folder, frozen = job.results / "laip", job.settings.laip_folder
    if frozen and Path(frozen).resolve() == folder.resolve():
        return
    for tube in tubes:
        forget_search(search_path(folder, tube["tube_id"]))
