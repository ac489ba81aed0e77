"""What the cytometer and the artefacts do to a tube."""

from __future__ import annotations

import numpy as np
import pytest

from mrd.prepare.compensate import Spill, compensate
from mrd.simulate.artefacts import ARTEFACTS, artefact_problems, read_artefacts
from mrd.simulate.cells import Cells
from mrd.simulate.cytometer import TIMESTEP, declare_spill, detect_light, draw_sag, draw_tuning
from mrd.simulate.features import MARKERS
from mrd.simulate.instruments import INSTRUMENTS, LYRIC, RANGE
from mrd.simulate.truth import CODE
from mrd.simulate.tube import simulate_tube

from .tubes import levels, planned, share


def some_cells(n: int) -> Cells:
    rng = np.random.default_rng(4)
    one = np.ones(n)
    return Cells(np.zeros(n, dtype=np.uint8), one, one, one, np.zeros(n), rng.lognormal(6, 2, (n, len(MARKERS))))


@pytest.mark.parametrize("panel", INSTRUMENTS)
def test_compensating_with_the_declared_matrix_gives_each_dye_back_whatever_the_gains(panel: str) -> None:
    instrument, cells = INSTRUMENTS[panel], some_cells(50)
    tuning = draw_tuning(instrument, 0.3, np.random.default_rng(8))
    detectors = [d.name for d in instrument.detectors]
    spill = Spill(tuple(detectors), declare_spill(instrument, tuning))
    back = compensate(detect_light(cells, instrument) * tuning.gain, detectors, spill, where="test")
    dyes = cells.signal[:, instrument.places] * [d.bright for d in instrument.detectors]
    assert back == pytest.approx(dyes * tuning.gain, rel=1e-9)
    assert np.diag(spill.matrix) == pytest.approx(1)


def test_an_undyed_cell_shows_its_glow_alone() -> None:
    cells = some_cells(1)
    dark = Cells(cells.code, cells.size, cells.height, cells.side, np.array([2.0]), np.zeros_like(cells.signal))
    assert detect_light(dark, LYRIC)[0] == pytest.approx([2 * d.glow for d in LYRIC.detectors])


def test_uncompensated_t_cells_look_dr_positive_next_to_compensated_ones_where_cd45_leaks() -> None:
    tube = simulate_tube(planned(), 1)
    raw = np.arcsinh(tube.events[:, tube.instrument.pns.index("HLA-DR")] / 150)
    cells = levels(tube, "CD45") > 4.2
    young = cells & (levels(tube, "CD19") < 1) & (levels(tube, "CD33") < 1)
    assert np.median(raw[young]) > np.median(levels(tube, "HLA-DR")[young]) + 0.6


def test_compensated_levels_are_those_of_the_catalogue_within_a_person() -> None:
    tube = simulate_tube(planned(artefacts="gain=0"), 1)
    assert np.median(levels(tube, "CD45", "CD4 T cell")) == pytest.approx(4.55, abs=0.3)
    assert np.median(levels(tube, "CD33", "monocytic")) == pytest.approx(4.3, abs=0.4)
    assert np.median(levels(tube, "CD33", "CD4 T cell")) == pytest.approx(0.1, abs=0.2)


def test_the_gain_artefact_moves_detectors_by_its_size() -> None:
    gains = np.array([draw_tuning(LYRIC, 0.2, np.random.default_rng(i)).gain for i in range(200)])
    assert np.log(gains).std() == pytest.approx(0.2, rel=0.1)
    assert np.log(gains).mean() == pytest.approx(0, abs=0.02)


def test_a_tube_of_another_gain_has_the_same_cells_at_shifted_levels() -> None:
    plain, off = (simulate_tube(planned(artefacts=f"gain={g}"), 1) for g in ("0", "0.4"))
    assert (plain.code == off.code).all()
    moved = [np.median(levels(off, m, "granulocytic") - levels(plain, m, "granulocytic")) for m in ("CD13", "CD33", "CD45")]
    assert np.abs(moved).max() > 0.2


def test_a_sag_lowers_one_stretch_by_its_depth_and_no_other_event() -> None:
    time = np.linspace(0, 100, 2001)
    factor = draw_sag(time, 0.4, np.random.default_rng(1))
    assert factor.min() == pytest.approx(0.6)
    low = np.flatnonzero(factor < 1)
    assert (np.diff(low) == 1).all()
    assert 0.12 < len(low) / len(time) < 0.24
    assert draw_sag(time, 0.0, np.random.default_rng(1)).tolist() == [1.0] * 2001


def test_a_sagging_tube_is_dimmer_in_its_sag_than_before_it() -> None:
    steady, sagging = (simulate_tube(planned(events=40_000, artefacts=a), 1) for a in ("", "sag=0.5"))
    drop = levels(sagging, "CD45") - levels(steady, "CD45")
    granulocytes = steady.code == CODE["granulocytic"]
    assert np.quantile(drop[granulocytes], 0.02) < -0.5
    assert np.median(drop[granulocytes]) == pytest.approx(0, abs=0.05)


