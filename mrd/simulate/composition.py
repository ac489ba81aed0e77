"""How much of what a marrow holds: shares and maturation of each part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mrd.simulate.features import Floats
from mrd.simulate.population import Beta, Lineage, Population, lineage_of
from mrd.simulate.truth import POPULATIONS

LEUKAEMIC_STAGE: Beta = (1.8, 1.8)


@dataclass(frozen=True)
class Part:
    """Cells of one lineage: their share of the intact single cells and where they stand in maturation."""

    lineage: Lineage
    share: float
    stage: Beta


def add_leukaemia(parts: list[Part], leukaemia: Lineage | None, burden: float) -> list[Part]:
    """Parts with `burden` leukaemic cells per leukocyte; leukaemia also crowds the erythroid cells out."""
    if leukaemia is None or burden == 0:
        return parts
    leukocytes = sum(p.share for p in parts if p.lineage.leukocyte)
    kept = [Part(p.lineage, p.share * (1 - burden if p.lineage.leukocyte else 1 - 0.8 * burden), p.stage) for p in parts]
    return scale_shares([*kept, Part(leukaemia, leukocytes * burden, LEUKAEMIC_STAGE)])


def mix_marrow(abundance: Mapping[str, float], *, regeneration: float) -> list[Part]:
    """Shares and stages between the normal and the regenerating ones of the catalogue."""
    shares = [p.share * p.regrowth**regeneration * np.exp(abundance[p.name]) for p in POPULATIONS]
    return scale_shares([Part(lineage_of(p), s, _stage(p, regeneration)) for p, s in zip(POPULATIONS, shares, strict=True)])


def mix_blood() -> list[Part]:
    """Leukocytes of blood: mature ones."""
    return scale_shares([Part(lineage_of(p), p.blood, p.stage_blood) for p in POPULATIONS if p.blood > 0])


def dilute(marrow: list[Part], blood: list[Part], share: float) -> list[Part]:
    """Marrow with a share of its leukocytes replaced by those of blood, erythroid cells thinned alike."""
    leukocytes = sum(p.share for p in marrow if p.lineage.leukocyte)
    parts = [Part(p.lineage, p.share * (1 - share), p.stage) for p in marrow]
    return scale_shares(parts + [Part(p.lineage, p.share * share * leukocytes, p.stage) for p in blood if share > 0])


def scale_shares(parts: list[Part]) -> list[Part]:
    """Make the shares of parts add up to 1."""
    total = sum(p.share for p in parts)
    return [Part(p.lineage, p.share / total, p.stage) for p in parts]


def shares_of(parts: list[Part]) -> Floats:
    """Shares as an array for a multinomial draw."""
    return np.array([p.share for p in parts])


def _stage(population: Population, regeneration: float) -> Beta:
    early = population.stage_regrowth or population.stage
    a, b = ((1 - regeneration) * x + regeneration * y for x, y in zip(population.stage, early, strict=True))
    return (a, b)
