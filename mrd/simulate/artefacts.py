"""What can befall a tube: declared names with their ranges, read from one cell of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mrd.simulate.kinds import KINDS, Kind, find_kind


@dataclass(frozen=True)
class Artefact:
    """A number that befalls a tube: what it is, without it, named without a number, and its range."""

    meaning: str
    usual: float
    named: float
    low: float
    high: float


ARTEFACTS = {
    "sag": Artefact("share of the signal lost at the bottom of a sagging stretch of the run", 0.0, 0.45, 0.0, 0.95),
    "hemodilution": Artefact("share of the leukocytes that came from blood", 0.0, 0.5, 0.0, 1.0),
    "drift": Artefact("how far the antigens of the leukaemia moved since diagnosis (asinh units, sd)", 0.04, 0.4, 0.0, 3.0),
    "gain": Artefact("how far the gain of each detector lies off (log, sd)", 0.03, 0.2, 0.0, 1.0),
    "doublets": Artefact("share of the events that are two cells", 0.025, 0.15, 0.0, 0.6),
    "debris": Artefact("share of the events that are debris", 0.03, 0.25, 0.0, 0.8),
    "dead": Artefact("share of the events that are dead cells", 0.008, 0.1, 0.0, 0.8),
    "margin": Artefact("share of the events off the scatter scale", 0.003, 0.05, 0.0, 0.6),
    "regeneration": Artefact("how far the marrow is regenerating, 0 steady to 1 in full", -1.0, 0.8, 0.0, 1.0),
}
SWITCH = "switch"
"""`switch=KIND`: another clone took over, with a phenotype of its own and this kind."""


@dataclass(frozen=True)
class Befallen:
    """The artefacts of one tube: a number each, and the kind the clone switched to."""

    numbers: Mapping[str, float] = field(default_factory=dict)
    switch: Kind | None = None

    def __getitem__(self, name: str) -> float:
        """Its number, or the usual one."""
        return self.numbers.get(name, ARTEFACTS[name].usual)


def split_list(text: str) -> list[str]:
    """Split a `;`-separated cell into its parts."""
    return [part.strip() for part in text.split(";") if part.strip()]


def read_artefacts(text: str) -> Befallen:
    """Artefacts of a cell that `artefact_problems` has nothing to say about."""
    pairs = [part.partition("=")[::2] for part in split_list(text)]
    numbers = {name: float(value) if value else ARTEFACTS[name].named for name, value in pairs if name != SWITCH}
    return Befallen(numbers, next((find_kind(value) for name, value in pairs if name == SWITCH), None))


def artefact_problems(text: str) -> Iterator[str]:
    """Tell what is wrong with a cell of artefacts, each in a few words."""
    for part in split_list(text):
        name, _, value = part.partition("=")
        if name == SWITCH:
            if find_kind(value) is None:
                yield f"{part} names no LAIP kind; there are {', '.join(KINDS)}"
        elif name not in ARTEFACTS:
            yield f"{name} is no artefact; there are {', '.join([*ARTEFACTS, SWITCH])}"
        elif value and not _within(value, ARTEFACTS[name]):
            yield f"{part} is out of range; {name} takes {ARTEFACTS[name].low:g} to {ARTEFACTS[name].high:g}"


def _within(value: str, artefact: Artefact) -> bool:
    try:
        return artefact.low <= float(value) <= artefact.high
    except ValueError:
        return False
