"""The analysis datasets beside ADMRD: ADSL, ADRS, ADTTE."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from mrd.core.contracts import ADRS, ADSL, ADTTE
from mrd.core.contracts_clinical import CONSOLIDATION, INDUCTION
from mrd.core.estimand import ResponseEstimand
from mrd.core.settings import Settings
from mrd.endpoint.clinical import Source, source_of
from mrd.endpoint.cohort import Person
from mrd.endpoint.days import count_days, to_text
from mrd.endpoint.facts import FIRST_DOSE
from mrd.endpoint.impute import IMPUTATIONS, impute_day
from mrd.endpoint.response import RANK, Assessment, choose_counting, find_best, find_response_end
from mrd.endpoint.survival import Endpoint, derive_endpoint

Line = dict[str, Any]
Head = Callable[[Person, Line | None], Line]
DATED = {
    "CRDT": "cr_date",
    "RELDT": "relapse",
    "REFRDT": "refractory",
    "CONSDT": "consolidation",
    "TRANSDT": "transplant",
    "NEWTRDT": "new_therapy",
    "DTHDT": "death",
}
"""Dates of ADSL and the facts behind them."""
BY_ASSESSMENT = {"OVR": "Overall response by the criteria", "OVRINV": "Overall response by the investigator"}
BOR, ORR = "Best overall response", "Responder inside the first cycles"
ENDED = {"completed": "COMPLETED", "withdrawal": "DISCONTINUED", "lost-to-follow-up": "DISCONTINUED", "death": "DISCONTINUED"}


def derive_adsl(persons: Sequence[Person], lines: Mapping[str, Line], settings: Settings, head: Head) -> pd.DataFrame:
    """Derive table ADSL, one row per subject.

    Parameters
    ----------
    lines : rows of table CONVERSION by subject.
    """
    return ADSL.frame([head(p, lines[p.subject]) | _adsl_row(p, lines[p.subject], settings) for p in persons])


def _adsl_row(person: Person, line: Line, settings: Settings) -> Line:
    age, alive = person.record.get("age"), person.facts.get("alive")
    facts = {name: person.facts[fact] for name, fact in DATED.items() if fact in person.facts}
    return {
        "SUBJID": person.subject,
        "AGE": None if age is None else int(age),
        "AGEU": None if age is None else "YEARS",
        "SEX": person.record.get("sex"),
        "RACE": person.record.get("race"),
        "ARM": settings.treatment,
        "TRT01P": settings.treatment,
        "DISENTRY": person.entry,
        "MRDEVLFL": line["evaluable"],
        "CRFL": line["cr_cri"],
        "TRTSDT": to_text(person.first_dose),
        "TRTEDT": to_text(find_last_dose(person)),
        **{name: fact.day.isoformat() for name, fact in facts.items()},
        **{f"{name}F": fact.flag for name, fact in facts.items()},
        "DTHFL": "Y" if "death" in person.facts else None,
        "LSTALVDT": None if alive is None else alive.day.isoformat(),
        "EOSSTT": _end_of_study(person),
        **Source("SUBJECTS", "subject", person.row).columns(),
    }


def find_last_dose(person: Person) -> date | None:
    """Find the last day of treatment; None where the treatment that started last has no end."""
    rows = [r for r in person.rows("exposure") if r["treatment"] in (INDUCTION, CONSOLIDATION)]
    last = max(rows, key=lambda r: (str(r["start"]), r.number), default=None)
    if last is None or last["end"] is None:
        return None
    days = [impute_day(r["end"], IMPUTATIONS["exposure", "end"])[0] for r in rows if r["end"] is not None]
    death = person.dates["death"]
    return max(days) if death is None else min(max(days), death)


def _end_of_study(person: Person) -> str | None:
    if person.first_dose is None:
        return None
    told = {ENDED[e] for e in ("death",) if e in person.facts}
    told |= {ENDED[r["event"]] for r in person.rows("disposition") if r["event"] in ENDED}
    return next((status for status in ("DISCONTINUED", "COMPLETED") if status in told), "ONGOING")


def derive_adrs(persons: Sequence[Person], estimand: ResponseEstimand, criteria: str, head: Head) -> pd.DataFrame:
    """Derive table ADRS: each assessment by the criteria and by the investigator, then BOR and ORR of every subject."""
    rows = []
    for person in persons:
        told = [*_assessment_rows(person, estimand), *_subject_rows(person, estimand)]
        rows += [head(person, None) | {"ASEQ": i, "PARCAT1": criteria} | row for i, row in enumerate(told, 1)]
    return ADRS.frame(rows)


def _assessment_rows(person: Person, estimand: ResponseEstimand) -> list[Line]:
    best = {a.row.number for a in choose_best(person, estimand)}
    rate = {a.row.number for a in choose_rate(person, estimand)}
    return [
        {
            "PARAMCD": code,
            "PARAM": label,
            **_response(a.response if code == "OVR" else a.told or "NE"),
            **_evidence(person, a),
            "REASON": a.reason if code == "OVR" else None,
            "ANL01FL": "Y" if a.row.number in best else None,
            "ANL02FL": "Y" if a.row.number in rate else None,
            **source_of(a.row, "marrow_blasts" if code == "OVR" else "response").columns(),
        }
        for code, label in BY_ASSESSMENT.items()
        for a in person.assessments
        if code == "OVR" or a.told is not None
    ]


def _response(response: str) -> Line:
    return {"AVALC": response, "AVAL": float(RANK.index(response) + 1)}


def _evidence(person: Person, assessment: Assessment) -> Line:
    row = assessment.row
    return {
        "ADT": assessment.day.isoformat(),
        "ADY": count_days(assessment.day, person.first_dose),
        "BLASTPCT": row["marrow_blasts"],
        "CIRCFL": row["circulating"],
        "EXTRAFL": row["extramedullary"],
        "ANC": row["anc"],
        "PLT": row["platelets"],
    }


def choose_best(person: Person, estimand: ResponseEstimand) -> tuple[Assessment, ...]:
    """Choose the assessments that enter the best response."""
    return choose_counting(person.assessments, estimand, person.facts, end=None)


def choose_rate(person: Person, estimand: ResponseEstimand) -> tuple[Assessment, ...]:
    """Choose the assessments that enter the response rate: those of the first cycles."""
    end = find_response_end(estimand, person.facts, person.rows("exposure"))
    return choose_counting(person.assessments, estimand, person.facts, end=end)


def _subject_rows(person: Person, estimand: ResponseEstimand) -> list[Line]:
    by, treated = estimand.judged_by, "Y" if person.first_dose is not None else None
    best, rated = find_best(choose_best(person, estimand), by), find_best(choose_rate(person, estimand), by)
    responder = rated is not None and rated.judged(by) in estimand.responders and not _has_failed(person, estimand)
    flags = {"ANL01FL": treated, "ANL02FL": treated}
    return [
        {"PARAMCD": "BOR", "PARAM": BOR, **_response(best.judged(by) if best else "NE"), **_behind(person, best, by), **flags},
        {"PARAMCD": "ORR", "PARAM": ORR, **_yes(responder), **_behind(person, rated, by), **flags},
    ]


def _has_failed(person: Person, estimand: ResponseEstimand) -> bool:
    """Tell whether an event under the composite strategy came inside the cycles."""
    end = find_response_end(estimand, person.facts, person.rows("exposure"))
    events = [person.facts[n].day for n, strategy in estimand.events.items() if strategy == "composite" and n in person.facts]
    return end is not None and any(day <= end for day in events)


def _yes(value: bool) -> Line:
    return {"AVALC": "Y" if value else "N", "AVAL": float(value)}


def _behind(person: Person, assessment: Assessment | None, by: str) -> Line:
    if assessment is not None:
        column = "marrow_blasts" if by == "criteria" else "response"
        return {**_evidence(person, assessment), "REASON": assessment.reason, **source_of(assessment.row, column).columns()}
    column = FIRST_DOSE if person.first_dose is None else "subject"
    return {"REASON": "no assessment that counts", **Source("SUBJECTS", column, person.row).columns()}


def derive_adtte(persons: Sequence[Person], endpoints: Sequence[Endpoint], head: Head) -> pd.DataFrame:
    """Derive table ADTTE: one row per subject and endpoint."""
    return ADTTE.frame(
        [
            head(person, None) | derive_endpoint(endpoint, person.facts, subject=Source("SUBJECTS", FIRST_DOSE, person.row))
            for person in persons
            for endpoint in endpoints
        ]
    )
