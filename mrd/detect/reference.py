"""The reference: a frozen mixture of normal marrow, learned on the controls of one panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrd.core.errors import EvidenceError
from mrd.core.progress import follow
from mrd.core.settings import LEAST_CONTROLS, Settings
from mrd.detect.align import Adapted, Prior, adapt
from mrd.detect.chunks import BY_CHUNK, Chunks
from mrd.detect.fit import fit_mixture, reweighted, start_mixture
from mrd.detect.mixture import Mixture, log_density, responsibilities

COARSE = 25


@dataclass(frozen=True)
class Reference:
    """Normal marrow: the mixture, and the largest weight each component takes in any control (k,)."""

    mixture: Mixture
    largest: Tensor


@dataclass(frozen=True)
class Balanced:
    """Control cells drawn so that rare populations are well represented, each with the cells it stands for."""

    cells: Tensor
    stands_for: Tensor
    control: Tensor


def prior_of(settings: Settings) -> Prior:
    """The adaptation prior that a run's settings state."""
    return Prior(settings.mean_prior, settings.spread_prior, settings.adapt_rounds)


def check_controls(sizes: Sequence[int], settings: Settings, *, where: str) -> None:
    """Refuse what no reference can be learned from.

    Raises
    ------
    EvidenceError
        There are too few controls, or fewer cells than the components need.
    """
    if len(sizes) < LEAST_CONTROLS:
        fix = "add control tubes to the sample sheet, or give a frozen reference with reference=FOLDER"
        raise EvidenceError(f"{len(sizes)} usable controls, {LEAST_CONTROLS} are needed", where=where, fix=fix)
    if sum(sizes) < 20 * settings.components:
        fix = "add controls or set components lower"
        raise EvidenceError(f"{sum(sizes)} control cells are too few for {settings.components} components", where=where, fix=fix)


