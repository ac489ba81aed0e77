"""Times to event as data: one declaration per endpoint, one derivation for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from mrd.core.estimand import Estimands, TimeEstimand
from mrd.endpoint.clinical import Source
from mrd.endpoint.days import to_text
from mrd.endpoint.facts import FIRST_DOSE, Fact, Facts

EVENT, FOLLOWED, CLOSED, NOT_STARTED, NOT_TREATED = range(5)
"""Values of CNSR: 0 is an event, all others censor."""


@dataclass(frozen=True)
class Ending:
    """What ends a time: the fact that does, and how the row names it."""

    fact: str
    words: str


@dataclass(frozen=True)
class Endpoint:
    """A time to event, declared.

    start : fact that starts the time · events : facts that end it; of one day, the first declared names it
    closings : facts that censor it · last : fact of the last day it was followed
    absent : how a row says that the time never started
    """

    code: str
    label: str
    start: str
    events: tuple[Ending, ...]
    closings: tuple[Ending, ...]
    last: Ending
    absent: str


WORDS = {
    "death": "DEATH",
    "relapse": "RELAPSE",
    "new_therapy": "NEW ANTI-LEUKAEMIC THERAPY",
    "transplant": "TRANSPLANT",
    "consolidation": "CONSOLIDATION",
}
ALIVE = Ending("alive", "LAST KNOWN ALIVE")


def declare_endpoints(estimands: Estimands) -> tuple[Endpoint, ...]:
    """Declare the times of the trial; the strategies of the estimands say which events end or censor OS and LFS."""
    overall, free = estimands.survival, estimands.leukaemia_free
    return (
        _from_estimand("OS", "Overall survival (days)", FIRST_DOSE, overall, "NOT TREATED"),
        _from_estimand("LFS", "Leukaemia-free survival (days)", "cr_date", free, "NO CR OR CRI"),
        _of_cytopenia("NEUTDUR", "Duration of ANC < 0.5 x 10^9/L (days)", "neutropenia", "ANC", "NO ANC BELOW 0.5"),
        _of_cytopenia(
            "PLTDUR", "Duration of platelets < 50 x 10^9/L (days)", "thrombocytopenia", "PLATELET", "NO PLATELETS BELOW 50"
        ),
    )


def _from_estimand(code: str, label: str, start: str, estimand: TimeEstimand, absent: str) -> Endpoint:
    def under(strategy: str) -> tuple[Ending, ...]:
        return tuple(Ending(event, WORDS[event]) for event, s in estimand.events.items() if s == strategy)

    return Endpoint(code, label, start, under("composite"), under("hypothetical"), ALIVE, absent)


def _of_cytopenia(code: str, label: str, name: str, count: str, absent: str) -> Endpoint:
    return Endpoint(
        code,
        label,
        f"{name}_start",
        (Ending(f"{name}_recovered", f"{count} RECOVERED"),),
        (
            Ending(f"{name}_cycle", "NEXT CYCLE"),
            *(Ending(n, WORDS[n]) for n in ("consolidation", "transplant", "new_therapy", "death")),
        ),
        Ending(f"{name}_last", f"LAST {count} VALUE"),
        absent,
    )


def derive_endpoint(endpoint: Endpoint, facts: Facts, *, subject: Source) -> dict[str, Any]:
    """Derive the row of one endpoint and subject; every subject gets one.

    The earliest event counts where nothing closed the time before that day; else the time is censored at what closed it, or
    at the last day it was followed.

    Parameters
    ----------
    facts : what happened to the subject · subject : source of the row where there is no first dose.
    """
    head = {"PARAMCD": endpoint.code, "PARAM": endpoint.label}
    start, treated = facts.get(endpoint.start), facts.get(FIRST_DOSE)
    if treated is None:
        return head | {"CNSR": NOT_TREATED, "EVNTDESC": "NOT TREATED", **subject.columns()}
    if start is None:
        return head | _row(treated.day, treated, NOT_STARTED, endpoint.absent, "FIRST DOSE")
    event = _first(endpoint.events, facts, start.day)
    closing = _first(endpoint.closings, facts, start.day)
    if event and (closing is None or event[0].day <= closing[0].day):
        return head | _row(start.day, event[0], EVENT, event[1], None) | {"ANL01FL": "Y"}
    fact, words, code = _censor(endpoint, facts, start, closing)
    return head | _row(start.day, fact, code, words, words) | {"ANL01FL": "Y"}


Told = tuple[Fact, str]


def _first(endings: Sequence[Ending], facts: Facts, start: date) -> Told | None:
    told = [(facts[e.fact], e.words) for e in endings if e.fact in facts and facts[e.fact].day >= start]
    return min(told, key=lambda pair: pair[0].day, default=None)


def _censor(endpoint: Endpoint, facts: Facts, start: Fact, closing: Told | None) -> tuple[Fact, str, int]:
    last = facts.get(endpoint.last.fact)
    if closing is not None and (last is None or closing[0].day <= last.day):
        return *closing, CLOSED
    if last is None or last.day < start.day:
        return start, "NO FOLLOW-UP AFTER THE START", FOLLOWED
    return last, endpoint.last.words, FOLLOWED


def _row(start: date, end: Fact, code: int, words: str, censored: str | None) -> dict[str, Any]:
    return {
        "STARTDT": to_text(start),
        "ADT": to_text(end.day),
        "ADTF": end.flag,
        "AVAL": float((end.day - start).days + 1),
        "AVALU": "DAYS",
        "CNSR": code,
        "EVNTDESC": words,
        "CNSDTDSC": censored,
        **end.source.columns(),
    }
