"""Study days, and days as text."""

from __future__ import annotations

from datetime import date


def count_days(day: date | None, start: date | None) -> int | None:
    """Count study days: the first dose is day 1, the day before it day -1; there is no day 0. None without either."""
    if day is None or start is None:
        return None
    return (day - start).days + (day >= start)


def to_text(day: date | None) -> str | None:
    """A day as YYYY-MM-DD."""
    return None if day is None else day.isoformat()
