"""The conversion endpoint as data, and the window in which a marrow can show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from mrd.core.estimand import Closing, ConversionEstimand
from mrd.core.settings import Settings
from mrd.endpoint.cohort import Person, Specimen


@dataclass(frozen=True)
class Limit:
    """What closes the window.

    column : date column of the clinical table
    day_counts : whether a marrow of that very day still counts
    reason : why a subject without any marrow up to there is not converted
    """

    column: str
    day_counts: bool
    reason: str


LAST_DAY = Limit("window_days", day_counts=True, reason="missing")


@dataclass(frozen=True)
class Conversion:
    """An endpoint of conversion, declared.

    A marrow counts when it was collected after `start` (that day does not count) and inside every one of `limits` and
    `days`. Where limits fall on one day, the first declared names the reason.

    entry : disease states on entry that stand for a baseline
    defeats : date columns that rule conversion out, whatever the flow says
    blast_percent : marrow blasts from which a marrow is not below, whatever the flow says
    rule : name of the primary rule in `mrd.endpoint.convert.RULES`
    """

    start: str
    limits: tuple[Limit, ...]
    days: int
    specimen_types: tuple[str, ...]
    entry: tuple[str, ...]
    defeats: tuple[str, ...]
    blast_percent: float
    rule: str


REASONS = {"death": "death", "relapse": "relapse", "new_therapy": "new-therapy"}
"""Reason of a failure by the event behind it."""


def declare_conversion(settings: Settings, estimand: ConversionEstimand) -> Conversion:
    """Declare the trial's endpoint from its estimand: conversion to MRD below the threshold before consolidation.

    An event under the strategy `composite` closes the window and is a failure, one under `while-on-treatment` closes it, and
    one under `treatment-policy` is ignored.
    """
    return Conversion(
        start="first_dose",
        limits=tuple(
            Limit(event, closing.day_counts, _reason(event, closing))
            for event, closing in estimand.events.items()
            if closing.strategy != "treatment-policy"
        ),
        days=settings.window_days,
        specimen_types=estimand.specimen_types,
        entry=estimand.known_disease,
        defeats=("refractory",) if estimand.refractory == "composite" else (),
        blast_percent=settings.blast_percent,
        rule=settings.conversion_rule,
    )


def _reason(event: str, closing: Closing) -> str:
    return REASONS.get(event, "missing") if closing.strategy == "composite" else "missing"


def find_limits(endpoint: Conversion, person: Person) -> list[tuple[date, Limit]]:
    """Find the dated limits of one subject's window, the one that closes it first; none without a start."""
    start = person.dates[endpoint.start]
    if start is None:
        return []
    dated = [(day, limit) for limit in endpoint.limits if (day := person.dates[limit.column]) is not None]
    return sorted([*dated, (start + timedelta(days=endpoint.days), LAST_DAY)], key=lambda pair: pair[0])


def is_inside(endpoint: Conversion, person: Person, day: date) -> bool:
    """Tell whether a day lies inside the subject's window."""
    start = person.dates[endpoint.start]
    if start is None or day <= start:
        return False
    return all(day < end or (day == end and limit.day_counts) for end, limit in find_limits(endpoint, person))


def find_specimens(endpoint: Conversion, person: Person) -> list[Specimen]:
    """Find the follow-up specimens of the window, of every type."""
    return [s for s in person.specimens if s.record["role"] == "follow-up" and is_inside(endpoint, person, s.collected)]


def can_count(endpoint: Conversion, specimen: Specimen) -> bool:
    """Tell whether a specimen is of a type that can show conversion."""
    return specimen.record["specimen_type"] in endpoint.specimen_types
