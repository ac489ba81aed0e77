"""Where to cut the score: the smallest LoD on some controls, its limits stated from others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrd.quantify import quantiles
from mrd.quantify.blanks import Z95, Blanks
from mrd.quantify.burden import Recall

CUTS: NDArray[np.float64] = np.round(np.arange(-30, 141) * 0.1, 1)
LEAST_RECALL = 0.15
BASE_DRIFT = 0.045
"""Error of a recall that no score tells, as a share of it."""
FEW = 5
"""Mean count under which a cut says nothing of the spread between controls."""
FLOOR_FACTOR = 1.4
"""A finding needs `least` cells with 95 % probability, so some more on average."""


@dataclass(frozen=True)
class Curves:
    """Over the cuts (q,): cells of each control above it (b, q), leukocytes (b,), kinds, recall in each control (b, q)."""

    found: NDArray[np.int64]
    total: NDArray[np.int64]
    kinds: tuple[str, ...]
    recall: NDArray[np.float64]

    def blanks(self, cut: int) -> Blanks:
        """The controls at one cut."""
        return Blanks(self.found[:, cut], self.total, self.kinds)


def count_above(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Cells above each cut, (q,)."""
    ordered = np.sort(scores)
    return np.asarray(len(ordered) - np.searchsorted(ordered, CUTS, side="right"), dtype=np.int64)


def share_above(scores: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """Weighted share of cells above each cut, (q,)."""
    order = np.argsort(scores)
    cumulative = np.concatenate([[0.0], np.cumsum(weights[order], dtype=np.float64)])
    below = cumulative[np.searchsorted(scores[order], CUTS, side="right")]
    return np.asarray(1.0 - below / max(cumulative[-1], 1e-12))


def rough_lod(
    found: NDArray[np.int64], total: NDArray[np.int64], recall: NDArray[np.float64], n: float, least: int
) -> NDArray[np.float64]:
    """Recall-corrected LoD at every cut (q,), by normal approximation: for choosing, not for stating.

    Background and the least number of cells add in squares: where the latter rules, the larger of the two would leave a
    plateau, and its first cut, with the most background, would be taken for the best.

    Parameters
    ----------
    found : (b, q) · total : (b,) · recall : (q,) · n : leukocytes of the tube to come
    """
    mean = (found.sum(axis=0) + 0.5) / total.sum()
    between = (relative_spread(found, total) * mean) ** 2
    t = quantiles.student(0.95, len(total) - 1)
    excess = t * np.sqrt(between * (1 + 1 / len(total)) + mean / n)
    lod = excess + Z95 * np.sqrt(between + (mean + excess) / n)
    net = np.maximum(recall - mean, 1e-6)
    return np.asarray(np.where(recall < LEAST_RECALL, np.inf, np.hypot(lod, FLOOR_FACTOR * least / n) / net))


def relative_spread(found: NDArray[np.int64], total: NDArray[np.int64]) -> float:
    """Coefficient of variation of the background between controls, Poisson noise taken out: one for all cuts.

    Taken cut by cut it is so noisy that leaving one control out would move the cut, and with it the counts.
    """
    mean = found.sum(axis=0) / total.sum()
    told = mean * total.mean() > FEW
    if not told.any():
        return 0.5
    share = found[:, told] / total[:, None]
    extra = share.var(axis=0, ddof=1) - mean[told] / total.mean()
    return float(np.sqrt(np.median(np.maximum(extra, 0.0) / mean[told] ** 2)))


def choose_cut(curves: Curves, n: float, least: int, *, without: int | None = None) -> int:
    """Index of the cut for tubes of n leukocytes, learned on all controls or all but one."""
    keep = np.array([i != without for i in range(len(curves.total))])
    recall = curves.recall[keep].mean(axis=0)
    lod = rough_lod(curves.found[keep], curves.total[keep], recall, n, least)
    if not np.isfinite(lod).any():
        return int(np.argmax(recall))
    return int(np.argmin(lod))


def cross_fitted(curves: Curves, n: float, least: int) -> tuple[Blanks, NDArray[np.float64]]:
    """Each control counted at the cut that the others chose: honest blanks, and those cuts (b,)."""
    cuts = [choose_cut(curves, n, least, without=i) for i in range(len(curves.total))]
    found = np.array([curves.found[i, c] for i, c in enumerate(cuts)], dtype=np.int64)
    return Blanks(found, curves.total, curves.kinds), CUTS[cuts]


def recall_at(curves: Curves, cut: int, witnesses: float, drift: float) -> Recall:
    """Recall at a cut with its error: sampling, between tubes, and drift since diagnosis.

    Drift is stated in score units: a recall on the steep part of its curve, where the cut runs through the leukaemic
    cells, is less certain than one on the flat part.

    Parameters
    ----------
    witnesses : effective number of leukaemic cells behind the recall
    """
    value = float(curves.recall[:, cut].mean())
    between = float(curves.recall[:, cut].std(ddof=1))
    steps = round(drift / (CUTS[1] - CUTS[0]))
    low, high = max(cut - steps, 0), min(cut + steps, len(CUTS) - 1)
    slide = float(curves.recall[:, low].mean() - curves.recall[:, high].mean()) / 2
    sampling = value * (1 - value) / max(witnesses, 1.0)
    return Recall(value, float(np.sqrt(sampling + between**2 + slide**2 + (BASE_DRIFT * value) ** 2)))


def strata_flags(kinds: Sequence[str]) -> list[str]:
    """What to warn of the controls behind the limits."""
    flags = ["few-controls"] if len(kinds) < 20 else []
    return flags if "regenerating" in kinds else [*flags, "no-regenerating-controls"]
