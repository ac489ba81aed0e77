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
from mrd.detect.chunks import BY_CHUNK, Chunks
from mrd.detect.fit import start_mixture
from mrd.detect.judge import Cluster, Others, Rare, counts_above, held, held_out, judge, weigh
from mrd.detect.laip import Laip, Places, Witness
from mrd.detect.mixture import (
    Mixture,
    Moments,
    Points,
    forms,
    log_density,
    moments_of,
    points,
    responsibilities,
    scatter_about,
)
from mrd.detect.reference import Reference, prior_of

START_SHARE = 0.3
LEAST_MASS = 8.0
PEOPLE = 0.25
"""How far a small normal population may lie from where the controls have it (asinh units, sd)."""


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

    def is_new(self, strength: float) -> bool:
        """Whether most of what was found is new at this strength."""
        return self.mostly([c.is_new(strength) for c in self.clusters])

    def has_changed(self, strength: float) -> bool:
        """Whether most of what was found is at least this strong and has surely changed."""
        return self.mostly([c.surely_changed and c.strength >= strength for c in self.clusters])

    def mostly(self, told: Sequence[bool]) -> bool:
        """Whether the clusters of which something is told hold most of what was found."""
        return 2 * sum(c.found for c, t in zip(self.clusters, told, strict=True) if t) > sum(c.found for c in self.clusters)


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
    return Bare(cells, adapted, Rare(whole[keep], normal[keep], 1.0, here[keep], whole), allowed)


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
    spreads = held(scatter_about(kept, means), kept.counts)
    return Mixture((kept.counts / kept.counts.sum()).float(), means.float(), spreads.float(), tails)


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


def part_of(excess: Excess, chosen: Tensor, by: Chunks = BY_CHUNK) -> tuple[Laip, Witness]:
    """Some components of an excess, (k,) bool, as a LAIP of their own with its witnesses."""
    laip, witness = excess.laip, excess.witness
    mine = responsibilities(witness.cells, laip.mixture, by)[:, chosen].sum(dim=1)
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
