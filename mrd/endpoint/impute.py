"""Partial dates: which day stands for a month or a year, and what tells that it was imputed."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date

FIRST, LAST = "first", "last"


@dataclass(frozen=True)
class Imputation:
    """The rule of one column of partial dates.

    take : the first or the last day of the month or year that was told
    not_before : name of a day; where it lies in that month or year, the first day taken is that day instead
    offset : days after `not_before` that are the earliest possible
    """

    take: str
    not_before: str = ""
    offset: int = 0


IMPUTATIONS = {
    ("exposure", "consolidation"): Imputation(FIRST, "first_dose", 1),
    ("exposure", "transplant"): Imputation(FIRST, "first_dose", 1),
    ("exposure", "new-therapy"): Imputation(FIRST, "first_dose", 1),
    ("exposure", "end"): Imputation(LAST),
    ("disposition", "relapse"): Imputation(FIRST, "cr_date", 1),
    ("disposition", "refractory"): Imputation(FIRST, "first_dose", 1),
    ("disposition", "death"): Imputation(FIRST, "last_record"),
    ("disposition", "last-alive"): Imputation(FIRST, "first_dose"),
    ("disposition", "withdrawal"): Imputation(FIRST, "first_dose"),
    ("disposition", "lost-to-follow-up"): Imputation(FIRST, "first_dose"),
    ("disposition", "completed"): Imputation(FIRST, "first_dose"),
    ("adverse_events", "onset"): Imputation(FIRST, "first_dose"),
    ("adverse_events", "end"): Imputation(LAST),
}
"""Every rule, by table and what the date is of. First days close windows early and keep events treatment-emergent."""


def impute_day(text: str, rule: Imputation, earliest: date | None = None) -> tuple[date, str | None]:
    """Turn a partial date into a day.

    Parameters
    ----------
    text : YYYY, YYYY-MM or YYYY-MM-DD.
    earliest : the day of `rule.not_before` plus its offset; None where there is none.

    Returns
    -------
    tuple
        The day, and what was imputed: None nothing, D the day, M month and day.
    """
    if len(text) == 10:
        return date.fromisoformat(text), None
    first, last = _ends(text)
    flag = "D" if len(text) == 7 else "M"
    if rule.take == LAST:
        return last, flag
    return (earliest if earliest is not None and first < earliest <= last else first), flag


def _ends(text: str) -> tuple[date, date]:
    """First and last day of a year or month."""
    year = int(text[:4])
    if len(text) == 4:
        return date(year, 1, 1), date(year, 12, 31)
    month = int(text[5:])
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
