"""What a reader may decide on a visit, and what a decision then says: pure rules, no database."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any

from mrd.core import words
from mrd.core.settings import Settings
from mrd.review.evidence import Evidence
from mrd.review.recount import DecisionError, can_be_below, changes_number, check_rejected, recount
from mrd.review.schema import ACCEPT, ADJUDICATOR, KINDS, OVERRIDE, READERS, REPEAT

LEAST_REASON, MOST_TEXT = 5, 2000
NUMBER = re.compile(r"[0-9]{1,3}(\.[0-9]{1,15})?([eE]-[0-9]{1,2})?")
MEANINGS = {
    ACCEPT: "I reviewed the evidence of this visit and accept the call",
    OVERRIDE: "I reviewed the evidence of this visit and replace the call by mine",
    REPEAT: "I reviewed the evidence of this visit; it cannot tell, and I request a repeat specimen",
}
"""What a signature means; an adjudicator's says so as well."""


@dataclass(frozen=True)
class Asked:
    """A decision as a form brings it: nothing of it is trusted yet."""

    kind: str
    call: str = ""
    value: str = ""
    reason: str = ""
    rejected: Collection[str] = field(default_factory=tuple)


@dataclass(frozen=True)
class Judged:
    """A decision that may be signed: the call and value it states (None: no value), why, and the clusters taken out."""

    kind: str
    call: str
    value: float | None
    reason: str
    rejected: list[str]


def judge(asked: Asked, evidence: Evidence, settings: Settings) -> Judged:
    """Turn what was asked for into a decision.

    Raises
    ------
    DecisionError
        It contradicts itself or the evidence, or lacks its reason.
    """
    if asked.kind not in KINDS:
        raise DecisionError("no decision was chosen", fix="accept, override or request a repeat")
    reason = check_text(asked.reason, "the reason", least=0 if asked.kind == ACCEPT else LEAST_REASON)
    rejected = check_rejected(evidence, asked.rejected)
    if asked.kind == ACCEPT and changes_number(evidence, rejected):
        raise DecisionError("clusters were rejected, so the pipeline's number does not stand", fix="override the call")
    return replace(JUDGES[asked.kind](asked, evidence, settings, reason), rejected=rejected)


def check_text(text: str, what: str, *, least: int = 1) -> str:
    """Return a text without outer blanks.

    Raises
    ------
    DecisionError
        It is too short or too long.
    """
    told = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if len(told) < least:
        raise DecisionError(f"{what} has {len(told)} characters, it needs {least}", fix="say why in a few words")
    if len(told) > MOST_TEXT:
        raise DecisionError(f"{what} has {len(told)} characters, it takes {MOST_TEXT}", fix="say it shorter")
    return told


def _accept(_: Asked, evidence: Evidence, __: Settings, reason: str) -> Judged:
    return Judged(ACCEPT, str(evidence.call["call"]), own_value(evidence), reason or "pipeline's call accepted", [])


def _repeat(_: Asked, evidence: Evidence, __: Settings, reason: str) -> Judged:
    """A repeat says that this specimen cannot tell; what could not be read stays so."""
    unread = evidence.call["call"] == words.NOT_EVALUABLE
    return Judged(REPEAT, words.NOT_EVALUABLE if unread else words.INDETERMINATE, None, reason, [])


def _override(asked: Asked, evidence: Evidence, settings: Settings, reason: str) -> Judged:
    if asked.call not in words.CALLS:
        raise DecisionError("no call was chosen", fix=f"choose one of {', '.join(words.CALLS)}")
    out = changes_number(evidence, asked.rejected)
    value = _recounted(evidence, asked.rejected, settings) if out else read_percent(asked.value)
    if value is None and asked.call in (*words.BELOW, *words.ABOVE):
        raise DecisionError(f"call {asked.call} needs a value", fix="give MRD in percent of CD45+ leukocytes")
    check_side(asked.call, value, evidence, settings)
    if not out and (asked.call, value) == (evidence.call["call"], own_value(evidence)):
        raise DecisionError("this is the pipeline's own call and value", fix="accept it")
    return Judged(OVERRIDE, asked.call, value, reason, [])


