"""Different from normal: populations of a tube that are denser than its own normal marrow, and the controls', allow.

Nothing is known of the leukaemia. Components compete with the tube-adapted reference for the cells that are rare in
normal marrow; the reference is given several times its density, so that populations which merely differ between people
win over a component, and only a real excess keeps one. Components are learned on one half of the cells and judged on
the other: how many of its cells lie where the component is much denser than normal marrow, against how many of each
control do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mrd.core.settings import Settings
from mrd.detect.align import Adapted, adapt
from mrd.detect.chunks import BY_CHUNK, Chunks, chunks
from mrd.detect.fit import start_mixture
from mrd.detect.laip import Laip, Witness
from mrd.detect.mixture import (
    Mixture,
    Moments,
    Points,
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
    likely : which of them lie where leukaemia is looked for, (n,); None where nobody asks
    """

    cells: Tensor
    normal: Tensor
    share: float = 1.0
    likely: Tensor | None = None


@dataclass(frozen=True)
class Cluster:
    """An excess: its component in the reference's frame, cells found on the held-out half and in the mean control.

    ratio : the first over the second, at the cut where it is largest · likely : share of its cells in the panel's gate
    """

    mixture: Mixture
    found: int
    background: float
    ratio: float
    likely: float

    @property
    def strength(self) -> float:
        """The ratio, half of it where leukaemia is less surely looked for, nothing where it is not."""
        if self.likely < LEAST_LIKELY:
            return 0.0
        return self.ratio if self.likely >= SURELY else self.ratio / 2


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


