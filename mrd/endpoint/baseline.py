"""The baseline specimen of a subject, and what shows the disease there."""

from __future__ import annotations

from mrd.endpoint.cohort import Person, Specimen
from mrd.endpoint.window import Conversion, can_count


def find_baseline(endpoint: Conversion, person: Person) -> Specimen | None:
    """Find the last marrow up to and including the first dose that could be told; of one day, the one that shows disease.

    Without a first dose it is the diagnosis specimen.
    """
    told = [s for s in _before(person) if s.below and can_count(endpoint, s)]
    return max(told, key=lambda s: (s.collected, s.below == "N", s.visit), default=None)


def classify_disease(endpoint: Conversion, person: Person) -> str:
    """Tell what shows the disease at baseline, as a code of `mrd.core.contracts_conversion.DISEASE`.

    A marrow at or above the threshold; failing any marrow, blood at or above it (a positive is valid in blood); failing
    both, relapsed or refractory disease on entry, flagged by its code. `none`: no disease that could convert.
    """
    baseline = find_baseline(endpoint, person)
    if baseline is not None and baseline.below == "N":
        return "flow"
    if baseline is None and any(s.below == "N" for s in _before(person)):
        return "flow-blood"
    if person.entry in endpoint.entry:
        return "entry-no-flow" if baseline is None else "entry-flow-below"
    return "none"


def _before(person: Person) -> list[Specimen]:
    start = person.first_dose
    return [s for s in person.specimens if (s.record["role"] == "diagnosis" if start is None else s.collected <= start)]
