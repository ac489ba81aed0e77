"""Different from normal: populations of a tube that are denser than its own normal marrow, and the controls', allow.

Nothing is known of the leukaemia. Components compete with the tube-adapted reference for the cells that are rare in
normal marrow; the reference is given several times its density, so that populations which merely differ between people
win over a component, and only a real excess keeps one. Components are learned on one half of the cells and judged on
the other: how many of its cells lie where the component is much denser than normal marrow, against how many of each
control do. Where the subject was seen at other visits, so are their cells: what a person has at every visit is no
leukaemia for that, but what is there at one and hardly at others has changed, and counts where little else would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mrd.core.settings import Settings
from mrd.detect.align import Adapted, adapt
from mrd.detect.chunks import BY_CHUNK, Chunks, chunks
from mrd.detect.fit import start_mixture
from mrd.detect.laip import Laip, Places, Witness
from mrd.detect.mixture import (
    Mixture,
    Moments,
    Points,
    component_logs,
    component_logs_in,
    forms,
    log_density,
    moments_of,
    points,
    responsibilities,
    scatter_about,
)
from mrd.detect.reference import Reference, prior_of

RARE = 0.15
"""Share of control cells, those of lowest normal density, among which a leukaemia is looked for."""
START_SHARE = 0.3
LEAST_MASS = 8.0
SCORES = (-4.0, 20.0, 0.2)
"""Cuts at which an excess is judged: first, last, step (nat)."""
PEOPLE = 0.25
"""How far a small normal population may lie from where the controls have it (asinh units, sd)."""
HOLD = 12.0
HELD_VARIANCE = 0.16


@dataclass(frozen=True)
class Rare:
    """Cells of a marrow where normal marrow is thin, in the reference's frame, with their log density under it.

    share : of the marrow's own cells that were kept for judging
    places : which of them lie in the likely and in the possible places, (n, 2) bool; None where nobody asks
    among : cells they are the rare ones of · whole : those, in the same frame; None where nobody asks
    """

    cells: Tensor
    normal: Tensor
    share: float = 1.0
    places: Tensor | None = None
    among: int = 0
    whole: Tensor | None = None


@dataclass(frozen=True)
class Bare:
    """A tube laid bare for the search: what is searched of its cells, and what it is searched against.

    cells : in random order · adapted : the tube's normal marrow · rare : its rare cells
    allowed : log density that a population must exceed at each rare cell
    """

    cells: Tensor
    adapted: Adapted
    rare: Rare
    allowed: Tensor


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


@dataclass(frozen=True)
class Excess:
    """What differs from normal in a tube.

    laip, witness : the accepted clusters as one LAIP, a component each, and the held-out half that did not fit it
    adapted : the tube's normal marrow beside them · clusters : the accepted ones
    odds : log odds of every cell that was searched of being leukaemic, (n,)
    """

    laip: Laip
    witness: Witness
    adapted: Adapted
    clusters: list[Cluster]
    odds: Tensor

    @property
    def strength(self) -> float:
        """That of the strongest cluster."""
        return max(c.strength for c in self.clusters)

    def has_changed(self, strength: float) -> bool:
        """Whether clusters of at least this strength that surely changed hold most of what was found."""
        changed = sum(c.found for c in self.clusters if c.surely_changed and c.strength >= strength)
        return 2 * changed >= sum(c.found for c in self.clusters)


def rare_level(normal: Sequence[Tensor]) -> float:
    """Log density under which a cell is rare in normal marrow: the quantile `RARE` over all controls."""
    sample = torch.cat([n[:: max(len(n) // 20_000, 1)] for n in normal])
    return float(torch.quantile(sample, RARE))


def rare_cells(cells: Tensor, normal: Tensor, shift: Tensor, level: float) -> Rare:
    """A control's rare cells, moved into the reference's frame."""
    keep = normal < level
    return Rare(cells[keep] - shift, normal[keep])


@dataclass(frozen=True)
class Others:
    """What a population is held against: rare cells of the controls and of the subject's other visits.

    controls : each judged by a reference that did not see it · change : what is taken for it where there are no other visits
    """

    controls: Sequence[Rare]
    visits: Sequence[Rare] = ()
    change: float = float("nan")


def lay_bare(
    cells: Tensor,
    places: Places,
    reference: Reference,
    *,
    level: float,
    settings: Settings,
    adapted: Adapted | None = None,
    by: Chunks = BY_CHUNK,
) -> Bare:
    """Rare cells of a tube, and the density that a population must exceed there.

    That is the larger of `dfn_tolerance` times the tube's normal density, and of the normal density with every
    population at the largest weight any control shows and as wide as people differ.

    Parameters
    ----------
    cells : (n, d) in random order; no more are searched than are kept of a control
    places : where leukaemia is looked for · level : log density under which a cell is rare
    adapted : the tube's normal marrow with no leukaemia beside it, where it is known already
    """
    adapted = adapted or adapt(cells[: settings.adapt_cells], reference.mixture, prior_of(settings), by=by)
    cells, own = cells[: settings.control_cells], adapted.mixture
    here = torch.stack([places.likely, places.likely | places.possible], dim=1)[: len(cells)]
    normal = log_density(cells, own, by)
    keep = normal < level
    wider = own.spreads + PEOPLE**2 * torch.eye(own.dims, device=own.spreads.device)
    most = Mixture(torch.maximum(reference.largest, own.weights), own.means, wider, own.tails)
    allowed = torch.maximum(log_density(cells[keep], most, by), normal[keep] + float(np.log(settings.dfn_tolerance)))
    whole = cells - adapted.shift
    return Bare(cells, adapted, Rare(whole[keep], normal[keep], 1.0, here[keep], len(cells), whole), allowed)


def find_excess(
    tube: Bare, reference: Reference, others: Others, *, settings: Settings, rng: np.random.Generator, by: Chunks = BY_CHUNK
) -> Excess | None:
    """Find what differs from normal in a tube; None where nothing does."""
    return accept(suspects(tube, others, settings, rng, by), tube, reference, others, settings=settings, by=by)


def suspects(tube: Bare, others: Others, settings: Settings, rng: np.random.Generator, by: Chunks = BY_CHUNK) -> list[Cluster]:
    """Populations among the rare cells of a tube, each learned on one half of them and weighed on the other."""
    if len(tube.rare.cells) < 10 * LEAST_MASS:
        return []
    fitted = compete(tube.rare.cells[::2], tube.allowed[::2], settings, rng, by)
    return [] if fitted is None else judge(fitted, held_out(tube.rare), others, by)


def accept(
    clusters: Sequence[Cluster], tube: Bare, reference: Reference, others: Others, *, settings: Settings, by: Chunks = BY_CHUNK
) -> Excess | None:
    """What stands out of a tube's suspects, and still does beside the tube's normal marrow adapted again."""
    kept = [c for c in clusters if c.strength >= settings.dfn_ratio]
    if not kept:
        return None
    beside = adapt_beside(kept, tube.cells, reference, settings, by)
    kept = confirmed(clusters, moved_to(held_out(tube.rare), tube.adapted, beside, by), others, settings, by)
    return gather(kept, tube.cells, beside, settings, by) if kept else None


def confirmed(
    clusters: Sequence[Cluster], tube: Rare, others: Others, settings: Settings, by: Chunks = BY_CHUNK
) -> list[Cluster]:
    """The clusters that differ from normal in a second look, and lesser ones that belong to them.

    With disease found, half of the ratio is enough for a cluster that overlaps it, and for another the second look alone.
    """
    lesser = [c for c in clusters if c.strength >= settings.dfn_ratio * LESSER]
    all_lesser = together(lesser)
    again, groups = weigh(all_lesser, counts_above(tube, all_lesser, by), tube, others, by), group_components(all_lesser)
    sure = [min(c.strength, now.strength) >= settings.dfn_ratio for c, now in zip(lesser, again, strict=True)]
    with_sure = {g for g, s in zip(groups, sure, strict=True) if s}
    needed = [settings.dfn_ratio * (0.5 if g in with_sure else 1.0) for g in groups]
    part = [bool(with_sure) and now.strength >= n for now, n in zip(again, needed, strict=True)]
    return [c for c, s, p in zip(lesser, sure, part, strict=True) if s or p]


LESSER = 0.3
"""Share of `dfn_ratio` from which on a cluster is looked at again."""


def adapt_beside(kept: list[Cluster], cells: Tensor, reference: Reference, settings: Settings, by: Chunks) -> Adapted:
    """The tube's normal marrow with the accepted clusters beside it.

    Without them normal populations near a leukaemia had moved towards it, and cells that they left behind looked
    abnormal: what this one explains is no cluster.
    """
    few = cells[: settings.adapt_cells]
    guess = max(2 * sum(c.found - c.background for c in kept) / len(cells), 1e-6)
    return adapt(few, reference.mixture, prior_of(settings), leukaemic=together(kept), share=guess, by=by)


def held_out(rare: Rare) -> Rare:
    """The half of a tube's rare cells that components were not learned on."""
    half = slice(1, None, 2)
    places = None if rare.places is None else rare.places[half]
    return replace(rare, cells=rare.cells[half], normal=rare.normal[half], share=0.5, places=places)


