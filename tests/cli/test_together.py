"""Follow-ups of a subject with a LAIP are searched beside each other too: a clone that lost it shows at one visit."""

import argparse
import json
import shutil

import pandas as pd
import pytest
import torch

from mrd.cli.arms import Look, align
from mrd.cli.bank import read_bank
from mrd.cli.main import main
from mrd.cli.run_options import start_run
from mrd.cli.searches import read_search, stands_beside
from mrd.cli.tubes import gather_tubes, places_of, shuffled
from mrd.core.contracts import CLUSTERS, LAIPS
from mrd.core.settings import check_settings
from mrd.core.tables import records
from mrd.detect.device import tensor
from mrd.detect.frozen import laip_from
from mrd.files.cells import read_cells
from mrd.files.layout import cells_path, laip_path, reference_path, search_path
from mrd.files.ledger import recorded, remember
from mrd.files.models import LAIP_MODEL, REFERENCE_MODEL, read_model, write_model
from mrd.files.tables import read_table
from tests.cohort import controls, make_cohort, patient, read_calls, run_some, run_stages

PANEL = "aml-lyric-9"


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Settings and results of a subject whose second follow-up shows another leukaemia than the diagnosis."""
    folder, rows = tmp_path_factory.mktemp("together"), [*controls(), *patient("P1", "CD56+", [0.0, 0.0])]
    make_cohort(folder, [*rows, *patient("P2", "CD19+", [0.06])])
    shutil.copy(folder / "fcs" / "P2_FU1_T1.fcs", folder / "fcs" / "P1_FU2_T1.fcs")
    settings = make_cohort(folder, rows, batch_tubes=20)
    return settings, run_stages(settings)


def test_what_the_laip_does_not_see_is_told_by_what_changed(cohort):
    calls, clusters = read_calls(cohort[1]), read_table(cohort[1] / "clusters.tsv", CLUSTERS)
    told = clusters[clusters["tube_id"].eq("P1_FU2_T1")]
    assert (told["change"] > 5).any()
    assert (calls.loc[("P1", "FU2"), "call"], calls.loc[("P1", "FU2"), "arm"]) == ("positive", "dfn")
    assert calls.loc[("P1", "FU1"), "call"] == "not-detected"


def test_a_search_is_kept_with_the_laip_that_lay_beside_it(cohort):
    settings, results = cohort
    job = start_run(argparse.Namespace(settings=settings, batch="s001"))
    bank = read_bank(results / "reference", PANEL, torch.device("cpu"))
    laip = read_table(results / "laip" / "s001.tsv", LAIPS).set_index("arm").loc["laip"]
    arrays, _ = read_model(laip_path(results / "laip", "P1", PANEL), *LAIP_MODEL)
    tubes = records(gather_tubes([results / "prepare" / "s001.tsv"], patients=True))
    for row in (t for t in tubes if t["role"] == "follow-up"):
        path, cells = search_path(results / "laip", row["tube_id"]), read_cells(cells_path(results, row["tube_id"]))
        cells = shuffled(cells, job.settings.seed, row["tube_id"])
        values = tensor(cells.values, bank.device)
        look = Look(
            tube=row,
            values=values,
            places=places_of(cells, bank.panel, bank.device),
            leukocytes=cells.gates[bank.panel.leukocytes],
            laip=laip_from(arrays, bank.device),
            classifier=None,
            drawn=None,
            kept=None,
            taught={},
            bank=bank,
            settings=job.settings,
        )
        aligned = read_search(path, values, job.settings).aligned
        assert torch.equal(aligned.mixture.spreads, align(look).mixture.spreads)
        assert recorded(path)["laip"] == laip["artefact"]
    assert not search_path(results / "laip", "P1_DX_T1").is_file()


def test_a_search_beside_another_laip_is_told_by_no_more(cohort, capsys):
    settings, results = cohort
    path = search_path(results / "laip", "P1_FU2_T1")
    record = json.loads((path.parent / f"{path.name}.json").read_text())
    remember(path, record["inputs"], {**record, "laip": "other"})
    words = ["detect", "--settings", str(settings), "--batch", "s001", "--tubes", str(results / "prepare" / "s001.tsv")]
    assert main([*words, "--laips", str(results / "laip" / "s001.tsv")]) == 2
    assert "P1_FU2_T1.safetensors: what was found beside the subject's other visits" in capsys.readouterr().err
    run_some(settings, "laip", "detect", "call")
    assert recorded(path)["laip"] != "other"


def frozen_run(cohort, folder, visits, **told):
    """Results of some visits of the subject with the cohort's reference, which is frozen."""
    settings, results = cohort
    folder.mkdir()
    (folder / "fcs").symlink_to(settings.parent / "fcs")
    rows = [r for r in patient("P1", "CD56+", [0.0, 0.0]) if r[1] in visits]
    return run_stages(make_cohort(folder, rows, batch_tubes=20, **{"reference": str(results / "reference"), **told}))


def searched(results):
    return [p.name.removesuffix(".safetensors") for p in sorted((results / "laip" / "searches").glob("*.safetensors"))]


COLUMNS = ["call", "arm", "n_laip", "mrd_fraction", "ci_low", "ci_high", "lob", "lod", "flags"]


def test_with_a_frozen_reference_a_tube_is_searched_beside_earlier_visits_alone(cohort, tmp_path):
    both = frozen_run(cohort, tmp_path / "both", ["DX", "FU1", "FU2"])
    assert searched(both) == ["P1_FU2_T1"]
    calls = read_calls(both)
    assert (calls.loc[("P1", "FU2"), "call"], calls.loc[("P1", "FU2"), "arm"]) == ("positive", "dfn")
    early = frozen_run(cohort, tmp_path / "early", ["DX", "FU1"])
    pd.testing.assert_series_equal(read_calls(early).loc[("P1", "FU1"), COLUMNS], calls.loc[("P1", "FU1"), COLUMNS])


