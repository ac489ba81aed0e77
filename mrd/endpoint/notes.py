"""What a statistician should know of the inputs: imputed dates, and tables that tell different stories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from mrd.core.contracts_tables import NOTES
from mrd.endpoint.clinical import Source
from mrd.endpoint.cohort import Person

IMPUTED = {"D": "the day", "M": "month and day"}


def derive_notes(persons: Sequence[Person]) -> pd.DataFrame:
    """Derive table NOTES, ordered by subject, topic and source."""
    rows = [row for person in persons for row in _notes(person)]
    return NOTES.frame(sorted(rows, key=lambda r: (r["subject"], r["topic"], r["source"])))


def _notes(person: Person) -> Iterator[dict[str, Any]]:
    for name, fact in person.facts.items():
        if fact.flag and name != "alive":
            yield _note(person, name, f"{IMPUTED[fact.flag]} imputed: {fact.day}", fact.source)
    for a in person.assessments:
        source = Source("RESPONSES", "response", a.row.number)
        if a.told not in (None, a.response):
            yield _note(person, "response", f"the investigator told {a.told}, the criteria {a.response} ({a.reason})", source)
        if a.response == "RELAPSE" and "relapse" not in person.facts:
            yield _note(person, "relapse", f"disease again on {a.day}, but no relapse is told: none is counted", source)
    remission = person.facts.get("cr_date")
    shown = [a for a in person.assessments if a.response in ("CR", "CRh", "CRi")]
    if remission is not None and shown and shown[0].day != remission.day:
        yield _note(
            person,
            "cr_date",
            f"stated {remission.day}, by the criteria first {shown[0].day}; the stated day is used",
            remission.source,
        )


def _note(person: Person, topic: str, note: str, source: Source) -> dict[str, Any]:
    return {"subject": person.subject, "topic": topic, "note": note, "source": f"{source.domain} {source.row}"}
