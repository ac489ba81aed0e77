"""Populations of a tube weighed: their cells against those of the controls, and of the subject's other visits.

A component's cells are those where it is much denser than the tube's normal marrow. Each control's, and each visit's,
are counted beside its own. What has changed since other visits is counted again by all cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan

import torch
from torch import Tensor

from mrd.detect.chunks import BY_CHUNK, Chunks, chunks
from mrd.detect.mixture import Mixture, component_logs, component_logs_in

RARE = 0.15
"""Share of control cells, those of lowest normal density, among which a leukaemia is looked for."""
SCORES = (-4.0, 20.0, 0.2)
"""Cuts at which an excess is judged: first, last, step (nat)."""
HOLD = 12.0
HELD_VARIANCE = 0.16


@dataclass(frozen=True)
class Rare:
    """Cells of a marrow where normal marrow is thin, in the reference's frame, with their log density under it.

    share : of the marrow's own cells that were kept for judging
    places : which of them lie in the likely and in the possible places, (n, 2) bool; None where nobody asks
    whole : the cells they are the rare ones of, in the same frame; None where nobody asks
    """

    cells: Tensor
    normal: Tensor
    share: float = 1.0
    places: Tensor | None = None
    whole: Tensor | None = None

    @property
    def among(self) -> int:
        """How many cells they are the rare ones of; 0 where nobody asks."""
        return 0 if self.whole is None else len(self.whole)


@dataclass(frozen=True)
class Others:
    """What a population is held against: rare cells of the controls and of the subject's other visits.

    controls : each judged by a reference that did not see it · change : what is taken for it where there are no other visits
    """

    controls: Sequence[Rare]
    visits: Sequence[Rare] = ()
    change: float = float("nan")


@dataclass(frozen=True)
class Cluster:
    """An excess: its component in the reference's frame, cells found on the held-out half and in the mean control.

    ratio : the first over the second, at the cut where it is largest
    likely, possible : share of its cells in the panel's gates for leukaemia
    change : its cells over those at the subject's quiet visits; nan where there is no other visit
    """

    mixture: Mixture
    found: int
    background: float
    ratio: float
    likely: float
    possible: float
    change: float

    @property
    def strength(self) -> float:
        """The ratio, half of it where leukaemia is less surely looked for, nothing where it is not.

        What has changed since other visits is one step surer: a person's own populations stay what they are.
        """
        changed = self.change >= CHANGED
        if self.likely >= SURELY:
            return self.ratio * (SURER if self.surely_changed else 1)
        if self.likely >= LEAST_LIKELY and changed:
            return self.ratio
        doubtful = self.likely >= LEAST_LIKELY or (changed and self.possible >= SURELY)
        return self.ratio / 2 if doubtful else 0.0

    @property
    def surely_changed(self) -> bool:
        """Whether it surely lies where leukaemia is looked for, and has changed twice as clearly as it must."""
        return self.likely >= SURELY and self.change >= 2 * CHANGED

    def is_new(self, strength: float) -> bool:
        """Whether it reaches a strength and has changed since other visits; where none tells, several times that strength.

        A normal population that a person has and no control shows is there at every visit, as far over the controls as a
        leukaemia may be.
        """
        if isnan(self.change):
            return self.strength >= UNTOLD * strength
        return self.change >= CHANGED and self.strength >= strength


def rare_level(normal: Sequence[Tensor]) -> float:
    """Log density under which a cell is rare in normal marrow: the quantile `RARE` over all controls."""
    sample = torch.cat([n[:: max(len(n) // 20_000, 1)] for n in normal])
    return float(torch.quantile(sample, RARE))


def rare_cells(cells: Tensor, normal: Tensor, shift: Tensor, level: float) -> Rare:
    """A control's rare cells, moved into the reference's frame."""
    keep = normal < level
    return Rare(cells[keep] - shift, normal[keep])


def held_out(rare: Rare) -> Rare:
    """The half of a tube's rare cells that components were not learned on."""
    half = slice(1, None, 2)
    places = None if rare.places is None else rare.places[half]
    return replace(rare, cells=rare.cells[half], normal=rare.normal[half], share=0.5, places=places)


def pooled(tubes: Sequence[Rare]) -> Rare:
    """Rare cells of a visit's tubes as those of one."""
    cells, normal = (torch.cat([getattr(t, n) for t in tubes]) for n in ("cells", "normal"))
    whole = [t.whole for t in tubes if t.whole is not None]
    return Rare(cells, normal, whole=torch.cat(whole) if whole else None)


def judge(mixture: Mixture, tube: Rare, others: Others, by: Chunks = BY_CHUNK) -> list[Cluster]:
    """Weigh each component on the tube's other half; one without cells enough where leukaemia may lie is passed over."""
    counted = counts_above(tube, mixture, by)
    counts, likely, possible = counted
    inside = possible if others.visits or others.change >= CHANGED else likely
    worth = ((counts >= LEAST_FOUND) & (inside >= LEAST_LIKELY * counts)).any(dim=1)
    return weigh(mixture.pick(worth), counted[:, worth], tube, others, by) if bool(worth.any()) else []


def weigh(mixture: Mixture, counted: Tensor, tube: Rare, others: Others, by: Chunks = BY_CHUNK) -> list[Cluster]:
    """Each component's cells in a tube, as counted, against those in the controls, at the cut where their ratio is largest."""
    counts, likely, possible = counted
    blank = torch.stack([counts_above(c, mixture, by)[0] for c in others.controls]) * tube.share
    mean, worst = blank.mean(dim=0), blank.amax(dim=0)
    ratio = torch.where(counts >= LEAST_FOUND, counts / torch.maximum(mean + 2, worst * 0.7), 0.0)
    best = ratio.argmax(dim=1)
    k = torch.arange(len(best), device=best.device)
    change = recounted(mixture, tube, best, changes(mixture, tube, counts, others, by)[k, best], others.visits)
    cells = counts.clamp_min(1)
    told = (*(t[k, best].tolist() for t in (counts, mean, ratio, likely / cells, possible / cells)), change.tolist())
    return [Cluster(mixture.pick(k == i), int(found), *rest) for i, (found, *rest) in enumerate(zip(*told, strict=True))]


