"""Refusals: calls that contradict themselves, clinical tables that do not fit."""

import pytest

from mrd.core.errors import ContractError, SheetError

from .tables import BLOOD, call, day, derive, rows, subject


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        pytest.param({"below_threshold": "N"}, "call not-detected with below_threshold N", id="a call below that says not below"),
        pytest.param(
            {"below_threshold": None}, "call not-detected with below_threshold empty", id="a call below that says nothing"
        ),
        pytest.param({"call": "indeterminate"}, "call indeterminate with below_threshold Y", id="an untold call that says below"),
        pytest.param({"specimen_type": BLOOD}, "peripheral blood called below", id="blood called below"),
        pytest.param({"mrd_fraction": None}, "below_threshold Y without mrd_fraction", id="below without an estimate"),
        pytest.param(
            {"mrd_fraction": 0.001}, "below_threshold Y with mrd_fraction 0.001 at threshold 0.001", id="below exactly at 10^-3"
        ),
        pytest.param({"n_laip": 600}, "laip_below Y with 600 of 600000", id="counted below at exactly 10^-3"),
        pytest.param(
            {"laip_below": "N", "n_laip": 599}, "laip_below N with 599 of 600000", id="counted not below just under 10^-3"
        ),
    ],
)
def test_a_call_that_contradicts_itself_is_refused_by_name(broken, told):
    with pytest.raises(ContractError, match=f"P01 D28: {told}"):
        derive([call(28, "below", **broken)], [subject()])


def test_a_positive_call_under_the_threshold_is_refused():
    with pytest.raises(ContractError, match=r"below_threshold N with mrd_fraction 0\.0009"):
        derive([call(28, "positive", mrd_fraction=0.0009)], [subject()])


def test_the_plain_count_is_compared_only_at_the_threshold_it_is_declared_for():
    calls = [call(28, "below", threshold=1e-4, mrd_fraction=5e-5, laip_below="N")]
    assert derive(calls, [subject()]).admrd["CRIT1"].iloc[0] == "MRD < 0.01% of CD45+ leukocytes (corrected estimate)"


def test_two_thresholds_in_one_table_are_refused():
    with pytest.raises(ContractError, match=r"thresholds 0\.0001, 0\.001 stand side by side"):
        derive([call(28, "below"), call(56, "positive", threshold=1e-4)], [subject()])


def test_all_that_is_wrong_in_the_calls_is_told_at_once():
    with pytest.raises(ContractError, match=r"P01 D28: .*; P01 D56: "):
        derive([call(28, "below", below_threshold="N"), call(56, "positive", below_threshold=None)], [subject()])


def test_every_unknown_subject_and_every_marrow_after_death_is_told_at_once():
    calls = [call(28, "below", subject="P08"), call(28, "below", subject="P09"), call(61, "below")]
    responses = [{"subject": "P07", "assessed": day(28), "marrow_blasts": 1.0}]
    with pytest.raises(SheetError) as error:
        derive(calls, [subject(death=60)], responses)
    for told in (
        "subject P08 of the calls has no row",
        "subject P09 of the calls has no row",
        "subject P07 of the responses has no row",
        f"subject P01 died on {day(60)}, and D61 was collected on {day(61)}",
    ):
        assert told in str(error.value)


def test_a_marrow_of_the_day_of_death_is_accepted_and_counts():
    tables = derive([call(60, "below")], [subject(death=60)])
    assert tables.conversion["converted"].tolist() == ["Y"]


def test_controls_among_the_calls_are_left_alone():
    calls = [call(5, "below", subject="A-control", role="control"), call(28, "below")]
    tables = derive(calls, [subject()])
    assert set(tables.admrd["USUBJID"]) == {"VENAZACAG-P01"}
    assert {r["SRCSEQ"] for r in rows(tables.admrd, SRCDOM="CALLS")} == {2}, "the source counts every row of calls"
