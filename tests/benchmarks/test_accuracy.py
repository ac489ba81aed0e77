"""The comparison with the field's methods, on marrow small enough to judge in seconds."""

import math
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from benchmarks.accuracy import __main__ as command
from benchmarks.accuracy.anchors import DIFFERS, NEAR, SAME, compared
from benchmarks.accuracy.cells import Labelled, Lesson, Tube, read_labels
from benchmarks.accuracy.islands import judge_islands, own_islands
from benchmarks.accuracy.nilsson import best_cut, f1_table, read_nilsson
from benchmarks.accuracy.peers import PEERS, Seen
from benchmarks.accuracy.runs import arm_below, arm_calls, call
from benchmarks.accuracy.score import WORDS, figures
from benchmarks.accuracy.table import difference, replace_part, score_table, write_parts
from mrd.core.errors import FileError
from mrd.core.settings import Settings
from mrd.core.slots import CELLS
from mrd.files.anndata_io import write_anndata
from mrd.files.layout import cells_path
from mrd.files.panels import read_panel
from mrd.quantify.blanks import Blanks

SHARED = Path(__file__).parents[3] / "shared"
ABSENT = pytest.mark.skipif(not (SHARED / "bench").is_dir(), reason="../shared is absent")
CHANNELS = ("FSC-A", "SSC-A", "CD38", "CD13", "CD34", "CD117", "CD33", "CD56", "CD19", "HLA-DR", "CD45")
FLUOR = ("FITC-A", "PE-A", "PerCP-Cy5.5-A", "PE-Cy7-A", "APC-A", "APC-R700-A", "APC-Cy7-A", "V450-A", "V500-C-A")
DETECTORS = ("FSC-A", "SSC-A", *FLUOR)
MATURE = np.array([4.8, 4.8, 2.0, 3.0, 0.5, 0.5, 3.0, 0.2, 0.2, 1.0, 4.5])
PRECURSOR = np.array([4.8, 3.6, 4.0, 2.5, 3.5, 3.5, 2.0, 0.2, 0.2, 4.0, 3.2])
BLAST = np.array([4.8, 3.6, 1.0, 2.5, 3.8, 3.8, 2.0, 4.5, 0.2, 4.0, 3.0])
N = 3_000


