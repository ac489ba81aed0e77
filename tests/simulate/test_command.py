"""`mrd simulate` from plan to files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mrd.cli.main import main
from mrd.files.fcs import read_fcs
from mrd.files.tables import read_table, read_text_table
from mrd.simulate.plan import read_plan
from mrd.simulate.truth import TRUTH
from mrd.simulate.tube import simulate_tube

from .test_plan import sheet
from .tubes import ROOT

THREE = [{"visit": v, "fcs": f"fcs/{v}.fcs", "events": "900"} for v in ("DX", "FU1", "FU2")]


def write_plan(folder: Path, rows: list[dict[str, str | None]]) -> Path:
    path = folder / "plan.tsv"
    sheet(*rows).to_csv(path, sep="\t", index=False)
    return path


def digests(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*.*"))}


def test_files_come_where_the_plan_says_with_the_truth_beside_them(tmp_path: Path) -> None:
    assert main(["simulate", "--plan", str(write_plan(tmp_path, THREE[:1]))]) == 0
    assert set(digests(tmp_path)) == {
        "plan.tsv", "fcs/DX.fcs", "truth/truth.tsv", "truth/truth.schema.json", "truth/P01_DX_T1.npz",
    }  # fmt: skip
    (row,) = read_table(tmp_path / "truth/truth.tsv", TRUTH).to_dict("records")
    with np.load(tmp_path / "truth/P01_DX_T1.npz") as told:
        leukaemic = int((told["names"][told["code"]] == "leukaemic").sum())
    assert row["n_leukaemic"] == leukaemic > 300
    assert row["true_fraction"] == pytest.approx(leukaemic / row["n_leukocytes"])
    assert len(read_fcs(tmp_path / "fcs/DX.fcs", where="test").events) == row["n_events"] == 900


def test_every_file_has_the_same_bytes_on_every_run(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        assert main(["simulate", "--plan", str(write_plan(tmp_path / name, THREE)), "--seed", "7"]) == 0
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


def test_adding_a_tube_to_a_plan_changes_no_other(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert main(["simulate", "--plan", str(write_plan(tmp_path / "a", THREE[1:2]))]) == 0
    assert main(["simulate", "--plan", str(write_plan(tmp_path / "b", THREE))]) == 0
    few, more = digests(tmp_path / "a"), digests(tmp_path / "b")
    assert few["fcs/FU1.fcs"] == more["fcs/FU1.fcs"]
    assert few["truth/P01_FU1_T1.npz"] == more["truth/P01_FU1_T1.npz"]


def test_some_tubes_can_be_made_again_without_touching_the_others(tmp_path: Path) -> None:
    plan = str(write_plan(tmp_path, THREE))
    main(["simulate", "--plan", plan])
    before = digests(tmp_path)
    (tmp_path / "fcs/FU1.fcs").unlink()
    main(["simulate", "--plan", plan, "--tubes", "P01_FU1_T1"])
    assert digests(tmp_path) == before


def test_out_takes_the_files_to_another_folder(tmp_path: Path) -> None:
    main(["simulate", "--plan", str(write_plan(tmp_path, THREE[:1])), "--out", str(tmp_path / "x/fcs")])
    assert (tmp_path / "x/fcs/DX.fcs").is_file()
    assert (tmp_path / "x/truth/truth.tsv").is_file()


def test_a_mistake_is_one_line_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = write_plan(tmp_path, [{**THREE[0], "laip": "CD99+"}])
    assert main(["simulate", "--plan", str(plan)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("mrd simulate: plan.tsv: P01_DX_T1: CD99+ is no LAIP kind")
    assert told.count("\n") == 1


def test_files_in_several_folders_need_a_folder_for_the_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = str(write_plan(tmp_path, [THREE[0], {**THREE[1], "fcs": "other/FU1.fcs"}]))
    assert main(["simulate", "--plan", plan]) == 2
    assert "give --truth FOLDER" in capsys.readouterr().err
    assert main(["simulate", "--plan", plan, "--truth", str(tmp_path / "truth")]) == 0
    assert len(pd.read_csv(tmp_path / "truth/truth.tsv", sep="\t")) == 2


@pytest.mark.parametrize("tube_id", ["N01_V1_T2", "S02_FU1_T1", "S03_FU1_T1"])
def test_the_committed_tubes_are_what_their_plan_makes(tube_id: str) -> None:
    frame = read_text_table(ROOT / "test_fcs/plan.tsv", where="test_fcs")
    plan = next(t for t in read_plan(frame, panel="aml-lyric-9", where="test_fcs") if t.tube_id == tube_id)
    made = simulate_tube(plan, 1)
    kept = read_fcs(ROOT / "test_fcs" / plan.fcs, where=tube_id)
    with np.load(ROOT / "test_fcs/truth" / f"{tube_id}.npz") as told:
        assert (told["code"] == made.code).all()
    assert np.abs(kept.events[:, :-1] - made.events[:, :-1]).max() <= 1  # another processor may round another way


def test_the_committed_tubes_stay_small() -> None:
    assert sum(p.stat().st_size for p in (ROOT / "test_fcs").rglob("*") if p.is_file()) < 3_000_000
