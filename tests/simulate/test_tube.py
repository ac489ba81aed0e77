"""A tube as a whole: determinism, burden, and the gates finding what the truth says."""

from __future__ import annotations

import numpy as np
import pytest

from mrd.simulate.subject import draw_biology
from mrd.simulate.truth import CODE, count_truth, flag_leukocytes
from mrd.simulate.tube import draw_clone, draw_regeneration, simulate_tube

from .tubes import levels, planned, prepared, share

SICK = {"subject": "P", "visit": "DX", "role": "diagnosis", "laip": "CD33hi", "burden": 0.4}
CASES = [
    {"subject": "N"},
    {"subject": "R", "control_kind": "regenerating"},
    {"subject": "P", "role": "diagnosis", "laip": "CD56+", "burden": 0.5},
    {"subject": "Q", "role": "diagnosis", "laip": "HLA-DR-", "burden": 0.7},
    {"subject": "S", "role": "diagnosis", "laip": "CD13-", "burden": 0.3},
]


def test_the_same_seed_gives_the_same_tube_and_another_seed_another() -> None:
    first, again, other = (simulate_tube(planned(events=2000), seed) for seed in (1, 1, 2))
    assert first.events.tobytes() == again.events.tobytes()
    assert (first.code == again.code).all()
    assert (first.events[:, 0] == other.events[:, 0]).mean() < 0.01


def test_tubes_of_one_visit_share_marrow_and_leukaemia_but_not_cells() -> None:
    tubes = [planned(tube=t, events=4000, **SICK) for t in ("T1", "T2")]
    assert draw_regeneration(tubes[0], 1) == draw_regeneration(tubes[1], 1)
    clones = [draw_clone(t, 1) for t in tubes]
    assert clones[0] is not None
    assert clones[1] is not None
    assert clones[0].traces.tolist() == clones[1].traces.tolist()
    drawn = [simulate_tube(t, 1) for t in tubes]
    assert (drawn[0].events[:, 0] == drawn[1].events[:, 0]).mean() < 0.01


def test_visits_of_one_subject_share_the_person_and_the_leukaemia_but_for_its_drift() -> None:
    first, second = (simulate_tube(planned(subject="P", visit=v, artefacts="gain=0;regeneration=0"), 1) for v in ("V1", "V2"))
    other = simulate_tube(planned(subject="Q", artefacts="gain=0;regeneration=0"), 1)
    told = [np.array([np.median(levels(t, m, "granulocytic")) for m in t.instrument.markers]) for t in (first, second, other)]
    assert np.abs(told[1] - told[0]).max() < 0.04
    assert np.abs(told[2] - told[0]).max() > 0.08
    clones = [draw_clone(planned(**{**SICK, "role": "follow-up", "visit": v}), 1) for v in ("V1", "V2")]
    assert clones[0] is not None
    assert clones[1] is not None
    assert 0 < np.abs(clones[0].traces - clones[1].traces).max() < 0.3


def test_people_differ_in_levels_and_in_abundance() -> None:
    offsets = np.array([draw_biology(1, f"S{i}").offsets["progenitor"] for i in range(200)])
    assert offsets[:, 3:].std(axis=0) == pytest.approx(np.hypot(0.07, 0.05), rel=0.2)
    abundance = [draw_biology(1, f"S{i}").abundance["progenitor"] for i in range(200)]
    assert np.std(abundance) == pytest.approx(0.25, rel=0.2)


@pytest.mark.parametrize("burden", [0.0, 0.002, 0.05, 0.6])
def test_the_burden_is_realised_within_binomial_error(burden: float) -> None:
    told = count_truth(simulate_tube(planned(**{**SICK, "burden": burden}), 1).code)
    expected = burden * told["n_leukocytes"]
    assert abs(told["n_leukaemic"] - expected) <= 4 * np.sqrt(expected * (1 - burden))


def test_a_control_is_regenerating_where_the_plan_says_so_and_more_so_than_a_normal_one() -> None:
    for i in range(10):
        normal, regenerating = (
            draw_regeneration(planned(subject=f"S{i}", control_kind=k), 1) for k in ("normal", "regenerating")
        )
        assert normal < 0.15
        assert regenerating > 0.6
    assert draw_regeneration(planned(artefacts="regeneration=0.5"), 1) == 0.5


def test_blood_holds_no_erythroid_cells_and_hardly_a_progenitor() -> None:
    marrow, blood = (simulate_tube(planned(blood=b), 1) for b in (False, True))
    assert share(blood, "erythroid") == 0
    assert share(blood, "progenitor") < 0.2 * share(marrow, "progenitor")


def test_maturing_cells_form_a_continuum_from_progenitors_to_granulocytes() -> None:
    tube = simulate_tube(planned(events=60_000, control_kind="regenerating"), 1)
    mature = np.isin(tube.code, [CODE["progenitor"], CODE["granulocytic"]])
    counts = np.histogram(levels(tube, "CD117")[mature], np.arange(0, 3.6, 0.2))[0]
    assert counts.min() > 40


def test_granulocytes_are_no_ellipsoid_but_bend_through_low_cd13() -> None:
    tube = simulate_tube(planned(), 1)
    cd13, cd33 = (levels(tube, m, "granulocytic") for m in ("CD13", "CD33"))
    ends, middle = (cd33 < 2.5), (cd33 > 2.7) & (cd33 < 3.1)
    assert np.median(cd13[ends]) > np.median(cd13[middle]) + 0.3


@pytest.mark.parametrize("panel", ["aml-lyric-9", "eln-core-8"])
@pytest.mark.parametrize("case", CASES, ids=lambda c: c["subject"])
def test_the_gates_find_the_true_leukocytes_the_anchor_and_the_leukaemic_cells(panel: str, case: dict[str, object]) -> None:
    tube = simulate_tube(planned(panel=panel, events=12_000, **case), 1)
    cells = prepared(tube)
    found = np.zeros(len(tube.code), dtype=bool)
    found[cells.events[cells.gates["leukocytes"]]] = True
    truth, leukaemic = flag_leukocytes(tube.code), tube.code == CODE["leukaemic"]
    assert found.sum() == pytest.approx(truth.sum(), rel=0.05)
    assert "anchor-missing" not in cells.flags
    assert found[leukaemic].sum() >= 0.93 * leukaemic.sum()
