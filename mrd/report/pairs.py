"""Which two pairs of markers show a subject's found cells best."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from mrd.report.drawn import Values

Pair = tuple[str, str]
CORE: tuple[Pair, ...] = (("CD34", "CD117"), ("CD33", "HLA-DR"), ("CD13", "CD33"), ("CD38", "CD34"), ("CD7", "CD56"))
"""Pairs of the ELN core markers that a reader expects where no found cells tell which to show."""
LEAST = 30
"""Fewer found or normal cells than this say nothing about a pair."""
BINS = 16


def choose_pairs(found: Values, normal: Values, channels: Sequence[str], *, among: Sequence[str], count: int = 2) -> list[Pair]:
    """Pairs of markers in which found cells lie apart from normal cells, best first, no marker twice.

    Parameters
    ----------
    found, normal : (k, m) and (n, m) cells x channels on the common scale
    among : markers to choose from
    count : pairs wanted; fewer where the markers run out
    """
    markers = [c for c in channels if c in set(among)]
    if min(len(found), len(normal)) < LEAST:
        return core_pairs(markers, count)
    place = {c: channels.index(c) for c in markers}
    told = {(a, b): overlap(found[:, [place[a], place[b]]], normal[:, [place[a], place[b]]]) for a, b in combinations(markers, 2)}
    return disjoint(sorted(told, key=lambda pair: (told[pair], pair)), count)


def core_pairs(markers: Sequence[str], count: int) -> list[Pair]:
    """The pairs a reader expects, as far as the panel has them, filled up with what is left."""
    expected = [p for p in CORE if set(p) <= set(markers)]
    return disjoint([*expected, *combinations(markers, 2)], count)


def disjoint(pairs: Sequence[Pair], count: int) -> list[Pair]:
    """The first pairs that share no marker with an earlier one."""
    kept: list[Pair] = []
    for pair in pairs:
        if len(kept) < count and not any(set(pair) & set(k) for k in kept):
            kept.append(pair)
    return kept


def overlap(found: Values, normal: Values) -> float:
    """Shared mass of two clouds of cells (k, 2) and (n, 2) on a common grid: 0 apart, 1 alike."""
    both = np.concatenate([found, normal])
    edges = [_edges(both[:, i]) for i in range(2)]
    return float(np.minimum(_density(found, edges), _density(normal, edges)).sum())


def _edges(values: Values) -> NDArray[np.float64]:
    low, high = np.quantile(values, (0.01, 0.99))
    inner = np.linspace(low, max(high, low + 1e-6), BINS - 1)
    return np.concatenate([[-np.inf], inner, [np.inf]])


def _density(cells: Values, edges: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    bins = [np.searchsorted(e[1:-1], cells[:, i], side="right") for i, e in enumerate(edges)]
    counts = np.bincount(bins[0] * BINS + bins[1], minlength=BINS * BINS)
    return counts / len(cells)
