"""ADMRD: subject x parameter x visit, each row with its source."""

import pandas as pd
import pytest

from mrd.core.contracts import ADMRD, CALLS_TABLE, SUBJECTS
from mrd.core.settings import Settings
from mrd.endpoint.clinical import Clinical
from mrd.endpoint.derive import Inputs, derive_trial

from .tables import BLOOD, call, day, derive, rows, subject

CALLS = [call(-3, "positive"), call(28, "below"), call(56, "inadequate")]


def _visit(tables, visit, code="MRDPCT"):
    (row,) = rows(tables.admrd, AVISIT=visit, PARAMCD=code)
    return row


def test_a_visit_row_in_full():
    tables = derive(CALLS, [subject(cr_date=30)], study="TRIAL", treatment="VAC")
    row = _visit(tables, "D28")
    run = row.pop("RUNID")
    assert len(run) == 16
    assert row == {
        "STUDYID": "TRIAL",
        "USUBJID": "TRIAL-P01",
        "SITEID": None,
        "TRT01A": "VAC",
        "FASFL": "Y",
        "SAFFL": "Y",
        "MRDEVLFL": "Y",
        "PARAMCD": "MRDPCT",
        "PARAM": "MRD, corrected estimate (% of CD45+ leukocytes)",
        "PARCAT1": "MRD BY FLOW CYTOMETRY",
        "CPSPEC": "BONE MARROW",
        "AVISIT": "D28",
        "AVISITN": 1,
        "ADT": day(28),
        "ADY": 29,
        "AVAL": 0.02,
        "AVALC": None,
        "BASE": 2.0,
        "ABLFL": None,
        "ANL01FL": "Y",
        "ANL02FL": "Y",
        "CRIT1": "MRD < 0.1% of CD45+ leukocytes (corrected estimate)",
        "CRIT1FL": "Y",
        "CRIT1FN": 1,
        "CRIT2": "MRD < 0.1% of CD45+ leukocytes (plain count)",
        "CRIT2FL": "Y",
        "CRIT2FN": 1,
        "DTYPE": None,
        "SRCDOM": "CALLS",
        "SRCVAR": "mrd_fraction",
        "SRCSEQ": 2,
        "LOD": 0.005,
        "LLOQ": 0.01,
        "NEVTWBC": 600_000,
        "NEVTLAIP": 100,
        "NEVTBLST": 900,
        "HEMODFL": None,
        "STORDAYS": None,
        "MRDCALL": "not-detected",
        "PIPEVER": "1",
    }


def test_every_parameter_of_a_visit_has_its_value_and_its_source():
    tables = derive(CALLS, [subject()])
    told = {r["PARAMCD"]: (r["AVAL"], r["AVALC"], r["BASE"], r["SRCVAR"]) for r in rows(tables.admrd, AVISIT="D28")}
    assert told == {
        "MRDPCT": (0.02, None, 2.0, "mrd_fraction"),
        "MRDCLS": (None, "not-detected", None, "call"),
        "MRDNLAIP": (100.0, None, 12_000.0, "n_laip"),
        "MRDNWBC": (600_000.0, None, 600_000.0, "n_leukocytes"),
        "MRDLOD": (0.005, None, 0.005, "lod"),
        "MRDLLOQ": (0.01, None, 0.01, "lloq"),
    }


def test_the_subject_rows_name_the_deciding_marrow():
    tables = derive(CALLS, [subject(cr_date=30)])
    told = {r["PARAMCD"]: r for r in rows(tables.admrd, AVISIT=None)}
    assert list(told) == ["MRDCONV", "MRDNEGCR"]
    for row in told.values():
        assert (row["AVALC"], row["AVAL"], row["ANL01FL"], row["CRIT1FL"]) == ("Y", 1.0, "Y", None)
        assert (row["SRCDOM"], row["SRCVAR"], row["SRCSEQ"], row["ADT"], row["ADY"]) == (
            "CALLS",
            "below_threshold",
            2,
            day(28),
            29,
        )
        assert (row["MRDCALL"], row["NEVTLAIP"], row["LOD"]) == ("not-detected", 100, 0.005)


def test_without_remission_there_is_no_conversion_in_remission():
    tables = derive(CALLS, [subject()])
    conv, negcr = rows(tables.admrd, AVISIT=None)
    assert (conv["AVALC"], negcr["AVALC"]) == ("Y", "N")
    assert (negcr["SRCDOM"], negcr["SRCVAR"], negcr["SRCSEQ"], negcr["ADT"]) == ("SUBJECTS", "cr_date", 1, None)


