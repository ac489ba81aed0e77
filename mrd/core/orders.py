"""What the dates of one subject must keep to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Order:
    """Two dates of one subject: `later` never lies before `earlier`, nor on the same day unless `same_day`."""

    earlier: str
    later: str
    same_day: bool
    fix: str = ""


HISTORY = "what came before this trial belongs in disease_at_entry"
ORDERS = (
    Order("first_dose", "consolidation", same_day=False),
    Order("first_dose", "transplant", same_day=False, fix="an earlier transplant is history"),
    Order("first_dose", "new_therapy", same_day=False, fix="an earlier therapy is history"),
    Order("first_dose", "relapse", same_day=False, fix=HISTORY),
    Order("first_dose", "refractory", same_day=False, fix=HISTORY),
    Order("first_dose", "cr_date", same_day=False, fix="an earlier remission is history"),
    Order("first_dose", "death", same_day=True),
    Order("first_dose", "last_alive", same_day=True),
    Order("refractory", "relapse", same_day=False, fix="refractory means the regimen brought no remission"),
    Order("cr_date", "relapse", same_day=False),
    *(
        Order(name, "death", same_day=True)
        for name in ("consolidation", "transplant", "new_therapy", "relapse", "refractory", "last_alive", "cr_date")
    ),
)
NEED_DOSE = ("consolidation", "relapse", "refractory", "cr_date")
"""Dates that only a treated subject has."""


def find_disorder(dates: Mapping[str, str]) -> Iterator[str]:
    """Yield every pair of dates that cannot both be right, and every date that needs a first dose and has none.

    Parameters
    ----------
    dates : days as YYYY-MM-DD by name; absent where there is none.
    """
    for order in ORDERS:
        first, then = dates.get(order.earlier), dates.get(order.later)
        if first is None or then is None or first < then or (first == then and order.same_day):
            continue
        told = "lies before" if then < first else "is the day of"
        yield f"{order.later} {then} {told} {order.earlier} {first}" + (f" ({order.fix})" if order.fix else "")


def find_undosed(dates: Mapping[str, str]) -> Iterator[str]:
    """Yield every date that needs a first dose where there is none."""
    for name in NEED_DOSE:
        if name in dates and "first_dose" not in dates:
            yield f"{name} {dates[name]} without first_dose"
