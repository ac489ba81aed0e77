"""The mock trial: its known answers, its laws, and the source of every row."""

import pandas as pd
import pytest

from mrd.core.contracts import CALLS_TABLE, PIPELINE_TABLES
from mrd.core.estimand import Estimands
from mrd.core.settings import Settings
from mrd.endpoint.analyses import analyse
from mrd.endpoint.clinical import TABLES, number_rows

from .mock import derive_tables, mock_analyses, mock_tables, mock_trial
from .tables import rows

DECLARED = {t.name: t for t in PIPELINE_TABLES}
TIMES = ("OS", "LFS", "NEUTDUR", "PLTDUR")
REVIEWS = pd.DataFrame(
    [
        {"visit": "DX", "call": "positive", "value": 0.3, "reviewed_at": "2025-01-02T10:00:00Z", "source_id": "a-2"},
        {"visit": "DX", "call": "not-evaluable", "value": None, "reviewed_at": "2025-01-01T10:00:00Z", "source_id": "a-1"},
    ]
).assign(subject="P01", reviewer="R. Eader", meaning="reviewed", reason="second look")


def _short(frame):
    return frame.assign(subject=frame["USUBJID"].str.removeprefix("VENAZACAG-"))


@pytest.mark.parametrize("seed", [1, 7])
def test_the_known_answers_are_met_by_every_subject(seed):
    answers, trial = mock_tables(seed)["answers"].set_index("subject"), mock_trial(seed)
    told = trial.conversion.set_index("subject")
    for rule in ("last", "any", "best", "worst"):
        assert told[f"converted_{rule}"].to_dict() == answers[f"converted_{rule}"].to_dict()
    assert told["reason"].to_dict() == answers["reason"].to_dict()
    adrs, adtte = _short(trial.adam["adrs"]), _short(trial.adam["adtte"])
    for code in ("BOR", "ORR"):
        assert adrs[adrs["PARAMCD"] == code].set_index("subject")["AVALC"].to_dict() == answers[code.lower()].to_dict()
    for code in TIMES:
        own = adtte[adtte["PARAMCD"] == code].set_index("subject")
        assert own["CNSR"].to_dict() == answers[f"{code.lower()}_cnsr"].to_dict()
        expected = answers[f"{code.lower()}_days"].astype("float64")
        pd.testing.assert_series_equal(own["AVAL"].sort_index(), expected.sort_index(), check_names=False)


def test_the_known_rates_are_met():
    """Of 14 stories with three subjects each, one is never treated: 39; stories that convert or respond are counted by hand."""
    rates = {(r["endpoint"], r["set"], r["rule"]): (r["count"], r["total"]) for r in rows(mock_analyses().tables["rates"])}
    assert [rates["MRD negativity", "treated", rule] for rule in ("last", "any", "best", "worst")] == [
        (9, 39),
        (12, 39),
        (18, 39),
        (6, 39),
    ]
    assert rates["ORR", "treated", "first cycles"] == (27, 39)
    assert rates["BOR CR", "treated", "best response"] == (18, 39)
    assert rates["MRD negativity", "cr-cri", "last"] == (9, 24)
    (primary, response) = rows(mock_analyses().tables["rates"], primary="Y")
    assert (primary["set"], primary["rule"]) == ("treated", "last")
    # R: binom.test(9, 39)$conf.int is 0.1113369 0.3932615, binom.test(27, 39)$conf.int is 0.5243086 0.8298041
    assert (primary["ci_low"], primary["ci_high"]) == pytest.approx((11.13369, 39.32615), abs=1e-5)
    assert (response["ci_low"], response["ci_high"]) == pytest.approx((52.43086, 82.98041), abs=1e-5)


def _shuffled(tables, seed):
    return {
        name: frame.sample(frac=1, random_state=seed).sample(frac=1, axis=1, random_state=seed + 1).reset_index(drop=True)
        for name, frame in tables.items()
    }


def test_the_order_of_rows_and_columns_of_every_input_changes_nothing():
    tables = {**mock_tables(), "review": REVIEWS}
    told, again = derive_tables(tables), derive_tables(_shuffled(tables, 5))
    for one, other in ((told.adam, again.adam), (told.sdtm, again.sdtm)):
        for name in one:
            pd.testing.assert_frame_equal(one[name], other[name])
    pd.testing.assert_frame_equal(told.conversion, again.conversion)
    a, b = (analyse(t, Settings(), Estimands()) for t in (told, again))
    for name in a.tables:
        pd.testing.assert_frame_equal(a.tables[name], b.tables[name])
    pd.testing.assert_frame_equal(a.cells, b.cells)