def rare_level(normal: Sequence[Tensor]) -> float:
    """Log density under which a cell is rare in normal marrow: the quantile `RARE` over all controls."""
    sample = torch.cat([n[:: max(len(n) // 20_000, 1)] for n in normal])
    return float(torch.quantile(sample, RARE))


def rare_cells(cells: Tensor, normal: Tensor, shift: Tensor, level: float) -> Rare:
    """A control's rare cells, moved into the reference's frame."""
    keep = normal < level
    return Rare(cells[keep] - shift, normal[keep])


def find_excess(
    cells: Tensor,
    likely: Tensor,
    reference: Reference,
    *,
    controls: Sequence[Rare],
    level: float,
    settings: Settings,
    rng: np.random.Generator,
    adapted: Adapted | None = None,
    by: Chunks = BY_CHUNK,
) -> Excess | None:
    """Find what differs from normal in a tube; None where nothing does.

    Parameters
    ----------
    cells : (n, d) in random order; no more are searched than are kept of a control
    likely : (n,) whether a cell lies where leukaemia is looked for
    controls : rare cells of the controls, each judged by a reference that did not see it
    adapted : the tube's normal marrow with no leukaemia beside it, where it is known already
    """
    adapted = adapted or adapt(cells[: settings.adapt_cells], reference.mixture, prior_of(settings), by=by)
    cells, likely = cells[: settings.control_cells], likely[: settings.control_cells]
    rare, background = rare_part(cells, likely, adapted, reference, level=level, settings=settings, by=by)
    if len(rare.cells) < 10 * LEAST_MASS:
        return None
    fitted = compete(rare.cells[::2], background[::2], settings, rng, by)
    if fitted is None:
        return None
    seen = held_out(rare)
    clusters = judge(fitted, seen, controls, by)
    kept = [c for c in clusters if c.strength >= settings.dfn_ratio]
    if not kept:
        return None
    beside = adapt_beside(kept, cells, reference, settings, by)
    kept = confirmed(clusters, moved_to(seen, adapted, beside, by), controls, settings, by)
    return gather(kept, cells, beside, settings, by) if kept else None


def confirmed(
    clusters: Sequence[Cluster], tube: Rare, controls: Sequence[Rare], settings: Settings, by: Chunks = BY_CHUNK
) -> list[Cluster]:
    """The clusters that differ from normal in a second look, and lesser ones that belong to them.

    With disease found, half of the ratio is enough for a cluster that overlaps it, and for another the second look alone.
    """
    lesser = [c for c in clusters if c.strength >= settings.dfn_ratio * LESSER]
    again = weigh(together(lesser), tube, controls, by)
    groups = group_components(together(lesser))
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
    return Rare(rare.cells[half], rare.normal[half], 0.5, None if rare.likely is None else rare.likely[half])


def moved_to(tube: Rare, before: Adapted, after: Adapted, by: Chunks) -> Rare:
    """Rare cells as another adaptation of the same tube sees them."""
    cells = tube.cells + before.shift
    return Rare(cells - after.shift, log_density(cells, after.mixture, by), tube.share, tube.likely)


def together(kept: Sequence[Cluster]) -> Mixture:
    """The components of several clusters as one mixture, each with the cells found."""
    masses = torch.tensor([float(c.found) for c in kept], device=kept[0].mixture.means.device)
    means, spreads = (torch.cat([getattr(c.mixture, n) for c in kept]) for n in ("means", "spreads"))
    return Mixture(masses / masses.sum(), means, spreads, kept[0].mixture.tails)


def rare_part(
    cells: Tensor, likely: Tensor, adapted: Adapted, reference: Reference, *, level: float, settings: Settings, by: Chunks
) -> tuple[Rare, Tensor]:
    """The tube's rare cells in the reference's frame, and the density they must exceed.

    That is the larger of `dfn_tolerance` times the tube's normal density, and of the normal density with every
    population at the largest weight any control shows and as wide as people differ.
    """
    own = adapted.mixture
    normal = log_density(cells, own, by)
    keep = normal < level
    wider = own.spreads + PEOPLE**2 * torch.eye(own.dims, device=own.spreads.device)
    most = Mixture(torch.maximum(reference.largest, own.weights), own.means, wider, own.tails)
    allowed = torch.maximum(log_density(cells[keep], most, by), normal[keep] + float(np.log(settings.dfn_tolerance)))
    return Rare(cells[keep] - adapted.shift, normal[keep], likely=likely[keep]), allowed


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


def judge(mixture: Mixture, tube: Rare, controls: Sequence[Rare], by: Chunks = BY_CHUNK) -> list[Cluster]:
    """Weigh each component on the tube's other half; one without cells enough where leukaemia is looked for is passed over."""
    counts, inside = counts_above(tube, mixture, by)
    worth = ((counts >= LEAST_FOUND) & (inside >= LEAST_LIKELY * counts)).any(dim=1)
    return weigh(mixture.pick(worth), tube, controls, by) if bool(worth.any()) else []


def weigh(mixture: Mixture, tube: Rare, controls: Sequence[Rare], by: Chunks = BY_CHUNK) -> list[Cluster]:
    """Each component's cells in a tube against those in the controls, at the cut where their ratio is largest."""
    counts, inside = counts_above(tube, mixture, by)
    blank = torch.stack([counts_above(c, mixture, by)[0] for c in controls]) * tube.share
    mean, worst = blank.mean(dim=0), blank.amax(dim=0)
    ratio = torch.where(counts >= LEAST_FOUND, counts / torch.maximum(mean + 2, worst * 0.7), 0.0)
    best = ratio.argmax(dim=1)
    k = torch.arange(len(best), device=best.device)
    told = (t[k, best].tolist() for t in (counts, mean, ratio, inside / counts.clamp_min(1)))
    return [
        Cluster(mixture.pick(k == i), int(found), background, over, place)
        for i, (found, background, over, place) in enumerate(zip(*told, strict=True))
    ]


LEAST_FOUND = 12
"""Cells of the held-out half under which a ratio says nothing."""
LEAST_LIKELY = 0.5
SURELY = 0.8
"""Share of a population's cells that must lie where leukaemia is looked for; from the second on it surely lies there."""


def counts_above(marrow: Rare, mixture: Mixture, by: Chunks = BY_CHUNK) -> tuple[Tensor, Tensor]:
    """Cells above every cut of each component's score, (k, q), and the likely ones of them, none where nobody asked."""
    first, last, step = SCORES
    bins, k = round((last - first) / step), len(mixture.weights)
    logs, rows = component_logs_in(marrow.cells, mixture), torch.arange(k, device=marrow.cells.device) * (bins + 1)

    def part(piece: slice) -> Tensor:
        place = ((logs(piece) - marrow.normal[piece, None] - first) / step).clamp_(-1, bins - 1).floor_().long() + 1 + rows
        every = torch.bincount(place.reshape(-1), minlength=k * (bins + 1))
        likely = place[:0] if marrow.likely is None else place[marrow.likely[piece]]
        some = torch.bincount(likely.reshape(-1), minlength=len(every))
        return torch.stack([every, some])

    binned = sum(by.each(part, chunks(len(marrow.cells), by.size)), rows.new_zeros(2, k * (bins + 1)))
    counts, inside = binned.reshape(2, k, bins + 1).flip(2).cumsum(2).flip(2)[:, :, 1:]
    return counts, inside


def gather(kept: list[Cluster], cells: Tensor, adapted: Adapted, settings: Settings, by: Chunks) -> Excess:
    """The accepted clusters as a LAIP: refined against normal marrow as it is, with the held-out half as witnesses."""
    known, share = together(kept), max(adapted.share, 1e-6)
    normal, moved = log_density(cells, adapted.mixture, by), cells - adapted.shift
    train, seen = points(moved[::2], by), normal[::2]
    for _ in range(REFINED):
        m = moments_beside(train, known, share, seen)
        known, share = updated(m, m.counts > 0, settings.tails), float(m.counts.sum() / train.count)
    odds = log_density(moved, known, by) + float(np.log(max(share, 1e-12))) - normal
    return Excess(Laip(known, share), Witness(moved[1::2], torch.sigmoid(odds[1::2])), adapted, kept, odds)


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
