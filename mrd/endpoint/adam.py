"""ADMRD: one row per subject, parameter and visit, each naming the record it came from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mrd.core.contracts import ADMRD
from mrd.core.words import split_flags
from mrd.endpoint.baseline import find_baseline
from mrd.endpoint.clinical import Row as Decision, Source, source_of, to_records
from mrd.endpoint.cohort import Person, Specimen
from mrd.endpoint.convert import UNTOLD, mark_specimens
from mrd.endpoint.days import count_days
from mrd.endpoint.reviewed import apply_reviews, find_decisions
from mrd.endpoint.window import Conversion

Row = dict[str, Any]
BY_VISIT, BY_REVIEW, BY_SUBJECT = "MRD BY FLOW CYTOMETRY", "MRD AS REVIEWED", "MRD CONVERSION"
REASON_SOURCE = {
    "not-treated": "first_dose",
    "no-disease": "disease_at_entry",
    "refractory": "refractory",
    "death": "death",
    "relapse": "relapse",
    "new-therapy": "new_therapy",
}
"""Column of subjects behind a reason that no marrow stands behind."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of ADMRD: code, label, and for a number per visit its column in calls and what it is multiplied by."""

    code: str
    label: str
    column: str
    scale: int = 1
    text: bool = False


VISIT_PARAMETERS = (
    Parameter("MRDPCT", "MRD, corrected estimate (% of CD45+ leukocytes)", "mrd_fraction", 100),
    Parameter("MRDCLS", "MRD call", "call", text=True),
    Parameter("MRDNLAIP", "Cells with the LAIP", "n_laip"),
    Parameter("MRDNWBC", "CD45+ leukocytes", "n_leukocytes"),
    Parameter("MRDLOD", "Limit of detection (% of CD45+ leukocytes)", "lod", 100),
    Parameter("MRDLLOQ", "Lower limit of quantification (% of CD45+ leukocytes)", "lloq", 100),
)
REVIEW_PARAMETERS = {
    "MRDCLSRV": "MRD call as reviewed",
    "MRDPCTRV": "MRD as reviewed (% of CD45+ leukocytes)",
}
"""The reviewed call and value of a visit; the pipeline's stay beside them under their own parameters."""
SUBJECT_PARAMETERS = {
    "MRDCONV": "Converted to MRD below the threshold before consolidation",
    "MRDCONVR": "Converted, by the calls as reviewed",
    "MRDNEGCR": "CR or CRi with conversion to MRD below the threshold",
}


def derive_admrd(
    persons: Sequence[Person],
    endpoint: Conversion,
    conversion: pd.DataFrame | None,
    reviewed: pd.DataFrame | None,
    head: Callable[[Person, Row | None], Row],
) -> pd.DataFrame:
    """Derive table ADMRD, sorted by subject, parameter and visit.

    Parameters
    ----------
    conversion : table CONVERSION of the same persons; None without a clinical table: no flags, no parameters per subject.
    reviewed : the same by the calls as reviewed; None where nobody reviewed.
    head : the columns every row of a person starts with, from the person and its line of the conversion.
    """
    lines, again = _by_subject(conversion), _by_subject(reviewed)
    numbers = number_visits(persons)
    rows: list[Row] = []
    for person in persons:
        line = lines.get(person.subject)
        start = head(person, line) | {"MRDEVLFL": None if line is None else line["evaluable"]}
        told = [*_visit_rows(person, endpoint, line, numbers), *_review_rows(person, numbers)]
        told += [*_subject_rows(person, line), *_reviewed_rows(person, again.get(person.subject))]
        rows += [start | row for row in told]
    return ADMRD.frame(rows)


def _by_subject(conversion: pd.DataFrame | None) -> dict[str, Row]:
    return {} if conversion is None else {line["subject"]: line for line in to_records(conversion)}


def number_visits(persons: Iterable[Person]) -> dict[str, int]:
    """Give each visit name a number from 0: diagnosis first, then by name with its digits read as numbers."""
    specimens = [s for person in persons for s in person.specimens]
    diagnosis = {s.visit for s in specimens if s.record["role"] == "diagnosis"}
    names = sorted({s.visit for s in specimens}, key=lambda v: (v not in diagnosis, _natural(v), v))
    return {name: i for i, name in enumerate(names)}


def _natural(name: str) -> list[tuple[int, int, str]]:
    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in re.findall(r"[0-9]+|[^0-9]+", name)]


def _visit_rows(person: Person, endpoint: Conversion, line: Row | None, numbers: Mapping[str, int]) -> list[Row]:
    baseline = find_baseline(endpoint, person)
    used = {s.row for verdict, s in mark_specimens(endpoint, person) if verdict != UNTOLD}
    decides = None if line is None else line["calls_row"]
    specimens = sorted(person.specimens, key=lambda s: numbers[s.visit])
    return [
        _visit_row(person, parameter, s, baseline)
        | {"AVISITN": numbers[s.visit], "ANL01FL": _flag(s.row in used), "ANL02FL": _flag(s.row in used and s.row == decides)}
        for parameter in VISIT_PARAMETERS
        for s in specimens
    ]


def _visit_row(person: Person, parameter: Parameter, specimen: Specimen, baseline: Specimen | None) -> Row:
    value = _value(parameter, specimen)
    base = None if baseline is None or parameter.text else _value(parameter, baseline)
    return {
        "PARAMCD": parameter.code,
        "PARAM": parameter.label,
        "PARCAT1": BY_VISIT,
        "CPSPEC": specimen.record["specimen_type"].upper(),
        "AVISIT": specimen.visit,
        "ADT": specimen.collected.isoformat(),
        "ADY": count_days(specimen.collected, person.first_dose),
        "AVALC" if parameter.text else "AVAL": value,
        "BASE": base,
        "ABLFL": _flag(baseline is not None and specimen.row == baseline.row and value is not None),
        **(_criteria(specimen) if parameter.code == "MRDPCT" else {}),
        "SRCDOM": "CALLS",
        "SRCVAR": parameter.column,
        "SRCSEQ": specimen.row,
        **_evidence(specimen),
    }