def _sources(tables):
    declared = {"calls": CALLS_TABLE, **TABLES}
    return {name.upper(): number_rows(tables[name], table) for name, table in declared.items() if name in tables}


def test_every_row_of_every_dataset_names_an_existing_record_of_its_subject():
    tables = {**mock_tables(), "review": REVIEWS}
    trial, sources = derive_tables(tables), _sources(tables)
    checked = 0
    for frame in trial.adam.values():
        for row in rows(frame):
            source = sources[row["SRCDOM"]][row["SRCSEQ"] - 1]
            assert row["SRCVAR"] in source.record
            assert row["USUBJID"] == f"VENAZACAG-{source['subject']}"
            checked += 1
    for name, column in (("cp", "CPSPID"), ("rs", "RSSPID")):
        for row in rows(trial.sdtm[name]):
            table, number = row[column].split("-")
            assert row["USUBJID"] == f"VENAZACAG-{sources[table][int(number) - 1]['subject']}"
            checked += 1
    assert checked == sum(len(f) for f in (*trial.adam.values(), *trial.sdtm.values())) > 2_000


def test_every_date_of_a_row_is_that_of_its_source():
    tables = mock_tables()
    sources = _sources(tables)
    for row in rows(mock_trial().adam["adtte"]):
        value = sources[row["SRCDOM"]][row["SRCSEQ"] - 1][row["SRCVAR"]]
        if row["CNSR"] in (0, 1, 2) and row["SRCDOM"] in ("DISPOSITION", "EXPOSURE") and row["ADTF"] is None:
            assert value == row["ADT"]


def test_every_cell_names_records_that_add_up_to_its_numbers():
    analyses, trial = mock_analyses(), mock_trial()
    cells = analyses.cells
    assert set(cells["dataset"]) <= set(trial.adam)
    for name in ("rates", "missing"):
        for row in rows(analyses.tables[name]):
            own = cells[(cells["table"] == name) & (cells["cell"] == row["cell"])]
            assert (int((own["counted"] == "Y").sum()), len(own)) == (row["count"], row["total"])
    for row in rows(analyses.tables["times"]):
        own = cells[(cells["table"] == "times") & (cells["cell"] == row["cell"])]
        assert (int((own["counted"] == "Y").sum()), len(own)) == (row["events"], row["total"])
    for row in rows(analyses.tables["events"]):
        own = cells[(cells["table"] == "events") & (cells["cell"] == row["cell"])]
        assert (own["subject"].nunique(), len(own)) == (row["count"], row["events"])
    for row in rows(cells):
        assert trial.adam[row["dataset"]].iloc[row["row"] - 1]["USUBJID"] == row["subject"]


def test_every_table_keeps_its_declaration():
    trial, analyses = mock_trial(), mock_analyses()
    for name, frame in {**trial.adam, **trial.sdtm, **analyses.tables, "cells": analyses.cells}.items():
        DECLARED[name].check(frame)


def test_events_are_counted_once_per_subject_under_the_highest_grade():
    told = {(r["term"], r["grade"]): (r["count"], r["events"]) for r in rows(mock_analyses().tables["events"])}
    assert told["Febrile neutropenia", "3"] == (39, 39)
    assert told["Nausea", "any"] == (13, 13)  # the nausea before the first dose is not treatment-emergent
    assert told["Sepsis", "5"] == (3, 3)
    assert told["any", "3"] == (36, 36)  # three of the 39 had a grade 5 as their highest
    assert told["any", "3-5"] == (39, 42)


def test_visits_tell_marrows_only():
    told = {r["visit"]: (r["marrows"], r["below"], r["above"], r["untold"]) for r in rows(mock_analyses().tables["visits"])}
    assert told == {"DX": (42, 3, 39, 0), "D28": (30, 12, 15, 3), "D56": (15, 6, 6, 3), "D90": (3, 3, 0, 0)}


def test_survival_by_status_starts_at_the_landmark():
    told = {(r["endpoint"], r["group"]): r for r in rows(mock_analyses().tables["times"])}
    # followed past day 56 and below by then: converted (3), no disease at baseline (3), last untold (3), late converter (3)
    assert told["OS", "MRD below"]["total"] == 12
    assert told["OS", "MRD below"]["events"] == 3
    assert told["OS", "MRD not below"]["events"] == 9  # lost again, refractory, unknown day of death
    assert told["OS", "all"]["total"] == 39
    assert told["LFS", "all"]["total"] == 24


def test_an_imputed_date_is_noted():
    notes = rows(mock_analyses().tables["notes"], topic="death")
    assert len(notes) == 3
    assert all(n["note"].startswith("the day imputed: 2024-") for n in notes)
