"""The arms: each looks for leukaemia in one tube in its own way, and says what it found in the same words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrd.cli.bank import Bank
from mrd.cli.calibrate import calibrate, laip_scorer
from mrd.cli.drawn import ARM as DRAWN
from mrd.cli.searches import Kept, bare, search
from mrd.core.errors import FileError, PanelError
from mrd.core.settings import Settings
from mrd.core.words import CLEAR, FAILED, FOLLOWED, NEW, OK, SURELY_CHANGED, join_flags, split_flags
from mrd.detect.align import Adapted, adapt, adapt_alone
from mrd.detect.chunks import BY_CHUNK, Chunks
from mrd.detect.dfn import Excess, group_components
from mrd.detect.judge import Cluster
from mrd.detect.laip import Laip, Places, align_tube, score_laip
from mrd.detect.learned import Classifier, score_learned
from mrd.detect.mixture import Mixture, component_logs, log_density
from mrd.detect.phenotype import differences, phenotype
from mrd.detect.reference import prior_of
from mrd.quantify.burden import Recall

WHOLE = Recall(0.8, 0.2)
"""Assumed share of a leukaemia's cells in the populations that the search finds of it: seldom all, seldom under half."""
FIRST_FOLLOWED = 101
"""Number of the first population of a LAIP that a follow-up taught: those that the tube's own search finds come before."""
BLANK_RECALL_ERROR = 0.15
"""Uncertainty of the recall of a leukaemia that was not found: it may be of any kind."""


@dataclass(frozen=True)
class Look:
    """One tube under the detectors: its row, its cells (n, d) in random order, which lie where leukaemia is looked for.

    laip, classifier : what the subject's diagnosis taught, or None · taught : the LAIPS rows of the subject by arm
    drawn : which cells lie inside the LAIP that the lab drew, given the tube's shift; None where it drew none to count by
    kept : what the search beside the subject's other visits found, where it was made
    """

    tube: Mapping[str, Any]
    values: Tensor
    places: Places
    leukocytes: NDArray[np.bool_]
    laip: Laip | None
    classifier: Classifier | None
    drawn: Callable[[NDArray[np.float32]], NDArray[np.bool_]] | None
    kept: Kept | None
    taught: Mapping[str, Mapping[str, Any]]
    bank: Bank
    settings: Settings
    by: Chunks = BY_CHUNK

    @property
    def head(self) -> dict[str, Any]:
        """The columns that begin every row of this tube."""
        return {"subject": self.tube["subject"], "panel": self.tube["panel"]}


@dataclass(frozen=True)
class Sight:
    """What an arm saw in a tube: its burdens columns, and where it applied the score and verdict of every cell (n,).

    cluster : number of each cell's population, 0 for none · limits, clusters : rows of those tables
    """

    row: dict[str, Any]
    scores: NDArray[np.float32] | None = None
    found: NDArray[np.bool_] | None = None
    cluster: NDArray[np.int16] | None = None
    limits: list[dict[str, Any]] = field(default_factory=list)
    clusters: list[dict[str, Any]] = field(default_factory=list)


def align(look: Look) -> Adapted:
    """The tube's own normal marrow, the LAIP taking part where there is one; known where follow-ups were searched together."""
    if look.kept is not None and look.kept.aligned is not None:
        return look.kept.aligned
    in_sample = look.tube["role"] == "diagnosis"
    return align_tube(look.values, look.bank.reference.mixture, look.laip, look.settings, in_sample=in_sample, by=look.by)


def see_laip(look: Look, adapted: Adapted) -> Sight:
    """Cells with the phenotype that the diagnosis showed."""
    if look.laip is None:
        return _idle(look, "laip")
    sight = _counted(look, "laip", laip_scores(look, look.laip, adapted))
    if FOLLOWED not in split_flags(look.taught["laip"]["flags"]) or sight.found is None:
        return sight
    cluster, clusters = name_populations(look, "laip", look.laip.mixture, adapted.shift, sight.found, first=FIRST_FOLLOWED)
    return replace(sight, cluster=cluster, clusters=[r for r in clusters if r["n_cells"]])


def laip_scores(look: Look, laip: Laip, own: Adapted) -> NDArray[np.float32]:
    """Score of every cell of a tube beside its own normal marrow, (n,)."""
    normal = log_density(look.values, own.mixture, look.by)
    scores: NDArray[np.float32] = score_laip(look.values, laip, own.shift, normal, look.by).cpu().numpy()
    return scores


