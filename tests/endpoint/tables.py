"""Literal tables of a trial: days are counted from the first dose."""

from datetime import date, timedelta

import pandas as pd

from mrd.core.contracts import CALLS_TABLE
from mrd.core.estimand import check_estimands
from mrd.core.settings import Settings
from mrd.endpoint.clinical import TABLES as CLINICAL, Clinical
from mrd.endpoint.derive import Inputs, Trial, derive_trial

FIRST_DOSE = date(2026, 1, 5)
MARROW, BLOOD = "bone marrow", "peripheral blood"
OUTCOMES = {
    "below": ("not-detected", "Y", 0.0002, 100),
    "low": ("low-quantifiable", "Y", 0.0009, 540),
    "positive": ("positive", "N", 0.02, 12_000),
    "few": ("positive-not-quantifiable", "N", 0.0011, 660),
    "inadequate": ("indeterminate", None, 0.0002, 100),
    "background": ("indeterminate", None, 0.002, 1_200),
    "unreadable": ("not-evaluable", None, None, None),
}


def day(offset: int | None) -> str | None:
    return None if offset is None else (FIRST_DOSE + timedelta(days=offset)).isoformat()


def call(
    offset: int, outcome: str, kind: str = MARROW, *, subject: str = "P01", role: str | None = None, **other: object
) -> dict[str, object]:
    """One row of calls: 600,000 leukocytes, decided at 10^-3."""
    name, below, fraction, laip = OUTCOMES[outcome]
    role = role or ("diagnosis" if offset <= 0 else "follow-up")
    row: dict[str, object] = {
        "subject": subject,
        "visit": f"D{offset}{'' if kind == MARROW else 'B'}",
        "role": role,
        "specimen": f"{subject}-D{offset}{kind[0]}",
        "specimen_type": kind,
        "collected": day(offset),
        "n_leukocytes": None if laip is None else 600_000,
        "n_blast": None if laip is None else 900,
        "n_laip": laip,
        "laip_fraction": None if laip is None else laip / 600_000,
        "laip_below": None if laip is None else "Y" if 1000 * laip < 600_000 else "N",
        "mrd_fraction": fraction,
        "lod": 0.00005,
        "lloq": 0.0001,
        "call": name,
        "below_threshold": below,
        "reason": "a literal",
        "decide_on": "mrd_fraction",
        "threshold": 1e-3,
        "guideline": "ELN 2021",
        "version": "0",
    }
    return row | other


def subject(name: str = "P01", *, entry: str | None = "relapsed", first_dose: int | None = 0, **dates: int) -> dict[str, object]:
    """One row of subjects."""
    days = {column: day(offset) for column, offset in dates.items()}
    return {"subject": name, "first_dose": day(first_dose), "disease_at_entry": entry, **days}


def frame_of(name: str, rows: list[dict[str, object]]) -> pd.DataFrame:
    """One of the clinical tables, with all its columns."""
    return CLINICAL[name].frame(rows)


def derive(
    calls: list[dict[str, object]],
    subjects: list[dict[str, object]] | None,
    responses: list[dict[str, object]] | None = None,
    *,
    more: dict[str, list[dict[str, object]]] | None = None,
    estimands: dict[str, object] | None = None,
    **settings: object,
) -> Trial:
    """Everything derived from literal rows; `more` are further clinical tables by name."""
    told = {"subjects": subjects, "responses": responses, **(more or {})}
    frames = {name: frame_of(name, rows) for name, rows in told.items() if rows is not None}
    clinical = None if subjects is None else Clinical(frames)
    inputs = Inputs(CALLS_TABLE.frame(calls), clinical, check_estimands(estimands or {}))
    return derive_trial(inputs, Settings(**settings), version="1")  # type: ignore[arg-type]


def rows(frame: pd.DataFrame, **where: object) -> list[dict[str, object]]:
    """Rows of a frame whose columns hold what is asked for; a missing value is None."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [row for row in plain.to_dict("records") if all(row[k] == v for k, v in where.items())]


def derive_each(cases: list[dict[str, list[dict[str, object]]]], **options: object) -> Trial:
    """Everything of many cases in one derivation: case i is subject P01, P02, ...; a case holds rows by table."""
    told: dict[str, list[dict[str, object]]] = {}
    for number, case in enumerate(cases, 1):
        for table, own in case.items():
            told.setdefault(table, []).extend({**row, "subject": name_of(number)} for row in own)
    calls, subjects, responses = (told.pop(name, []) for name in ("calls", "subjects", "responses"))
    return derive(calls, subjects, responses or None, more=told, **options)  # type: ignore[arg-type]


def name_of(number: int) -> str:
    return f"P{number:02d}"