@pytest.mark.parametrize(
    ("dates", "column", "when"),
    [
        pytest.param({"first_dose": None}, "first_dose", None, id="not treated"),
        pytest.param({"entry": None}, "disease_at_entry", None, id="no known disease"),
        pytest.param({"refractory": 40}, "refractory", 40, id="refractory"),
        pytest.param({"death": 20}, "death", 20, id="death"),
        pytest.param({"relapse": 20}, "relapse", 20, id="relapse"),
        pytest.param({"new_therapy": 20}, "new_therapy", 20, id="new therapy"),
        pytest.param({}, "subject", None, id="missing"),
    ],
)
def test_a_failure_without_a_marrow_names_the_clinical_row_behind_it(dates, column, when):
    (row,) = rows(derive([], [subject("P00"), subject(**dates)]).admrd, USUBJID="VENAZACAG-P01", PARAMCD="MRDCONV")
    assert (row["AVALC"], row["SRCDOM"], row["SRCVAR"], row["SRCSEQ"]) == ("N", "SUBJECTS", column, 2)
    assert (row["ADT"], row["ADY"]) == (day(when), None if when is None else when + 1)


def test_there_is_no_day_zero():
    tables = derive([call(d, "positive") for d in (-2, -1, 0, 1, 2)], [subject()])
    assert [_visit(tables, f"D{d}")["ADY"] for d in (-2, -1, 0, 1, 2)] == [-2, -1, 1, 2, 3]


def test_the_baseline_is_the_last_told_marrow_up_to_the_first_dose():
    calls = [call(-30, "positive"), call(-2, "few"), call(-1, "inadequate"), call(0, "positive", BLOOD), call(28, "below")]
    tables = derive(calls, [subject()])
    assert [r["AVISIT"] for r in rows(tables.admrd, PARAMCD="MRDPCT", ABLFL="Y")] == ["D-2"]
    assert {r["BASE"] for r in rows(tables.admrd, PARAMCD="MRDPCT")} == {0.11}


def test_a_missing_value_is_never_filled_and_never_a_baseline_record():
    tables = derive([call(-3, "positive", lod=None), call(28, "below"), call(56, "unreadable")], [subject()])
    assert _visit(tables, "D56")["AVAL"] is None
    assert rows(tables.admrd, PARAMCD="MRDLOD", ABLFL="Y") == []
    assert {r["DTYPE"] for r in rows(tables.admrd)} == {None}


@pytest.mark.parametrize(
    ("outcome", "first", "second"),
    [
        ("below", "Y", "Y"),
        ("positive", "N", "N"),
        ("inadequate", None, "Y"),
        ("background", None, "N"),
        ("unreadable", None, None),
    ],
)
def test_the_criteria_read_their_own_row_only(outcome, first, second):
    row = _visit(derive([call(28, outcome)], [subject(refractory=20)]), "D28")
    assert (row["CRIT1FL"], row["CRIT2FL"]) == (first, second)
    assert (row["CRIT1FN"], row["CRIT2FN"]) == tuple({"Y": 1, "N": 0, None: None}[f] for f in (first, second))


def test_the_criteria_stand_on_the_burden_only():
    others = [r for r in rows(derive(CALLS, [subject()]).admrd) if r["PARAMCD"] != "MRDPCT"]
    assert {r[name] for r in others for name in ("CRIT1", "CRIT1FL", "CRIT1FN", "CRIT2", "CRIT2FL", "CRIT2FN")} == {None}


@pytest.mark.parametrize(("fraction", "laip", "called", "below", "first", "second"), [
    (0.001, 600, "positive", "N", "N", "N"),
    (0.000999999999, 599, "low-quantifiable", "Y", "Y", "Y"),
    (0.001, 599, "positive", "N", "N", "Y"),
    (0.000999999999, 600, "low-quantifiable", "Y", "Y", "N"),
])  # fmt: skip
def test_exactly_the_threshold_is_not_below(fraction, laip, called, below, first, second):
    marrow = call(28, "low", mrd_fraction=fraction, n_laip=laip, call=called, below_threshold=below, laip_below=second)
    tables = derive([marrow], [subject()])
    row = _visit(tables, "D28")
    assert (row["CRIT1FL"], row["CRIT2FL"]) == (first, second)
    assert rows(tables.conversion)[0]["converted"] == below


def test_where_the_plain_count_decides_the_estimate_says_only_what_the_call_allows():
    below = call(28, "below", decide_on="laip_fraction", mrd_fraction=0.002)
    above = call(56, "positive", decide_on="laip_fraction", mrd_fraction=0.0005)
    silent = call(84, "below", decide_on="laip_fraction", mrd_fraction=None)
    tables = derive([below, above, silent], [subject()])
    assert [_visit(tables, v)["CRIT1FL"] for v in ("D28", "D56", "D84")] == ["N", None, None]
    assert [_visit(tables, v)["CRIT2FL"] for v in ("D28", "D56", "D84")] == ["Y", "N", "Y"]