LEAST_FOUND = 12
"""Cells of the held-out half under which a ratio says nothing."""
LEAST_LIKELY = 0.5
SURELY = 0.8
"""Share of a population's cells that must lie where leukaemia is looked for; from the second on it surely lies there."""
UNTOLD = 3.0
"""Times as strong as else a population must be to be new where no other visit tells: normal ones reach 44 times the controls."""
SURER = 1.4
"""What the ratio of a population counts that has surely changed."""
CHANGED = 5.0
"""Times the cells of the subject's quiet visits from which on a population is there at one visit and not at others."""
QUIET = 2
"""Of the other visits, from the one with fewest cells on, which counts as quiet; the fewest where there are only two."""


def changes(mixture: Mixture, tube: Rare, counts: Tensor, others: Others, by: Chunks) -> Tensor:
    """Cells above every cut of each component over those at the subject's quiet visits, (k, q)."""
    if not others.visits:
        return torch.full(counts.shape, others.change, device=counts.device)
    few = []
    for visit in others.visits:
        times = tube.share * tube.among / (visit.share * max(visit.among, 1))
        few.append(counts_above(visit, mixture, by)[0] * times + allowed_more(times))
    return counts / quiet(torch.stack(few))


def recounted(mixture: Mixture, tube: Rare, best: Tensor, change: Tensor, visits: Sequence[Rare]) -> Tensor:
    """How components that changed beside each visit's normal marrow did by all cells, with none of them explained by it, (k,).

    Where one tube's normal marrow settled otherwise than those of the other visits, cells that are there at every visit
    lie over it at one alone: all cells then tell that nothing changed. And what another visit's normal marrow leaves
    unexplained makes a real change look small, as normal cells do that lie in its core: where both tell that it changed,
    the larger count is told.

    Parameters
    ----------
    best : the cut of each component, (k,) · change : how they changed beside normal marrow, (k,)
    """
    if not visits:
        return change
    first, _, step = SCORES
    again, number = change.clone(), torch.arange(len(best), device=best.device)
    for k in (change >= CHANGED).nonzero()[:, 0].tolist():
        scores = component_logs(tube.cells, mixture.pick(number == k))[:, 0] - tube.normal
        told = core_change(tube.cells[scores >= first + step * best[k]], tube, visits)
        again[k] = max(told, float(change[k])) if told >= CHANGED else told
    return again


def core_change(found: Tensor, tube: Rare, visits: Sequence[Rare]) -> float:
    """Cells of a tube in the core of a population, which holds half of those found, over those at the subject's quiet visits.

    About as many of all cells lie in it as were found on the half: the allowance is that of the half.
    """
    centre = found.mean(dim=0)
    inverse = torch.linalg.inv(held((found - centre).T @ (found - centre), len(found)))

    def away(cells: Tensor) -> Tensor:
        squared: Tensor = ((cells - centre) @ inverse * (cells - centre)).sum(dim=1)
        return squared

    core = away(found).median()
    here, *there = (0 if m.whole is None else int((away(m.whole) <= core).sum()) for m in (tube, *visits))
    times = [tube.among / max(v.among, 1) for v in visits]
    few = [n * t + allowed_more(t * tube.share) for n, t in zip(there, times, strict=True)]
    return here / float(quiet(torch.tensor(few)))


def quiet(cells: Tensor) -> Tensor:
    """The cells at the quiet one of some visits, (visits, ...) to (...)."""
    return cells.kthvalue(QUIET if len(cells) > QUIET else 1, dim=0).values


def allowed_more(times: float) -> float:
    """Cells that a visit is allowed beyond those it shows, so that one of few cells is not quiet for having shown none."""
    return 2 * max(times, 1.0)


def held(scatter: Tensor, cells: Tensor | float) -> Tensor:
    """Spread of populations of so many cells, (..., d, d), held by `HOLD` cells of a typical one."""
    count = torch.as_tensor(cells, dtype=scatter.dtype, device=scatter.device)[..., None, None]
    eye = torch.eye(scatter.shape[-1], dtype=scatter.dtype, device=scatter.device) * HELD_VARIANCE
    return (scatter + HOLD * eye) / (count + HOLD)


def counts_above(marrow: Rare, mixture: Mixture, by: Chunks = BY_CHUNK) -> Tensor:
    """Cells above every cut of each component's score, the likely ones and the possible ones of them, (3, k, q).

    Where nobody asked for places, none is in any.
    """
    first, last, step = SCORES
    bins, k = round((last - first) / step), len(mixture.weights)
    logs, rows = component_logs_in(marrow.cells, mixture), torch.arange(k, device=marrow.cells.device) * (bins + 1)

    def part(piece: slice) -> Tensor:
        place = ((logs(piece) - marrow.normal[piece, None] - first) / step).clamp_(-1, bins - 1).floor_().long() + 1 + rows
        here = [place[:0], place[:0]] if marrow.places is None else [place[p] for p in marrow.places[piece].T]
        return torch.stack([torch.bincount(x.reshape(-1), minlength=k * (bins + 1)) for x in (place, *here)])

    binned = sum(by.each(part, chunks(len(marrow.cells), by.size)), rows.new_zeros(3, k * (bins + 1)))
    return binned.reshape(3, k, bins + 1).flip(2).cumsum(2).flip(2)[:, :, 1:]
