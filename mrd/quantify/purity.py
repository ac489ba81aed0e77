"""How much of a specimen is marrow and how much blood: a share to report beside the result, which it never changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

BLOOD_LYMPHOCYTES = 0.3
"""Lymphocytes among the leukocytes of blood, a usual share (check)."""
LEAST_ERYTHROID = 0.005
"""Erythroid cells per leukocyte of the controls under which lysis left too few of them to tell anything."""
LEAST_CELLS = 20


@dataclass(frozen=True)
class Made:
    """What a tube is made of: erythroid cells, lymphocytes and leukocytes, counted."""

    erythroid: int
    lymphocytes: int
    leukocytes: int


def purity_by_counts(*, rbc_marrow: float, rbc_blood: float, wbc_marrow: float, wbc_blood: float) -> float:
    """Marrow share of the leukocytes from blood counts of the aspirate and of blood drawn with it.

    Blood in the aspirate brings its red cells along: (RBC marrow / RBC blood) (WBC blood / WBC marrow) of the leukocytes came
    with them (Holdrinet et al., Exp Hematol 1980;8:103).
    """
    return min(max(1 - rbc_marrow / rbc_blood * wbc_blood / wbc_marrow, 0.0), 1.0)


def purity_by_shares(tube: Made, controls: Sequence[Made]) -> float | None:
    """Marrow share of the leukocytes from what only marrow holds beside what blood brings; None where that cannot be told.

    With erythroid cells e and lymphocytes l per leukocyte of the controls (medians) and b lymphocytes per leukocyte of blood, a
    marrow of purity p shows the ratio e p / (l p + b (1 - p)); solved for p. Leukaemia thins both alike and leaves it as it is.
    A marrow that makes few red cells reads as diluted: that is for a person to tell apart.
    """
    if not controls or tube.lymphocytes < LEAST_CELLS:
        return None
    e = median(c.erythroid / max(c.leukocytes, 1) for c in controls)
    lymphocytes = median(c.lymphocytes / max(c.leukocytes, 1) for c in controls)
    if e < LEAST_ERYTHROID:
        return None
    ratio = tube.erythroid / tube.lymphocytes
    if ratio * lymphocytes >= e:
        return 1.0
    return ratio * BLOOD_LYMPHOCYTES / (e - ratio * lymphocytes + ratio * BLOOD_LYMPHOCYTES)
