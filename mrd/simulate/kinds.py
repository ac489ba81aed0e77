"""The kinds of leukaemia-associated immunophenotype a synthetic leukaemia can have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

DRACH = "Drach 1992, Cytometry 13:893"
CRAIG = "Craig and Foon 2008, Blood 111:3941"
ELN = "Heuser 2021, Blood 138:2753"
VIDRIALES = "Vidriales 1993, Leukemia 7:2026"


@dataclass(frozen=True)
class Kind:
    """A LAIP: the level each marker it names takes on leukaemic cells, in words or asinh units."""

    name: str
    levels: Mapping[str, str]
    source: str


CROSS_LINEAGE = (
    Kind("CD7+", {"CD7": "2.9"}, f"{VIDRIALES}; {ELN}"),
    Kind("CD56+", {"CD56": "3.0"}, f"{VIDRIALES}; {ELN}"),
    Kind("CD19+", {"CD19": "2.6"}, f"{VIDRIALES}; {CRAIG}"),
    Kind("CD2+", {"CD2": "2.7"}, f"{VIDRIALES}; {CRAIG}"),
    Kind("CD4+", {"CD4": "2.9"}, f"{VIDRIALES}; {CRAIG}"),
)
ASYNCHRONOUS = (
    Kind("CD34+CD15+", {"CD34": "3.9", "CD15": "3.2"}, f"{DRACH}; {ELN}"),
    Kind("CD34+CD11b+", {"CD34": "3.9", "CD11b": "2.9"}, f"{DRACH}; {ELN}"),
)
LEVEL = (
    Kind("HLA-DR-", {"HLA-DR": "0.3"}, "Wetzler 2003, Leukemia 17:707"),
    Kind("CD33hi", {"CD33": "4.7"}, CRAIG),
    Kind("CD33-", {"CD33": "0.3"}, DRACH),
    Kind("CD117hi", {"CD117": "4.9"}, CRAIG),
    Kind("CD13-", {"CD13": "0.3"}, DRACH),
    Kind("CD13hi", {"CD13": "4.8"}, CRAIG),
    Kind("CD38lo", {"CD38": "0.8"}, f"{CRAIG}; Terwijn 2014, PLoS One 9:e107587"),
)
KINDS = {kind.name: kind for kind in CROSS_LINEAGE + ASYNCHRONOUS + LEVEL}


def find_kind(text: str) -> Kind | None:
    """Find the kind of a name, a missing `+` forgiven; none where there is no such kind."""
    return KINDS.get(text) or KINDS.get(f"{text}+")


def shows(kind: Kind, markers: Iterable[str]) -> bool:
    """Whether a panel can tell the kind: it has every marker that makes it (CD34 alone does not show CD34+CD15+)."""
    return set(kind.levels) <= set(markers)