def test_without_a_diagnosis_too_and_nothing_is_taught(cohort, tmp_path):
    results = frozen_run(cohort, tmp_path / "none", ["FU1", "FU2"])
    assert searched(results) == ["P1_FU2_T1"]
    assert read_table(results / "laip" / "s001.tsv", LAIPS).empty
    off = frozen_run(cohort, tmp_path / "off", ["FU1", "FU2"], follow_found=False)
    assert searched(off) == []


def test_what_is_frozen_with_a_laip_stays_and_a_new_visit_is_searched_beside_the_earlier(cohort, tmp_path):
    early = frozen_run(cohort, tmp_path / "early", ["DX", "FU1"])
    later = frozen_run(cohort, tmp_path / "later", ["DX", "FU1", "FU2"], laip_folder=str(early / "laip"))
    whole = frozen_run(cohort, tmp_path / "whole", ["DX", "FU1", "FU2"])
    assert searched(later) == ["P1_FU2_T1"]
    pd.testing.assert_frame_equal(read_calls(later)[COLUMNS], read_calls(whole)[COLUMNS])
    again = frozen_run(cohort, tmp_path / "again", ["DX", "FU1", "FU2"], laip_folder=str(whole / "laip"))
    assert searched(again) == []
    assert searched(whole) == ["P1_FU2_T1"]
    pd.testing.assert_frame_equal(read_calls(again)[COLUMNS], read_calls(whole)[COLUMNS])


def test_a_reference_that_does_not_tell_what_such_a_search_finds_in_controls_is_searched_by_alone(cohort, tmp_path, capsys):
    old = tmp_path / "reference"
    shutil.copytree(cohort[1] / "reference", old)
    path = reference_path(old, PANEL)
    arrays, about = read_model(path, *REFERENCE_MODEL)
    record = recorded(path)
    write_model(
        path, *REFERENCE_MODEL, arrays, {**about, "rehearsal": {k: v for k, v in about["rehearsal"].items() if k != "changed"}}
    )
    remember(path, record["inputs"], record)
    results = frozen_run(cohort, tmp_path / "run", ["DX", "FU1", "FU2"], reference=str(old))
    assert "each tube is searched alone" in capsys.readouterr().err
    assert searched(results) == []
    assert read_table(results / "clusters.tsv", CLUSTERS)["change"].isna().all()


def test_frozen_searches_are_left_where_searches_are_off(cohort, tmp_path):
    whole = frozen_run(cohort, tmp_path / "whole", ["DX", "FU1", "FU2"])
    told = frozen_run(cohort, tmp_path / "on", ["DX", "FU1", "FU2"], laip_folder=str(whole / "laip"))
    off = frozen_run(cohort, tmp_path / "off", ["DX", "FU1", "FU2"], laip_folder=str(whole / "laip"), follow_found=False)
    assert read_table(told / "clusters.tsv", CLUSTERS)["change"].notna().any()
    assert read_table(off / "clusters.tsv", CLUSTERS)["change"].isna().all()


def test_a_frozen_laip_of_another_reference_tells_no_below(cohort, tmp_path):
    whole = frozen_run(cohort, tmp_path / "whole", ["DX", "FU1", "FU2"])
    [model] = (whole / "laip" / "models").glob("*.safetensors")
    record, (arrays, about) = recorded(model), read_model(model, *LAIP_MODEL)
    inputs = {**about["provenance"]["inputs"], "reference": "0" * 64}
    write_model(model, *LAIP_MODEL, arrays, {**about, "provenance": {**about["provenance"], "inputs": inputs}})
    remember(model, record["inputs"], {name: record[name] for name in ("rows", "limits")})
    later = frozen_run(cohort, tmp_path / "later", ["DX", "FU1", "FU2"], laip_folder=str(whole / "laip"))
    calls = read_calls(later).loc["P1"]
    assert calls["call"].to_dict() == {"DX": "positive", "FU1": "indeterminate", "FU2": "positive"}
    assert "other-reference" in calls.loc["FU1", "flags"]
    assert "the LAIP was learned by another reference" in calls.loc["FU1", "reason"]


def test_a_frozen_laip_that_is_not_whole_is_none(cohort, tmp_path):
    whole = frozen_run(cohort, tmp_path / "whole", ["DX", "FU1", "FU2"])
    folder = tmp_path / "frozen"
    shutil.copytree(whole / "laip", folder)
    frozen = laip_path(folder, "P1", PANEL)
    frozen.write_bytes(frozen.read_bytes() + b" ")
    again = frozen_run(cohort, tmp_path / "again", ["DX", "FU1", "FU2"], laip_folder=str(folder))
    assert laip_path(again / "laip", "P1", PANEL).is_file()
    pd.testing.assert_frame_equal(read_calls(again)[COLUMNS], read_calls(whole)[COLUMNS])


@pytest.mark.parametrize(
    ("other", "frozen", "stands"),
    [
        ({}, False, False),
        ({"visit": "FU2"}, False, True),
        ({"visit": "FU2", "specimen_type": "peripheral blood"}, False, False),
        ({"visit": "FU2"}, True, False),
        ({"visit": "FU2", "collected": "2024-01-31"}, True, True),
        ({"visit": "FU2", "collected": "2024-02-02"}, True, False),
    ],
)
def test_who_stands_beside_whom(other, frozen, stands):
    tube = {"visit": "FU1", "specimen_type": "bone marrow", "collected": "2024-02-01"}
    settings = check_settings({"reference": "somewhere"} if frozen else {})
    assert stands_beside({**tube, **other}, tube, settings) is stands
