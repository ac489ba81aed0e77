"""What a marrow holds, normal and regenerating, and what is counted."""

from __future__ import annotations

import numpy as np
import pytest

from mrd.simulate.cells import draw_lineage
from mrd.simulate.composition import Part, add_leukaemia, dilute, mix_blood, mix_marrow
from mrd.simulate.features import FEATURES, MARKERS
from mrd.simulate.leukaemia import make_leukaemia
from mrd.simulate.lymphoid import CD4_T, PRECURSOR_B
from mrd.simulate.myeloid import ERYTHROID, GRANULOCYTIC, MONOCYTIC, PROGENITOR
from mrd.simulate.population import Population, lineage_of
from mrd.simulate.truth import CODE, POPULATIONS, count_truth

EVEN = {p.name: 0.0 for p in POPULATIONS}


def shares(parts: list[Part]) -> dict[str, float]:
    out: dict[str, float] = {}
    for part in parts:
        out[part.lineage.name] = out.get(part.lineage.name, 0.0) + part.share
    return out


def medians(population: Population, marker: str, regeneration: float, quantile: float = 0.5) -> float:
    """Level of a marker at the stages of normal marrow, so that only the phenotype can differ."""
    part = Part(lineage_of(population), 1.0, population.stage)
    cells = draw_lineage(part, np.zeros(len(FEATURES)), 8000, np.random.default_rng(3), regeneration=regeneration)
    return float(np.quantile(np.arcsinh(cells.signal[:, MARKERS.index(marker)] / 150), quantile))


def test_a_burden_of_a_tenth_takes_a_tenth_of_the_leukocytes_and_crowds_erythroid_cells_out() -> None:
    marrow = [Part(lineage_of(GRANULOCYTIC), 0.8, (1, 1)), Part(lineage_of(ERYTHROID), 0.2, (1, 1))]
    leukaemia = make_leukaemia((), np.random.default_rng(1))
    told = shares(add_leukaemia(marrow, leukaemia, 0.1))
    total = 0.72 + 0.08 + 0.2 * 0.92
    assert told == pytest.approx({"granulocytic": 0.72 / total, "leukaemic": 0.08 / total, "erythroid": 0.184 / total})


def test_diluting_by_half_makes_half_of_the_leukocytes_blood_and_halves_the_erythroid_cells() -> None:
    marrow = [Part(lineage_of(PROGENITOR), 0.8, (1, 1)), Part(lineage_of(ERYTHROID), 0.2, (1, 1))]
    blood = [Part(lineage_of(CD4_T), 1.0, (1, 1))]
    told = shares(dilute(marrow, blood, 0.5))
    assert told == pytest.approx({"progenitor": 0.4 / 0.9, "erythroid": 0.1 / 0.9, "CD4 T cell": 0.4 / 0.9})


def test_no_burden_and_no_dilution_leave_the_marrow_as_it_is() -> None:
    marrow = mix_marrow(EVEN, regeneration=0.0)
    assert shares(dilute(add_leukaemia(marrow, None, 0.0), mix_blood(), 0.0)) == pytest.approx(shares(marrow))


def test_regenerating_marrow_holds_more_progenitors_and_haematogones_at_less_mature_stages() -> None:
    normal, regenerating = (mix_marrow(EVEN, regeneration=r) for r in (0.0, 1.0))
    for name, least in ((PROGENITOR.name, 2.0), (PRECURSOR_B.name, 3.0)):
        assert shares(regenerating)[name] > least * shares(normal)[name]
    means = [{p.lineage.name: p.stage[0] / sum(p.stage) for p in parts} for parts in (normal, regenerating)]
    assert all(means[1][p.name] < means[0][p.name] for p in (GRANULOCYTIC, MONOCYTIC))


@pytest.mark.parametrize(
    ("population", "marker", "quantile", "least"),
    [
        (MONOCYTIC, "CD56", 0.95, 1.0),
        (GRANULOCYTIC, "CD56", 0.95, 0.7),
        (GRANULOCYTIC, "CD33", 0.5, 0.15),
        (PROGENITOR, "CD7", 0.9, 0.4),
    ],
)
def test_regenerating_cells_of_the_same_stage_have_more_of_a_marker(
    population: Population, marker: str, quantile: float, least: float
) -> None:
    assert medians(population, marker, 1.0, quantile) > medians(population, marker, 0.0, quantile) + least


@pytest.mark.parametrize(("population", "marker"), [(MONOCYTIC, "HLA-DR"), (GRANULOCYTIC, "CD13")])
def test_regenerating_cells_of_the_same_stage_have_less_of_a_marker(population: Population, marker: str) -> None:
    assert medians(population, marker, 1.0) < medians(population, marker, 0.0) - 0.15


def test_cd56_falls_on_some_regenerating_monocytes_and_not_on_all() -> None:
    assert medians(MONOCYTIC, "CD56", 1.0, 0.4) < 0.6
    assert medians(MONOCYTIC, "CD56", 1.0, 0.9) > 1.2


def test_truth_counts_leukocytes_without_erythroid_spoilt_and_paired_events() -> None:
    told = ["leukaemic", "granulocytic", "granulocytic", "NK cell", "erythroid", "debris", "dead", "doublet", "margin"]
    code = np.array([CODE[name] for name in told], dtype=np.uint8)
    assert count_truth(code) == {"n_events": 9, "n_leukocytes": 4, "n_leukaemic": 1, "true_fraction": 0.25}