def _value(parameter: Parameter, specimen: Specimen) -> Any:
    value = specimen.record[parameter.column]
    return value if parameter.text else _scaled(value, parameter.scale)


def _scaled(value: float | None, scale: int) -> float | None:
    """Multiply by a power of ten, without the binary dust of the product."""
    return None if value is None else float(f"{scale * value:.12g}")


def _criteria(specimen: Specimen) -> Row:
    threshold = f"MRD < {100 * specimen.record['threshold']:g}% of CD45+ leukocytes"
    first, second = judge_estimate(specimen.record), specimen.record["laip_below"]
    return {
        "CRIT1": f"{threshold} (corrected estimate)",
        "CRIT1FL": first,
        "CRIT1FN": _number(first),
        "CRIT2": f"{threshold} (plain count)",
        "CRIT2FL": second,
        "CRIT2FN": _number(second),
    }


def judge_estimate(record: Mapping[str, Any]) -> str | None:
    """Judge criterion 1: Y where estimate and call are below, N where the estimate is not and the call is told, else None."""
    value, told = record["mrd_fraction"], record["below_threshold"]
    if value is None or told is None:
        return None
    if value >= record["threshold"]:
        return "N"
    return "Y" if told == "Y" else None


def _evidence(specimen: Specimen) -> Row:
    record = specimen.record
    return {
        "LOD": _scaled(record["lod"], 100),
        "LLOQ": _scaled(record["lloq"], 100),
        "NEVTWBC": record["n_leukocytes"],
        "NEVTLAIP": record["n_laip"],
        "NEVTBLST": record["n_blast"],
        "HEMODFL": None if record.get("purity") is None else "Y" if "hemodiluted" in split_flags(record["flags"]) else "N",
        "STORDAYS": record.get("storage_days"),
        "MRDCALL": record["call"],
    }


def _review_rows(person: Person, numbers: Mapping[str, int]) -> list[Row]:
    """Give the decision that holds for a visit as records of their own."""
    drawn = {s.visit: s for s in person.specimens}
    decisions = sorted(find_decisions(person).items(), key=lambda told: numbers[told[0]])
    told = [(code, visit, row) for code in REVIEW_PARAMETERS for visit, row in decisions]
    return [
        _review_row(person, code, drawn[visit], row) | {"AVISITN": numbers[visit]}
        for code, visit, row in told
        if code == "MRDCLSRV" or row["value"] is not None
    ]


def _review_row(person: Person, code: str, specimen: Specimen, decision: Decision) -> Row:
    column = "call" if code == "MRDCLSRV" else "value"
    value = {"AVALC": decision["call"]} if column == "call" else {"AVAL": _scaled(decision["value"], 100)}
    return {
        "PARAMCD": code,
        "PARAM": REVIEW_PARAMETERS[code],
        "PARCAT1": BY_REVIEW,
        "CPSPEC": specimen.record["specimen_type"].upper(),
        "AVISIT": specimen.visit,
        "ADT": specimen.collected.isoformat(),
        "ADY": count_days(specimen.collected, person.first_dose),
        **value,
        **source_of(decision, column).columns(),
        **_evidence(specimen),
    }


def _reviewed_rows(person: Person, line: Row | None) -> list[Row]:
    if line is None:
        return []
    return [_subject_row("MRDCONVR", line["converted"], line) | _source(apply_reviews(person), line)]


def _subject_rows(person: Person, line: Row | None) -> list[Row]:
    if line is None:
        return []
    in_remission = line["cr_cri"] == "Y"
    source = _source(person, line)
    return [
        _subject_row("MRDCONV", line["converted"], line) | source,
        _subject_row("MRDNEGCR", line["converted"] if in_remission else "N", line)
        | (source if in_remission else _clinical_source(person, "cr_date")),
    ]


def _subject_row(code: str, value: str, line: Row) -> Row:
    return {
        "PARAMCD": code,
        "PARAM": SUBJECT_PARAMETERS[code],
        "PARCAT1": BY_SUBJECT,
        "AVALC": value,
        "AVAL": _number(value),
        "ANL01FL": _flag(line["treated"] == "Y"),
    }


def _source(person: Person, line: Row) -> Row:
    """Name the record behind a subject's conversion: the deciding marrow, or what the clinical table says instead."""
    deciding = {s.row: s for s in person.specimens}.get(line["calls_row"])
    if deciding is None:
        return _clinical_source(person, REASON_SOURCE.get(line["reason"], "subject"))
    return {
        "CPSPEC": deciding.record["specimen_type"].upper(),
        "ADT": deciding.collected.isoformat(),
        "ADY": count_days(deciding.collected, person.first_dose),
        **_call_source(deciding).columns(),
        **_evidence(deciding),
    }


def _call_source(specimen: Specimen) -> Source:
    return Source("CALLS", "below_threshold", specimen.row) if specimen.review is None else source_of(specimen.review, "call")


def _clinical_source(person: Person, column: str) -> Row:
    fact = person.facts.get(column)
    if fact is None:
        return Source("SUBJECTS", column, person.row).columns()
    return {**fact.source.columns(), "ADT": fact.day.isoformat(), "ADY": count_days(fact.day, person.first_dose)}


def _flag(value: bool) -> str | None:
    return "Y" if value else None


def _number(flag: str | None) -> int | None:
    return None if flag is None else int(flag == "Y")
