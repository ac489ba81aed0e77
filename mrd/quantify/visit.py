"""One call per subject and visit from the counts of its tubes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mrd.core import words
from mrd.core.settings import Settings
from mrd.quantify.blanks import Blanks, each_look
from mrd.quantify.burden import Recall, corrected, interval
from mrd.quantify.cut import strata_flags
from mrd.quantify.decide import Decision, Finding, adequacy_gaps, counted_below, decide, is_detected, not_evaluable
from mrd.quantify.limits import Limits, tube_limits


@dataclass(frozen=True)
class Counted:
    """What an arm counted in one tube (or a pool of tubes of one panel).

    least_lod : share under which the arm does not find known kinds of leukaemia, whatever the counts say
    own : the blanks are those of this very tube, so that it is not pooled with others
    blind : a stain that shows the LAIP may have failed
    """

    tubes: tuple[str, ...]
    panel: str
    arm: str
    n_events: int
    n_cells: int
    n_leukocytes: int
    n_blast: int
    found: int
    recall: Recall
    blanks: Blanks
    flags: tuple[str, ...] = ()
    least_lod: float = 0.0
    own: bool = False
    blind: bool = False


@dataclass(frozen=True)
class Judged:
    """A counted tube with its estimate, limits and decision."""

    counted: Counted
    fraction: float
    interval: tuple[float, float]
    limits: Limits
    gaps: list[str]
    finding: Finding
    decision: Decision


def pool(counted: Sequence[Counted]) -> list[Counted]:
    """Tubes of one panel and arm added up: they are one look at the specimen, unless each was judged by itself."""
    pools: dict[tuple[str, ...], Counted] = {}
    for c in counted:
        key = (c.arm, *look_of(c))
        pools[key] = c if key not in pools else _added(pools[key], c)
    return list(pools.values())


def look_of(counted: Counted) -> tuple[str, ...]:
    """What is one look at the specimen: a panel, or a tube of it that is judged by itself."""
    return (counted.panel, *(counted.tubes if counted.own else ()))


def _added(a: Counted, b: Counted) -> Counted:
    return replace(
        a,
        tubes=a.tubes + b.tubes,
        n_events=a.n_events + b.n_events,
        n_cells=a.n_cells + b.n_cells,
        n_leukocytes=a.n_leukocytes + b.n_leukocytes,
        n_blast=a.n_blast + b.n_blast,
        found=a.found + b.found,
        flags=tuple(sorted({*a.flags, *b.flags})),
        blind=a.blind or b.blind,
    )


def count_looks(counted: Sequence[Counted]) -> dict[str, int]:
    """By arm, how many looks go through the maximum: a learned and a drawn LAIP of a panel stand in for each other."""
    kinds = {arm: ("laip", "drawn") if arm in ("laip", "drawn") else (arm,) for arm in {c.arm for c in counted}}
    return {arm: len({look_of(c) for c in counted if c.arm in mine}) for arm, mine in kinds.items()}


def judge_visit(counted: Sequence[Counted], settings: Settings, *, marrow: bool) -> list[Judged]:
    """Every pool of tubes of a visit, each held so strictly that the limits of the highest are the visit's."""
    looks = count_looks(counted)
    return [judge(c, settings, marrow=marrow, looks=looks[c.arm]) for c in counted]


def judge(counted: Counted, settings: Settings, *, marrow: bool, looks: int = 1) -> Judged:
    """Estimate, interval, limits, adequacy and decision of one counted tube, one of so many that go through the maximum.

    Where nothing is found, the interval reaches to the share under which the arm would not have found it.
    """
    n, found = counted.n_leukocytes, counted.found
    limits = tube_limits(n, counted.blanks, counted.recall, settings, looks=looks)
    lod = max(limits.lod, counted.least_lod)
    limits = replace(limits, lod=lod, lloq=max(limits.lloq, lod))
    fraction = corrected(found, n, counted.blanks, counted.recall)
    low, high = interval(found, n, counted.blanks, counted.recall, level=each_look(looks))
    ends = (low, max(high, counted.least_lod)) if fraction <= limits.lob else (low, high)
    gaps = adequacy_gaps(marrow=marrow, n=n, blasts=counted.n_blast, lod=limits.lod, settings=settings)
    gaps += ["recall-assumed"] if "recall-assumed" in counted.flags and not settings.drawn_below else []
    gaps += [words.FOLLOWED] if words.FOLLOWED in counted.flags and not settings.followed_below else []
    gaps += [words.STAIN_LOST] if counted.blind else []
    gaps += [words.OTHER_REFERENCE] if words.OTHER_REFERENCE in counted.flags else []
    finding = Finding(fraction, limits.lob, limits.lod, limits.lloq, found, ends, adequate=not gaps)
    if settings.decide_on == "laip_fraction":
        finding = on_counted_scale(finding, counted, limits)
    return Judged(counted, fraction, ends, limits, gaps, finding, explained(decide(finding, settings), finding, gaps, settings))


UNPROVEN = {
    "recall-assumed": "no diagnosis tells which share of the leukaemia the drawn LAIP holds",
    words.FOLLOWED: "what was followed may not be all of the leukaemia",
    words.STAIN_LOST: "a stain that shows the LAIP may have failed",
    words.OTHER_REFERENCE: "the LAIP was learned by another reference",
}
"""Gaps that no better specimen closes (or only one stained again), as reasons."""