JUDGES: dict[str, Callable[[Asked, Evidence, Settings, str], Judged]] = {ACCEPT: _accept, OVERRIDE: _override, REPEAT: _repeat}


def own_value(evidence: Evidence) -> float | None:
    """The pipeline's estimate, where it is what decided and an answer was given by it."""
    call = evidence.call
    told = call["call"] in (*words.BELOW, *words.ABOVE) and call["decide_on"] == "mrd_fraction"
    return float(call["mrd_fraction"]) if told and call["mrd_fraction"] is not None else None


def _recounted(evidence: Evidence, rejected: Collection[str], settings: Settings) -> float | None:
    counted = recount(evidence, rejected, settings)
    return counted.value if counted else None


def read_percent(text: str) -> float | None:
    """Read MRD in percent as a fraction, a comma taken for a point; None for nothing.

    Raises
    ------
    DecisionError
        It is no number from 0 to 100.
    """
    told = text.strip().removesuffix("%").strip().replace(",", ".")
    if not told:
        return None
    number = float(told) if NUMBER.fullmatch(told) else math.nan
    if not 0 <= number <= 100:
        raise DecisionError(f"'{text[:40]}' is no percentage", fix="give a number from 0 to 100, such as 0.05")
    return float(f"{number / 100:.12g}")


def check_side(call: str, value: float | None, evidence: Evidence, settings: Settings) -> None:
    """Pass only where call, value and specimen fit each other.

    Raises
    ------
    DecisionError
        The value lies on the other side of the threshold, or the specimen cannot be called below.
    """
    if call in words.BELOW and not can_be_below(evidence, settings):
        told = "this specimen is not adequate: it could not have shown disease at the threshold, so it cannot be called below"
        raise DecisionError(told, fix=f"choose {words.INDETERMINATE} or request a repeat")
    if value is None:
        return
    limit = evidence.threshold
    if (call in words.BELOW and value >= limit) or (call in words.ABOVE and value < limit):
        side = "at or above" if value >= limit else "below"
        raise DecisionError(f"call {call} does not fit {100 * value:g} %, which is {side} the threshold {100 * limit:g} %")


def meaning_of(kind: str, seat: str) -> str:
    """What the signature under a decision means."""
    return f"{MEANINGS[kind]} (adjudication)" if seat == ADJUDICATOR else MEANINGS[kind]


def agree(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Whether two decisions say the same: call and value; nothing is averaged."""
    if first["call"] != second["call"]:
        return False
    a, b = first["value"], second["value"]
    return a is None and b is None if a is None or b is None else math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-12)


UNASSIGNED, READING, DISAGREED, SETTLED = "unassigned", "reading", "disagreed", "settled"
STATES = {
    UNASSIGNED: "seats are not all taken",
    READING: "waiting for readers",
    DISAGREED: "readers disagree: waiting for the adjudicator",
    SETTLED: "settled and locked",
}
"""Where a round stands."""


def state_of(seats: Collection[str], decisions: dict[str, dict[str, Any]]) -> str:
    """Where a round stands.

    Parameters
    ----------
    seats : seats of the visit that are taken
    decisions : decisions of the round, by seat
    """
    if settling(decisions) is not None:
        return SETTLED
    if all(s in decisions for s in READERS):
        return DISAGREED
    return READING if all(s in seats for s in (*READERS, ADJUDICATOR)) else UNASSIGNED


def settling(decisions: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """The decision that settles a round: the adjudicator's, or the later of two readers who agree; else None."""
    if ADJUDICATOR in decisions:
        return decisions[ADJUDICATOR]
    if not all(s in decisions for s in READERS):
        return None
    first, second = sorted((decisions[s] for s in READERS), key=lambda d: int(d["id"]))
    return second if agree(first, second) else None
