"""The mock trial as files: 42 subjects that hang together, and a command that needs no more."""

import pandas as pd
import pytest

from mrd.cli.main import main
from mrd.core.contracts import CALLS_TABLE
from mrd.files.clinical import find_clinical, read_clinical
from mrd.files.tables import read_table, read_text_table
from mrd.simulate.plan import read_plan
from mrd.simulate.stories import STORIES
from mrd.simulate.trial import ANSWERS, simulate_trial


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("trial")
    assert main(["simulate", "--trial", "--out", str(out)]) == 0
    return out


def test_the_trial_has_42_subjects_three_of_each_story(folder):
    answers = read_table(folder / "answers.tsv", ANSWERS)
    assert sorted(answers["subject"]) == [f"P{i:02d}" for i in range(1, 43)]
    assert answers["story"].value_counts().to_dict() == {s.name: 3 for s in STORIES}


def test_its_tables_keep_every_declaration(folder):
    tables = read_clinical(find_clinical(folder / "clinical"))
    assert set(tables) == {"subjects", "exposure", "responses", "labs", "adverse_events", "disposition"}
    calls = read_table(folder / "calls.tsv", CALLS_TABLE)
    assert set(calls["subject"]) == set(tables["subjects"]["subject"])


def test_its_plan_can_be_simulated(folder):
    planned = read_plan(read_text_table(folder / "plan.tsv", where="plan"), panel="aml-lyric-9", where="plan")
    calls = read_table(folder / "calls.tsv", CALLS_TABLE)
    drawn = {(t.subject, t.visit): t.burden for t in planned if t.role != "control"}
    assert drawn == {(r.subject, r.visit): r.mrd_fraction for r in calls.itertuples()}
    assert sum(t.role == "control" for t in planned) == 8


def test_the_seed_moves_names_and_days_and_no_answer_of_a_story():
    one, other = simulate_trial(1)["answers"], simulate_trial(2)["answers"]
    assert one["story"].tolist() != other["story"].tolist()
    columns = [c for c in ANSWERS.names if c not in ("subject", "os_days")]
    told = [a[columns].sort_values(columns).reset_index(drop=True) for a in (one, other)]
    pd.testing.assert_frame_equal(*told)


def test_a_trial_without_a_folder_is_refused(capsys):
    assert main(["simulate", "--trial"]) == 2
    assert "a mock trial needs a folder" in capsys.readouterr().err