def explained(decision: Decision, finding: Finding, gaps: Sequence[str], settings: Settings) -> Decision:
    """The decision, with the true reason where not the specimen falls short but its stains, or what is known of the leukaemia."""
    if not gaps or set(gaps) - UNPROVEN.keys() or finding.x >= settings.threshold:
        return decision
    why = f"estimate {finding.x:.2g} is below {settings.threshold:g}, but {' and '.join(UNPROVEN[g] for g in gaps)}"
    return replace(decision, reason=why)


def on_counted_scale(finding: Finding, counted: Counted, limits: Limits) -> Finding:
    """The same finding as a gater counts: no background or recall taken out, limits and interval moved along."""
    b, r = limits.background, counted.recall.value

    def plain(x: float) -> float:
        return b + x * (r - b)

    low, high = finding.interval
    x = counted.found / counted.n_leukocytes
    return Finding(
        x, plain(finding.lob), plain(finding.lod), plain(finding.lloq), finding.found, (plain(low), plain(high)), finding.adequate
    )


def decide_visit(judged: Sequence[Judged]) -> tuple[Judged, Decision]:
    """The tube with the highest estimate decides; "below" needs every tube to be adequate."""
    deciding = max(judged, key=lambda j: (j.finding.x, j.counted.tubes))
    short = [j for j in judged if j.gaps and j is not deciding]
    decision = deciding.decision
    if decision.below == "Y" and short:
        why = f"{'+'.join(short[0].counted.tubes)} is not adequate ({', '.join(short[0].gaps)})"
        decision = replace(decision, call=words.INDETERMINATE, below="", reason=f"{decision.reason}; but {why}")
    return deciding, decision


def withhold(decision: Decision, absent: Sequence[str]) -> Decision:
    """The decision where panels that carry the subject's LAIP could not be counted: what they hide, nobody can call below."""
    if decision.below != "Y" or not absent:
        return decision
    why = f"no tube of panel {', '.join(absent)}, which carries the subject's LAIP, could be counted"
    return replace(decision, call=words.INDETERMINATE, below="", reason=f"{decision.reason}; but {why}")


def doubt(decision: Decision, *, shared: bool) -> Decision:
    """The decision where all that was found most subjects share: nobody is called positive for it."""
    if decision.below != "N" or not shared:
        return decision
    why = "most subjects show such a population, likelier normal marrow that no control shows than leukaemia: review"
    return replace(decision, call=words.INDETERMINATE, below="", reason=f"{decision.reason}; but {why}")


def unasked(decision: Decision, *, shared: bool) -> Decision:
    """The decision with what was not asked for it: a population that most subjects share."""
    why = "what differs from normal most subjects show, and does not speak against the LAIP"
    return replace(decision, reason=f"{decision.reason}; {why}") if shared and decision.below != "N" else decision


def visit_flags(deciding: Judged, decision: Decision, settings: Settings) -> list[str]:
    """What a reviewer should know of the deciding tube's call."""
    c = deciding.counted
    flags = [*c.flags, *deciding.gaps, *strata_flags(c.blanks.kinds)]
    if decision.confident == "N":
        flags.append("near-threshold")
    if counted_below(c.found, c.n_leukocytes, settings.threshold) != (deciding.fraction < settings.threshold):
        flags.append("discordant-counted")
    return flags


def arm_row(judged: Judged, *, decided: bool, decision: Decision | None, settings: Settings) -> dict[str, object]:
    """The arms.tsv row of one judged tube; no decision where the arms that decide did not apply."""
    c = judged.counted
    own, call = judged.decision.below, decision.below if decision else ""
    return {
        "tubes": "+".join(c.tubes),
        "panel": c.panel,
        "arm": c.arm,
        "outcome": words.OK,
        "n_leukocytes": c.n_leukocytes,
        "n_found": c.found,
        **estimate_columns(judged),
        "detected": _yes(is_detected(judged.finding, settings)),
        "adequate": _yes(not judged.gaps),
        "agrees": _yes(own == call) if own and call else None,
        "decided": _yes(decided),
    }


def estimate_columns(judged: Judged) -> dict[str, object]:
    """The columns that arms.tsv and calls.tsv share."""
    return {
        "mrd_fraction": judged.fraction,
        "ci_low": judged.interval[0],
        "ci_high": judged.interval[1],
        "lob": judged.limits.lob,
        "lod": judged.limits.lod,
        "lloq": judged.limits.lloq,
        "recall": judged.counted.recall.value,
        "background": judged.limits.background,
    }


def call_row(judged: Judged, decision: Decision, settings: Settings) -> dict[str, object]:
    """The calls.tsv columns that the deciding tube gives."""
    c = judged.counted
    return {
        "n_events": c.n_events,
        "n_cells": c.n_cells,
        "n_leukocytes": c.n_leukocytes,
        "n_blast": c.n_blast,
        "n_laip": c.found,
        "laip_fraction": c.found / c.n_leukocytes,
        "laip_below": _yes(counted_below(c.found, c.n_leukocytes, settings.threshold)),
        **estimate_columns(judged),
        "arm": c.arm,
        "panel": c.panel,
        **decision_columns(decision),
    }


def decision_columns(decision: Decision) -> dict[str, object]:
    """The calls.tsv columns of a decision; empty where it cannot be told."""
    return {
        "call": decision.call,
        "below_threshold": decision.below or None,
        "confident": decision.confident or None,
        "reason": decision.reason,
    }


def _yes(holds: bool) -> str:
    return "Y" if holds else "N"


__all__ = [
    "Counted",
    "Judged",
    "arm_row",
    "call_row",
    "decide_visit",
    "decision_columns",
    "judge",
    "judge_visit",
    "not_evaluable",
    "pool",
    "visit_flags",
    "withhold",
]
