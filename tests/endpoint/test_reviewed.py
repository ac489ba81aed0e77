"""Reviewers' decisions: records of their own; the pipeline's call stands."""

import pytest

from mrd.core.errors import SheetError

from .tables import BLOOD, call, day, derive, rows, subject

CALLS = [call(-3, "positive"), call(28, "background"), call(56, "background")]


def decide(visit, decision, value=None, *, at="2026-06-01T09:30:00Z", source="audit-1"):
    return {
        "subject": "P01",
        "visit": visit,
        "call": decision,
        "value": value,
        "reviewer": "R. Eader",
        "reviewed_at": at,
        "meaning": "override",
        "reason": "background only",
        "source_id": source,
    }


def _derive(*decisions, **options):
    return derive(CALLS, [subject()], more={"review": list(decisions)}, **options)


def test_a_decision_has_its_own_parameters_and_source_and_overwrites_nothing():
    tables = _derive(decide("D28", "low-not-quantifiable", 0.0004))
    told = {r["PARAMCD"]: r for r in rows(tables.admrd, AVISIT="D28")}
    assert (told["MRDCLS"]["AVALC"], told["MRDCLS"]["SRCDOM"]) == ("indeterminate", "CALLS")
    assert told["MRDPCT"]["AVAL"] == 0.2
    assert (told["MRDCLSRV"]["AVALC"], told["MRDPCTRV"]["AVAL"]) == ("low-not-quantifiable", 0.04)
    assert [(told[c]["SRCDOM"], told[c]["SRCVAR"], told[c]["SRCSEQ"]) for c in ("MRDCLSRV", "MRDPCTRV")] == [
        ("REVIEW", "call", 1),
        ("REVIEW", "value", 1),
    ]
    assert told["MRDCLSRV"]["MRDCALL"] == "indeterminate"


def test_conversion_by_the_pipeline_and_by_the_review_stand_side_by_side():
    tables = _derive(decide("D28", "not-detected"))
    conv, reviewed = (rows(tables.admrd, PARAMCD=code)[0] for code in ("MRDCONV", "MRDCONVR"))
    assert (conv["AVALC"], conv["SRCDOM"]) == ("N", "CALLS")
    assert (reviewed["AVALC"], reviewed["SRCDOM"], reviewed["SRCVAR"], reviewed["ADT"]) == ("Y", "REVIEW", "call", day(28))
    assert rows(tables.conversion)[0]["reason"] == "indeterminate"


def test_the_estimand_can_make_the_review_primary():
    tables = _derive(decide("D28", "not-detected"), estimands={"conversion": {"calls": "reviewed"}})
    assert rows(tables.conversion)[0]["reason"] == "converted"
    assert rows(tables.admrd, PARAMCD="MRDCONV")[0]["AVALC"] == "N"


def test_of_several_decisions_the_latest_holds_and_every_one_stays_in_rs():
    early = decide("D28", "not-detected", at="2026-06-01T09:30:00Z", source="b")
    late = decide("D28", "positive", at="2026-06-02T08:00:00Z", source="a")
    tables = _derive(late, early)
    (row,) = rows(tables.admrd, PARAMCD="MRDCLSRV")
    assert (row["AVALC"], row["SRCSEQ"]) == ("positive", 1)
    told = rows(tables.sdtm["rs"], RSEVAL="REVIEWER", RSTESTCD="MRDRESP")
    assert [(r["RSORRES"], r["RSSTRESC"], r["RSSPID"]) for r in told] == [
        ("not-detected", "MRD NEGATIVITY", "REVIEW-2"),
        ("positive", "QUANTIFIABLE MRD POSITIVITY", "REVIEW-1"),
    ]


def test_without_reviews_there_are_no_parameters_of_theirs():
    codes = {r["PARAMCD"] for r in rows(derive(CALLS, [subject()]).admrd)}
    assert not codes & {"MRDCLSRV", "MRDPCTRV", "MRDCONVR"}


@pytest.mark.parametrize(
    ("decision", "told"),
    [
        (decide("D99", "positive"), "review row 2: there is no call of P01 D99"),
        (decide("D28", "not-detected", 0.001), "review row 2: call not-detected with value 0.001 at threshold 0.001"),
        (decide("D28", "positive", 0.0009), "review row 2: call positive with value 0.0009 at threshold 0.001"),
        (decide("D35B", "not-detected"), "review row 2: peripheral blood called not-detected"),
    ],
)
def test_a_decision_that_cannot_be_is_refused(decision, told):
    with pytest.raises(SheetError) as error:
        derive([*CALLS, call(35, "background", BLOOD)], [subject()], more={"review": [decision]})
    assert told in str(error.value)