def tube(subject, visit, seed, *, blasts=0, kind="", precursors=N // 10):
    """A tube of mature cells, precursors, and so many leukaemic cells; those come last."""
    rng = np.random.default_rng(seed)
    centres = np.repeat([MATURE, PRECURSOR, BLAST], [N - precursors - blasts, precursors, blasts], axis=0)
    values = (centres + rng.normal(0, 0.25, centres.shape)).astype(np.float32)
    last = np.arange(N) >= N - blasts
    return Tube(subject, visit, kind, values, np.arange(N), values[:, 1] < 4.2, N, CHANNELS, DETECTORS, last)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """These arrays are too small for more."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def lesson():
    controls = [tube(f"N{i}", "control", i, kind="regenerating" if i % 2 else "normal") for i in range(6)]
    one = tube("L", "labels", 50, blasts=600)
    precursors = (one.values[:, 1] < 4.2) & ~one.leukaemic
    labels = Labelled(one.values, one.leukaemic, one.leukaemic | precursors)
    return Lesson(controls, [tube("P1", "diagnosis", 60, blasts=900)], labels)


@pytest.mark.parametrize("name", ["forest", "nodes", "boosting"])
def test_a_peer_that_learned_the_leukaemia_finds_it_and_leaves_a_blank_alone(name, lesson):
    judge = PEERS[name].fit(lesson, np.random.default_rng(1))
    ill, blank = tube("P1", "FU1", 70, blasts=60), tube("P1", "FU2", 71)
    for setting, seen in judge(ill, "P1").items():
        if setting in ("random forest p > 0.5", "400 SOM nodes", "boosting p > 0.5"):
            assert seen.found[ill.leukaemic].mean() > 0.8
            assert seen.found[~ill.leukaemic].mean() < 2e-3
    assert max(s.count for s in judge(blank, "P1").values()) < 5
    assert set(judge(blank, "P1")) == set(PEERS[name].settings)


def test_novelty_finds_blasts_that_regenerating_marrow_lacks_and_calls_its_percentile_of_precursors_novel(lesson):
    rich = [tube(f"R{i}", "control", 20 + i, kind="regenerating", precursors=N // 2) for i in range(3)]
    judge = PEERS["novelty"].fit(replace(lesson, controls=rich), np.random.default_rng(1))
    ill, blank = tube("P1", "FU1", 70, blasts=60), tube("P1", "FU2", 71, precursors=N // 2)
    assert judge(ill, "P1")["cMRD novelty 1 percentile"].found[ill.leukaemic].mean() > 0.8
    strict, loose = (s.found for s in judge(blank, "P1").values())
    assert 0.002 < loose[blank.candidates].mean() < 0.1
    assert not (strict & ~loose).any()
    assert strict.sum() < loose.sum()


def test_islands_of_a_tubes_own_are_found_and_the_share_looked_at_is_told(lesson, monkeypatch):
    monkeypatch.setattr("benchmarks.accuracy.islands.CELLS", 300)
    ill = tube("P1", "FU1", 70, blasts=200)

    def embed(cells, _):
        return PCA(3, random_state=0).fit_transform(cells)

    found, share = judge_islands(ill, lesson.controls, np.random.default_rng(1), embed=embed)
    assert share == 300 / ill.candidates.sum()
    assert found.sum() / share == pytest.approx(200, rel=0.25)
    assert found[~ill.leukaemic].sum() < 4


def test_an_island_is_the_tubes_where_it_has_ten_times_the_controls_share_and_noise_is_nobodys():
    mine = [0] * 10 + [1] * 10 + [-1] * 5
    theirs = [0] * 10 + [1] * 1 + [2] * 14
    assert own_islands(np.array(mine + theirs), 25).tolist() == [False] * 25
    theirs[10] = 2
    assert own_islands(np.array(mine + theirs), 25).tolist() == [False] * 10 + [True] * 10 + [False] * 5


def blanks(found=0):
    return Blanks(np.full(6, found), np.full(6, 100_000), ("normal", "regenerating") * 3)


@pytest.mark.parametrize(("found", "below"), [(2, "Y"), (3, "N"), (4, "N")])
def test_a_peer_always_tells_and_exactly_the_threshold_is_not_below(found, below):
    told = call(tube("P1", "FU1", 1), Seen(np.arange(N) < found), blanks(), Settings())
    assert told["below_threshold"] == below
    assert told["mrd_fraction"] == found / N


def test_a_peers_interval_is_the_exact_poisson_interval_of_its_count():
    told = call(tube("P1", "FU1", 1), Seen(np.arange(N) < 10), blanks(), Settings())
    assert (told["ci_low"] * N, told["ci_high"] * N) == pytest.approx((4.795, 18.39), rel=1e-3)
    none = call(tube("P1", "FU1", 1), Seen(np.zeros(N, bool)), blanks(), Settings())
    assert (none["ci_low"], none["ci_high"] * N) == (0, pytest.approx(3.689, rel=1e-3))


def test_what_was_looked_at_in_part_counts_for_the_whole():
    half = call(tube("P1", "FU1", 1), Seen(np.arange(N) < 30, share=0.5), blanks(), Settings())
    whole = call(tube("P1", "FU1", 1), Seen(np.arange(N) < 60), blanks(), Settings())
    assert half["mrd_fraction"] == whole["mrd_fraction"] == 0.02
    assert half["ci_high"] > whole["ci_high"]


def test_a_peers_lob_stands_on_the_scale_of_an_estimate_without_background_subtracted():
    high = call(tube("P1", "FU1", 1), Seen(np.zeros(N, bool)), blanks(found=500), Settings())
    assert 5e-3 < high["lob"] < 1.2e-2
    assert high["lod"] > high["lob"]


def arm(name, x, visit="FU1", adequate="Y"):
    ends = {"ci_low": x / 2, "ci_high": 2 * x + 1e-3, "lob": 1e-4, "lod": 2e-4, "lloq": 4e-4}
    head = {"subject": "P1", "visit": visit, "arm": name, "n_leukocytes": 200_000, "n_found": int(x * 200_000)}
    return {**head, "mrd_fraction": x, **ends, "adequate": adequate}


@pytest.mark.parametrize(
    ("row", "below"),
    [(arm("laip", 5e-4), "Y"), (arm("dfn", 5e-4), ""), (arm("laip", 2e-3), "N"), (arm("dfn", 2e-3), "N")],
)
def test_an_arm_alone_follows_the_decision_table_and_dfn_tells_no_below(row, below):
    assert arm_below(pd.Series(row), Settings(), adequate=True) == below


def test_of_several_tubes_the_highest_counts_and_below_needs_every_tube_to_be_adequate():
    rows = pd.DataFrame([arm("laip", 3e-4), arm("laip", 1e-4, adequate="N"), arm("laip", 2e-4, visit="FU2")])
    told = arm_calls(rows, Settings()).set_index("visit")
    assert told["mrd_fraction"].to_dict() == {"FU1": 3e-4, "FU2": 2e-4}
    assert told["below_threshold"].to_dict() == {"FU1": "", "FU2": "Y"}


def scored(right):
    """Visits of ten subjects, two each, of which some are called right."""
    return pd.DataFrame({"cluster": np.repeat([f"c P{i}" for i in range(10)], 2), "right": right})


def share_right(visits):
    return dict.fromkeys(WORDS, float(visits["right"].mean()))


def test_differences_are_paired_and_bold_only_where_clear_of_zero_in_our_favour():
    some = np.tile([1.0, 0.0], 10)
    visits = {"flowmrd": scored(np.ones(20)), "same": scored(np.ones(20)), "half": scored(some)}
    got = figures(visits, share_right, resamples=200, seed=1)
    assert difference(got, "same", "accuracy_far", up=True) == "0.00 (0.00 to 0.00)"
    assert difference(got, "half", "accuracy_far", up=True) == "**0.50 (0.50 to 0.50)**"
    assert difference(got, "half", "rmse_found", up=False) == "0.50 (0.50 to 0.50) (worse)"


def test_subjects_are_resampled_whole():
    by_subject = np.repeat([1.0, 0.0], 10)
    spread = figures({"flowmrd": scored(by_subject)}, share_right, resamples=400, seed=1).resampled["flowmrd"]["evaluable"].std()
    assert spread == pytest.approx(math.sqrt(0.25 / 10), rel=0.15)
    assert (
        figures({"flowmrd": scored(by_subject)}, share_right, resamples=9, seed=1, subjects=1)
        .resampled["flowmrd"]["evaluable"]
        .isin([0, 1])
        .all()
    )


def test_an_earlier_figure_is_the_same_in_the_range_and_near_where_a_visit_or_a_seed_moves_it_there():
    values, seeds = pd.Series(np.linspace(0.5, 0.6, 101)), pd.Series([0.54, 0.56])
    assert [compared(x, values, seeds, "rmse_found") for x in (0.55, 0.499, 0.49, 0.45)] == [SAME, SAME, NEAR, DIFFERS]
    counts = pd.Series([24.0] * 50)
    assert [compared(x, counts, counts[:2], "false_above") for x in (24, 25, 26)] == [SAME, NEAR, DIFFERS]


def test_an_earlier_figure_that_is_none_is_the_same_where_ours_often_is_none():
    values = pd.Series(np.linspace(0.5, 0.6, 101))
    assert compared(math.nan, values, values[:2], "rmse_found") == DIFFERS
    assert compared(math.nan, values.where(values > 0.51), values[:2], "rmse_found") == SAME


def test_the_cut_with_the_highest_f1_counts_cells_at_it_as_found():
    assert best_cut(np.array([0.1, 0.2, 0.7, 0.8]), np.array([False, False, True, True])) == 0.7


def test_the_table_of_the_rare_population_sets_our_better_detector_beside_every_method():
    told = [{"flowmrd, a": 0.5, "flowmrd, b": 0.6, "peer": 0.8}, {"flowmrd, a": 0.5, "flowmrd, b": 0.8, "peer": 0.8}]
    table = f1_table(told).splitlines()
    assert table[0].endswith("| flowmrd, b, less it |")
    assert table[-1] == "| peer | 0.800 (0.800 to 0.800) | -0.100 (-0.200 to 0.000) |"


def test_a_page_keeps_all_but_its_marked_part_and_is_left_alone_where_a_mark_is_missing(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- plain -->\nold\n<!-- /plain -->\nz\n")
    write_parts(page, {"plain": "new"})
    assert page.read_text() == "a\n<!-- plain -->\nnew\n<!-- /plain -->\nz\n"
    with pytest.raises(FileError, match="no marks <!-- hard -->"):
        write_parts(page, {"plain": "newer", "hard": "x"})
    assert "newer" not in page.read_text()
    assert replace_part(page.read_text(), "plain", "new", where="page") == page.read_text()


def test_without_the_shared_folder_the_command_says_so_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["accuracy", "--cohort", "plain", "--shared", str(tmp_path / "none")])
    assert command.main() == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert "--shared" in told[0]


@ABSENT
def test_time_label_and_scatter_without_spread_are_no_features_of_the_rare_population():
    cells, rare, channels = read_nilsson(SHARED / "data" / "nilsson" / "Nilsson_rare_TRAIN.fcs")
    assert (len(cells), rare.sum(), len(channels)) == (30_899, 251, 14)
    assert not {"Time", "label", "FSC-A"} & set(channels)


@ABSENT
def test_labelled_events_come_on_the_scale_of_the_prepared_cells(lesson):
    labels = read_labels(SHARED / "data" / "lyric" / "lyric_dev.csv", lesson.controls[0], "aml-lyric-9")
    table = pd.read_csv(SHARED / "data" / "lyric" / "lyric_dev.csv")
    assert labels.values[:, 0] == pytest.approx(np.arcsinh(table["FSC-A"] / 1000), abs=1e-4)
    assert labels.values[:, -1] == pytest.approx(np.arcsinh(table["V500-C-A"] / 150), abs=1e-4)
    assert labels.leukaemic.sum() == table["Population"].eq("Residual Leukemic Cells").sum()


LEVELS = {"FU1": 0, "FU2": 150, "FU3": 30}


def write_tube(results, one, role):
    """A tube as prepare leaves it, and its row."""
    name = f"{one.sample}_T1"
    gates = {g.name: np.ones(N, bool) for g in read_panel("aml-lyric-9").gates} | {"candidates": one.candidates}
    obs = pd.DataFrame({"event": one.events.astype(np.uint32), **gates}, index=np.arange(N).astype(str))
    var = pd.DataFrame({"role": "marker", "detector": DETECTORS}, index=list(CHANNELS))
    cells_path(results, name).parent.mkdir(parents=True, exist_ok=True)
    uns = {"tube_id": name, "panel": "aml-lyric-9", "gates": "{}"}
    write_anndata(cells_path(results, name), CELLS, obs=obs, var=var, uns=uns, provenance={}, x=one.values)
    head = {"tube_id": name, "subject": one.subject, "visit": one.visit, "role": role, "control_kind": one.kind}
    return {**head, "panel": "aml-lyric-9", "outcome": "ok", "n_leukocytes": N}


def write_truth(cohort, one):
    """Truth of a tube: the file of its events' populations, and its row."""
    (cohort / "truth").mkdir(parents=True, exist_ok=True)
    np.savez(cohort / "truth" / f"{one.sample}.npz", code=one.leukaemic.astype(np.int8), names=np.array(["normal", "leukaemic"]))
    share = float(one.leukaemic.mean())
    return {"sample": one.sample, "level": share, "n_wbc": N, "true_fraction": share, "poor": False}


def our_rows(one):
    """Calls and arms as if ours were right to the cell."""
    x = float(one.leukaemic.mean())
    row = {**arm("laip", x, visit=one.visit), "subject": one.subject, "outcome": "ok", "n_leukocytes": N}
    return {**row, "below_threshold": "N" if x >= 1e-3 else "Y"}


@pytest.fixture
def small_run(tmp_path, lesson):
    """A cohort and its results, small."""
    cohort, results = tmp_path / "cohorts" / "plain1", tmp_path / "results" / "plain1"
    rows = [write_tube(results, t, "control") for t in lesson.controls]
    truths, ours = [], []
    for subject in ("P1", "P2", "P3"):
        diagnosis = tube(subject, "diagnosis", int(subject[1]), blasts=900)
        rows.append(write_tube(results, diagnosis, "diagnosis"))
        write_truth(cohort, diagnosis)
        for i, (visit, blasts) in enumerate(LEVELS.items()):
            one = tube(subject, visit, 100 + i, blasts=blasts)
            rows.append(write_tube(results, one, "follow-up"))
            truths.append(write_truth(cohort, one))
            ours.append(our_rows(one))
    pd.DataFrame(rows).to_csv(results / "prepare" / "s001.tsv", sep="\t", index=False)
    pd.DataFrame(truths).to_csv(cohort / "truth.tsv", sep="\t", index=False)
    for name in ("calls", "arms"):
        pd.DataFrame(ours).to_csv(results / f"{name}.tsv", sep="\t", index=False)
    (results / "settings.yaml").write_text(yaml.safe_dump({"min_leukocytes": 1000}))
    shared = tmp_path / "shared"
    (shared / "data" / "lyric").mkdir(parents=True)
    shutil.copytree(SHARED / "bench", shared / "bench")
    write_labels(shared / "data" / "lyric" / "lyric_dev.csv", lesson.labels)
    return tmp_path


def write_labels(path, labels):
    """Labelled events back on the linear scale."""
    linear = np.sinh(labels.values.astype(float)) * np.array([1000, 1000, *[150] * 9])
    names = np.where(labels.leukaemic, "Residual Leukemic Cells", np.where(labels.blasts, "Normal Myeloid Precursors", "T"))
    pd.DataFrame(linear, columns=DETECTORS).assign(Population=names).to_csv(path, index=False)


@ABSENT
def test_one_command_judges_prints_keeps_and_writes_and_judges_nothing_twice(small_run, monkeypatch, capsys):
    page = small_run / "accuracy.md"
    page.write_text("<!-- plain -->\n<!-- /plain -->\n<!-- plain anchors -->\n<!-- /plain anchors -->\n")
    folders = ["--cohorts", small_run / "cohorts", "--results", small_run / "results", "--shared", small_run / "shared"]
    rest = ["--out", small_run / "out", "--peers", "forest", "nodes", "--resamples", "10", "--write", page]
    monkeypatch.setattr(sys, "argv", [str(a) for a in ("accuracy", "--cohort", "plain", "--seeds", "1", *folders, *rest)])
    assert command.main() == 0
    told = capsys.readouterr().out
    assert "| flowmrd | 1.00 (1.00 to 1.00) | 0 (0 to 0) | 0 (0 to 0) |" in told
    assert "| 400 SOM nodes | 1.00 (1.00 to 1.00) | 0 (0 to 0) |" in told
    assert "flowmrd less random forest p > 0.9" in page.read_text()
    assert "Not compared: novelty, boosting, islands." in page.read_text()
    monkeypatch.setattr(command, "read_lesson", lambda *_: pytest.fail("judged again"))
    assert command.main() == 0
    assert capsys.readouterr().out == told


def test_a_method_that_does_worse_shows_it_in_the_table():
    got = figures({"flowmrd": scored(np.ones(20)), "half": scored(np.tile([1.0, 0.0], 10))}, share_right, resamples=20, seed=1)
    assert "| half | 0.50 (0.50 to 0.50) | 0 (0 to 0)" in score_table(got)
