"""Mixtures of multivariate t distributions with fixed tails, in torch, as two matrix products per chunk of cells.

The squared Mahalanobis distance to every component is linear in the features (x, x x'), and so are the moments an
update needs: one product gives all distances, one gives all moments (EM for t mixtures: Peel and McLachlan 2000).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mrd.detect.chunks import BY_CHUNK, Chunks, Part, chunks


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
    """What turns features of cells into densities: `linear` gives squared distances, divided by the tails, plus one.

    height : log weight x density at each component's centre, the highest taken out · highest : that one
    """

    linear: Tensor
    height: Tensor
    highest: float
    tails: float
    dims: int


@dataclass(frozen=True)
class Points:
    """Cells as features, chunk by chunk about a centre, for passes that see the same cells again and again."""

    chunks: list[Tensor]
    centre: Tensor
    count: int
    by: Chunks = BY_CHUNK


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
    """(n, 1 + d + d (d + 1) / 2): one, the centred cell, and the products of its channels in the order of `pairs`."""
    n, d = x.shape
    phi = torch.empty(n, 1 + d + d * (d + 1) // 2, dtype=x.dtype, device=x.device)
    y = x - centre
    phi[:, 0] = 1
    phi[:, 1 : d + 1] = y
    at = d + 1
    for i in range(d):
        torch.mul(y[:, i:], y[:, i : i + 1], out=phi[:, at : at + d - i])
        at += d - i
    return phi


def feature_rows(x: Tensor, centre: Tensor) -> Tensor:
    """The same features, each along a row, (1 + d + d (d + 1) / 2, n)."""
    n, d = x.shape
    phi = torch.empty(1 + d + d * (d + 1) // 2, n, dtype=x.dtype, device=x.device)
    y = (x - centre).T.contiguous()
    phi[0] = 1
    phi[1 : d + 1] = y
    at = d + 1
    for i in range(d):
        torch.mul(y[i:], y[i], out=phi[at : at + d - i])
        at += d - i
    return phi


def points(x: Tensor, by: Chunks = BY_CHUNK) -> Points:
    """Cells as features about their mean; passes over them go as `by` says."""
    centre = x.mean(dim=0) if len(x) else torch.zeros(x.shape[1], device=x.device)
    return Points([features(x[c], centre) for c in chunks(len(x), by.size)], centre, len(x), by)


def forms(mixture: Mixture, centre: Tensor) -> Forms:
    """Coefficients of a mixture for features about a centre, worked out in double precision."""
    d, nu = mixture.dims, mixture.tails
    means = mixture.means.double() - centre.double()
    lower = torch.linalg.cholesky(mixture.spreads.double())
    inverse = torch.cholesky_inverse(lower)
    i = pairs(d, means.device)
    twice = torch.where(i[0] == i[1], 1.0, 2.0).double()
    quadratic = inverse[:, i[0], i[1]] * twice
    slope = -2 * torch.einsum("kij,kj->ki", inverse, means)
    level = torch.einsum("ki,kij,kj->k", means, inverse, means)
    log_det = 2 * torch.log(torch.diagonal(lower, dim1=1, dim2=2)).sum(dim=1)
    norm = math.lgamma((nu + d) / 2) - math.lgamma(nu / 2) - 0.5 * d * math.log(nu * math.pi)
    height = torch.log(mixture.weights.double().clamp_min(1e-30)) + norm - 0.5 * log_det
    linear = torch.cat([1 + level[:, None] / nu, slope / nu, quadratic / nu], dim=1)
    highest = float(height.max())
    return Forms(linear.float().contiguous(), torch.exp(height - highest).float(), highest, nu, d)


@dataclass(frozen=True)
class Joint:
    """Density of cells under components, in pieces that stay in range; components lie along rows.

    part : density over the cell's largest, heights left out, (k, n) · far : one + squared distance / tails, (k, n)
    total : sum of part x height over components, (n,) · log : log density, (n,)
    """

    part: Tensor
    far: Tensor
    total: Tensor
    log: Tensor


def joint(phi: Tensor, form: Forms) -> Joint:
    """Density of every component, for features (f, n) of cells.

    The density of a t distribution is a power of 1 / far, (nu + d) / 2: with whole nu it needs products and at most one
    root, no logarithm and no exponential per component. With components along rows sums over them run along the cells.
    """
    far = (form.linear @ phi).clamp_min_(1)
    nearest = far.amin(dim=0)
    part = half_power(nearest / far, form.tails + form.dims)
    total = (form.height @ part).clamp_min_(1e-37)
    return Joint(part, far, total, log_of(total, nearest, form))


def log_of(total: Tensor, nearest: Tensor, form: Forms) -> Tensor:
    """Log density from the sum of parts and how far the nearest component is."""
    return torch.log(total) - (form.tails + form.dims) / 2 * torch.log(nearest) + form.highest


def half_power(x: Tensor, twice: float) -> Tensor:
    """x to the power twice / 2."""
    if twice != int(twice):
        return x.pow(twice / 2)
    whole, odd = divmod(int(twice), 2)
    out, square = torch.sqrt(x) if odd else torch.ones_like(x), x
    while whole:
        if whole & 1:
            out.mul_(square)
        whole >>= 1
        if whole:
            square = square * square if square is x else square.mul_(square)
    return out


def log_density(x: Tensor, mixture: Mixture, by: Chunks = BY_CHUNK) -> Tensor:
    """Log density of each cell, (n,)."""
    centre = mixture.weights @ mixture.means
    form = forms(mixture, centre)
    return by.join(lambda piece: joint(feature_rows(x[piece], centre), form).log, len(x), x.new_empty(0))


def responsibilities(x: Tensor, mixture: Mixture, by: Chunks = BY_CHUNK) -> Tensor:
    """Probability of each component given the cell, (n, k)."""
    centre = mixture.weights @ mixture.means
    form = forms(mixture, centre)

    def part(piece: slice) -> Tensor:
        told = joint(feature_rows(x[piece], centre), form)
        return (told.part * form.height[:, None] / told.total).T

    return by.join(part, len(x), x.new_empty(0, len(mixture.weights)))


def component_logs(x: Tensor, mixture: Mixture) -> Tensor:
    """Log density of each cell under each component by itself, its weight left out, (n, k)."""
    return BY_CHUNK.join(component_logs_in(x, mixture), len(x), x.new_empty(0, len(mixture.weights)))


def component_logs_in(x: Tensor, mixture: Mixture) -> Part:
    """What gives the log density of a slice of cells under each component by itself, its weight left out, (m, k)."""
    centre = mixture.weights @ mixture.means
    form = forms(replace(mixture, weights=torch.ones_like(mixture.weights)), centre)
    level = torch.log(form.height) + form.highest
    power = (form.tails + form.dims) / 2

    def part(piece: slice) -> Tensor:
        near = (features(x[piece], centre) @ form.linear.T).clamp_min_(1)
        return torch.log(near).mul_(-power).add_(level)

    return part


def moments(x: Points, mixture: Mixture, *, weights: Tensor | None = None) -> Moments:
    """Expected moments of every component over the cells: the E-step and all the M-step needs."""

    def share(log: Tensor, piece: slice) -> Tensor:
        return torch.ones_like(log) if weights is None else weights[piece]

    return moments_of(x, forms(mixture, x.centre), share)


def moments_of(x: Points, form: Forms, weigh: Callable[[Tensor, slice], Tensor]) -> Moments:
    """Moments of components over cells that each count as much as `weigh(log density, which cells)` says."""

    def part(chunk: tuple[Tensor, slice]) -> tuple[Tensor, Tensor, float, float]:
        phi, piece = chunk
        told = joint(phi.T, form)
        weight = weigh(told.log, piece)
        share = told.part.mul_(form.height[:, None]).mul_(weight / told.total)
        counts = share.sum(dim=1).double()
        logs = float((told.log * weight).double().sum())
        return counts, (share.div_(told.far) @ phi).double(), logs, float(weight.double().sum())

    parts = list(x.by.each(part, list(zip(x.chunks, chunks(x.count, x.by.size), strict=True))))
    robust = (form.tails + form.dims) / form.tails
    counts = torch.stack([p[0] for p in parts]).sum(dim=0)
    sums = robust * torch.stack([p[1] for p in parts]).sum(dim=0)
    return _moments(counts, sums, x.centre.double(), sum(p[2] for p in parts), sum(p[3] for p in parts))


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
