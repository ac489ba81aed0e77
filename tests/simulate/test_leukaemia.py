"""LAIP kinds, drift and the switch of a clone."""

from __future__ import annotations

import numpy as np
import pytest

from mrd.simulate.cells import draw_lineage
from mrd.simulate.composition import LEUKAEMIC_STAGE, Part
from mrd.simulate.features import BODY, COLUMN, FEATURES, MARKERS, read_levels
from mrd.simulate.kinds import KINDS, find_kind, shows
from mrd.simulate.leukaemia import drift_leukaemia, make_leukaemia
from mrd.simulate.myeloid import PROGENITOR
from mrd.simulate.population import Lineage, lineage_of
from mrd.simulate.tube import simulate_tube

from .tubes import levels, planned

NORMAL = lineage_of(PROGENITOR)
MARKS = [(k.name, marker) for k in KINDS.values() for marker in k.levels if marker != "CD34"]


def median(lineage: Lineage, marker: str) -> float:
    part = Part(lineage, 1.0, LEUKAEMIC_STAGE)
    cells = draw_lineage(part, np.zeros(len(FEATURES)), 3000, np.random.default_rng(5), regeneration=0.0)
    return float(np.median(np.arcsinh(cells.signal[:, MARKERS.index(marker)] / 150)))


@pytest.mark.parametrize(("kind", "marker"), MARKS)
def test_a_kind_moves_the_marker_it_names_away_from_normal_progenitors(kind: str, marker: str) -> None:
    target = read_levels(KINDS[kind].levels[marker])[0]
    normal, sick = median(NORMAL, marker), median(make_leukaemia((KINDS[kind],), np.random.default_rng(2)), marker)
    assert abs(sick - normal) > 0.8
    assert np.sign(sick - normal) == np.sign(target - normal)
    assert sick == pytest.approx(target, abs=0.6)


@pytest.mark.parametrize("kind", [k for k in KINDS if k.startswith("CD34+")])
def test_an_asynchronous_kind_keeps_cd34_beside_the_mature_marker(kind: str) -> None:
    assert median(make_leukaemia((KINDS[kind],), np.random.default_rng(2)), "CD34") > 3.2


def test_there_are_at_least_eight_kinds_each_with_a_source() -> None:
    assert len(KINDS) >= 8
    assert all(kind.source for kind in KINDS.values())


def test_a_kind_is_found_with_or_without_its_plus_and_not_by_another_name() -> None:
    assert find_kind("CD7") is find_kind("CD7+") is KINDS["CD7+"]
    assert find_kind("CD99") is None


def test_a_panel_shows_a_kind_only_with_every_marker_that_makes_it() -> None:
    assert shows(KINDS["CD34+CD15+"], ["CD15", "CD34", "CD45"])
    assert not shows(KINDS["CD34+CD15+"], ["CD34", "CD45"])


def test_leukaemic_cells_are_cd45_dim_whatever_the_stream() -> None:
    for i in range(20):
        cd45 = make_leukaemia((), np.random.default_rng(i)).traces[:, COLUMN["CD45"]]
        assert cd45.min() >= 2.3
        assert cd45.max() <= 3.6


def test_drift_moves_every_antigen_by_about_its_size_and_no_body() -> None:
    leukaemia = make_leukaemia((), np.random.default_rng(1))
    drifted = drift_leukaemia(leukaemia, 0.4, np.random.default_rng(2))
    moved = (drifted.traces - leukaemia.traces).mean(axis=0)
    assert moved[: len(BODY)] == pytest.approx(0)
    assert 0.2 < np.sqrt(np.mean(moved[len(BODY) :] ** 2)) < 0.6


def test_a_drifted_follow_up_lies_further_from_diagnosis_than_an_undrifted_one() -> None:
    sick = {"subject": "P", "laip": "CD56+", "burden": 0.5, "events": 6000}
    diagnosis = simulate_tube(planned(role="diagnosis", visit="DX", **sick), 1)
    plain, drifted = (
        simulate_tube(planned(role="follow-up", visit="FU1", artefacts=a, **sick), 1) for a in ("drift=0", "drift=0.6")
    )
    medians = [[np.median(levels(t, m, "leukaemic")) for m in t.instrument.markers] for t in (diagnosis, plain, drifted)]
    near, far = (np.linalg.norm(np.subtract(m, medians[0])) for m in medians[1:])
    assert far > near + 0.8


def test_a_switched_clone_has_its_own_kind_and_not_the_first_one() -> None:
    sick = {"subject": "P", "laip": "CD56+", "burden": 0.3, "events": 6000}
    first = simulate_tube(planned(role="follow-up", visit="FU1", **sick), 1)
    second = simulate_tube(planned(role="follow-up", visit="FU1", artefacts="switch=CD19", **sick), 1)
    told = [{m: np.median(levels(t, m, "leukaemic")) for m in ("CD56", "CD19")} for t in (first, second)]
    assert told[0]["CD56"] > 2.2
    assert told[0]["CD19"] < 0.8
    assert told[1]["CD56"] < 0.8
    assert told[1]["CD19"] > 1.9