def test_flags_mark_the_marrows_that_enter_and_the_one_that_decides():
    calls = [
        call(-3, "positive"),
        call(28, "below"),
        call(42, "positive", BLOOD),
        call(56, "low"),
        call(70, "background"),
        call(90, "positive"),
    ]
    tables = derive(calls, [subject(consolidation=80)])
    assert [r["AVISIT"] for r in rows(tables.admrd, PARAMCD="MRDPCT", ANL01FL="Y")] == ["D28", "D56"]
    assert [r["AVISIT"] for r in rows(tables.admrd, PARAMCD="MRDPCT", ANL02FL="Y")] == ["D56"]


def test_an_untold_marrow_is_the_source_of_a_failure_but_never_flagged():
    tables = derive([call(28, "background")], [subject()])
    (conv,) = rows(tables.admrd, PARAMCD="MRDCONV")
    assert (conv["SRCDOM"], conv["SRCSEQ"], conv["MRDCALL"]) == ("CALLS", 1, "indeterminate")
    assert rows(tables.admrd, ANL02FL="Y") == []


def test_visits_are_numbered_with_diagnosis_first_and_digits_as_numbers():
    calls = [call(i, "below", visit=v) for i, v in enumerate(["FU10", "FU2", "C1D28", "FU1"], 1)]
    calls += [call(-3, "positive", visit="Z-DX", subject="P02")]
    tables = derive(calls, [subject(), subject("P02")])
    numbers = {r["AVISIT"]: r["AVISITN"] for r in rows(tables.admrd, PARAMCD="MRDPCT")}
    assert numbers == {"Z-DX": 0, "C1D28": 1, "FU1": 2, "FU2": 3, "FU10": 4}


def test_rows_stand_by_subject_parameter_and_visit():
    tables = derive([call(28, "below", subject="P02"), *CALLS[::-1]], [subject("P02"), subject()])
    order = [(r["USUBJID"][-3:], r["PARAMCD"], r["AVISIT"]) for r in rows(tables.admrd)]
    codes = ["MRDPCT", "MRDCLS", "MRDNLAIP", "MRDNWBC", "MRDLOD", "MRDLLOQ"]
    first = [("P01", c, v) for c in codes for v in ("D-3", "D28", "D56")] + [("P01", "MRDCONV", None), ("P01", "MRDNEGCR", None)]
    assert order == [*first, *[("P02", c, "D28") for c in codes], ("P02", "MRDCONV", None), ("P02", "MRDNEGCR", None)]


def test_without_a_clinical_table_there_are_visits_and_nothing_that_needs_dates():
    tables = derive(CALLS, None)
    assert (tables.conversion, tables.summary) == (None, None)
    assert {r["PARAMCD"] for r in rows(tables.admrd)} == {"MRDPCT", "MRDCLS", "MRDNLAIP", "MRDNWBC", "MRDLOD", "MRDLLOQ"}
    row = _visit(tables, "D28")
    assert (row["AVAL"], row["BASE"], row["CRIT1FL"]) == (0.02, 2.0, "Y")
    assert {row[name] for name in ("ADY", "FASFL", "SAFFL", "MRDEVLFL", "TRT01A", "ANL01FL", "ANL02FL")} == {None}


def test_the_site_passes_through_where_the_clinical_table_has_one():
    subjects = pd.concat([SUBJECTS.frame([subject()]), pd.DataFrame({"site": ["S7"], "sex": ["F"]})], axis=1)
    tables = derive_trial(Inputs(CALLS_TABLE.frame(CALLS), Clinical({"subjects": subjects})), Settings(), version="1")
    assert {r["SITEID"] for r in rows(tables.admrd)} == {"S7"}


def test_names_and_codes_fit_a_transport_file():
    assert [n for n in ADMRD.names if len(n) > 8 or not n.isupper() or not n.isascii()] == []
    assert [r["PARAM"] for r in rows(derive(CALLS, [subject()]).admrd) if len(r["PARAMCD"]) > 8] == []


def test_the_run_changes_with_any_input_and_with_the_endpoint_settings():
    def run(calls, subjects, **settings):
        (name,) = {r["RUNID"] for r in rows(derive(calls, subjects, **settings).admrd)}
        return name

    told = run(CALLS, [subject()])
    assert told == run(CALLS[::-1], [subject()])
    others = [run(CALLS[:2], [subject()]), run(CALLS, [subject(relapse=80)]), run(CALLS, [subject()], window_days=700)]
    assert len({told, *others}) == 4
