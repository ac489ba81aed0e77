"""The search for what differs from normal, rehearsed on every control: what it finds in a blank, and what it misses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mrd.core.progress import follow
from mrd.core.settings import Settings
from mrd.detect.chunks import workers
from mrd.detect.dfn import Excess, accept, find_excess, lay_bare, suspects
from mrd.detect.judge import Others, Rare, rare_cells, rare_level
from mrd.detect.laip import Places
from mrd.detect.mixture import Mixture
from mrd.detect.reference import Learned, Reference
from mrd.detect.spike import FOUND, LADDER, Spiked, known_kinds, least_cells, spike

MOST_SPIKED = 8
"""Controls that known kinds are put into."""


@dataclass(frozen=True)
class Rehearsal:
    """What the search does with the controls.

    found : cells of each control that it took for leukaemic · changed : had every population of it changed since other visits
    cells : from how many on known kinds are found, infinite where not even the most are
    recall : mean share of a found kind's cells
    """

    found: list[int]
    changed: list[int]
    cells: float
    recall: float


def rehearse(
    controls: Sequence[Tensor],
    places: Sequence[Places],
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
    controls, places : cells of each kept control and which lie where leukaemia is looked for · movable : marker columns
    threads : searches at a time; they change nothing of the result
    """
    level = rare_level(learned.normal)
    rare = [rare_cells(c, n, a.shift, level) for c, n, a in zip(controls, learned.normal, learned.adapted, strict=True)]
    kinds = kinds_of(controls, [p.likely for p in places], learned, movable)
    seeds = rng.spawn(len(controls))

    def one(i: int) -> _Tried:
        judge = _Judge(Reference(learned.unseen[i], learned.reference.largest), [r for j, r in enumerate(rare) if j != i], level)
        found = judge.found(controls[i], places[i], settings, seeds[i])
        if i >= MOST_SPIKED:
            return _Tried(*found, [], [])
        rungs = [LADDER[(i * len(kinds) + k) % len(LADDER)] for k in seeds[i].permutation(len(kinds))]
        spiked = spike(controls[i], places[i].likely, learned.adapted[i].shift, kinds=kinds, counts=rungs, rng=seeds[i])
        return _Tried(*found, rungs, judge.shares(spiked, len(kinds), settings, seeds[i]))

    with workers(threads) as pool:
        told = follow(range(len(controls)), "rehearse on controls")
        tried = [t for _, t in zip(told, pool.map(one, range(len(controls))), strict=True)]
    return summed(tried)


@dataclass(frozen=True)
class _Tried:
    """One control: cells taken for leukaemic as it is, and had it changed; of each known kind cells put in and share found."""

    found: int
    changed: int
    put: list[int]
    shares: list[float]


def summed(tried: Sequence[_Tried]) -> Rehearsal:
    """What the controls show together."""
    shares = [s for t in tried for s in t.shares]
    hit = [s >= FOUND for s in shares]
    recall = float(np.mean([s for s, h in zip(shares, hit, strict=True) if h])) if any(hit) else 0.0
    return Rehearsal(
        [t.found for t in tried], [t.changed for t in tried], least_cells([n for t in tried for n in t.put], hit), recall
    )


@dataclass(frozen=True)
class _Judge:
    reference: Reference
    controls: list[Rare]
    level: float

    def found(self, cells: Tensor, places: Places, settings: Settings, rng: np.random.Generator) -> tuple[int, int]:
        """Cells of a marrow that are taken for leukaemic, and how many would be, had every population of it changed."""
        tube = lay_bare(cells, places, self.reference, level=self.level, settings=settings)
        plain, changed = Others(self.controls), Others(self.controls, change=float("inf"))
        clusters = suspects(tube, changed, settings, rng)
        as_seen = [replace(c, change=plain.change) for c in clusters]
        found, more = (
            leukaemic(accept(told, tube, self.reference, others, settings=settings))
            for told, others in ((as_seen, plain), (clusters, changed))
        )
        return found, more

    def shares(self, spiked: Spiked, kinds: int, settings: Settings, rng: np.random.Generator) -> list[float]:
        """Share of each known kind's cells that is found."""
        tube = lay_bare(spiked.cells, Places(spiked.likely, spiked.likely), self.reference, level=self.level, settings=settings)
        excess = find_excess(tube, self.reference, Others(self.controls), settings=settings, rng=rng)
        if excess is None:
            return [0.0] * kinds
        return [float((excess.odds > 0)[spiked.kind == k].float().mean()) for k in range(kinds)]


def leukaemic(excess: Excess | None) -> int:
    """Cells that the search takes for leukaemic."""
    return 0 if excess is None else int((excess.odds > 0).sum())


def kinds_of(controls: Sequence[Tensor], likely: Sequence[Tensor], learned: Learned, movable: Sequence[int]) -> list[Mixture]:
    """Known kinds in the reference's frame, made from what the controls' blasts look like."""
    sample = torch.cat([c[:10_000] - a.shift for c, a in zip(controls, learned.adapted, strict=True)])
    return known_kinds(learned.reference.mixture, sample, torch.cat([p[:10_000] for p in likely]), movable)
