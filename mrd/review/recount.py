"""A visit's number without the clusters a reader rejects."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from scipy.special import gammaincinv

from mrd.core import words
from mrd.core.errors import MrdError
from mrd.core.settings import Settings
from mrd.quantify.decide import Finding, decide
from mrd.review.evidence import Evidence

Row = dict[str, Any]
LEAD, SEARCH = "laip", "dfn"
NEEDED = ("n_found", "n_leukocytes", "background", "recall", "lob", "lod", "lloq")


class DecisionError(MrdError):
    """A decision that cannot be taken as it was asked for."""


@dataclass(frozen=True)
class Recount:
    """Cells found, share and estimate without the rejected clusters, and the call the decision table gives them."""

    arm: str
    n_found: int
    n_leukocytes: int
    fraction: float
    value: float
    interval: tuple[float, float]
    call: str


def cluster_key(cluster: Row) -> str:
    """What names a cluster within its visit."""
    return f"{cluster['arm']}/{cluster['tube_id']}/{cluster['cluster']}"


def deciding_arm(evidence: Evidence) -> Row | None:
    """The row of arms that gave the call; None where nothing could be counted."""
    return next((a for a in evidence.arms if a["decided"] == "Y"), None)


def clusters_of(evidence: Evidence, arm: Row) -> list[Row]:
    """The clusters whose cells stand in an arm's number."""
    tubes = str(arm["tubes"]).split("+")
    return [c for c in evidence.clusters if c["arm"] == arm["arm"] and c["tube_id"] in tubes]


def deciding_clusters(evidence: Evidence) -> list[Row]:
    """The clusters whose cells stand in the visit's number."""
    arm = deciding_arm(evidence)
    return clusters_of(evidence, arm) if arm else []


def check_rejected(evidence: Evidence, rejected: Collection[str]) -> list[str]:
    """Return the rejected clusters in order, each once.

    Raises
    ------
    DecisionError
        One of them is not a cluster of this visit.
    """
    known = [cluster_key(c) for c in evidence.clusters]
    unknown = sorted(set(rejected) - set(known))
    if unknown:
        raise DecisionError(f"cluster {unknown[0]} is not one of this visit", fix="open the visit again")
    return [k for k in known if k in set(rejected)]


def changes_number(evidence: Evidence, rejected: Collection[str]) -> bool:
    """Whether a rejected cluster stands in the visit's number, and not only in that of an arm which did not decide."""
    return bool({cluster_key(c) for c in deciding_clusters(evidence)} & set(rejected))


def recount(evidence: Evidence, rejected: Collection[str], settings: Settings) -> Recount | None:
    """The visit's number without the rejected clusters; None where nothing was counted.

    Where the search for what differs from normal decided, and without the rejected clusters it shows no disease, the LAIP's own
    number stands, if there is one: a rejection never takes out what another arm found.
    """
    arm = deciding_arm(evidence)
    counted = recount_arm(evidence, arm, rejected, settings) if arm else None
    if counted is None or counted.call in words.ABOVE or not changes_number(evidence, rejected):
        return counted
    others = [recount_arm(evidence, a, (), settings) for a in evidence.arms if a["arm"] == LEAD and a is not arm]
    return max([counted, *(o for o in others if o is not None)], key=lambda r: r.value)


def recount_arm(evidence: Evidence, arm: Row, rejected: Collection[str], settings: Settings) -> Recount | None:
    """One arm's number without the rejected clusters; None where it did not apply.

    Rejected cells are taken for the background that was expected, so that it is not taken out twice. The interval is
    that of the Poisson count; the uncertainty of background and recall is left out.
    """
    if any(arm[n] is None for n in NEEDED) or not arm["n_leukocytes"]:
        return None
    taken = set(check_rejected(evidence, rejected))
    gone = sum(int(c["n_cells"]) for c in clusters_of(evidence, arm) if cluster_key(c) in taken)
    found, n = max(int(arm["n_found"]) - gone, 0), int(arm["n_leukocytes"])
    estimate = corrector(arm, gone)
    low, high = poisson_interval(found)
    ends = (estimate(low), estimate(high))
    value = estimate(found)
    adequate = can_be_below(evidence, settings)
    finding = _finding(evidence, arm, Finding(value, arm["lob"], arm["lod"], arm["lloq"], found, ends, adequate))
    call = decide(finding, settings.model_copy(update={"threshold": evidence.threshold})).call
    return Recount(str(arm["arm"]), found, n, found / n, value, ends, call)


def corrector(arm: Row, gone: int) -> Callable[[float], float]:
    """From a count to leukaemic cells per leukocyte: what is left of the background goes out, the recall is made up for."""
    n, background, recall = int(arm["n_leukocytes"]), float(arm["background"]), float(arm["recall"])
    left = max(background - gone / n, 0.0)
    return lambda count: min(max((count / n - left) / max(recall - background, 1e-9), 0.0), 1.0)


def poisson_interval(count: int) -> tuple[float, float]:
    """The exact 95 % interval of a Poisson mean (Garwood, Biometrika 1936;28:437)."""
    low = float(gammaincinv(count, 0.025)) if count else 0.0
    return low, float(gammaincinv(count + 1, 0.975))


def _finding(evidence: Evidence, arm: Row, finding: Finding) -> Finding:
    """A finding on the scale the run decided on: a gater's count keeps its background and is not corrected for recall."""
    if evidence.call["decide_on"] != "laip_fraction":
        return finding
    background, recall = float(arm["background"]), float(arm["recall"])
    lob, lod, lloq, low, high = (
        background + x * (recall - background) for x in (finding.lob, finding.lod, finding.lloq, *finding.interval)
    )
    counted = finding.found / int(arm["n_leukocytes"])
    return Finding(counted, lob, lod, lloq, finding.found, (low, high), finding.adequate)


def can_be_below(evidence: Evidence, settings: Settings) -> bool:
    """Whether the specimen could have shown disease at the threshold.

    It is marrow, every tube of the deciding arm and of the LAIP is adequate, and a known leukaemia was looked for (unless the
    settings let the search for what differs from normal tell below by itself).
    """
    arm = deciding_arm(evidence)
    arms = (arm["arm"], LEAD) if arm else ()
    counted = [a for a in evidence.arms if a["outcome"] == words.OK and a["arm"] in arms]
    alone = bool(counted) and all(a["arm"] == SEARCH for a in counted)
    if evidence.call["specimen_type"] != words.MARROW or (alone and not settings.dfn_below):
        return False
    return bool(counted) and all(a["adequate"] == "Y" for a in counted)