def fit_reference(
    controls: Sequence[Tensor], settings: Settings, rng: np.random.Generator, by: Chunks = BY_CHUNK
) -> tuple[Mixture, Balanced]:
    """Learn normal marrow from the cells of the controls.

    A coarse mixture gives each control's shift; the shifts are taken out, cells are drawn with rare populations over-
    represented, and the full mixture is fitted on them, its weights restored.

    Parameters
    ----------
    controls : (n_i, d) cells of each control, in random order
    """
    each = max(settings.reference_cells * 3 // len(controls), 200)
    pooled = torch.cat([c[: max(each // 10, 100)] for c in controls])
    coarse = fit_mixture(pooled, start_mixture(pooled, min(COARSE, settings.components), settings.tails, rng), rounds=30, by=by)
    firm = Prior(settings.mean_prior, np.inf, 6)
    aligned = [c[:each] - adapt(c[: each // 5], coarse, firm, by=by).shift for c in controls]
    drawn = draw_balanced(aligned, coarse, settings.reference_cells, rng)
    start = start_mixture(drawn.cells, settings.components, settings.tails, rng)
    mixture = fit_mixture(drawn.cells, start, weights=drawn.stands_for.sqrt(), by=by)
    return reweighted(drawn.cells, mixture, drawn.stands_for, by), drawn


def draw_balanced(controls: Sequence[Tensor], coarse: Mixture, wanted: int, rng: np.random.Generator) -> Balanced:
    """Draw about `wanted` cells, as evenly as can be over the coarse populations."""
    cells = torch.cat(list(controls))
    owner = torch.cat([torch.full((len(c),), i, device=c.device) for i, c in enumerate(controls)])
    population = responsibilities(cells, coarse).argmax(dim=1)
    sizes = torch.bincount(population, minlength=len(coarse.weights)).cpu().numpy()
    chance = torch.from_numpy(even_shares(sizes, wanted)).to(cells.device)[population]
    keep = torch.from_numpy(rng.random(len(cells))).to(cells.device) < chance
    return Balanced(cells[keep], (1 / chance[keep]).float(), owner[keep])


def even_shares(sizes: NDArray[np.int_], wanted: int) -> NDArray[np.float64]:
    """Share of each population to draw so that all give the same number, or all they have, `wanted` in sum."""
    low, high = 0.0, float(max(sizes.max(), 1))
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(sizes, middle).sum() < wanted else (low, middle)
    return np.minimum(1.0, high / np.maximum(sizes, 1))


def without(mixture: Mixture, drawn: Balanced, left_out: Sequence[int], by: Chunks) -> Mixture:
    """The reference refitted, from where it stands, without some controls: for scoring those honestly."""
    out = torch.isin(drawn.control, torch.tensor(list(left_out), device=drawn.control.device))
    cells, stands_for = drawn.cells[~out], drawn.stands_for[~out]
    refitted = fit_mixture(cells, mixture, weights=stands_for.sqrt(), rounds=15, by=by)
    return reweighted(cells, refitted, stands_for, by)


def private_controls(mixture: Mixture, drawn: Balanced, share: float) -> list[int]:
    """Controls that carry a population no other control shows: most of its cells are theirs, over `share` of them.

    A leukaemic marrow among the controls would teach the reference that its blasts are normal.
    """
    resp = responsibilities(drawn.cells, mixture) * drawn.stands_for[:, None]
    n = int(drawn.control.max()) + 1
    mass = torch.stack([resp[drawn.control == i].sum(dim=0) for i in range(n)])
    own = mass / mass.sum(dim=0).clamp_min(1e-9)
    fraction = mass / mass.sum(dim=1, keepdim=True).clamp_min(1e-9)
    lonely = (own > 0.8).float() * fraction
    return [i for i in range(n) if float(lonely[i].sum()) > share]


@dataclass(frozen=True)
class Learned:
    """A reference with its controls: each adapted and scored by a reference that did not see it.

    kept, excluded : positions among the controls given · adapted, normal : one of each kept control, normal (n_i,)
    unseen : per kept control, the mixture that did not see it
    """

    reference: Reference
    kept: list[int]
    excluded: list[int]
    adapted: list[Adapted]
    normal: list[Tensor]
    unseen: list[Mixture]


def learn_reference(
    controls: Sequence[Tensor], settings: Settings, rng: np.random.Generator, *, where: str, by: Chunks = BY_CHUNK
) -> Learned:
    """Fit the reference, leave out controls that are not normal, and score each control honestly.

    Raises
    ------
    EvidenceError
        Too few controls remain, or fewer cells than the components need.
    """
    kept = list(range(len(controls)))
    while True:
        check_controls([len(controls[i]) for i in kept], settings, where=where)
        mixture, drawn = fit_reference([controls[i] for i in kept], settings, rng, by)
        private = private_controls(mixture, drawn, settings.private_share)
        if not private:
            break
        kept = [c for i, c in enumerate(kept) if i not in private]
    unseen = cross_fitted([len(controls[i]) for i in kept], mixture, drawn, settings, by)
    prior = prior_of(settings)
    adapted = [
        adapt(controls[i][: settings.adapt_cells], m, prior, by=by)
        for i, m in follow(zip(kept, unseen, strict=True), "adapt to controls")
    ]
    normal = [log_density(controls[i], a.mixture, by) for i, a in zip(kept, adapted, strict=True)]
    largest = torch.stack([a.mixture.weights for a in adapted]).max(dim=0).values
    excluded = [i for i in range(len(controls)) if i not in kept]
    return Learned(Reference(mixture, largest), kept, excluded, adapted, normal, unseen)


def cross_fitted(sizes: Sequence[int], mixture: Mixture, drawn: Balanced, settings: Settings, by: Chunks) -> list[Mixture]:
    """For each control the reference refitted without its fold."""
    folds = [[i for i in range(len(sizes)) if i % settings.folds == f] for f in range(settings.folds)]
    mixtures = [without(mixture, drawn, fold, by) for fold in folds]
    return [mixtures[i % settings.folds] for i in range(len(sizes))]
