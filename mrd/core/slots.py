"""The slots of every AnnData file we write, declared once."""

from __future__ import annotations

from dataclasses import dataclass, field

from mrd.core.errors import ContractError


@dataclass(frozen=True)
class Slots:
    """A kind of AnnData file: what its obs, var and uns hold beyond the gates, which each panel names."""

    name: str
    version: int
    x: str
    obs: dict[str, str]
    var: dict[str, str]
    uns: dict[str, str]
    maybe: dict[str, str] = field(default_factory=dict)
    """Columns of obs that are there only where they say something."""

    def check(self, *, obs: list[str], var: list[str], uns: list[str], where: str) -> None:
        """Raise where a declared slot is absent.

        Raises
        ------
        ContractError
            Slots are missing; all are named.
        """
        have = {"obs": obs, "var": var, "uns": uns}
        absent = [f"{part}.{n}" for part in have for n in getattr(self, part) if n not in have[part]]
        if absent:
            raise ContractError(f"{self.name} lacks {', '.join(absent)}", where=where, fix="run the workflow again")


UNS = {"kind": "name of these slots", "slots_version": "their version", "provenance": "JSON: how the file came to be"}

CELLS = Slots(
    "cells",
    1,
    "float32 cells x channels on the common scale",
    {"event": "number of the cell's event in the FCS file, from 0"},
    {"role": "area, side or marker", "detector": "$PnN of the channel in the file"},
    {**UNS, "tube_id": "subject_visit_tube", "panel": "panel", "gates": "JSON: gates as placed"},
)
SCORES = Slots(
    "scores",
    2,
    "empty",
    {
        "event": "number of the cell's event in the FCS file, from 0",
        "laip_score": "log p(cell | leukaemic) - log p(cell | normal marrow of this tube); empty where no LAIP applies",
        "laip": "whether the cell counts as found by the LAIP arm",
        "learned_score": "log odds of the classifier; empty where none was learned",
        "learned": "whether the cell counts as found by the learned arm",
        "dfn_score": "as laip_score, for what differs from normal; empty where nothing does",
        "dfn": "whether the cell counts as found by the dfn arm",
        "cluster": "number of the cell's cluster in the dfn arm, from 1; 0 for none",
    },
    {},
    {**UNS, "tube_id": "subject_visit_tube"},
    {"drawn": "whether the cell lies in a LAIP that the lab drew, where it drew one"},
)
CONTROLS = Slots(
    "controls",
    1,
    "float32 cells x channels on the common scale, all controls",
    {
        "control": "control the cell is from",
        "leukocyte": "whether the cell counts in the denominator",
        "normal": "log density under the control's adapted reference, fitted without it",
    },
    {},
    {**UNS, "panel": "panel"},
)
