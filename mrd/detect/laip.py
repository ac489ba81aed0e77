"""The leukaemia-associated immunophenotype: what the diagnosis tube shows in excess of every control."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mrd.core.settings import Settings
from mrd.detect.align import Adapted, Prior, adapt
from mrd.detect.chunks import BY_CHUNK, Chunks
from mrd.detect.fit import fit_mixture, start_mixture
from mrd.detect.mixture import Mixture, log_density, responsibilities
from mrd.detect.reference import Reference, prior_of

LAIP_TURNS = 5


@dataclass(frozen=True)
class Laip:
    """Leukaemic components in the reference's frame (the diagnosis tube's shift taken out), and their share there."""

    mixture: Mixture
    share: float


@dataclass(frozen=True)
class Witness:
    """Diagnosis cells that did not fit the LAIP, in the reference's frame, with their probability of being leukaemic."""

    cells: Tensor
    leukaemic: Tensor


@dataclass(frozen=True)
class Taught:
    """What a diagnosis tube teaches: its LAIP, the half of the cells that fitted it, and the half that did not."""

    laip: Laip
    pupils: Witness
    witness: Witness


@dataclass(frozen=True)
class Places:
    """Where leukaemia is looked for, (n,) bool each: `likely` cells, and `possible` ones that need twice the excess."""

    likely: Tensor
    possible: Tensor


def learn_laip(
    cells: Tensor,
    places: Places,
    reference: Reference,
    settings: Settings,
    rng: np.random.Generator,
    *,
    by: Chunks = BY_CHUNK,
) -> Taught | None:
    """Find the leukaemic components of a diagnosis tube; None where nothing exceeds the controls.

    Half of the cells fit a free mixture. A component is leukaemic where its cells are, on average, much denser than
    the tube-adapted reference allows even with every normal population at the largest weight any control shows, where
    most of them lie in a place leukaemia is looked for, and where it is not a handful. The reference is then adapted
    again with these components beside it, so that it is no longer pulled towards them, and the rest judged anew, until
    none is added. The other half of the cells are the witnesses of the recall.

    Parameters
    ----------
    cells : (n, d) in random order
    """
    half = min(len(cells) // 2, settings.adapt_cells)
    train, rest = cells[:half], cells[half : 2 * half]
    components = max(min(settings.laip_components, half // 100), 2)
    free = fit_mixture(train, start_mixture(train, components, settings.tails, rng), rounds=40, by=by)
    share = responsibilities(train, free, by)
    adapted = adapt(train, reference.mixture, firm_prior(settings), by=by)
    chosen = torch.zeros(components, dtype=torch.bool, device=cells.device)
    for _ in range(LAIP_TURNS):
        allowed = replace(adapted.mixture, weights=reference.largest)
        more = chosen | stands_out(excess_of(train, share, free, allowed, by), share, places, settings)
        if bool((more == chosen).all()):
            break
        chosen = more
        known = free.pick(chosen).moved(-adapted.shift)
        mass = float(share[:, chosen].sum() / half)
        adapted = adapt(train, reference.mixture, firm_prior(settings), leukaemic=known, share=mass, by=by)
    if not chosen.any():
        return None
    probability = responsibilities(rest, free, by)[:, chosen].sum(dim=1)
    laip = Laip(free.pick(chosen).moved(-adapted.shift), float(probability.mean()))
    pupils = Witness(train - adapted.shift, share[:, chosen].sum(dim=1))
    return Taught(laip, pupils, Witness(rest - adapted.shift, probability))


def firm_prior(settings: Settings) -> Prior:
    """Shift, means and weights follow a tube, spreads stay: at diagnosis normal cells may be few."""
    return Prior(settings.mean_prior, np.inf, settings.adapt_rounds)


def excess_of(cells: Tensor, share: Tensor, free: Mixture, allowed: Mixture, by: Chunks) -> Tensor:
    """Mean log density of each free component's cells over what controls allow, (k,)."""
    over = log_density(cells, free, by) - log_density(cells, allowed, by)
    return (share * over[:, None]).sum(dim=0) / share.sum(dim=0).clamp_min(1e-6)


def stands_out(excess: Tensor, share: Tensor, places: Places, settings: Settings) -> Tensor:
    """Which free components are leukaemic, (k,) bool: excess, place and size."""
    mass = share.sum(dim=0).clamp_min(1e-6)
    n = len(share)
    likely = (share * places.likely[:n, None]).sum(dim=0) / mass > 0.5
    possible = (share * places.possible[:n, None]).sum(dim=0) / mass > 0.5
    high = (likely & (excess > settings.laip_excess)) | (possible & (excess > 2 * settings.laip_excess))
    return high & (mass / n > settings.laip_least)


def adapt_with(
    cells: Tensor, reference: Mixture, laip: Laip, settings: Settings, *, in_sample: bool, by: Chunks = BY_CHUNK
) -> Adapted:
    """A tube's adapted reference with the LAIP taking part, so that residual leukaemia is not learned as normal."""
    prior = firm_prior(settings) if in_sample else Prior(settings.mean_prior, settings.spread_prior, settings.adapt_rounds)
    share = laip.share if in_sample else 0.003
    return adapt(cells[: settings.adapt_cells], reference, prior, leukaemic=laip.mixture, share=share, by=by)


def align_tube(
    cells: Tensor, reference: Mixture, laip: Laip | None, settings: Settings, *, in_sample: bool, by: Chunks = BY_CHUNK
) -> Adapted:
    """The tube's own normal marrow, the LAIP taking part where there is one."""
    if laip is None:
        return adapt(cells[: settings.adapt_cells], reference, prior_of(settings), by=by)
    return adapt_with(cells, reference, laip, settings, in_sample=in_sample, by=by)


def leukaemic_chance(cells: Tensor, laip: Laip, adapted: Adapted) -> Tensor:
    """Probability of each cell of a diagnosis tube being leukaemic, (n,)."""
    share = min(max(adapted.share, 1e-6), 1 - 1e-6)
    odds = score_laip(cells, laip, adapted.shift, log_density(cells, adapted.mixture))
    return torch.sigmoid(odds + float(np.log(share / (1 - share))))


def score_laip(cells: Tensor, laip: Laip, shift: Tensor, normal: Tensor, by: Chunks = BY_CHUNK) -> Tensor:
    """log p(cell | leukaemic) - log p(cell | the tube's normal marrow), (n,)."""
    return log_density(cells, laip.mixture.moved(shift), by) - normal


def spiked_scores(witness: Witness, laip: Laip, control: Adapted, *, most: int = 4000, by: Chunks = BY_CHUNK) -> Tensor:
    """Scores the witnesses would have in a control's tube: moved there by its shift, judged by its normal marrow."""
    moved = witness.cells[:most] + control.shift
    return score_laip(moved, laip, control.shift, log_density(moved, control.mixture, by), by)
