"""Laws that hold for any trial."""

import pandas as pd
from hypothesis import given, settings, strategies as st

from mrd.core.contracts import ADMRD, CALLS_TABLE, CONVERSION, RESPONSES, SUBJECTS, SUMMARY
from mrd.core.settings import Settings
from mrd.endpoint.clinical import Clinical
from mrd.endpoint.derive import Inputs, derive_trial

from .tables import BLOOD, MARROW, OUTCOMES, call, day, rows, subject

CLOSINGS = ("consolidation", "relapse", "new_therapy", "transplant")
OFFSETS = st.integers(-5, 12)  # few days, so that marrows and limits meet


@st.composite
def trials(draw):
    calls, subjects, responses = [], [], []
    for name in (f"P{i}" for i in range(1, 9)):
        dates = draw(st.dictionaries(st.sampled_from((*CLOSINGS, "cr_date")), st.integers(1, 12), max_size=3))
        barred = {"refractory": 4} if draw(st.integers(0, 9)) == 0 else {}
        dose = draw(st.sampled_from([0, 0, 0, None]))
        entry = draw(st.sampled_from(["relapsed", "refractory", "newly diagnosed", None]))
        subjects.append(subject(name, entry=entry, first_dose=dose, **dates, **barred))
        for i, offset in enumerate(draw(st.lists(OFFSETS, max_size=5))):
            kind = draw(st.sampled_from([MARROW, MARROW, MARROW, BLOOD]))
            outcome = draw(st.sampled_from([o for o in OUTCOMES if kind == MARROW or OUTCOMES[o][1] != "Y"]))
            calls.append(call(offset, outcome, kind, subject=name, visit=f"V{i}"))
        for offset in draw(st.lists(st.integers(0, 12), max_size=1)):
            responses.append({"subject": name, "assessed": day(offset), "marrow_blasts": draw(st.sampled_from([1.0, 5.0]))})
    return CALLS_TABLE.frame(calls), SUBJECTS.frame(subjects), RESPONSES.frame(responses)


def _derive(frames, rule="last", *, clinical=True):
    calls, subjects, responses = frames
    config = Settings(conversion_rule=rule, window_days=10, blast_days=1)
    told = Clinical({"subjects": subjects, "responses": responses}) if clinical else None
    return derive_trial(Inputs(calls, told), config, version="1")


def _shuffled(frame, seed):
    rows_and_columns = frame.sample(frac=1, random_state=seed).sample(frac=1, axis=1, random_state=seed)
    return rows_and_columns.reset_index(drop=True)


@settings(max_examples=12, deadline=None)
@given(trials(), st.integers(0, 1000))
def test_the_order_of_rows_and_columns_changes_nothing(frames, seed):
    told, again = _derive(frames), _derive([_shuffled(f, seed) for f in frames])
    for name in ("admrd", "conversion", "summary"):
        pd.testing.assert_frame_equal(getattr(told, name), getattr(again, name))


@settings(max_examples=20, deadline=None)
@given(trials(), st.sampled_from(["last", "any"]))
def test_the_best_case_is_never_worse_and_the_worst_never_better(frames, rule):
    tables = _derive(frames, rule)
    for line in rows(tables.conversion):
        assert line["converted_worst"] <= line["converted"] <= line["converted_best"]  # N < Y
        assert line["converted"] == line[f"converted_{rule}"] <= line["converted_any"]
        assert (line["converted"] == "Y") == (line["reason"] == "converted")
    counts = {(r["set"], r["rule"]): r["n_converted"] for r in rows(tables.summary)}
    for name in ("treated", "evaluable", "cr-cri"):
        assert counts[name, "worst"] <= counts[name, rule] <= counts[name, "best"]


@settings(max_examples=12, deadline=None)
@given(trials())
def test_every_row_names_a_source_that_exists_and_holds_its_value(frames):
    calls, subjects, _ = frames
    sources = {
        "CALLS": rows(calls.sort_values(["subject", "visit"])),
        "SUBJECTS": rows(subjects.sort_values("subject")),
    }
    for row in rows(_derive(frames).admrd):
        source = sources[row["SRCDOM"]][row["SRCSEQ"] - 1]
        assert f"VENAZACAG-{source['subject']}" == row["USUBJID"]
        assert row["SRCVAR"] in source
        if row["AVISIT"] is not None:
            assert (source["visit"], source["collected"]) == (row["AVISIT"], row["ADT"])
        if row["PARAMCD"] == "MRDCONV" and row["AVALC"] == "Y":
            assert source["below_threshold"] == "Y"


@settings(max_examples=12, deadline=None)
@given(trials())
def test_all_that_comes_out_keeps_its_declaration_with_one_record_per_subject(frames):
    tables = _derive(frames)
    ADMRD.check(tables.admrd)
    CONVERSION.check(tables.conversion)
    SUMMARY.check(tables.summary)
    assert tables.conversion["subject"].tolist() == sorted(frames[1]["subject"])
    assert rows(tables.admrd, PARAMCD="MRDCONV") != []
    assert len(rows(tables.admrd, AVISIT=None)) == 2 * len(frames[1])
    ADMRD.check(_derive(frames, clinical=False).admrd)


@settings(max_examples=12, deadline=None)
@given(trials())
def test_a_later_untold_marrow_never_changes_the_primary_result(frames):
    calls, subjects, _ = frames
    later = CALLS_TABLE.frame([call(10, "background", subject=s, visit="later") for s in subjects["subject"]])
    told, again = (
        _derive((calls, subjects, RESPONSES.empty())),
        _derive((pd.concat([calls, later], ignore_index=True), subjects, RESPONSES.empty())),
    )
    assert told.conversion["converted"].tolist() == again.conversion["converted"].tolist()
