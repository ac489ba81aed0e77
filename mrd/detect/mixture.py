"""Mixtures of multivariate t distributions with fixed tails, in torch, as two matrix products per chunk of cells.

The squared Mahalanobis distance to every component is linear in the features (x, x x'), and so are the moments an
update needs: one product gives all distances, one gives all moments (EM for t mixtures: Peel and McLachlan 2000).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

CHUNK = 1 << 14


@dataclass(frozen=True)
class Mixture:
    """weights (k,), means (k, d), spreads (k, d, d) scale matrices, tails: degrees of freedom shared by all."""

    weights: Tensor
    means: Tensor
    spreads: Tensor
    tails: float

    @property
    def dims(self) -> int:
        """Number of channels."""
        return int(self.means.shape[1])

    def moved(self, shift: Tensor) -> Mixture:
        """The mixture with every mean moved by the same shift (d,)."""
        return replace(self, means=self.means + shift)

    def pick(self, chosen: Tensor) -> Mixture:
        """Some components alone, their weights summing to one."""
        weights = self.weights[chosen]
        return Mixture(weights / weights.sum(), self.means[chosen], self.spreads[chosen], self.tails)

    def beside(self, other: Mixture, share: float) -> Mixture:
        """This mixture with another taking `share` of the mass, its components last."""
        return Mixture(
            torch.cat([self.weights * (1 - share), other.weights * share]),
            torch.cat([self.means, other.means]),
            torch.cat([self.spreads, other.spreads]),
            self.tails,
        )

    def to(self, device: torch.device) -> Mixture:
        """The mixture on a device."""
        return Mixture(self.weights.to(device), self.means.to(device), self.spreads.to(device), self.tails)


@dataclass(frozen=True)
class Forms:
    """Coefficients that turn features of cells into distances and log densities; `centre` keeps numbers small."""

    centre: Tensor
    linear: Tensor
    constant: Tensor
    tails: float
    dims: int


@dataclass(frozen=True)
class Moments:
    """Sums over cells per component: responsibility, robust mass, first and second moments, and the log density.

    counts, mass (k,) · first (k, d) · second (k, d, d), both about zero · total_log, total_weight scalars
    """

    counts: Tensor
    mass: Tensor
    first: Tensor
    second: Tensor
    total_log: float
    total_weight: float


def pairs(dims: int, device: torch.device) -> Tensor:
    """Row and column of each distinct entry of a symmetric matrix, (2, d (d + 1) / 2)."""
    return torch.triu_indices(dims, dims, device=device)


def features(x: Tensor, centre: Tensor) -> Tensor:
    """(n, 1 + d + d (d + 1) / 2): one, the centred cell, and the products of its channels."""
    y = x - centre
    i = pairs(x.shape[1], x.device)
    return torch.cat([torch.ones(len(x), 1, dtype=x.dtype, device=x.device), y, y[:, i[0]] * y[:, i[1]]], dim=1)


def forms(mixture: Mixture) -> Forms:
    """Distance coefficients of a mixture, worked out in double precision."""
    d = mixture.dims
    centre = mixture.weights.double() @ mixture.means.double()
    means = mixture.means.double() - centre
    lower = torch.linalg.cholesky(mixture.spreads.double())
    inverse = torch.cholesky_inverse(lower)
    i = pairs(d, means.device)
    twice = torch.where(i[0] == i[1], 1.0, 2.0).double()
    quadratic = inverse[:, i[0], i[1]] * twice
    slope = -2 * torch.einsum("kij,kj->ki", inverse, means)
    level = torch.einsum("ki,kij,kj->k", means, inverse, means)
    log_det = 2 * torch.log(torch.diagonal(lower, dim1=1, dim2=2)).sum(dim=1)
    nu = mixture.tails
    norm = math.lgamma((nu + d) / 2) - math.lgamma(nu / 2) - 0.5 * d * math.log(nu * math.pi)
    constant = torch.log(mixture.weights.double().clamp_min(1e-30)) + norm - 0.5 * log_det
    linear = torch.cat([level[:, None], slope, quadratic], dim=1).T
    return Forms(centre.float(), linear.float().contiguous(), constant.float(), nu, d)


def log_joint(phi: Tensor, form: Forms) -> tuple[Tensor, Tensor]:
    """Log weight x density of every component (n, k), and the robust weights u of the cells (n, k)."""
    distance = (phi @ form.linear).clamp_min_(0)
    robust = (form.tails + form.dims) / (form.tails + distance)
    return form.constant - (form.tails + form.dims) / 2 * torch.log1p(distance / form.tails), robust


def chunks(n: int) -> list[slice]:
    """Fixed slices over n cells, so that memory stays bounded and sums always come out the same."""
    return [slice(a, min(a + CHUNK, n)) for a in range(0, n, CHUNK)]


def log_density(x: Tensor, mixture: Mixture) -> Tensor:
    """Log density of each cell, (n,)."""
    form = forms(mixture)

    def part(piece: slice) -> Tensor:
        return torch.logsumexp(log_joint(features(x[piece], form.centre), form)[0], dim=1)

    return torch.cat([torch.empty(0, device=x.device), *map(part, chunks(len(x)))])


def responsibilities(x: Tensor, mixture: Mixture) -> Tensor:
    """Probability of each component given the cell, (n, k)."""
    form = forms(mixture)

    def part(piece: slice) -> Tensor:
        return torch.softmax(log_joint(features(x[piece], form.centre), form)[0], dim=1)

    return torch.cat([torch.empty(0, len(mixture.weights), device=x.device), *map(part, chunks(len(x)))])


def moments(x: Tensor, mixture: Mixture, *, weights: Tensor | None = None) -> Moments:
    """Expected moments of every component over the cells: the E-step and all the M-step needs."""
    form = forms(mixture)

    def part(piece: slice) -> tuple[Tensor, Tensor, float]:
        phi = features(x[piece], form.centre)
        joint, robust = log_joint(phi, form)
        total = torch.logsumexp(joint, dim=1)
        share = torch.exp(joint - total[:, None])
        if weights is not None:
            share = share * weights[piece, None]
            total = total * weights[piece]
        return share.sum(dim=0).double(), ((share * robust).T @ phi).double(), float(total.double().sum())

    parts = [part(c) for c in chunks(len(x))]
    counts = torch.stack([p[0] for p in parts]).sum(dim=0)
    sums = torch.stack([p[1] for p in parts]).sum(dim=0)
    weight = float(len(x)) if weights is None else float(weights.double().sum())
    return _moments(counts, sums, form.centre.double(), sum(p[2] for p in parts), weight)


def _moments(counts: Tensor, sums: Tensor, centre: Tensor, total_log: float, weight: float) -> Moments:
    """Undo the centring: moments about zero."""
    d = len(centre)
    mass, first = sums[:, 0], sums[:, 1 : d + 1]
    i = pairs(d, sums.device)
    second = torch.zeros(len(mass), d, d, dtype=sums.dtype, device=sums.device)
    second[:, i[0], i[1]] = sums[:, d + 1 :]
    second[:, i[1], i[0]] = sums[:, d + 1 :]
    cross = first[:, :, None] * centre
    second = second + cross + cross.transpose(1, 2) + mass[:, None, None] * centre[:, None] * centre
    return Moments(counts, mass, first + mass[:, None] * centre, second, total_log, weight)


def scatter_about(m: Moments, means: Tensor) -> Tensor:
    """Robust scatter of every component about given means, (k, d, d)."""
    cross = m.first[:, :, None] * means[:, None, :]
    return m.second - cross - cross.transpose(1, 2) + m.mass[:, None, None] * means[:, :, None] * means[:, None, :]
