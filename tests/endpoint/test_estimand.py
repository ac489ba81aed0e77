"""Estimands are config: a changed strategy changes the result; a wrong one is refused."""

import pytest
import yaml

from mrd.cli.main import main
from mrd.core.errors import SettingsError
from mrd.core.estimand import Estimands, check_estimands, estimands_yaml

from .tables import BLOOD, call, derive, rows, subject

BASELINE = call(-3, "positive")


def _reason(calls, dates, events=None, **conversion):
    told = Estimands().model_dump(mode="json")["conversion"]
    told["events"].update(events or {})
    tables = derive([BASELINE, *calls], [subject(**dates)], estimands={"conversion": {**told, **conversion}})
    return rows(tables.conversion)[0]["reason"]


@pytest.mark.parametrize(
    ("strategy", "day_counts", "offset", "reason"),
    [
        ("while-on-treatment", False, 60, "missing"),
        ("composite", False, 60, "missing"),
        ("treatment-policy", False, 60, "converted"),
        ("while-on-treatment", True, 50, "converted"),
        ("while-on-treatment", False, 50, "missing"),
    ],
)
def test_the_strategy_for_transplant_decides_what_a_later_marrow_is_worth(strategy, day_counts, offset, reason):
    events = {"transplant": {"strategy": strategy, "day_counts": day_counts}}
    assert _reason([call(offset, "below")], {"transplant": 50}, events) == reason


def test_relapse_under_treatment_policy_is_no_failure():
    events = {"relapse": {"strategy": "while-on-treatment", "day_counts": False}}
    assert _reason([], {"relapse": 30}) == "relapse"
    assert _reason([], {"relapse": 30}, events) == "missing"


def test_refractory_disease_and_known_disease_follow_the_config():
    assert _reason([call(28, "below")], {"refractory": 30}) == "refractory"
    assert _reason([call(28, "below")], {"refractory": 30}, refractory="treatment-policy") == "converted"
    told = derive(
        [call(28, "below")], [subject(entry="newly diagnosed")], estimands={"conversion": {"known_disease": ["newly diagnosed"]}}
    )
    assert rows(told.conversion)[0]["disease"] == "entry-no-flow"


def test_the_population_of_the_primary_analysis_follows_the_config():
    told = derive([BASELINE, call(28, "below")], [subject()], estimands={"conversion": {"population": "evaluable"}})
    assert [(r["set"], r["rule"]) for r in rows(told.summary, primary="Y")] == [("evaluable", "last")]


def test_responders_follow_the_config():
    cleared = {
        "marrow_blasts": 2.0,
        "circulating": "N",
        "extramedullary": "N",
        "anc": 0.1,
        "platelets": 9.0,
        "cells_counted": 200,
    }
    responses = [{"subject": "P01", "assessed": "2026-02-02", **cleared}]
    for responders, expected in ((["CR", "CRi", "MLFS"], "Y"), (["CR", "CRi"], "N")):
        told = derive([], [subject()], responses, estimands={"response": {"responders": responders}})
        assert rows(told.adam["adrs"], PARAMCD="ORR")[0]["AVALC"] == expected


def test_the_default_is_that_of_the_trial_and_reads_back():
    assert check_estimands(yaml.safe_load(estimands_yaml(Estimands()))) == Estimands()
    assert Estimands().conversion.events["consolidation"].day_counts
    assert _reason([call(28, "inadequate", BLOOD)], {}) == "blood-only"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"conversion": {"events": {"relapse": {"strategy": "hypothetical"}}}}, "conversion.events.relapse.strategy"),
        ({"conversion": {"events": {"surgery": {"strategy": "composite"}}}}, "conversion.events.surgery"),
        ({"survival": {"variable": "v", "events": {"death": "while-on-treatment"}}}, "survival.events.death"),
        ({"response": {"judged_by": "nobody"}}, "response.judged_by = 'nobody'"),
        ({"responce": {}}, "responce"),
    ],
)
def test_a_strategy_that_does_not_exist_is_refused(values, told):
    with pytest.raises(SettingsError) as error:
        check_estimands(values)
    assert told in str(error.value)


def test_the_command_prints_and_checks(tmp_path, capsys):
    assert main(["estimand"]) == 0
    (tmp_path / "e.yaml").write_text(capsys.readouterr().out)
    assert main(["estimand", "--check", str(tmp_path / "e.yaml")]) == 0
    (tmp_path / "e.yaml").write_text("conversion: {population: all}\n")
    assert main(["estimand", "--check", str(tmp_path / "e.yaml")]) == 2
    assert "conversion.population = 'all'" in capsys.readouterr().err
