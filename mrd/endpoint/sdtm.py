"""CP and RS: the flow data and the responses as tabulation datasets, each row naming the record it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from mrd.core.contracts import CP, RS
from mrd.core.contracts_sdtm import CP_TESTS, MRD_RESPONSES, RS_TESTS
from mrd.core.estimand import ResponseEstimand
from mrd.core.words import (
    INDETERMINATE,
    LOW_NOT_QUANTIFIABLE,
    LOW_QUANTIFIABLE,
    NOT_DETECTED,
    NOT_EVALUABLE,
    POSITIVE,
    POSITIVE_NOT_QUANTIFIABLE as FEW,
)
from mrd.endpoint.adam import number_visits
from mrd.endpoint.baseline import find_baseline
from mrd.endpoint.cohort import Person, Specimen
from mrd.endpoint.datasets import choose_best
from mrd.endpoint.days import count_days
from mrd.endpoint.response import Assessment, find_best
from mrd.endpoint.window import Conversion

Line = dict[str, Any]
CP_COLUMNS = {
    "LAIPWBC": ("laip_fraction", True),
    "LAIPCT": ("n_laip", False),
    "WBCCT": ("n_leukocytes", False),
    "BLASTCT": ("n_blast", False),
    "MRDLOD": ("lod", True),
    "MRDLLOQ": ("lloq", True),
}
"""Column of calls behind each test, and whether it is a share (told in percent)."""
QUANTIFIED, SEEN, NEGATIVE, UNTOLD = MRD_RESPONSES
MRD_RESPONSE = {
    POSITIVE: QUANTIFIED,
    LOW_QUANTIFIABLE: QUANTIFIED,
    FEW: SEEN,
    LOW_NOT_QUANTIFIABLE: SEEN,
    NOT_DETECTED: NEGATIVE,
    INDETERMINATE: UNTOLD,
    NOT_EVALUABLE: UNTOLD,
}
"""The controlled word of each call. `low-quantifiable` is positivity here and still below the threshold of the endpoint."""
INDICATOR = {QUANTIFIED: "Y", SEEN: "Y", NEGATIVE: "N", UNTOLD: "U"}
AFTER = ("relapse", "new_therapy", "transplant")
"""What ends the epoch of treatment."""


def derive_cp(
    persons: Sequence[Person], endpoint: Conversion, *, study: str, markers: Mapping[tuple[str, str], str]
) -> pd.DataFrame:
    """Derive table CP: one row per subject, specimen and test.

    Parameters
    ----------
    markers : phenotype of the LAIP by subject and panel, as far as they are known.
    """
    numbers = number_visits(persons)
    rows: list[Line] = []
    for person in persons:
        baseline = find_baseline(endpoint, person)
        ordered = sorted(person.specimens, key=lambda s: (s.collected, numbers[s.visit]))
        own = [
            {**_specimen_row(person, s, numbers, markers), **_value_row(s, test), "CPBLFL": "Y" if s is baseline else None}
            for s in ordered
            for test in CP_TESTS
        ]
        rows += [{**_ids(study, person, "CP"), "CPSEQ": i, **row} for i, row in enumerate(own, 1)]
    return CP.frame(rows)


def _ids(study: str, person: Person, domain: str) -> Line:
    return {"STUDYID": study, "DOMAIN": domain, "USUBJID": f"{study}-{person.subject}"}


def _specimen_row(person: Person, specimen: Specimen, numbers: Mapping[str, int], markers: Mapping[tuple[str, str], str]) -> Line:
    record = specimen.record
    return {
        "CPGRPID": f"{record['specimen']}{'' if record['laip'] is None else '/' + str(record['laip'])[:8]}",
        "CPREFID": record["specimen"],
        "CPSPID": f"CALLS-{specimen.row}",
        "CPCAT": "IMMUNOPHENOTYPING",
        "CPMRKSTR": markers.get((person.subject, str(record["panel"]))),
        "CPRESSCL": "QUANTITATIVE",
        "CPSPEC": record["specimen_type"].upper(),
        "CPMETHOD": "FLOW CYTOMETRY",
        "CPANMETH": f"flowmrd {record['version']}",
        "VISITNUM": numbers[specimen.visit],
        "VISIT": specimen.visit,
        "EPOCH": find_epoch(person, specimen.collected),
        "CPDTC": specimen.collected.isoformat(),
        "CPDY": count_days(specimen.collected, person.first_dose),
    }


def _value_row(specimen: Specimen, test: str) -> Line:
    column, share = CP_COLUMNS[test]
    value = specimen.record[column]
    head = {"CPTESTCD": test, "CPTEST": CP_TESTS[test], "CPRESTYP": "NUMBER FRACTION" if share else "NUMBER"}
    if value is None:
        return head | {"CPSTAT": "NOT DONE", "CPREASND": f"no value; the call is {specimen.record['call']}"}
    text, unit = f"{100 * value if share else value:.12g}", "%" if share else None
    told = {"CPORRES": text, "CPORRESU": unit, "CPSTRESC": text, "CPSTRESN": float(text), "CPSTRESU": unit}
    return head | told


def find_epoch(person: Person, day: date) -> str | None:
    """Tell the epoch of a day: screening up to the first dose, treatment up to relapse, new therapy or transplant."""
    if person.first_dose is None:
        return None
    if day <= person.first_dose:
        return "SCREENING"
    ends = [person.facts[name].day for name in AFTER if name in person.facts]
    return "FOLLOW-UP" if any(day >= end for end in ends) else "TREATMENT"


def derive_rs(persons: Sequence[Person], estimand: ResponseEstimand, *, study: str, criteria: str) -> pd.DataFrame:
    """Derive table RS: MRD of each visit, every reviewer's decision, each assessment, and the best response."""
    numbers = number_visits(persons)
    rows: list[Line] = []
    for person in persons:
        own = [*_mrd_rows(person, numbers), *_review_rows(person, numbers), *_response_rows(person, estimand, criteria)]
        rows += [{**_ids(study, person, "RS"), "RSSEQ": i, **row} for i, row in enumerate(own, 1)]
    return RS.frame(rows)


