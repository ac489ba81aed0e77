"""What makes a visit adequate or not, one line each: what was seen, what is needed, and whether that is met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from mrd.core.settings import Settings
from mrd.core.words import MARROW, OK, SHIFTED, split_flags
from mrd.report.evidence import Row
from mrd.report.numbers import is_told, percent, plain, threshold_text, whole

MET, UNMET, UNKNOWN = "met", "not met", "not assessed"
QUALITY = ("doublets-high", "events-lost", "saturated", "time-missing", "unstable", "anchor-missing", "uncompensated")
"""Flags that tell how a tube was acquired."""


@dataclass(frozen=True)
class Line:
    """One requirement: what, what was seen, what is needed, and `MET`, `UNMET` or `UNKNOWN`."""

    what: str
    seen: str
    needed: str
    state: str


def adequacy_lines(
    call: Row, tubes: Sequence[Row], received: Mapping[str, str | None], settings: Settings, *, shares: Sequence[str] = ()
) -> list[Line]:
    """Every requirement of an adequate specimen, in the order in which a laboratory goes through them.

    Parameters
    ----------
    received : by tube id, the day a tube was received
    shares : shares of lymphocytes and granulocytes, in words, which stand beside a purity that was not measured
    """
    marrow = call["specimen_type"] == MARROW
    return [
        Line("Specimen", str(call["specimen_type"]), MARROW, MET if marrow else UNMET),
        age_line(call, tubes, received, settings.old_days),
        tubes_line(tubes),
        quality_line(tubes),
        _least("Leukocytes", call["n_leukocytes"], settings.min_leukocytes),
        _least("Cells in the blast compartment", call["n_blast"], settings.min_blasts),
        lod_line(call),
        purity_line(call, shares, settings.purity_least),
    ]


def _least(what: str, seen: Any, needed: int) -> Line:
    state = UNKNOWN if not is_told(seen) else MET if int(seen) >= needed else UNMET
    return Line(what, whole(seen), f"at least {whole(needed)}", state)


def lod_line(call: Row) -> Line:
    """Whether the specimen could have shown disease at the threshold."""
    lod, threshold = call["lod"], float(call["threshold"])
    state = UNKNOWN if not is_told(lod) else MET if float(lod) < threshold else UNMET
    return Line("LoD", percent(lod, 2, beside=threshold), f"below {threshold_text(threshold)}", state)


def purity_line(call: Row, shares: Sequence[str], least: float) -> Line:
    """Marrow share of the leukocytes, where it was assessed, with the shares by which a reader judges it."""
    purity: Any = call.get("purity")
    if not is_told(purity):
        return Line("Hemodilution", "; ".join(shares) or "no purity was measured", "purity told", UNKNOWN)
    seen = "; ".join([f"{percent(purity, 2)} marrow (by {call['purity_method']})", *shares])
    return Line("Hemodilution", seen, f"at least {percent(least, 2)} marrow", MET if float(purity) >= least else UNMET)


def age_line(call: Row, tubes: Sequence[Row], received: Mapping[str, str | None], most: int) -> Line:
    """Days from the draw to receipt of the latest tube; an older specimen needs its viability told (ELN 2021, A7)."""
    told = [received.get(str(t["tube_id"])) for t in tubes]
    days = [(date.fromisoformat(str(d)) - date.fromisoformat(str(call["collected"]))).days for d in told if is_told(d)]
    needed = f"at most {most} days, else viability told"
    if not days:
        return Line("Age at receipt", "no day of receipt is known", needed, UNKNOWN)
    oldest = max(days)
    return Line("Age at receipt", f"{oldest} day" + ("" if oldest == 1 else "s"), needed, MET if oldest <= most else UNMET)


def tubes_line(tubes: Sequence[Row]) -> Line:
    """Tubes of the visit that could be used."""
    used = sum(t["outcome"] == OK for t in tubes)
    return Line("Tubes used", f"{used} of {len(tubes)}", "all", MET if tubes and used == len(tubes) else UNMET)


def quality_line(tubes: Sequence[Row]) -> Line:
    """What the quality steps said of the tubes that were used."""
    used = [t for t in tubes if t["outcome"] == OK]
    told = sorted({f for t in used for f in split_flags(t["flags"]) if f in QUALITY})
    state = UNKNOWN if not used else UNMET if told else MET
    return Line("Acquisition", ", ".join(told) or ("no remark" if used else "no tube was used"), "no remark", state)


def distance_line(distance: Any, flags: Sequence[str]) -> Line:
    """How far a tube lies from the controls; the detect stage says from where on that is unusual."""
    state = UNKNOWN if not is_told(distance) else UNMET if {SHIFTED, "far-from-reference"} & set(flags) else MET
    return Line("Distance from the reference", plain(distance, 2), "not unusual", state)