def test_hemodilution_lowers_immature_cells_and_raises_mature_lymphocytes_and_neutrophils() -> None:
    pure, diluted = (simulate_tube(planned(events=40_000, artefacts=a), 1) for a in ("", "hemodilution=0.6"))
    assert share(diluted, "progenitor") < 0.6 * share(pure, "progenitor")
    assert share(diluted, "erythroid") < 0.6 * share(pure, "erythroid")
    assert share(diluted, "CD4 T cell") > 1.5 * share(pure, "CD4 T cell")
    mature = [(levels(t, "CD13", "granulocytic") > 3).mean() for t in (pure, diluted)]
    assert mature[1] > mature[0] + 0.1


def test_hemodilution_dilutes_the_leukaemia_with_the_marrow() -> None:
    sick = {"subject": "P", "role": "follow-up", "laip": "CD56+", "burden": 0.2, "events": 40_000}
    pure, diluted = (simulate_tube(planned(artefacts=a, **sick), 1) for a in ("", "hemodilution=0.5"))
    assert share(diluted, "leukaemic") == pytest.approx(0.55 * share(pure, "leukaemic"), rel=0.15)


@pytest.mark.parametrize(
    ("name", "code"), [("doublets", "doublet"), ("debris", "debris"), ("dead", "dead"), ("margin", "margin")]
)
def test_a_named_share_of_the_events_is_spoilt(name: str, code: str) -> None:
    tube = simulate_tube(planned(artefacts=f"{name}=0.2"), 1)
    assert share(tube, code) == pytest.approx(0.2, abs=4 * np.sqrt(0.16 / 20_000))


def test_doublets_have_more_area_for_their_height_than_single_cells() -> None:
    tube = simulate_tube(planned(artefacts="doublets=0.2"), 1)
    ratio = tube.events[:, 0] / tube.events[:, 1]
    two = tube.code == CODE["doublet"]
    assert np.quantile(ratio[~two], 0.99) < np.median(ratio[two])


def test_dead_cells_are_smaller_and_glow_in_detectors_they_have_no_antigen_for() -> None:
    tube = simulate_tube(planned(artefacts="dead=0.2"), 1)
    dead, alive = tube.code == CODE["dead"], tube.code < CODE["leukaemic"]
    assert np.median(tube.events[dead, 0]) < 0.7 * np.median(tube.events[alive, 0])
    assert np.median(levels(tube, "CD56")[dead]) > np.median(levels(tube, "CD56")[alive]) + 0.6


def test_debris_is_small_and_has_no_cd45() -> None:
    tube = simulate_tube(planned(artefacts="debris=0.3"), 1)
    debris = tube.code == CODE["debris"]
    assert np.quantile(tube.events[debris, 0], 0.95) < 20_000
    assert np.median(levels(tube, "CD45")[debris]) < 0.7


def test_margin_events_sit_at_the_top_of_a_scatter_range_and_nothing_exceeds_it() -> None:
    tube = simulate_tube(planned(artefacts="margin=0.2"), 1)
    top = (tube.events[:, [0, 2]] >= RANGE - 1).any(axis=1)
    assert top[tube.code == CODE["margin"]].mean() > 0.98
    assert top[tube.code == CODE["granulocytic"]].mean() < 0.01
    assert tube.events.max() == RANGE - 1


def test_time_runs_forward_at_about_900_events_a_second() -> None:
    time = simulate_tube(planned(), 1).events[:, -1] * TIMESTEP
    assert (np.diff(time) >= 0).all()
    assert len(time) / (time[-1] - time[0]) == pytest.approx(900, rel=0.1)


def test_artefacts_are_read_with_their_number_or_the_one_they_come_with() -> None:
    told = read_artefacts("sag; gain=0.25;switch=CD7")
    assert told["sag"] == ARTEFACTS["sag"].named
    assert told["gain"] == 0.25
    assert told["doublets"] == ARTEFACTS["doublets"].usual
    assert told.switch is not None
    assert told.switch.name == "CD7+"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rust", "rust is no artefact"),
        ("sag=1.5", "sag takes 0 to 0.95"),
        ("dead=many", "dead=many is out of range"),
        ("switch", "names no LAIP kind"),
        ("gain=nan", "gain=nan is out of range"),
    ],
)
def test_an_artefact_that_cannot_be_is_told(text: str, words: str) -> None:
    (problem,) = artefact_problems(text)
    assert words in problem


@pytest.mark.parametrize("text", ["", "sag=0.95", "sag=0", "drift;doublets=0.1"])
def test_artefacts_within_their_range_are_no_problem(text: str) -> None:
    assert list(artefact_problems(text)) == []
