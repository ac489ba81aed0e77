"""Reviewers' decisions beside the pipeline's calls: additional records that overwrite nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mrd.core.words import ABOVE, BELOW, MARROW
from mrd.endpoint.clinical import Row
from mrd.endpoint.cohort import Person, Specimen


def find_decisions(person: Person) -> dict[str, Row]:
    """Find the decision that holds for each visit of a subject: the latest; of one instant, the last by its id."""
    ordered = sorted(person.rows("review"), key=lambda r: (str(r["reviewed_at"])[:19], str(r["source_id"])))
    return {str(row["visit"]): row for row in ordered}


def apply_reviews(person: Person) -> Person:
    """Give the specimens of a subject the calls as reviewed; specimens without a decision keep the pipeline's."""
    decisions = find_decisions(person)
    return replace(person, specimens=tuple(_reviewed(s, decisions.get(s.visit)) for s in person.specimens))


def _reviewed(specimen: Specimen, row: Row | None) -> Specimen:
    if row is None:
        return specimen
    call = row["call"]
    below = "Y" if call in BELOW else "N" if call in ABOVE else None
    value = specimen.record["mrd_fraction"] if row["value"] is None else row["value"]
    return replace(
        specimen, record={**specimen.record, "call": call, "below_threshold": below, "mrd_fraction": value}, review=row
    )


def find_contradictions(persons: Sequence[Person]) -> Iterator[str]:
    """Yield decisions that contradict themselves: a value on the other side of the threshold, or blood called below."""
    for person in persons:
        drawn = {s.visit: s for s in person.specimens}
        for row in person.rows("review"):
            yield from (f"{row.place}: {told}" for told in _contradictions(row, drawn[str(row["visit"])]))


def _contradictions(row: Row, specimen: Specimen) -> Iterator[str]:
    value, threshold, call = row["value"], specimen.record["threshold"], row["call"]
    if call in BELOW and specimen.record["specimen_type"] != MARROW:
        yield f"{specimen.record['specimen_type']} called {call}"
    if value is not None and ((call in BELOW and value >= threshold) or (call in ABOVE and value < threshold)):
        yield f"call {call} with value {value:g} at threshold {threshold:g}"