def see_learned(look: Look, adapted: Adapted) -> Sight:
    """Cells that the subject's classifier takes for leukaemic."""
    if look.classifier is None:
        return _idle(look, "learned")
    return _counted(look, "learned", score_learned(look.values, look.classifier, adapted.shift, look.by).cpu().numpy())


def see_dfn(look: Look, adapted: Adapted) -> Sight:
    """Cells of populations that normal marrow does not have, whatever the diagnosis showed."""
    bank, tube = look.bank, str(look.tube["tube_id"])
    excess, blanks = found_in(look, adapted)
    head = {**look.head, "arm": "dfn", "tube_id": tube}
    least = bank.kind_cells / max(min(int(look.leukocytes.sum()), int(np.median(bank.totals))), 1)
    if excess is None:
        nothing = {"n_found": 0, "recall": bank.kind_recall, "recall_se": BLANK_RECALL_ERROR, "least_lod": min(least, 1.0)}
        return Sight(_row(look, nothing, None), limits=[{**head, **b} for b in blank_rows(bank, blanks)])
    fitted = calibrate(laip_scorer(excess.laip, excess.witness, bank, look.by), excess.witness, bank, look.settings, head)
    own = settle(excess, look)
    scores = laip_scores(look, excess.laip, own)
    found, recall = scores > fitted.cut, of_the_whole(fitted.recall)
    row = {
        "n_found": int(found.sum()),
        "recall": recall.value,
        "recall_se": recall.error,
        "least_lod": min(least, 1.0),
        "flags": join_flags(flags_of(excess, look.settings.dfn_clear)),
    }
    limits = [{**r, **added(r, n)} for r, n in zip(fitted.limits, blanks, strict=True)]
    cluster, clusters = name_populations(look, "dfn", excess.laip.mixture, own.shift, found)
    columns = judged_columns(excess)
    clusters = [{**r, **columns[r["cluster"]]} for r in clusters]
    return Sight(_row(look, row, found), scores, found, cluster, limits, clusters)


def flags_of(excess: Excess, clear: float) -> list[str]:
    """Whether something is clearly different, whether most of it is new, and whether it has surely changed."""
    told = {CLEAR: excess.strength >= clear, NEW: excess.is_new(clear), SURELY_CHANGED: excess.has_changed(clear)}
    return [flag for flag, holds in told.items() if holds]


def found_in(look: Look, adapted: Adapted) -> tuple[Excess | None, list[int]]:
    """What differs from normal in a tube, kept or searched for now, and what the same search finds in each control."""
    if look.kept is not None:
        return look.kept.excess, look.bank.changed
    laid = bare(look.values, look.places, look.bank, look.settings, adapted=undisturbed(look, adapted), by=look.by)
    return search(str(look.tube["tube_id"]), laid, look.bank, look.settings, by=look.by), look.bank.blanks


def undisturbed(look: Look, adapted: Adapted) -> Adapted | None:
    """The tube's normal marrow with no leukaemia beside it; None at diagnosis, where it was held firm."""
    if look.laip is not None and look.tube["role"] == "diagnosis":
        return None
    return alone(look.values, adapted, look.bank, look.settings, look.by)


def alone(values: Tensor, beside: Adapted, bank: Bank, settings: Settings, by: Chunks = BY_CHUNK) -> Adapted:
    """A tube's normal marrow with no leukaemia beside it, led on from the one with a LAIP beside it."""
    few = values[: settings.adapt_cells]
    return adapt_alone(few, bank.reference.mixture, prior_of(settings), beside, by=by)


def of_the_whole(found: Recall) -> Recall:
    """Share of the leukaemia's cells that is told, not only of the populations that were found of it."""
    return Recall(found.value * WHOLE.value, float(np.hypot(found.error * WHOLE.value, found.value * WHOLE.error)))


def settle(excess: Excess, look: Look) -> Adapted:
    """The tube's normal marrow beside the populations as they came out in the end."""
    few, prior = look.values[: look.settings.adapt_cells], prior_of(look.settings)
    reference, laip = look.bank.reference.mixture, excess.laip
    return adapt(few, reference, prior, leukaemic=laip.mixture, share=laip.share, start=excess.adapted, by=look.by)


def see_drawn(look: Look, adapted: Adapted) -> Sight:
    """Cells inside the LAIP that the lab drew."""
    told = look.taught.get(DRAWN, {"reason": "the lab drew no LAIP of this subject for this panel", "flags": ""})
    if look.drawn is None:
        return Sight({"outcome": FAILED, "reason": told["reason"], "flags": told["flags"]})
    try:
        found = look.drawn(adapted.shift.cpu().numpy())
    except (FileError, PanelError) as error:
        return Sight({"outcome": FAILED, "reason": str(error), "flags": ""})
    row = {"n_found": int(found.sum()), "recall": told["recall"], "recall_se": told["recall_se"]}
    return Sight(_row(look, row, found), found=found)


