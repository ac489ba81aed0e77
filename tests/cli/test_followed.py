"""Without a diagnosis tube, what differs from normal at one visit is followed at the others."""

import argparse
import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import anndata as ad
import pandas as pd
import pytest
import torch
import yaml

from mrd.cli import call, together
from mrd.cli.arms import found_in
from mrd.cli.bank import read_bank
from mrd.cli.detect import teaches
from mrd.cli.main import main
from mrd.cli.run_options import start_run
from mrd.cli.searches import Kept, read_search, write_search
from mrd.cli.together import laid_bare, search_all
from mrd.cli.tubes import gather_tubes, shuffled
from mrd.core.contracts import CLUSTERS, LAIPS
from mrd.core.tables import records
from mrd.core.words import FOLLOWED
from mrd.detect.device import tensor
from mrd.files.cells import read_cells
from mrd.files.layout import cells_path, scores_path, search_path
from mrd.files.ledger import record_path, remember
from mrd.files.tables import read_table
from mrd.quantify import shared
from tests.cohort import controls, make_cohort, patient, read_calls, run_some, run_stages

BURDENS = (0.06, 0.012, 0.0)


def visits(name, laip, burdens):
    """A subject without its diagnosis tube."""
    return patient(name, laip, burdens)[1:]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Settings and results of a subject seen three times, one seen once, and one without disease."""
    rows = [*controls(), *visits("P1", "CD56+", BURDENS), *visits("P2", "CD56+", [0.06]), *visits("P3", "", [0.0, 0.0])]
    settings = make_cohort(tmp_path_factory.mktemp("followed"), rows, batch_tubes=20)
    return settings, run_stages(settings)


@pytest.fixture
def own(cohort, tmp_path):
    """A copy of the run to change: its settings and results."""
    folder = tmp_path / "own"
    shutil.copytree(cohort[0].parent, folder)
    path = folder / "settings.yaml"
    path.write_text(path.read_text().replace(str(cohort[0].parent), str(folder)))
    return path, folder / "results"


def subject_of(settings, results):
    """What the search of the subject seen three times begins with: the run, tubes, tubes laid bare, reference."""
    job = start_run(argparse.Namespace(settings=settings, batch="s001"))
    bank = read_bank(results / "reference", "aml-lyric-9", torch.device("cpu"))
    tubes = gather_tubes([results / "prepare" / "s001.tsv"], patients=True)
    mine = records(tubes[tubes["subject"].eq("P1")])
    return job, mine, {t["tube_id"]: laid_bare(job, t, bank).bare for t in mine}, bank


def laips_of(results):
    return read_table(results / "laip" / "s001.tsv", LAIPS)


def arms_of(results):
    arms = pd.read_csv(results / "arms.tsv", sep="\t")
    return arms[arms["arm"].eq("laip")].set_index(["subject", "visit"])


def call_again(cohort, tmp_path, **changed):
    """Calls of the same counts under other settings."""
    settings, _ = cohort
    path = tmp_path / "settings.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(settings.read_text()), **changed}))
    run_some(path, "call")
    return read_calls(cohort[1])


def test_one_visit_teaches_a_laip_only_where_there_is_another_to_follow_it_at(cohort):
    laips = laips_of(cohort[1])
    assert laips[["subject", "arm", "tube_id", "outcome"]].to_numpy().tolist() == [["P1", "laip", "P1_FU1_T1", "ok"]]
    assert FOLLOWED in laips["flags"].iloc[0].split(";")
    assert "CD56" in laips["phenotype"].iloc[0]


def test_the_visit_that_taught_it_is_told_by_what_differs_and_the_others_by_the_laip(cohort):
    calls = read_calls(cohort[1])
    assert calls["arm"].to_dict() == {
        ("P1", "FU1"): "dfn",
        ("P1", "FU2"): "laip",
        ("P1", "FU3"): "laip",
        ("P2", "FU1"): "dfn",
        ("P3", "FU1"): "dfn",
        ("P3", "FU2"): "dfn",
    }
    assert arms_of(cohort[1]).loc[("P1", "FU1"), "outcome"] == "failed"


def test_a_lesser_share_is_measured_with_its_limits(cohort):
    calls, arms = read_calls(cohort[1]), arms_of(cohort[1])
    low = calls.loc[("P1", "FU2")]
    assert low["mrd_fraction"] == pytest.approx(0.012, rel=0.35)
    assert low["ci_low"] <= 0.012 <= low["ci_high"]
    assert arms.loc[("P1", "FU2"), "detected"] == "Y"
    assert arms.loc[("P1", "FU3"), "detected"] == "N"
    assert calls.loc[("P1", "FU3"), "lod"] < 0.01


def test_it_tells_no_below_unless_the_settings_say_so(cohort, tmp_path):
    calls = read_calls(cohort[1])
    assert calls["call"].loc["P1"].to_dict() == {"FU1": "positive", "FU2": "indeterminate", "FU3": "indeterminate"}
    assert calls["flags"].loc["P1"].str.contains(FOLLOWED).to_dict() == {"FU1": False, "FU2": True, "FU3": True}
    assert calls.loc[("P1", "FU3"), "reason"].endswith("but what was followed may not be all of the leukaemia")
    told = call_again(cohort, tmp_path, followed_below=True)["below_threshold"].fillna("").loc["P1"].to_dict()
    assert told == {"FU1": "N", "FU2": "Y", "FU3": "Y"}
    call_again(cohort, tmp_path)


@pytest.mark.parametrize(
    ("tube", "flags", "told"),
    [
        ({"subject": "P1", "panel": "p9", "visit": "FU1"}, FOLLOWED, False),
        ({"subject": "P1", "panel": "p9", "visit": "FU2"}, FOLLOWED, True),
        ({"subject": "P1", "panel": "p9", "visit": "FU1"}, "", True),
        ({"subject": "P1", "panel": "p8", "visit": "FU2"}, FOLLOWED, False),
        ({"subject": "P2", "panel": "p9", "visit": "FU2"}, FOLLOWED, False),
    ],
)
def test_no_tube_of_the_visit_that_taught_a_laip_is_counted_by_it(tube, flags, told):
    laip = {"subject": "P1", "panel": "p9", "tube_id": "P1_FU1_T1", "flags": flags}
    assert teaches(laip, tube, {"P1_FU1_T1": "FU1", "P1_FU1_T2": "FU1"}) is told


def test_its_cells_are_populations_of_their_own_numbers(cohort):
    clusters = read_table(cohort[1] / "clusters.tsv", CLUSTERS)
    mine = clusters[clusters["tube_id"].eq("P1_FU2_T1") & clusters["arm"].eq("laip")]
    obs = ad.read_h5ad(cohort[1] / "detect" / "scores" / "P1_FU2_T1.h5ad").obs
    found = obs["laip"] & ~obs["dfn"]
    assert mine["cluster"].min() == 101
    assert mine["n_cells"].sum() == obs["laip"].sum() > 0
    assert obs.loc[found, "cluster"].isin(mine["cluster"]).all()


def test_followed_cells_of_a_population_that_most_subjects_share_are_not_counted(cohort, tmp_path, monkeypatch):
    monkeypatch.setattr(shared, "LEAST_SUBJECTS", 1)
    monkeypatch.setattr(shared, "LEAST_SHARE", 0.0)
    assert call_again(cohort, tmp_path).loc[("P1", "FU2"), "n_laip"] > 0  # what has changed is shared with nobody
    monkeypatch.setattr(call, "CHANGED", float("inf"))
    calls = call_again(cohort, tmp_path)
    assert calls.loc[("P1", "FU2"), "n_laip"] == 0
    assert "shared-population" in calls.loc[("P1", "FU2"), "flags"].split(";")
    clusters = read_table(cohort[1] / "clusters.tsv", CLUSTERS)
    assert not clusters["arm"].eq("laip").any()
    monkeypatch.undo()
    assert call_again(cohort, tmp_path).loc[("P1", "FU2"), "n_laip"] > 0


@pytest.mark.parametrize("off", ["setting", "frozen"])
def test_nothing_is_followed_where_it_is_off_or_calls_are_locked(cohort, tmp_path, off):
    _, results = cohort
    told = {"follow_found": False} if off == "setting" else {"reference": str(results / "reference")}
    rows = visits("P1", "CD56+", BURDENS)
    folder = tmp_path / "off"
    folder.mkdir()
    (folder / "fcs").symlink_to(cohort[0].parent / "fcs")
    sheet = [*([] if off == "frozen" else controls()), *rows]
    again = run_stages(make_cohort(folder, sheet, **told))
    assert laips_of(again).empty
    assert set(read_calls(again)["arm"]) == {"dfn"}


def test_a_frozen_one_is_followed_as_it_is(cohort, tmp_path):
    _, results = cohort
    folder = tmp_path / "locked"
    folder.mkdir()
    (folder / "fcs").symlink_to(cohort[0].parent / "fcs")
    frozen = {"reference": str(results / "reference"), "laip_folder": str(results / "laip")}
    again = run_stages(make_cohort(folder, visits("P1", "CD56+", BURDENS), **frozen))
    columns = ["n_laip", "mrd_fraction", "below_threshold", "arm"]
    before = read_calls(results).loc[["P1"], columns]
    pd.testing.assert_frame_equal(read_calls(again)[columns], before)


def test_one_that_was_followed_goes_once_it_is_off(own):
    path, results = own
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "follow_found": False}))
    assert list((results / "laip").rglob("*.safetensors"))
    run_some(path, "laip", "detect", "call")
    assert not list((results / "laip").rglob("*.safetensors"))
    assert not list((results / "laip" / "searches").iterdir())
    assert set(read_calls(results)["arm"]) == {"dfn"}


def diagnose(path, like):
    """Give P1 a diagnosis tube with the events of another of its tubes, and run what follows."""
    sheet = path.parent / "samples.tsv"
    rows = pd.read_csv(sheet, sep="\t", dtype=str, keep_default_na=False)
    rows = rows[rows["visit"].ne("DX") | rows["subject"].ne("P1")]
    shutil.copy(path.parent / "fcs" / f"P1_{like}_T1.fcs", path.parent / "fcs" / "P1_DX_T1.fcs")
    told = {"visit": "DX", "role": "diagnosis", "specimen": "P1-DX", "collected": "2024-01-01", "fcs": "fcs/P1_DX_T1.fcs"}
    own = rows[rows["subject"].eq("P1") & rows["visit"].eq(like)].assign(**told)
    pd.concat([rows, own]).to_csv(sheet, sep="\t", index=False)
    run_some(path, "prepare", "laip", "detect", "call")


def test_a_diagnosis_that_shows_no_leukaemia_leaves_it_to_the_follow_ups(own):
    path, results = own
    before = read_calls(results).loc["P1"]
    diagnose(path, "FU3")
    laips = laips_of(results).set_index("arm")
    assert laips["outcome"].to_dict() == {"laip": "ok", "learned": "failed"}
    assert (FOLLOWED in laips.loc["laip", "flags"], laips.loc["learned", "flags"]) == (True, "no-laip")
    calls, columns = read_calls(results).loc["P1"], ["n_laip", "mrd_fraction", "call", "arm"]
    pd.testing.assert_frame_equal(calls.loc[before.index, columns], before[columns])
    assert (calls.loc["DX", "arm"], calls.loc["DX", "call"]) == ("laip", "indeterminate")
    assert "in-sample" not in calls.loc["DX", "flags"]
    told = [p.read_bytes() for p in sorted((results / "laip" / "models").iterdir())]
    run_some(path, "laip", "detect", "call")
    assert [p.read_bytes() for p in sorted((results / "laip" / "models").iterdir())] == told
    diagnose(path, "FU1")
    laips = laips_of(results).set_index("arm")
    assert laips["outcome"].to_dict() == {"laip": "ok", "learned": "ok"}
    assert FOLLOWED not in laips.loc["laip", "flags"]


def test_tubes_of_several_visits_are_searched_beside_each_other_and_what_was_found_is_kept(cohort):
    kept = sorted(p.name.removesuffix(".safetensors") for p in (cohort[1] / "laip" / "searches").glob("*.safetensors"))
    assert kept == ["P1_FU1_T1", "P1_FU2_T1", "P1_FU3_T1", "P3_FU1_T1", "P3_FU2_T1"]
    clusters = read_table(cohort[1] / "clusters.tsv", CLUSTERS)
    told = clusters[clusters["arm"].eq("dfn")].set_index("tube_id")["change"]
    assert (told["P1_FU1_T1"] > 3).all()
    assert told[["P2_FU1_T1"]].isna().all()


def test_what_was_kept_is_what_the_search_finds(cohort):
    settings, results = cohort
    job, mine, laid, bank = subject_of(settings, results)
    told = search_all(job, mine, mine, laid, bank)
    assert told["P1_FU1_T1"] is not None
    assert told["P1_FU3_T1"] is None
    for tube in mine:
        cells = shuffled(read_cells(cells_path(results, tube["tube_id"])), job.settings.seed, tube["tube_id"])
        again = read_search(
            search_path(results / "laip", tube["tube_id"]), tensor(cells.values, bank.device), job.settings
        ).excess
        excess = told[tube["tube_id"]]
        assert (again is None) == (excess is None)
        if excess is not None:
            assert torch.equal(again.odds, excess.odds)
            assert torch.equal(again.witness.leukaemic, excess.witness.leukaemic)
            assert torch.equal(again.adapted.mixture.spreads, excess.adapted.mixture.spreads)
            assert [c.strength for c in again.clusters] == [c.strength for c in excess.clusters]


def test_a_search_that_is_gone_is_made_again_and_one_that_changed_is_told_by(own):
    path, results = own
    search, scores = search_path(results / "laip", "P1_FU1_T1"), scores_path(results, "P1_FU1_T1")
    before, seen = search.read_bytes(), scores.stat().st_mtime_ns
    search.unlink()
    run_some(path, "laip", "detect")
    assert search.read_bytes() == before
    assert scores.stat().st_mtime_ns == seen
    found_nothing(search)
    run_some(path, "detect", "call")
    assert read_calls(results).loc[("P1", "FU1"), "call"] == "indeterminate"


def found_nothing(search):
    """Put a search that found nothing in the place of one."""
    record = json.loads(record_path(search).read_text())
    write_search(search, None, {})
    remember(search, record["inputs"], {n: record[n] for n in ("cells", "reference", "laip")})


@pytest.mark.parametrize("harm", ["gone", "cut", "of other cells"])
def test_no_tube_is_searched_alone_for_want_of_what_was_found_beside_the_others(own, harm, capsys):
    path, results = own
    search = search_path(results / "laip", "P1_FU2_T1")
    if harm == "gone":
        search.unlink()
    elif harm == "cut":
        search.write_bytes(search.read_bytes()[:100])
    else:
        record = json.loads(record_path(search).read_text())
        remember(search, record["inputs"], {**record, "cells": "other"})
    words = ["detect", "--settings", str(path), "--batch", "s001", "--tubes", str(results / "prepare" / "s001.tsv")]
    assert main([*words, "--laips", str(results / "laip" / "s001.tsv")]) == 2
    assert "P1_FU2_T1.safetensors" in capsys.readouterr().err
    run_some(path, "laip", "detect")


def test_a_frozen_search_is_told_by_while_it_is_of_these_cells(cohort, own, tmp_path):
    _, results = own
    found_nothing(search_path(results / "laip", "P1_FU1_T1"))
    folder = tmp_path / "locked"
    folder.mkdir()
    (folder / "fcs").symlink_to(cohort[0].parent / "fcs")
    frozen = {"reference": str(results / "reference"), "laip_folder": str(results / "laip")}
    settings = make_cohort(folder, visits("P1", "CD56+", BURDENS), **frozen)
    assert read_calls(run_stages(settings)).loc[("P1", "FU1"), "call"] == "indeterminate"
    search = search_path(results / "laip", "P1_FU1_T1")
    record = json.loads(record_path(search).read_text())
    remember(search, record["inputs"], {**record, "cells": "other"})
    assert read_calls(run_stages(settings)).loc[("P1", "FU1"), "call"] == "positive"


def test_a_locked_trial_keeps_what_was_found_beside_other_visits(own):
    path, results = own
    before = read_calls(results)
    assert main(["lock", str(results), "--settings", str(path)]) == 0
    kept = sorted(p.name for p in search_path(results / "lock" / "laip", "P1_FU1_T1").parent.glob("*.safetensors"))
    assert kept == [f"{t}.safetensors" for t in ("P1_FU1_T1", "P1_FU2_T1", "P1_FU3_T1", "P3_FU1_T1", "P3_FU2_T1")]
    run_some(path, "laip", "detect", "call")
    assert not list((results / "laip" / "searches").iterdir())
    columns = ["call", "arm", "n_laip", "mrd_fraction", "ci_low", "ci_high", "lod"]
    pd.testing.assert_frame_equal(read_calls(results)[columns], before[columns])


def test_visits_that_cannot_tell_are_none_to_compare_with(cohort, monkeypatch):
    job, mine, laid, bank = subject_of(*cohort)

    def beside(tubes, laid):
        seen = []
        monkeypatch.setattr(
            together, "search", lambda tube, *_, visits, by: seen.append([len(visits), sum(v.among for v in visits)])
        )
        search_all(job, tubes, tubes, laid, bank)
        monkeypatch.undo()
        return seen

    among = [laid[t["tube_id"]].rare.among for t in mine]
    assert beside(mine, laid) == [[2, sum(among) - n] for n in among]
    blood = [{**mine[0], "specimen_type": "peripheral blood"}, *mine[1:]]
    assert beside(blood, laid) == [[0, 0], [1, among[2]], [1, among[1]]]
    one_visit = [mine[0], *({**t, "visit": "FU2"} for t in mine[1:])]
    assert beside(one_visit, laid) == [[1, among[1] + among[2]], [1, among[0]], [1, among[0]]]
    name, tube = mine[0]["tube_id"], laid[mine[0]["tube_id"]]
    away = replace(tube, adapted=replace(tube.adapted, shift=tube.adapted.shift + 3))
    assert beside(mine, {**laid, name: away}) == [[2, sum(among) - among[0]], [1, among[2]], [1, among[1]]]
    monkeypatch.setattr(together, "lost_stains", lambda cells, *_: ["CD13"] if cells is tube.cells else [])
    assert beside(mine, laid) == [[2, sum(among) - among[0]], [1, among[2]], [1, among[1]]]


def test_blanks_are_those_of_the_search_that_was_made():
    bank = SimpleNamespace(blanks=[1], changed=[2])
    assert found_in(SimpleNamespace(kept=Kept(None), bank=bank), None) == (None, [2])


def test_a_search_that_lies_beside_a_tube_which_is_searched_alone_goes(own):
    path, results = own
    before = read_calls(results).loc[("P2", "FU1")]
    kept = search_path(results / "laip", "P2_FU1_T1")
    kept.parent.mkdir(exist_ok=True)
    write_search(kept, None, {})
    run_some(path, "laip", "detect", "call")
    assert not kept.exists()
    pd.testing.assert_series_equal(read_calls(results).loc[("P2", "FU1")], before)
