"""What is a subject's own, the same in every tube: antigen levels, abundances, the leukaemia."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mrd.core.seeds import generator
from mrd.simulate.features import BODY, FEATURES, Floats
from mrd.simulate.kinds import Kind
from mrd.simulate.leukaemia import NAME, drift_leukaemia, make_leukaemia
from mrd.simulate.population import Lineage
from mrd.simulate.truth import POPULATIONS

EVERYWHERE, OWN, ABUNDANCE = 0.07, 0.05, 0.25
BODY_STEP = 0.03


@dataclass(frozen=True)
class Biology:
    """Offsets of each lineage's features, (features,), and log factors on each population's share."""

    offsets: Mapping[str, Floats]
    abundance: Mapping[str, float]


def draw_biology(seed: int, subject: str) -> Biology:
    """Draw a person: antigens a little up or down everywhere, and again in each lineage; some populations larger than others."""
    everywhere = _draw_offset(generator(seed, "simulate", "subject", subject), EVERYWHERE)
    streams = {name: generator(seed, "simulate", "lineage", subject, name) for name in (*(p.name for p in POPULATIONS), NAME)}
    offsets = {name: everywhere + _draw_offset(rng, OWN) for name, rng in streams.items()}
    return Biology(offsets, {name: float(rng.normal(0, ABUNDANCE)) for name, rng in streams.items()})


def _draw_offset(rng: np.random.Generator, size: float) -> Floats:
    offset = rng.normal(0, size, len(FEATURES))
    offset[: len(BODY)] *= BODY_STEP / size
    return np.asarray(offset)


def draw_leukaemia(seed: int, subject: str, kinds: tuple[Kind, ...], *, clone: str) -> Lineage:
    """Draw the subject's leukaemia; another clone of the same subject is another leukaemia."""
    return make_leukaemia(kinds, generator(seed, "simulate", "leukaemia", subject, clone))


def draw_drift(leukaemia: Lineage, size: float, seed: int, subject: str, visit: str) -> Lineage:
    """Draw the leukaemia as it is at a visit: the same in every tube of it."""
    return drift_leukaemia(leukaemia, size, generator(seed, "simulate", "drift", subject, visit))