ARMS: dict[str, Callable[[Look, Adapted], Sight]] = {"laip": see_laip, "learned": see_learned, "dfn": see_dfn, DRAWN: see_drawn}
"""Adding an arm is a function and a line here, and its name in `mrd.core.words`."""


def arms_of(settings: Settings) -> list[str]:
    """The arms of a run: what the lab drew is one only where the settings name it."""
    return [arm for arm in ARMS if arm != DRAWN or settings.drawn_laips]


def _idle(look: Look, arm: str) -> Sight:
    told = look.taught.get(arm, {"reason": "no diagnosis tube of this panel", "flags": "no-diagnosis"})
    return Sight({"outcome": FAILED, "reason": told["reason"], "flags": told["flags"]})


def _counted(look: Look, arm: str, scores: NDArray[np.float32]) -> Sight:
    told = look.taught[arm]
    found = scores > told["cut"]
    row = {"n_found": int(found.sum()), "recall": told["recall"], "recall_se": told["recall_se"]}
    return Sight(_row(look, row, found), scores, found)


def _row(look: Look, counts: dict[str, Any], found: NDArray[np.bool_] | None) -> dict[str, Any]:
    """A found cell is a leukocyte whatever the erythroid gate says."""
    leukocytes = look.leukocytes if found is None else look.leukocytes | found
    return {"outcome": OK, "n_leukocytes": int(leukocytes.sum()), **counts}


def blank_rows(bank: Bank, blanks: Sequence[int]) -> list[dict[str, Any]]:
    """What the search finds in each control: the blanks of a tube in which it finds nothing."""
    return [
        {
            "control": name,
            "control_kind": kind,
            "n_leukocytes": n,
            "n_found": found,
            "fraction": found / n,
            "recall": bank.kind_recall,
        }
        for name, kind, n, found in zip(bank.names, bank.kinds, bank.totals, blanks, strict=True)
    ]


def added(row: Mapping[str, Any], blank: int) -> dict[str, Any]:
    """A control counted with the tube's clusters, and with what the search finds in that control itself."""
    found = row["n_found"] + blank
    return {"n_found": found, "fraction": found / row["n_leukocytes"]}


def name_populations(
    look: Look, arm: str, mixture: Mixture, shift: Tensor, found: NDArray[np.bool_], *, first: int = 1
) -> tuple[NDArray[np.int16], list[dict[str, Any]]]:
    """The population of each found cell, numbered from `first` on, and a row for each: named, and told apart from normal."""
    panel, groups = look.bank.panel, np.array(group_components(mixture)) + first - 1
    mine = look.values[torch.from_numpy(found).to(look.values.device)] - shift
    logs = component_logs(mine, mixture) + torch.log(mixture.weights)
    cluster = np.zeros(len(found), dtype=np.int16)
    cluster[found] = groups[logs.argmax(dim=1).cpu().numpy()]
    rows = []
    for number in sorted(set(groups.tolist())):
        part = mixture.pick(torch.from_numpy(groups == number).to(look.values.device))
        count = int((cluster == number).sum())
        rows.append(
            {
                "subject": look.tube["subject"],
                "visit": look.tube["visit"],
                "tube_id": look.tube["tube_id"],
                "arm": arm,
                "cluster": number,
                "n_cells": count,
                "fraction": count / max(int(look.leukocytes.sum()), 1),
                "phenotype": phenotype(part, panel.model_channels, panel.model_roles),
                "differs": differences(part, look.bank.reference.mixture, panel.model_channels, panel.model_roles),
            }
        )
    return cluster, rows


def judged_columns(excess: Excess) -> dict[int, dict[str, Any]]:
    """By population, how far it exceeds the controls, and the share of it that lies where leukaemia is looked for."""
    groups: dict[int, list[Cluster]] = {}
    for number, cluster in zip(group_components(excess.laip.mixture), excess.clusters, strict=True):
        groups.setdefault(number, []).append(cluster)
    return {
        number: {
            "ratio": max(c.ratio for c in judged),
            "likely": sum(c.likely * c.found for c in judged) / max(sum(c.found for c in judged), 1),
            "change": max((c.change for c in judged if not math.isnan(c.change)), default=None),
        }
        for number, judged in groups.items()
    }
