"""The leukaemia-associated immunophenotype: what the diagnosis tube shows in excess of every control."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mrd.core.settings import Settings
from mrd.detect.align import Adapted, Prior, adapt
from mrd.detect.fit import fit_mixture, start_mixture
from mrd.detect.mixture import Mixture, features, forms, log_density, log_joint, responsibilities
from mrd.detect.reference import Reference


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


def learn_laip(
    cells: Tensor, eligible: Tensor, reference: Reference, settings: Settings, rng: np.random.Generator
) -> tuple[Laip, Witness] | None:
    """Find the leukaemic components of a diagnosis tube; None where nothing exceeds the controls.

    Half of the cells fit a free mixture. A component is leukaemic where its cells are, on average, much denser than
    the tube-adapted reference allows even with every normal population at the largest weight any control shows, where
    most of them lie in the panel's eligible gate, and where it is not a handful. The other half are the witnesses of
    the recall.

    Parameters
    ----------
    cells : (n, d) in random order · eligible : (n,) bool, inside the gate where leukaemia is looked for
    """
    half = min(len(cells) // 2, settings.adapt_cells)
    train, rest = cells[:half], cells[half : 2 * half]
    components = max(min(settings.laip_components, half // 100), 2)
    free = fit_mixture(train, start_mixture(train, components, settings.tails, rng), rounds=40)
    adapted = adapt(train, reference.mixture, firm_prior(settings))
    normal = adapted.mixture
    allowed = Mixture(reference.largest, normal.means, normal.spreads, normal.tails)
    chosen = leukaemic_components(train, eligible[:half], free, allowed, settings)
    if not chosen.any():
        return None
    found = free.pick(chosen)
    probability = responsibilities(rest, free)[:, chosen].sum(dim=1)
    laip = Laip(found.moved(-adapted.shift), float(probability.mean()))
    return laip, Witness(rest - adapted.shift, probability)


def firm_prior(settings: Settings) -> Prior:
    """Shift, means and weights follow a tube, spreads stay: at diagnosis normal cells may be few."""
    return Prior(settings.mean_prior, np.inf, settings.adapt_rounds)


def leukaemic_components(cells: Tensor, eligible: Tensor, free: Mixture, allowed: Mixture, settings: Settings) -> Tensor:
    """Which components of a free mixture stand out of what controls allow, (k,) bool."""
    form = forms(free)
    joint = log_joint(features(cells, form.centre), form)[0]
    density = torch.logsumexp(joint, dim=1)
    share = torch.exp(joint - density[:, None])
    mass = share.sum(dim=0).clamp_min(1e-6)
    excess = (share * (density - log_density(cells, allowed))[:, None]).sum(dim=0) / mass
    inside = (share * eligible.float()[:, None]).sum(dim=0) / mass
    return (excess > settings.laip_excess) & (inside > 0.5) & (mass / len(cells) > settings.laip_least)


def adapt_with(cells: Tensor, reference: Mixture, laip: Laip, settings: Settings, *, in_sample: bool) -> Adapted:
    """A tube's adapted reference with the LAIP taking part, so that residual leukaemia is not learned as normal."""
    prior = firm_prior(settings) if in_sample else Prior(settings.mean_prior, settings.spread_prior, settings.adapt_rounds)
    share = laip.share if in_sample else 0.003
    return adapt(cells[: settings.adapt_cells], reference, prior, leukaemic=laip.mixture, share=share)


def score_laip(cells: Tensor, laip: Laip, shift: Tensor, normal: Tensor) -> Tensor:
    """log p(cell | leukaemic) - log p(cell | the tube's normal marrow), (n,)."""
    return log_density(cells, laip.mixture.moved(shift)) - normal


def spiked_scores(witness: Witness, laip: Laip, control: Adapted, *, most: int = 4000) -> Tensor:
    """Scores the witnesses would have in a control's tube: moved there by its shift, judged by its normal marrow."""
    moved = witness.cells[:most] + control.shift
    return score_laip(moved, laip, control.shift, log_density(moved, control.mixture))
