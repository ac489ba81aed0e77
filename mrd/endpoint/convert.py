"""Conversion of one subject: the verdict of each marrow, the rules over them, the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from mrd.core.contracts import CONVERSION
from mrd.endpoint.baseline import classify_disease
from mrd.endpoint.cohort import Person, Specimen
from mrd.endpoint.window import Conversion, can_count, find_limits, find_specimens, is_inside

UNTOLD, BELOW, NOT_BELOW = 0, 1, 2
"""Verdicts, in the order in which marrows of one day are read: the last one speaks for the day."""

Marks = Sequence[tuple[int, Specimen]]


def convert_last(verdicts: Sequence[int]) -> bool:
    """Tell whether the last marrow with a verdict is below; untold ones are passed over, a positive one counts."""
    told = [v for v in verdicts if v != UNTOLD]
    return bool(told) and told[-1] == BELOW


def convert_any(verdicts: Sequence[int]) -> bool:
    """Tell whether any marrow is below."""
    return BELOW in verdicts


RULES: dict[str, Callable[[Sequence[int]], bool]] = {"last": convert_last, "any": convert_any}
BARRED = ("not-treated", "no-disease", "refractory")
"""Reasons that no marrow can undo."""
LACKING = ("missing", "blood-only")
"""Reasons without any marrow that the best case takes for a conversion; death, relapse and new therapy stay failures."""


def read_verdict(endpoint: Conversion, specimen: Specimen) -> int:
    """Read the verdict of one marrow: blasts speak first, then the flow."""
    if specimen.blasts is not None and specimen.blasts >= endpoint.blast_percent:
        return NOT_BELOW
    return {"Y": BELOW, "N": NOT_BELOW}.get(specimen.below or "", UNTOLD)


def mark_specimens(endpoint: Conversion, person: Person) -> list[tuple[int, Specimen]]:
    """Give each marrow of the window its verdict, in the order of time."""
    marks = [(read_verdict(endpoint, s), s) for s in find_specimens(endpoint, person) if can_count(endpoint, s)]
    return sorted(marks, key=lambda m: (m[1].collected, m[0], m[1].visit))


def find_deciding(endpoint: Conversion, marks: Marks) -> Specimen | None:
    """Find the marrow the primary rule rests on: the last with a verdict, or the first below where any suffices."""
    told = [(v, s) for v, s in marks if v != UNTOLD]
    below = [s for v, s in told if v == BELOW]
    if endpoint.rule == "any" and below:
        return below[0]
    return (told or list(marks))[-1][1] if marks else None


def explain(endpoint: Conversion, person: Person, marks: Marks) -> str:
    """Tell why a subject converted or not by the primary rule, as a code of `CONVERSION_REASONS`."""
    if person.first_dose is None:
        return "not-treated"
    if classify_disease(endpoint, person) == "none":
        return "no-disease"
    if any(person.dates[column] for column in endpoint.defeats):
        return "refractory"
    if not marks:
        return _explain_absence(endpoint, person)
    if RULES[endpoint.rule]([v for v, _ in marks]):
        return "converted"
    told = [s for v, s in marks if v != UNTOLD]
    return _explain_verdict(told[-1]) if told else _explain_untold(marks[-1][1])


def _explain_absence(endpoint: Conversion, person: Person) -> str:
    reason = find_limits(endpoint, person)[0][1].reason
    blood = find_specimens(endpoint, person)
    return "blood-only" if blood and reason == "missing" else reason


def _explain_verdict(specimen: Specimen) -> str:
    return "positive" if specimen.below == "N" else "blasts"


def _explain_untold(specimen: Specimen) -> str:
    """Not-evaluable: nothing to read; inadequate: below, but not adequate (row 5 of the decision table); else row 4."""
    value = specimen.record[specimen.record["decide_on"]]
    if specimen.record["call"] == "not-evaluable":
        return "not-evaluable"
    return "inadequate" if value is not None and value < specimen.record["threshold"] else "indeterminate"


def convert_by_rules(endpoint: Conversion, marks: Marks, reason: str) -> dict[str, bool]:
    """Convert by each rule, and by the primary one with everything unknown counted as below (best) or not (worst)."""
    if reason in BARRED:
        return dict.fromkeys(("last", "any", "best", "worst"), False)
    verdicts = [v for v, _ in marks]
    rule = RULES[endpoint.rule]
    return {
        **{name: judge(verdicts) for name, judge in RULES.items()},
        "best": rule([v or BELOW for v in verdicts]) or reason in LACKING,
        "worst": rule([v or NOT_BELOW for v in verdicts]),
    }


def derive_conversion(persons: Sequence[Person], endpoint: Conversion) -> pd.DataFrame:
    """Derive the line list, table CONVERSION: one row per subject, converted or not by each rule, with the reason."""
    return CONVERSION.frame([_row(endpoint, person) for person in persons])


def _row(endpoint: Conversion, person: Person) -> dict[str, Any]:
    marks = mark_specimens(endpoint, person)
    reason = explain(endpoint, person, marks)
    rules = convert_by_rules(endpoint, marks, reason)
    limits = find_limits(endpoint, person)
    remission = person.dates["cr_date"]
    return {
        "subject": person.subject,
        "treated": _yn(person.first_dose is not None),
        "evaluable": _yn(any(s.below for _, s in marks)),
        "cr_cri": _yn(remission is not None and is_inside(endpoint, person, remission)),
        "disease": classify_disease(endpoint, person),
        "first_dose": _text(person.first_dose),
        "window_end": _text(limits[0][0]) if limits else None,
        "closed_by": limits[0][1].column if limits else None,
        "n_marrows": len(marks),
        "n_told": sum(v != UNTOLD for v, _ in marks),
        "converted": _yn(rules[endpoint.rule]),
        "reason": reason,
        **{f"converted_{name}": _yn(value) for name, value in rules.items()},
        **_deciding(None if reason in BARRED else find_deciding(endpoint, marks)),
    }


def _deciding(specimen: Specimen | None) -> dict[str, Any]:
    if specimen is None:
        return {}
    return {name: specimen.record[name] for name in ("visit", "specimen", "collected", "call")} | {"calls_row": specimen.row}


def _yn(value: bool) -> str:
    return "Y" if value else "N"


def _text(day: Any) -> str | None:
    return None if day is None else day.isoformat()
