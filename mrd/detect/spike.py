"""Known kinds of leukaemia put into a marrow in silico: what an arm that knows no diagnosis can find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from mrd.detect.mixture import Mixture, responsibilities

MOVED = 1.5
"""How far a kind's antigen lies from the normal blasts' (asinh units): over- or under-expressed, or of another lineage."""
MIDDLE = 3.0
"""Antigens above this are lost, those under it gained."""
LADDER = (40, 80, 160, 320, 640, 1280)
"""Cells put in, one rung per kind."""
FOUND = 0.3
"""Share of a kind's cells that must be told leukaemic for it to count as found."""
WANTED = 0.95


@dataclass(frozen=True)
class Spiked:
    """A marrow with known kinds in it, in random order: cells, kind of each (-1: its own), and places of the added."""

    cells: Tensor
    kind: Tensor
    likely: Tensor


def known_kinds(reference: Mixture, sample: Tensor, likely: Tensor, movable: Sequence[int]) -> list[Mixture]:
    """One kind per marker that may change: normal blasts, that marker moved.

    Parameters
    ----------
    sample : cells of controls in the reference's frame · likely : which of them lie where leukaemia is looked for
    movable : columns of the markers
    """
    share = responsibilities(sample, reference)
    place = (share * likely[:, None]).sum(dim=0) / share.sum(dim=0).clamp_min(1e-6)
    order = torch.argsort(place * (share.sum(dim=0) > 20), descending=True)[:4]
    return [_kind(reference, int(order[i % len(order)]), column) for i, column in enumerate(movable)]


def _kind(reference: Mixture, component: int, column: int) -> Mixture:
    mean = reference.means[component].clone()
    mean[column] += MOVED if float(mean[column]) < MIDDLE else -MOVED
    return Mixture(torch.ones(1, device=mean.device), mean[None], reference.spreads[[component]], reference.tails)


def spike(
    cells: Tensor, likely: Tensor, shift: Tensor, *, kinds: Sequence[Mixture], counts: Sequence[int], rng: np.random.Generator
) -> Spiked:
    """Put so many cells of each kind into a marrow; they are taken to lie where leukaemia is looked for."""
    added = [draw(k, n, rng).to(cells.device) + shift for k, n in zip(kinds, counts, strict=True)]
    kind = np.concatenate([np.full(len(cells), -1), *(np.full(n, i) for i, n in enumerate(counts))])
    order = torch.from_numpy(rng.permutation(len(kind))).to(cells.device)
    here = torch.cat([likely, torch.ones(sum(counts), dtype=torch.bool, device=cells.device)])
    return Spiked(torch.cat([cells, *added])[order], torch.from_numpy(kind).to(cells.device)[order], here[order])


def draw(mixture: Mixture, n: int, rng: np.random.Generator) -> Tensor:
    """Cells of a mixture's components, (n, d)."""
    part = torch.from_numpy(rng.choice(len(mixture.weights), n, p=_shares(mixture)))
    lower = torch.linalg.cholesky(mixture.spreads.cpu().double())[part]
    noise = rng.standard_normal((n, mixture.dims)) / np.sqrt(rng.chisquare(mixture.tails, (n, 1)) / mixture.tails)
    moved = torch.einsum("nij,nj->ni", lower, torch.from_numpy(noise))
    return (mixture.means.cpu()[part] + moved).float()


def _shares(mixture: Mixture) -> NDArray[np.float64]:
    weights = mixture.weights.cpu().numpy().astype(np.float64)
    return np.asarray(weights / weights.sum())


def least_cells(counts: Sequence[int], found: Sequence[bool]) -> float:
    """Cells from which on kinds are found with 95 % probability, by logistic regression on the logarithm (EP17).

    Infinite where none is found, or more cells do not help; not under the lowest rung, where nothing was tried.
    """
    put, hit = np.log(np.asarray(counts, dtype=np.float64)), np.asarray(found, dtype=bool)
    if len(hit) == 0 or not hit.any():
        return float("inf")
    if hit.all():
        return float(np.exp(put.min()))
    fitted = LogisticRegression(C=FIRMNESS).fit(put[:, None], hit)
    slope, offset = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    if slope <= 0:
        return float("inf")
    return float(np.exp(max((np.log(WANTED / (1 - WANTED)) - offset) / slope, put.min())))


FIRMNESS = 10.0
"""Inverse strength of the ridge that keeps the regression finite where hits and misses do not overlap."""
