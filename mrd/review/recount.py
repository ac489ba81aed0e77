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
NEEDED = ("n_found", "n_leukocytes", "background", "recall", "lob", "lod", "lloq")


class DecisionError(MrdError):
    """A decision that cannot be taken as it was asked for."""


@dataclass(frozen=True)
class Recount:
    """Cells found, share and estimate without the rejected clusters, and the call the decision table gives them."""

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


def deciding_clusters(evidence: Evidence) -> list[Row]:
    """The clusters whose cells stand in the visit's number."""
    arm = deciding_arm(evidence)
    if arm is None:
        return []
    tubes = str(arm["tubes"]).split("+")
    return [c for c in evidence.clusters if c["arm"] == arm["arm"] and c["tube_id"] in tubes]


def check_rejected(evidence: Evidence, rejected: Collection[str]) -> list[str]:
    """Return the rejected clusters in order, each once.

    Raises
    ------
    DecisionError
        One of them is not a cluster behind the visit's number.
    """
    known = [cluster_key(c) for c in deciding_clusters(evidence)]
    unknown = sorted(set(rejected) - set(known))
    if unknown:
        raise DecisionError(f"cluster {unknown[0]} is not one behind this visit's number", fix="open the visit again")
    return [k for k in known if k in set(rejected)]


def recount(evidence: Evidence, rejected: Collection[str], settings: Settings) -> Recount | None:
    """The deciding arm's number without the rejected clusters; None where nothing was counted.

    Rejected cells are taken for the background that was expected, so that it is not taken out twice. The interval is
    that of the Poisson count; the uncertainty of background and recall is left out.
    """
    arm = deciding_arm(evidence)
    if arm is None or any(arm[n] is None for n in NEEDED) or not arm["n_leukocytes"]:
        return None
    taken = set(check_rejected(evidence, rejected))
    gone = sum(int(c["n_cells"]) for c in deciding_clusters(evidence) if cluster_key(c) in taken)
    found, n = max(int(arm["n_found"]) - gone, 0), int(arm["n_leukocytes"])
    estimate = corrector(arm, gone)
    low, high = poisson_interval(found)
    ends = (estimate(low), estimate(high))
    value = estimate(found)
    finding = _finding(evidence, arm, Finding(value, arm["lob"], arm["lod"], arm["lloq"], found, ends, can_be_below(evidence)))
    call = decide(finding, settings.model_copy(update={"threshold": evidence.threshold})).call
    return Recount(found, n, found / n, value, ends, call)


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


def can_be_below(evidence: Evidence) -> bool:
    """Whether the specimen could have shown disease at the threshold: marrow, and every tube that counted is adequate."""
    arm = deciding_arm(evidence)
    counted = [a for a in evidence.arms if arm and a["outcome"] == words.OK and a["arm"] == arm["arm"]]
    marrow = evidence.call["specimen_type"] == words.MARROW
    return marrow and bool(counted) and all(a["adequate"] == "Y" for a in counted)
