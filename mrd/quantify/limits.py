"""LoB, LoD and LLOQ of one tube, on the scale of the estimate (EP17; ICCS rare-event practice)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mrd.core.settings import Settings
from mrd.quantify.blanks import Blanks, Rate, background_rates, blank_bound, mean_background
from mrd.quantify.burden import Recall, estimate_fraction, fraction_where, nuisance


@dataclass(frozen=True)
class Limits:
    """lob, lod, lloq: leukaemic cells per leukocyte · bound: most cells a blank shows · background: what is subtracted."""

    lob: float
    lod: float
    lloq: float
    bound: int
    background: float


def tube_limits(n: int, blanks: Blanks, recall: Recall, settings: Settings, *, looks: int = 1) -> Limits:
    """Limits of a tube of n leukocytes.

    LoB is what a blank exceeds 5 % of the time, in any of the `looks` tubes of its visit. LoD is the fraction found 95 % of
    the time: more cells than a blank's bound, and a finding's least number, over the uncertainty of background and recall
    (what in-silico spikes would give, without their noise). LLOQ is the fraction whose estimate varies by `lloq_cv` at most
    and rests on `quantifiable_cells`, never under the LoD.
    """
    background = mean_background(blanks)
    bound = blank_bound(blanks, n, looks)
    lob = estimate_fraction(bound, n, background, recall.value)
    needed = max(bound, settings.min_cluster - 1)
    lod = fraction_where(needed, n, 0.05, nuisance(blanks, recall))
    lloq = max(lod, _quantifiable(n, blanks, recall, settings))
    return Limits(lob, lod, lloq, bound, background)


def _quantifiable(n: int, blanks: Blanks, recall: Recall, settings: Settings) -> float:
    floor = min(settings.quantifiable_cells / (max(recall.value, 1e-6) * n), 1.0)
    rates = background_rates(blanks)
    if variation(1.0, n, rates, recall) > settings.lloq_cv:
        return 1.0
    low, high = np.log(1e-9), 0.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if variation(float(np.exp(middle)), n, rates, recall) > settings.lloq_cv else (low, middle)
    return max(floor, float(np.exp(high)))


def variation(fraction: float, n: int, rates: Sequence[Rate], recall: Recall) -> float:
    """Coefficient of variation of the estimate at a fraction: Poisson counts, background per kind of control, recall."""
    background = float(np.mean([r.mean for r in rates]))
    spread = float(np.mean([r.variance + (r.mean - background) ** 2 for r in rates]))
    net = max(recall.value - background, 1e-9)
    counts = (background + fraction * net) / n
    return float(np.sqrt(counts + spread + (fraction * recall.error) ** 2) / (fraction * net))
