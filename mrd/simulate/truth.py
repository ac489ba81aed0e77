"""What is known of a synthetic tube: a code for every event, and one row of counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrd.core.tables import Column, Table
from mrd.simulate.leukaemia import NAME as LEUKAEMIC
from mrd.simulate.lymphoid import LYMPHOID
from mrd.simulate.myeloid import MYELOID
from mrd.simulate.population import Population

POPULATIONS: tuple[Population, ...] = MYELOID + LYMPHOID
DEBRIS, DEAD, DOUBLET, MARGIN = "debris", "dead", "doublet", "margin"
NAMES = (*(p.name for p in POPULATIONS), LEUKAEMIC, DEBRIS, DEAD, DOUBLET, MARGIN)
"""Meaning of the code of an event: its place in this list."""
CODE = {name: i for i, name in enumerate(NAMES)}
LEUKOCYTES = (*(p.name for p in POPULATIONS if p.leukocyte), LEUKAEMIC)
"""Intact single CD45+ events that are not erythroid: the denominator."""

C = Column
TRUTH = Table(
    "truth",
    1,
    "synthetic tube",
    (
        C("tube_id", "s", "subject_visit_tube", required=True),
        C("n_events", "i", "events in the file", required=True, low=0),
        C("n_leukocytes", "i", "intact single CD45+ events, erythroid ones not among them", required=True, low=0),
        C("n_leukaemic", "i", "leukaemic events among them", required=True, low=0),
        C("true_fraction", "f", "n_leukaemic / n_leukocytes", "1", required=True, low=0, high=1),
        C("burden", "f", "expected leukaemic cells per leukocyte of the undiluted marrow", "1", required=True, low=0, high=1),
        C("laip", "s", "kinds the leukaemia of this tube has"),
        C("artefacts", "s", "what was done to the tube"),
    ),
    key=("tube_id",),
)

Codes = NDArray[np.uint8]


def flag_leukocytes(code: Codes) -> NDArray[np.bool_]:
    """Flag events of the denominator."""
    return np.isin(code, [CODE[name] for name in LEUKOCYTES])


def count_truth(code: Codes) -> dict[str, int | float]:
    """Count one tube, as `TRUTH` names them."""
    leukocytes = int(flag_leukocytes(code).sum())
    leukaemic = int((code == CODE[LEUKAEMIC]).sum())
    share = leukaemic / leukocytes if leukocytes else 0.0
    return {"n_events": len(code), "n_leukocytes": leukocytes, "n_leukaemic": leukaemic, "true_fraction": share}
