"""Fit a mixture of t distributions to cells by EM."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.cluster import MiniBatchKMeans
from threadpoolctl import threadpool_limits
from torch import Tensor

from mrd.core.progress import follow
from mrd.detect.chunks import BY_CHUNK, Chunks
from mrd.detect.mixture import Mixture, Moments, moments, points, scatter_about

FLOOR = 0.02
"""Variance every component is held to, with d + 2 pseudo-cells (asinh units squared)."""


def start_mixture(x: Tensor, components: int, tails: float, rng: np.random.Generator) -> Mixture:
    """A mixture from k-means: each cluster's share, mean and scatter."""
    seed = int(rng.integers(2**31))
    points = x.cpu().numpy()
    with threadpool_limits(1):
        means = (
            MiniBatchKMeans(components, random_state=seed, n_init=1, batch_size=4096, max_iter=20).fit(points).cluster_centers_
        )
    centres = torch.from_numpy(np.asarray(means, dtype=np.float32)).to(x.device)
    nearest = torch.cdist(x, centres).argmin(dim=1)
    d = x.shape[1]
    counts = torch.bincount(nearest, minlength=components).float()
    second = torch.zeros(components, d, d, device=x.device)
    off = x - centres[nearest]
    for k in range(components):
        mine = off[nearest == k]
        second[k] = mine.T @ mine
    spreads = held_spread(second, counts)
    return Mixture((counts + 1e-3) / (counts + 1e-3).sum(), centres, spreads, tails)


def held_spread(second: Tensor, counts: Tensor) -> Tensor:
    """Scatter over counts, held to the floor by d + 2 pseudo-cells."""
    d = second.shape[-1]
    hold = torch.eye(d, dtype=second.dtype, device=second.device) * FLOOR * (d + 2)
    return (second + hold) / (counts + d + 2)[:, None, None]


def update(m: Moments, tails: float) -> Mixture:
    """The M-step: weights, means and spreads from the moments."""
    counts = m.counts.clamp_min(1e-6)
    means = m.first / m.mass.clamp_min(1e-9)[:, None]
    spreads = held_spread(scatter_about(m, means), counts)
    return Mixture((counts / counts.sum()).float(), means.float(), spreads.float(), tails)


def fit_mixture(
    x: Tensor,
    start: Mixture,
    *,
    weights: Tensor | None = None,
    rounds: int = 60,
    tolerance: float = 2e-4,
    by: Chunks = BY_CHUNK,
) -> Mixture:
    """EM from a start until the mean log density moves less than `tolerance`, or `rounds` are over.

    Parameters
    ----------
    x : (n, d) · weights : (n,) how much each cell counts
    """
    mixture, before, cells = start, -np.inf, points(x, by)
    for _ in follow(range(rounds), f"fit of {len(start.weights)} components, rounds"):
        m = moments(cells, mixture, weights=weights)
        mixture = update(m, start.tails)
        now = m.total_log / m.total_weight
        if abs(now - before) < tolerance:
            break
        before = now
    return mixture


def reweighted(x: Tensor, mixture: Mixture, weights: Tensor, by: Chunks = BY_CHUNK) -> Mixture:
    """The mixture with component weights as the weighted cells have them."""
    counts = moments(points(x, by), mixture, weights=weights).counts.clamp_min(1e-6)
    return Mixture((counts / counts.sum()).float(), mixture.means, mixture.spreads, mixture.tails)
