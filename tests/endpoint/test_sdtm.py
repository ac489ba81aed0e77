"""CP and RS: calls and responses in, tabulation rows out."""

import pytest

from mrd.core.contracts_sdtm import CP_TESTS
from mrd.core.settings import Settings
from mrd.endpoint.clinical import Clinical
from mrd.endpoint.derive import Inputs, derive_trial

from .tables import BLOOD, CALLS_TABLE, call, day, derive, frame_of, rows, subject

CALLS = [call(-3, "positive", panel="aml8", laip="0123456789"), call(28, "low"), call(56, "unreadable")]


def _cp(**where):
    return rows(derive(CALLS, [subject(relapse=50)]).sdtm["cp"], **where)


def test_a_row_of_cp_in_full():
    (row,) = _cp(CPTESTCD="LAIPWBC", VISIT="D28")
    assert row == {
        "STUDYID": "VENAZACAG",
        "DOMAIN": "CP",
        "USUBJID": "VENAZACAG-P01",
        "CPSEQ": 7,
        "CPGRPID": "P01-D28b",
        "CPREFID": "P01-D28b",
        "CPSPID": "CALLS-2",
        "CPTESTCD": "LAIPWBC",
        "CPTEST": "LAIP Cells/CD45+ Leukocytes",
        "CPCAT": "IMMUNOPHENOTYPING",
        "CPMRKSTR": None,
        "CPORRES": "0.09",
        "CPORRESU": "%",
        "CPRESSCL": "QUANTITATIVE",
        "CPRESTYP": "NUMBER FRACTION",
        "CPSTRESC": "0.09",
        "CPSTRESN": 0.09,
        "CPSTRESU": "%",
        "CPSTAT": None,
        "CPREASND": None,
        "CPSPEC": "BONE MARROW",
        "CPMETHOD": "FLOW CYTOMETRY",
        "CPANMETH": "flowmrd 0",
        "CPBLFL": None,
        "CPDRVFL": None,
        "VISITNUM": 1,
        "VISIT": "D28",
        "EPOCH": "TREATMENT",
        "CPDTC": day(28),
        "CPDY": 29,
    }


def test_every_specimen_has_every_test_in_the_order_of_time():
    assert [(r["VISIT"], r["CPTESTCD"]) for r in _cp()] == [(v, t) for v in ("D-3", "D28", "D56") for t in CP_TESTS]
    assert [r["CPSEQ"] for r in _cp()] == list(range(1, 19))
    assert [r["CPORRES"] for r in _cp(VISIT="D28")] == ["0.09", "540", "600000", "900", "0.005", "0.01"]


def test_the_baseline_marrow_is_flagged_and_epochs_follow_the_dates():
    assert {r["VISIT"] for r in _cp(CPBLFL="Y")} == {"D-3"}
    assert {(r["VISIT"], r["EPOCH"]) for r in _cp()} == {("D-3", "SCREENING"), ("D28", "TREATMENT"), ("D56", "FOLLOW-UP")}


def test_a_value_that_is_missing_is_not_done_with_its_reason():
    (row,) = _cp(CPTESTCD="WBCCT", VISIT="D56")
    assert (row["CPORRES"], row["CPSTAT"], row["CPREASND"]) == (None, "NOT DONE", "no value; the call is not-evaluable")


def test_the_group_names_specimen_and_laip_and_the_markers_are_those_of_the_laip():
    inputs = Inputs(
        CALLS_TABLE.frame(CALLS),
        Clinical({"subjects": frame_of("subjects", [subject()])}),
        markers={("P01", "aml8"): "CD34+CD7+"},
    )
    told = rows(derive_trial(inputs, Settings(), version="1").sdtm["cp"], CPTESTCD="LAIPCT")
    assert [(r["CPGRPID"], r["CPMRKSTR"]) for r in told] == [
        ("P01-D-3b/01234567", "CD34+CD7+"),
        ("P01-D28b", None),
        ("P01-D56b", None),
    ]


@pytest.mark.parametrize(
    ("outcome", "response", "indicator"),
    [
        ("positive", "QUANTIFIABLE MRD POSITIVITY", "Y"),
        ("few", "NON-QUANTIFIABLE MRD POSITIVITY", "Y"),
        ("low", "QUANTIFIABLE MRD POSITIVITY", "Y"),
        ("below", "MRD NEGATIVITY", "N"),
        ("background", "NE", "U"),
        ("unreadable", "NE", "U"),
    ],
)
def test_each_call_has_its_controlled_word(outcome, response, indicator):
    told = {r["RSTESTCD"]: r for r in rows(derive([call(28, outcome)], None).sdtm["rs"])}
    assert (told["MRDRESP"]["RSSTRESC"], told["MRDIND"]["RSSTRESC"]) == (response, indicator)
    assert (told["MRDRESP"]["RSEVAL"], told["MRDRESP"]["RSCAT"], told["MRDRESP"]["RSSPID"]) == (
        "LABORATORY",
        "ELN 2021",
        "CALLS-1",
    )


def test_responses_stand_as_told_and_as_derived_and_the_best_one_once():
    full = {"marrow_blasts": 2.0, "circulating": "N", "extramedullary": "N", "anc": 0.5, "platelets": 150.0}
    responses = [{"subject": "P01", "assessed": day(28), **full, "response": "CR"}]
    told = rows(derive([], [subject(), subject("P02"), subject("P03", first_dose=None)], responses).sdtm["rs"])
    assert [
        (r["USUBJID"][-3:], r["RSTESTCD"], r["RSSTRESC"], r["RSEVAL"], r["RSDRVFL"], r["RSSPID"], r["RSDY"]) for r in told
    ] == [
        ("P01", "OVRLRESP", "CR", "INVESTIGATOR", None, "RESPONSES-1", 29),
        ("P01", "OVRLRESP", "CRi", "SPONSOR", "Y", "RESPONSES-1", 29),
        ("P01", "BESTRESP", "CRi", "SPONSOR", "Y", "RESPONSES-1", 29),
        ("P02", "BESTRESP", "NE", "SPONSOR", "Y", "SUBJECTS-2", None),
    ]


def test_blood_is_told_as_blood():
    (row,) = rows(derive([call(28, "background", BLOOD)], None).sdtm["cp"], CPTESTCD="LAIPCT")
    assert row["CPSPEC"] == "PERIPHERAL BLOOD"
