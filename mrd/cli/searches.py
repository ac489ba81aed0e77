"""The search for what differs from normal, in a tube by itself or beside the subject's other visits, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from mrd.cli.bank import Bank, Banks, reference_record
from mrd.cli.run_options import Run
from mrd.core.seeds import generator
from mrd.core.settings import Settings
from mrd.core.words import FAILED, FOLLOWED, OK, split_flags
from mrd.detect.align import Adapted
from mrd.detect.chunks import BY_CHUNK, Chunks
from mrd.detect.dfn import Bare, Excess, Searched, find_excess, lay_bare, told_by
from mrd.detect.frozen import adapted_arrays, adapted_from, laip_arrays, laip_from, mixture_arrays, mixture_from
from mrd.detect.judge import Cluster, Others, Rare
from mrd.detect.laip import Places
from mrd.detect.mixture import log_density
from mrd.files.layout import laip_path, search_path
from mrd.files.ledger import record_path, recorded, remember, remembered
from mrd.files.models import SEARCH_MODEL, read_model, write_model

JUDGED = ("found", "background", "ratio", "likely", "possible", "change")
"""What is kept of each accepted cluster beside its component."""


@dataclass(frozen=True)
class Kept:
    """What the search of a tube beside the subject's other visits found: an excess, or nothing.

    aligned : the tube's normal marrow beside the LAIP of the diagnosis, where that was known
    """

    excess: Excess | None
    aligned: Adapted | None = None


def bare(
    values: Tensor, places: Places, bank: Bank, settings: Settings, *, adapted: Adapted | None = None, by: Chunks = BY_CHUNK
) -> Bare:
    """A tube laid bare for the search; `adapted` is its normal marrow with no leukaemia beside it, where that is known."""
    return lay_bare(values, places, bank.reference, level=bank.level, settings=settings, adapted=adapted, by=by)


def search(
    tube: str, laid: Bare, bank: Bank, settings: Settings, *, visits: Sequence[Rare] = (), by: Chunks = BY_CHUNK
) -> Excess | None:
    """What differs from normal in a tube, and, where there are other visits of the subject, from those."""
    rng = generator(settings.seed, "dfn", tube)
    return find_excess(laid, bank.reference, Others(bank.rare, visits), settings=settings, rng=rng, by=by)


def write_search(path: Path, excess: Excess | None, about: dict[str, Any], *, aligned: Adapted | None = None) -> None:
    """Keep what a search found, or that it found nothing."""
    arrays = {} if aligned is None else adapted_arrays(aligned, "aligned_")
    if excess is not None:
        arrays |= {**laip_arrays(excess.laip), **adapted_arrays(excess.adapted, "adapted_")}
        for i, cluster in enumerate(excess.clusters):
            arrays |= mixture_arrays(cluster.mixture, f"cluster_{i}_")
        arrays |= {n: np.array([getattr(c, n) for c in excess.clusters], dtype=np.float64) for n in JUDGED}
    write_model(path, *SEARCH_MODEL, arrays, {**about, "clusters": 0 if excess is None else len(excess.clusters)})


def read_search(path: Path, values: Tensor, settings: Settings, by: Chunks = BY_CHUNK) -> Kept:
    """What a search found, told of the same cells in the same order."""
    arrays, about = read_model(path, *SEARCH_MODEL)
    device, cells = values.device, values[: settings.control_cells]
    aligned = adapted_from(arrays, device, "aligned_") if "aligned_shift" in arrays else None
    if not about["clusters"]:
        return Kept(None, aligned)
    adapted = adapted_from(arrays, device, "adapted_")
    judged = zip(*(arrays[n].tolist() for n in JUDGED), strict=True)
    clusters = [
        Cluster(mixture_from(arrays, device, f"cluster_{i}_"), int(found), *rest) for i, (found, *rest) in enumerate(judged)
    ]
    seen = Searched(cells, log_density(cells, adapted.mixture, by))
    return Kept(told_by(laip_from(arrays, device), clusters, adapted, seen, by), aligned)


def remember_search(path: Path, inputs: str, tube: Mapping[str, Any], reference: Mapping[str, Any], *, laip: str = "") -> None:
    """Write the record of a search: it is told of these very cells, by this very reference, beside this very LAIP or none."""
    remember(path, inputs, {"cells": tube["artefact"], "reference": reference["artefact"], "laip": laip})


def kept_search(
    path: Path, tube: Mapping[str, Any], reference: Mapping[str, Any], *, laip: str = "", inputs: str | None = None
) -> dict[str, Any] | None:
    """The record of a search of these cells by this reference and LAIP (from these inputs), if it is whole; else None."""
    record = recorded(path) if inputs is None else remembered(path, inputs)
    made = {"cells": tube["artefact"], "reference": reference["artefact"], "laip": laip}
    return record if record is not None and made.items() <= {"laip": "", **record}.items() else None


def forget_search(path: Path) -> None:
    """Remove a search that is no longer asked for, with its record."""
    path.unlink(missing_ok=True)
    record_path(path).unlink(missing_ok=True)


def follows(settings: Settings) -> bool:
    """Whether follow-ups may teach: not with a frozen reference, where no call may hang on a later tube."""
    return settings.follow_found and not settings.reference


def may_search_beside(job: Run, panel: str, banks: Banks) -> bool:
    """Whether tubes of a panel may be searched beside other visits: not where nobody knows what that finds in the controls."""
    known = job.settings.follow_found and reference_record(banks.folder, panel)["outcome"] != FAILED
    return known and banks.tells_changed(panel)


def searched_beside(job: Run, tubes: Sequence[dict[str, Any]], banks: Banks) -> list[dict[str, Any]]:
    """Those of a subject's follow-ups of one panel that are searched beside its other visits.

    None are beside a LAIP that is frozen where the reference is not: it was learned by another one.
    """
    if not tubes or not may_search_beside(job, tubes[0]["panel"], banks):
        return []
    if not job.settings.reference and frozen_record(job, tubes[0]["subject"], tubes[0]["panel"]) is not None:
        return []
    return [t for t in tubes if any(stands_beside(o, t, job.settings) for o in tubes)]


def stands_beside(other: Mapping[str, Any], tube: Mapping[str, Any], settings: Settings) -> bool:
    """Whether a tube is searched beside another: like specimen, another visit, and with a frozen reference an earlier one."""
    alike = other["visit"] != tube["visit"] and other["specimen_type"] == tube["specimen_type"]
    return bool(alike and (not settings.reference or other["collected"] < tube["collected"]))


def frozen_record(job: Run, subject: str, panel: str) -> dict[str, Any] | None:
    """The record of a frozen LAIP, where the given folder has one; one of follow-ups that taught nothing is none."""
    if not job.settings.laip_folder:
        return None
    record = recorded(laip_path(Path(job.settings.laip_folder), subject, panel))
    return record if record is not None and record["rows"] else None


def is_led(laip: Mapping[str, Any]) -> bool:
    """Whether the LAIP of a row is one that a diagnosis taught."""
    return laip["outcome"] == OK and FOLLOWED not in split_flags(laip["flags"])


def find_search(
    job: Run, tube: Mapping[str, Any], reference: Mapping[str, Any], *, laip: str = ""
) -> tuple[Path, dict[str, Any]] | None:
    """What the search of these cells by this reference and LAIP found, with its record: the frozen one, else the run's own."""
    frozen = job.settings.laip_folder
    for folder in ([Path(frozen)] if frozen else []) + [job.results / "laip"]:
        path = search_path(folder, tube["tube_id"])
        record = kept_search(path, tube, reference, laip=laip)
        if record is not None:
            return path, record
    return None
