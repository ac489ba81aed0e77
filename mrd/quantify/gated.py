"""Recall of a gate that people drew: the share of the leukaemic cells that lie inside, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mrd.quantify.burden import Recall
from mrd.quantify.cut import BASE_DRIFT


def share_inside(inside: NDArray[np.bool_], chance: NDArray[np.float32]) -> float:
    """Share of the leukaemic cells that lie inside.

    Parameters
    ----------
    inside : (n,) · chance : probability of each cell being leukaemic, (n,)
    """
    return float(chance[inside].sum(dtype=np.float64) / max(chance.sum(dtype=np.float64), 1e-12))


def gate_recall(inside: NDArray[np.bool_], chance: NDArray[np.float32], slides: Sequence[float]) -> Recall:
    """Recall of a gate at diagnosis with its error: sampling, and what drift of the leukaemia would change.

    Parameters
    ----------
    slides : change of the recall for one standard deviation of drift, a marker each; they add in squares. An end that cuts
        through the leukaemic cells makes the recall less certain than one far from them.
    """
    value = share_inside(inside, chance)
    effective = float(chance.sum(dtype=np.float64) ** 2 / max(np.square(chance, dtype=np.float64).sum(), 1e-12))
    sampling = value * (1 - value) / max(effective, 1.0)
    drift = float(np.sum(np.square(slides)))
    return Recall(value, float(np.sqrt(sampling + drift + (BASE_DRIFT * value) ** 2)))
