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
from mrd.detect.fit import start_mixture
from mrd.detect.laip import Laip, Witness
from mrd.detect.mixture import Mixture, Moments, Points, component_logs, forms, log_density, moments_of, points, scatter_about
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
    """

    cells: Tensor
    normal: Tensor
    share: float = 1.0


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


@dataclass(frozen=True)
class Excess:
    """What differs from normal in a tube.

    laip, witness : the accepted clusters as one LAIP, a component each, and the held-out half that did not fit it
    clusters : the accepted ones · odds : log odds of every cell of the tube being leukaemic, (n,)
    """

    laip: Laip
    witness: Witness
    clusters: list[Cluster]
    odds: Tensor


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
) -> Excess | None:
    """Find what differs from normal in a tube; None where nothing does.

    Parameters
    ----------
    cells : (n, d) in random order · likely : (n,) whether a cell lies where leukaemia is looked for
    controls : rare cells of the controls, each judged by a reference that did not see it
    """
    adapted = adapt(cells[: settings.adapt_cells], reference.mixture, prior_of(settings))
    rare, inside, background = rare_part(cells, likely, adapted, reference, level=level, settings=settings)
    first, second = slice(0, None, 2), slice(1, None, 2)
    if len(rare.cells) < 10 * LEAST_MASS:
        return None
    fitted = compete(rare.cells[first], background[first], settings, rng)
    if fitted is None:
        return None
    clusters = judge(fitted, Rare(rare.cells[second], rare.normal[second], 0.5), inside[second], controls)
    kept = [c for c in clusters if stands_out(c, settings)]
    if not kept:
        return None
    return gather(kept, cells, reference, settings)


def rare_part(
    cells: Tensor, likely: Tensor, adapted: Adapted, reference: Reference, *, level: float, settings: Settings
) -> tuple[Rare, Tensor, Tensor]:
    """The tube's rare cells in the reference's frame, which of them are likely, and the density they must exceed.

    That is the larger of `dfn_tolerance` times the tube's normal density, and of the normal density with every
    population at the largest weight any control shows and as wide as people differ.
    """
    own = adapted.mixture
    normal = log_density(cells, own)
    keep = normal < level
    wider = own.spreads + PEOPLE**2 * torch.eye(own.dims, device=own.spreads.device)
    most = Mixture(torch.maximum(reference.largest, own.weights), own.means, wider, own.tails)
    allowed = torch.maximum(log_density(cells[keep], most), normal[keep] + float(np.log(settings.dfn_tolerance)))
    return Rare(cells[keep] - adapted.shift, normal[keep]), likely[keep], allowed


def compete(x: Tensor, background: Tensor, settings: Settings, rng: np.random.Generator) -> tuple[Mixture, Tensor] | None:
    """EM of components beside a background whose density is given; a component that loses its cells goes.

    Parameters
    ----------
    x : (n, d) · background : (n,) log density

    Returns
    -------
    tuple
        The mixture, and the cells each component holds (k,).
    """
    start = min(settings.dfn_components, max(len(x) // 40, 1))
    mixture, share, cells = start_mixture(x, start, settings.tails, rng), START_SHARE, points(x)
    held = torch.empty(0)
    for _ in range(settings.dfn_rounds):
        m = moments_beside(cells, mixture, share, background)
        alive = m.counts > LEAST_MASS
        if not bool(alive.any()):
            return None
        mixture, held = updated(m, alive, settings.tails), m.counts[alive]
        share = float(held.sum() / len(x))
    return mixture, held


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


def judge(fitted: tuple[Mixture, Tensor], tube: Rare, likely: Tensor, controls: Sequence[Rare]) -> list[Cluster]:
    """Hold each component's cells of the tube's other half against the controls, at the cut with the largest ratio."""
    mixture, _ = fitted
    counts, inside = counts_above(tube, mixture, likely.float())
    blank = torch.stack([counts_above(c, mixture)[0] for c in controls]) * tube.share
    mean, worst = blank.mean(dim=0), blank.amax(dim=0)
    ratio = torch.where(counts >= LEAST_FOUND, counts / (torch.maximum(mean + 2, worst * 0.7)), 0.0)
    best = ratio.argmax(dim=1)
    k = torch.arange(len(best), device=best.device)
    told = (t[k, best].tolist() for t in (counts, mean, ratio, inside / counts.clamp_min(1)))
    return [
        Cluster(mixture.pick(k == i), int(found), background, over, place)
        for i, (found, background, over, place) in enumerate(zip(*told, strict=True))
    ]


LEAST_FOUND = 12
"""Cells of the held-out half under which a ratio says nothing."""


def counts_above(marrow: Rare, mixture: Mixture, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Cells above every cut of each component's score, (k, q), and their weighted number."""
    first, last, step = SCORES
    bins = round((last - first) / step)
    k = len(mixture.weights)
    scores = component_logs(marrow.cells, mixture) - marrow.normal[:, None]
    place = ((scores - first) / step).floor().clamp(-1, bins - 1).long() + 1
    place = place + torch.arange(k, device=place.device) * (bins + 1)

    def tail(w: Tensor) -> Tensor:
        binned = torch.bincount(place.reshape(-1), weights=w.reshape(-1), minlength=k * (bins + 1)).reshape(k, bins + 1)
        return binned.flip(1).cumsum(1).flip(1)[:, 1:]

    ones = torch.ones_like(scores)
    return tail(ones), tail(ones if weights is None else ones * weights[:, None])


def stands_out(cluster: Cluster, settings: Settings) -> bool:
    """Whether a cluster is different from normal: excess over the controls, and place."""
    return cluster.ratio >= settings.dfn_ratio and cluster.likely >= 0.5


def gather(kept: list[Cluster], cells: Tensor, reference: Reference, settings: Settings) -> Excess:
    """The accepted clusters as a LAIP: refined against normal marrow as it is, with the held-out half as witnesses."""
    known = joined([c.mixture for c in kept], [float(c.found) for c in kept])
    guess = 2 * sum(c.found - c.background for c in kept) / len(cells)
    prior = prior_of(settings)
    adapted = adapt(cells[: settings.adapt_cells], reference.mixture, prior, leukaemic=known, share=max(guess, 1e-6))
    normal, moved = log_density(cells, adapted.mixture), cells - adapted.shift
    train, seen = points(moved[::2]), normal[::2]
    share = max(adapted.share, 1e-6)
    for _ in range(REFINED):
        m = moments_beside(train, known, share, seen)
        known, share = updated(m, m.counts > 0, settings.tails), float(m.counts.sum() / train.count)
    odds = log_density(moved, known) + float(np.log(max(share, 1e-12))) - normal
    return Excess(Laip(known, share), Witness(moved[1::2], torch.sigmoid(odds[1::2])), kept, odds)


REFINED = 5
"""Rounds in which accepted components reach for the cells that the tolerant background had kept from them."""


def joined(mixtures: Sequence[Mixture], masses: Sequence[float]) -> Mixture:
    """Several mixtures as one, each with its mass."""
    total = sum(masses)
    weights = torch.cat([m.weights * (w / total) for m, w in zip(mixtures, masses, strict=True)])
    means, spreads = (torch.cat([getattr(m, n) for m in mixtures]) for n in ("means", "spreads"))
    return Mixture(weights, means, spreads, mixtures[0].tails)


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
