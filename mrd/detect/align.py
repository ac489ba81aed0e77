"""Adapt the reference to one tube: a shift of every marker, then means, spreads and weights held by their priors.

MAP adaptation of a background mixture (Reynolds, Quatieri and Dunn 2000), with the relevance of the means written as
a normal prior of standard deviation `mean_prior` on a component's move between people, and that of the spreads as
pseudo-cells. Leukaemic components, where given, take part so that normal ones are not pulled towards them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mrd.detect.chunks import BY_CHUNK, Chunks
from mrd.detect.mixture import Mixture, Moments, Points, moments, points, scatter_about

LEAST_MASS = 5.0
WEIGHT_PRIOR = 20.0
FARTHEST = 3.0
"""A component moves at most so many `mean_prior` from where the shift puts it, in any marker."""
FREE_AFTER = 2
"""Rounds in which only shift, means and weights move; spreads follow from then on."""
ROUGH = 4
"""Early rounds see every fourth cell."""
FINE = 5
"""Last rounds, on all cells: small populations need them."""
WARM = 3
"""Rounds that lead on from where an adaptation already stands."""

LITTLE = 2e-4
"""Share of leukaemia under which normal marrow beside it is what it is without."""


@dataclass(frozen=True)
class Prior:
    """How far a tube may be from the reference; an infinite `spread_prior` keeps the spreads."""

    mean_prior: float
    spread_prior: float
    rounds: int


@dataclass(frozen=True)
class Adapted:
    """A reference adapted to one tube: its mixture, the tube's shift (d,), and the leukaemic share of the cells."""

    mixture: Mixture
    shift: Tensor
    share: float


def adapt(
    x: Tensor,
    reference: Mixture,
    prior: Prior,
    *,
    leukaemic: Mixture | None = None,
    share: float = 0.003,
    start: Adapted | None = None,
    by: Chunks = BY_CHUNK,
) -> Adapted:
    """Adapt a reference to the cells of a tube.

    Parameters
    ----------
    x : (n, d) cells in random order · leukaemic : components of a LAIP in the reference's frame
    share : their first guess of the mass · start : where an adaptation to the same cells already stands
    """
    first = start or Adapted(reference, torch.zeros_like(reference.means[0]), 0.0)
    now = Adapted(first.mixture, first.shift, share if leukaemic is not None else 0.0)
    every, some, begun = points(x, by), points(x[::ROUGH], by), prior.rounds - WARM if start else 0
    for turn in range(begun, prior.rounds):
        free = turn >= FREE_AFTER and math.isfinite(prior.spread_prior)
        cells = every if turn >= prior.rounds - FINE else some
        now = _round(cells, now, reference, prior, leukaemic=leukaemic, spreads_free=free)
    return now


def adapt_alone(x: Tensor, reference: Mixture, prior: Prior, beside: Adapted, *, by: Chunks = BY_CHUNK) -> Adapted:
    """Adapt to the cells of a tube with no leukaemia beside, from where one with some stands."""
    return beside if beside.share < LITTLE else adapt(x, reference, prior, start=beside, by=by)


def _round(
    cells: Points, now: Adapted, reference: Mixture, prior: Prior, *, leukaemic: Mixture | None, spreads_free: bool
) -> Adapted:
    k = len(reference.weights)
    full = now.mixture if leukaemic is None else now.mixture.beside(leukaemic.moved(now.shift), now.share)
    m = moments(cells, full)
    share = 0.0 if leukaemic is None else max(float(m.counts[k:].sum() / m.counts.sum()), 1e-7)
    mixture, shift = step(_normal_part(m, k), reference, now.mixture, prior, spreads_free=spreads_free)
    return Adapted(mixture, shift, share)


def _normal_part(m: Moments, k: int) -> Moments:
    return Moments(m.counts[:k], m.mass[:k], m.first[:k], m.second[:k], m.total_log, m.total_weight)


def step(m: Moments, reference: Mixture, current: Mixture, prior: Prior, *, spreads_free: bool) -> tuple[Mixture, Tensor]:
    """One round: the common shift, the means' own moves around it, spreads and weights.

    The shift is the generalised least-squares mean of the components' moves, each with variance spread / mass +
    mean_prior^2; a component's own move is its posterior mean given the shift, and never further than people differ:
    however many cells crowd beside a normal population, they do not make it another one.
    """
    means = reference.means.double()
    mass = m.mass.clamp_min(1e-6)
    move = m.first / mass[:, None] - means
    eye = torch.eye(means.shape[1], dtype=torch.float64, device=means.device) * prior.mean_prior**2
    precision = torch.linalg.inv(current.spreads.double() / mass.clamp_min(1.0)[:, None, None] + eye)
    precision = precision * (m.mass > LEAST_MASS)[:, None, None]
    total = precision.sum(dim=0) + 1e-9 * torch.eye(means.shape[1], dtype=torch.float64, device=means.device)
    shift = torch.linalg.solve(total, torch.einsum("kij,kj->i", precision, move))
    own = prior.mean_prior**2 * torch.einsum("kij,kj->ki", precision, move - shift)
    own = own.clamp(-FARTHEST * prior.mean_prior, FARTHEST * prior.mean_prior)
    now = means + shift + own
    spreads = current.spreads.double()
    if spreads_free:
        hold = prior.spread_prior
        spreads = (scatter_about(m, now) + hold * reference.spreads.double()) / (m.counts + hold)[:, None, None]
    weights = (m.counts + WEIGHT_PRIOR * reference.weights) / (m.counts.sum() + WEIGHT_PRIOR)
    return Mixture(weights.float(), now.float(), spreads.float(), reference.tails), shift.float()