def _test(code: str, category: str, told: str, standard: str, by: tuple[str, str]) -> Line:
    """`by`: who judged, and the record."""
    return {
        "RSTESTCD": code,
        "RSTEST": RS_TESTS[code],
        "RSCAT": category,
        "RSORRES": told,
        "RSSTRESC": standard,
        "RSEVAL": by[0],
        "RSSPID": by[1],
    }


def _mrd_tests(call: str, category: str, evaluator: str, source: str) -> list[Line]:
    response = MRD_RESPONSE[call]
    return [
        _test("MRDIND", category, call, INDICATOR[response], (evaluator, source)),
        _test("MRDRESP", category, call, response, (evaluator, source)),
    ]


def _visit(person: Person, specimen: Specimen, numbers: Mapping[str, int]) -> Line:
    return {"VISITNUM": numbers[specimen.visit], "VISIT": specimen.visit} | _when(person, specimen.collected)


def _when(person: Person, day: date) -> Line:
    return {"RSDTC": day.isoformat(), "RSDY": count_days(day, person.first_dose)}


def _mrd_rows(person: Person, numbers: Mapping[str, int]) -> list[Line]:
    return [
        row | _visit(person, s, numbers)
        for s in sorted(person.specimens, key=lambda s: (s.collected, numbers[s.visit]))
        for row in _mrd_tests(s.record["call"], s.record["guideline"], "LABORATORY", f"CALLS-{s.row}")
    ]


def _review_rows(person: Person, numbers: Mapping[str, int]) -> list[Line]:
    """Give every decision, the overtaken ones too, in the order of time."""
    drawn = {s.visit: s for s in person.specimens}
    decisions = sorted(person.rows("review"), key=lambda r: (str(r["reviewed_at"])[:19], str(r["source_id"])))
    return [
        row | _visit(person, drawn[str(r["visit"])], numbers)
        for r in decisions
        for row in _mrd_tests(r["call"], drawn[str(r["visit"])].record["guideline"], "REVIEWER", f"REVIEW-{r.number}")
    ]


def _response_rows(person: Person, estimand: ResponseEstimand, criteria: str) -> list[Line]:
    told = [row for a in person.assessments for row in _assessment_rows(person, a, criteria)]
    if person.first_dose is None:
        return told
    best = find_best(choose_best(person, estimand), estimand.judged_by)
    response = "NE" if best is None else best.judged(estimand.judged_by)
    source = f"SUBJECTS-{person.row}" if best is None else f"RESPONSES-{best.row.number}"
    row = _test("BESTRESP", criteria, response, response, ("SPONSOR", source)) | {"RSDRVFL": "Y"}
    return [*told, row | ({} if best is None else _when(person, best.day))]


def _assessment_rows(person: Person, assessment: Assessment, criteria: str) -> list[Line]:
    source, when = f"RESPONSES-{assessment.row.number}", _when(person, assessment.day)
    derived = _test("OVRLRESP", criteria, assessment.response, assessment.response, ("SPONSOR", source)) | {"RSDRVFL": "Y"}
    if assessment.told is None:
        return [derived | when]
    told = _test("OVRLRESP", criteria, assessment.told, assessment.told, ("INVESTIGATOR", source))
    return [told | when, derived | when]