def pooled(tubes: Sequence[Rare]) -> Rare:
    """Rare cells of a visit's tubes as those of one."""
    cells, normal = (torch.cat([getattr(t, n) for t in tubes]) for n in ("cells", "normal"))
    whole = [t.whole for t in tubes if t.whole is not None]
    return Rare(cells, normal, among=sum(t.among for t in tubes), whole=torch.cat(whole) if whole else None)


def moved_to(tube: Rare, before: Adapted, after: Adapted, by: Chunks) -> Rare:
    """Rare cells as another adaptation of the same tube sees them."""
    cells, move = tube.cells + before.shift, before.shift - after.shift
    whole = None if tube.whole is None else tube.whole + move
    return replace(tube, cells=cells - after.shift, normal=log_density(cells, after.mixture, by), whole=whole)


def together(kept: Sequence[Cluster]) -> Mixture:
    """The components of several clusters as one mixture, each with the cells found."""
    masses = torch.tensor([float(c.found) for c in kept], device=kept[0].mixture.means.device)
    means, spreads = (torch.cat([getattr(c.mixture, n) for c in kept]) for n in ("means", "spreads"))
    return Mixture(masses / masses.sum(), means, spreads, kept[0].mixture.tails)


def compete(x: Tensor, background: Tensor, settings: Settings, rng: np.random.Generator, by: Chunks = BY_CHUNK) -> Mixture | None:
    """EM of components beside a background whose density is given; a component that loses its cells goes.

    Parameters
    ----------
    x : (n, d) · background : (n,) log density
    """
    start = min(settings.dfn_components, max(len(x) // 40, 1))
    mixture, share, cells = start_mixture(x, start, settings.tails, rng), START_SHARE, points(x, by)
    for _ in range(settings.dfn_rounds):
        m = moments_beside(cells, mixture, share, background)
        alive = m.counts > LEAST_MASS
        if not bool(alive.any()):
            return None
        mixture, share = updated(m, alive, settings.tails), float(m.counts[alive].sum() / len(x))
    return mixture


def moments_beside(x: Points, mixture: Mixture, share: float, background: Tensor) -> Moments:
    """Moments of components that hold `share` of the cells beside a background, (k,)."""
    form = forms(mixture, x.centre)

    def weights(log: Tensor, piece: slice) -> Tensor:
        return torch.sigmoid(log + float(np.log(share)) - background[piece])

    return moments_of(x, form, weights)


def updated(m: Moments, alive: Tensor, tails: float) -> Mixture:
    """The M-step of the components that live on; spreads are held by `HOLD` cells of a typical population's."""
    kept = Moments(m.counts[alive], m.mass[alive], m.first[alive], m.second[alive], 0.0, m.total_weight)
    means = kept.first / kept.mass.clamp_min(1e-9)[:, None]
    eye = torch.eye(means.shape[1], dtype=means.dtype, device=means.device) * HELD_VARIANCE
    spreads = (scatter_about(kept, means) + HOLD * eye) / (kept.counts + HOLD)[:, None, None]
    return Mixture((kept.counts / kept.counts.sum()).float(), means.float(), spreads.float(), tails)


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
    change = changes(mixture, tube, counts, others, by)[k, best]
    change = plain_changes(mixture, tube, best, change, others.visits)
    cells = counts.clamp_min(1)
    told = (*(t[k, best].tolist() for t in (counts, mean, ratio, likely / cells, possible / cells)), change.tolist())
    return [Cluster(mixture.pick(k == i), int(found), *rest) for i, (found, *rest) in enumerate(zip(*told, strict=True))]


LEAST_FOUND = 12
"""Cells of the held-out half under which a ratio says nothing."""
LEAST_LIKELY = 0.5
SURELY = 0.8
"""Share of a population's cells that must lie where leukaemia is looked for; from the second on it surely lies there."""
SURER = 1.4
"""What the ratio of a population counts that has surely changed."""
CHANGED = 5.0
"""Times the cells of the subject's quiet visits from which on a population is there at one visit and not at others."""
QUIET = 2
"""Of the other visits, from the one with fewest cells on, which counts as quiet; the fewest where there are only two."""


def changes(mixture: Mixture, tube: Rare, counts: Tensor, others: Others, by: Chunks) -> Tensor:
    """Cells above every cut of each component over those at the subject's quiet visits, (k, q).

    Two cells more than a visit shows are allowed it, so that one of few cells is not quiet for having shown none.
    """
    if not others.visits:
        return torch.full(counts.shape, others.change, device=counts.device)
    few = []
    for visit in others.visits:
        times = tube.share * tube.among / (visit.share * max(visit.among, 1))
        few.append(counts_above(visit, mixture, by)[0] * times + 2 * max(times, 1.0))
    return counts / torch.stack(few).kthvalue(QUIET if len(few) > QUIET else 1, dim=0).values


def plain_changes(mixture: Mixture, tube: Rare, best: Tensor, change: Tensor, visits: Sequence[Rare]) -> Tensor:
    """How what changed beside normal marrow did by all cells, with no normal marrow to explain any of them, (k,).

    Where one tube's normal marrow settled otherwise than those of the other visits, cells that are there at every visit
    lie over it at one alone. And what one visit's normal marrow leaves unexplained makes a real change look small.

    Parameters
    ----------
    best : the cut of each component, (k,) · change : how they changed beside each visit's normal marrow, (k,)
    """
    first, _, step = SCORES
    plain = change.clone()
    for k in (change.isfinite() & (change >= CHANGED)).nonzero()[:, 0].tolist() if visits else []:
        scores = component_logs(tube.cells, mixture.pick(torch.arange(len(best), device=best.device) == k))[:, 0] - tube.normal
        plain[k] = plain_change(tube.cells[scores >= first + step * best[k]], tube, visits, beside=float(change[k]))
    return plain


def plain_change(found: Tensor, tube: Rare, visits: Sequence[Rare], *, beside: float) -> float:
    """Cells of a tube in the core of a population, which holds half of those found, over those at the quiet visits.

    beside : what is told where all cells of the visits are not known, or too few were found
    """
    if tube.whole is None or len(found) < LEAST_FOUND:
        return beside
    centre, eye = found.mean(dim=0), torch.eye(found.shape[1], device=found.device)
    about = found - centre
    inverse = torch.linalg.inv((about.T @ about + HOLD * HELD_VARIANCE * eye) / (len(found) + HOLD))

    def away(cells: Tensor) -> Tensor:
        moved = cells - centre
        squared: Tensor = (moved @ inverse * moved).sum(dim=1)
        return squared

    core, few = away(found).median(), []
    for visit in (v.whole for v in visits if v.whole is not None):
        times = len(tube.whole) / max(len(visit), 1)
        few.append(float((away(visit) <= core).sum()) * times + 2 * max(times, 1.0))
    few.sort()
    return float((away(tube.whole) <= core).sum()) / few[QUIET - 1 if len(few) > QUIET else 0] if few else beside


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


def gather(kept: list[Cluster], cells: Tensor, adapted: Adapted, settings: Settings, by: Chunks) -> Excess:
    """The accepted clusters as a LAIP: refined against normal marrow as it is, with the held-out half as witnesses."""
    known, share = together(kept), max(adapted.share, 1e-6)
    normal = log_density(cells, adapted.mixture, by)
    train, seen = points((cells - adapted.shift)[::2], by), normal[::2]
    for _ in range(REFINED):
        m = moments_beside(train, known, share, seen)
        known, share = updated(m, m.counts > 0, settings.tails), float(m.counts.sum() / train.count)
    return told_by(Laip(known, share), kept, adapted, Searched(cells, normal), by)


@dataclass(frozen=True)
class Searched:
    """Cells that were searched, and their log density under the tube's normal marrow beside what was found."""

    cells: Tensor
    normal: Tensor


def told_by(laip: Laip, kept: list[Cluster], adapted: Adapted, seen: Searched, by: Chunks = BY_CHUNK) -> Excess:
    """What a LAIP of accepted clusters tells of the cells that were searched."""
    moved, normal = seen.cells - adapted.shift, seen.normal
    odds = log_density(moved, laip.mixture, by) + float(np.log(max(laip.share, 1e-12))) - normal
    return Excess(laip, Witness(moved[1::2], torch.sigmoid(odds[1::2])), adapted, kept, odds)


REFINED = 5
"""Rounds in which accepted components reach for the cells that the tolerant background had kept from them."""


def standing(excess: Excess, strength: float) -> Tensor:
    """Components of the populations whose strongest cluster reaches `strength`, (k,) bool."""
    groups = group_components(excess.laip.mixture)
    strong = {g for g, c in zip(groups, excess.clusters, strict=True) if c.strength >= strength}
    return torch.tensor([g in strong for g in groups], device=excess.laip.mixture.weights.device)


def part_of(excess: Excess, chosen: Tensor) -> tuple[Laip, Witness]:
    """Some components of an excess, (k,) bool, as a LAIP of their own with its witnesses."""
    laip, witness = excess.laip, excess.witness
    mine = responsibilities(witness.cells, laip.mixture)[:, chosen].sum(dim=1)
    part = Laip(laip.mixture.pick(chosen), laip.share * float(laip.mixture.weights[chosen].sum()))
    return part, Witness(witness.cells, witness.leukaemic * mine)


def group_components(mixture: Mixture) -> list[int]:
    """Number of the population each component belongs to, from 1: components that overlap are one population.

    Two overlap where their means lie within `NEAR` standard deviations of their mean spread.
    """
    k = len(mixture.weights)
    group = list(range(k))
    for i in range(k):
        for j in range(i):
            apart = mixture.means[i] - mixture.means[j]
            spread = (mixture.spreads[i] + mixture.spreads[j]) / 2
            if float(apart @ torch.linalg.solve(spread, apart)) < NEAR**2:
                old, new = group[i], group[j]
                group = [new if g == old else g for g in group]
    names = {g: n + 1 for n, g in enumerate(dict.fromkeys(group))}
    return [names[g] for g in group]


NEAR = 3.0
