"""The search for what differs from normal, rehearsed on every control: what it finds in a blank, and what it misses."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mrd.core.progress import follow
from mrd.core.settings import Settings
from mrd.detect.dfn import Excess, Rare, find_excess, rare_cells, rare_level
from mrd.detect.mixture import Mixture
from mrd.detect.reference import Learned, Reference
from mrd.detect.spike import FOUND, LADDER, Spiked, known_kinds, least_cells, spike

MOST_SPIKED = 8
"""Controls that known kinds are put into."""


@dataclass(frozen=True)
class Rehearsal:
    """What the search does with the controls.

    found : cells of each control that it took for leukaemic · cells : from how many on known kinds are found, infinite
    where not even the most are · recall : mean share of a found kind's cells
    """

    found: list[int]
    cells: float
    recall: float


def rehearse(
    controls: Sequence[Tensor],
    likely: Sequence[Tensor],
    learned: Learned,
    *,
    movable: Sequence[int],
    settings: Settings,
    rng: np.random.Generator,
    threads: int = 1,
) -> Rehearsal:
    """Search every kept control as if it were a tube, by a reference that did not see it and the other controls.

    Parameters
    ----------
    controls, likely : cells of each kept control and which lie where leukaemia is looked for · movable : marker columns
    threads : searches at a time; they change nothing of the result
    """
    level = rare_level(learned.normal)
    rare = [rare_cells(c, n, a.shift, level) for c, n, a in zip(controls, learned.normal, learned.adapted, strict=True)]
    kinds = kinds_of(controls, likely, learned, movable)
    seeds = rng.spawn(len(controls))

    def one(i: int) -> _Tried:
        judge = _Judge(Reference(learned.unseen[i], learned.reference.largest), [r for j, r in enumerate(rare) if j != i], level)
        found = judge.found(controls[i], likely[i], settings, seeds[i])
        if i >= MOST_SPIKED:
            return _Tried(found, [], [])
        rungs = [LADDER[(i * len(kinds) + k) % len(LADDER)] for k in seeds[i].permutation(len(kinds))]
        spiked = spike(controls[i], likely[i], learned.adapted[i].shift, kinds=kinds, counts=rungs, rng=seeds[i])
        return _Tried(found, rungs, judge.shares(spiked, len(kinds), settings, seeds[i]))

    with ThreadPoolExecutor(threads) as pool:
        told = follow(range(len(controls)), "rehearse on controls")
        tried = [t for _, t in zip(told, pool.map(one, range(len(controls))), strict=True)]
    return summed(tried)


@dataclass(frozen=True)
class _Tried:
    """One control: cells taken for leukaemic in it as it is, and of each known kind the cells put in and the share found."""

    found: int
    put: list[int]
    shares: list[float]


def summed(tried: Sequence[_Tried]) -> Rehearsal:
    """What the controls show together."""
    shares = [s for t in tried for s in t.shares]
    hit = [s >= FOUND for s in shares]
    recall = float(np.mean([s for s, h in zip(shares, hit, strict=True) if h])) if any(hit) else 0.0
    return Rehearsal([t.found for t in tried], least_cells([n for t in tried for n in t.put], hit), recall)


@dataclass(frozen=True)
class _Judge:
    reference: Reference
    controls: list[Rare]
    level: float

    def search(self, cells: Tensor, likely: Tensor, settings: Settings, rng: np.random.Generator) -> Excess | None:
        return find_excess(cells, likely, self.reference, controls=self.controls, level=self.level, settings=settings, rng=rng)

    def found(self, cells: Tensor, likely: Tensor, settings: Settings, rng: np.random.Generator) -> int:
        """Cells of a marrow that are taken for leukaemic."""
        excess = self.search(cells, likely, settings, rng)
        return 0 if excess is None else int((excess.odds > 0).sum())

    def shares(self, spiked: Spiked, kinds: int, settings: Settings, rng: np.random.Generator) -> list[float]:
        """Share of each known kind's cells that is found."""
        excess = self.search(spiked.cells, spiked.likely, settings, rng)
        if excess is None:
            return [0.0] * kinds
        return [float((excess.odds > 0)[spiked.kind == k].float().mean()) for k in range(kinds)]


def kinds_of(controls: Sequence[Tensor], likely: Sequence[Tensor], learned: Learned, movable: Sequence[int]) -> list[Mixture]:
    """Known kinds in the reference's frame, made from what the controls' blasts look like."""
    sample = torch.cat([c[:10_000] - a.shift for c, a in zip(controls, learned.adapted, strict=True)])
    return known_kinds(learned.reference.mixture, sample, torch.cat([p[:10_000] for p in likely]), movable)
