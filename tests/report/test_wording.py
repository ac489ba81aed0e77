import pytest

from mrd.core import words
from mrd.report.wording import NOTES, VERDICTS, advice, brief_reason, review_rank, review_reasons, sentence, verdict
from tests.report.cases import SETTINGS, call, unread

LOW = {"mrd_fraction": 5e-4, "laip_fraction": 4.5e-4, "ci_low": 4e-4, "ci_high": 6e-4, "below_threshold": "Y"}
NONE = {"mrd_fraction": 0.0, "laip_fraction": 0.0, "n_laip": 0, "ci_low": 0.0, "ci_high": 1e-4, "below_threshold": "Y"}
SHORT = {**NONE, "below_threshold": None, "reason": "the specimen is not adequate"}


def test_every_call_has_a_verdict():
    assert set(VERDICTS) == set(words.CALLS)


@pytest.mark.parametrize("name", words.ABOVE)
def test_a_call_above_says_at_or_above_and_never_below(name):
    told = verdict(call(name), SETTINGS)
    assert "at or above 0.1 % (10⁻³)" in told
    assert "below" not in told


@pytest.mark.parametrize(("name", "row"), [("low-quantifiable", LOW), ("low-not-quantifiable", LOW), ("not-detected", NONE)])
def test_a_call_below_says_below(name, row):
    told = verdict(call(name, **row), SETTINGS)
    assert "below 0.1 % (10⁻³)" in told
    assert "above" not in told


@pytest.mark.parametrize("told", [verdict(call("indeterminate", **SHORT), SETTINGS), verdict(unread(), SETTINGS)])
def test_what_cannot_be_told_is_said_to_be_neither(told):
    assert told.startswith(("Cannot tell whether MRD is below", "Not evaluable: nothing can be said"))


def test_a_number_just_under_the_threshold_is_not_written_as_the_threshold():
    told = verdict(call("low-quantifiable", **{**LOW, "mrd_fraction": 0.00099996, "ci_high": 0.00099998}), SETTINGS)
    assert "MRD is 0.099996 % of leukocytes (95 % interval 0.0400–0.099998 %)" in told
    lod = verdict(call("not-detected", **{**NONE, "lod": 0.0009999}), SETTINGS)
    assert "would have shown 0.09999 % with 95 % probability, which is below 0.1 %" in lod


def test_an_interval_that_holds_the_threshold_asks_for_review_whatever_the_call():
    for name, row in (("positive", {}), ("low-quantifiable", LOW), ("not-detected", NONE)):
        assert verdict(call(name, **{**row, "confident": "N"}), SETTINGS).endswith(
            "The interval holds 0.1 % (10⁻³): review first."
        )
        assert "review first" not in verdict(call(name, **row), SETTINGS)


@pytest.mark.parametrize(
    ("name", "row", "told"), [("not-detected", NONE, True), ("positive", {}, True), ("indeterminate", SHORT, False)]
)
def test_what_most_subjects_share_is_said_to_be_left_aside_where_the_reason_is_not_told(name, row, told):
    assert verdict(call(name, **{**row, "flags": "few-controls;shared-population"}), SETTINGS).endswith("review first.") is told
    assert "left aside" not in verdict(call(name, **row), SETTINGS)


def test_a_call_against_the_laip_says_that_the_leukaemia_may_have_changed():
    told = f"0.002 detected at or above 0.001; the LAIP alone says 0: {words.MAY_HAVE_CHANGED}"
    assert verdict(call("positive", reason=told), SETTINGS).endswith(
        "at or above 0.1 % (10⁻³). The LAIP shows none or far less of it: the leukaemia may have changed. Review first."
    )
    assert brief_reason(call("positive", reason=told)).endswith(
        "quantified. The LAIP shows none or far less of it: the leukaemia may have changed."
    )
    assert "The LAIP shows none or far less of it" not in verdict(call("positive"), SETTINGS)
    doubted = verdict(call("indeterminate", **{**SHORT, "reason": f"{told}; but most subjects show such a population"}), SETTINGS)
    assert doubted.count(words.MAY_HAVE_CHANGED) == 1


def test_where_the_plain_count_decides_it_is_the_number_named_first():
    told = verdict(call(decide_on="laip_fraction", laip_fraction=0.0018), SETTINGS)
    assert told.startswith("The counted share is 0.180 % of leukocytes (corrected estimate 0.200 %, 95 % interval")


def test_a_reason_becomes_a_sentence_and_a_missing_one_is_said():
    assert sentence("the file is cut short") == "The file is cut short."
    assert sentence("Why?") == "Why?"
    assert sentence(None) == "No reason was recorded."
    assert brief_reason(unread()) == "The file is cut short."
    assert brief_reason(call("not-detected", mrd_fraction=5e-5)) == "no more cells than blanks show"
    assert brief_reason(call("not-detected", mrd_fraction=5e-4)) == "more cells than blanks show, but too few for a finding"


def test_a_plain_answer_needs_no_advice():
    for name, row in (("positive", {}), ("low-quantifiable", LOW), ("not-detected", NONE)):
        assert advice(call(name, **row), SETTINGS) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"flags": "blood", "specimen_type": "peripheral blood"}, "send bone marrow"),
        ({"flags": "few-leukocytes", "n_leukocytes": 60_000}, "this specimen has 60,000, 40,000 too few"),
        ({"flags": "few-blasts", "n_blast": 7}, "this specimen has 7"),
        ({"flags": "lod-above-threshold", "n_leukocytes": 10_000, "recall": 0.5}, "takes at least 40,000 leukocytes"),
        ({"flags": "lod-above-threshold", "n_leukocytes": 200_000}, "The background in controls, not the number of events"),
        ({"flags": "stain-lost"}, "one of its stains may have failed"),
        ({"flags": "other-reference"}, "the reference that taught the LAIP"),
        ({}, "Repeat the marrow"),
    ],
)  # fmt: skip
def test_advice_names_what_is_missing(changes, told):
    assert any(told in line for line in advice(call("indeterminate", **{**SHORT, **changes}), SETTINGS))


def test_over_the_threshold_on_a_handful_of_cells_the_advice_is_how_many_leukocytes_it_takes():
    few = call("indeterminate", n_laip=10, n_leukocytes=5_000, laip_fraction=0.002, below_threshold=None)
    assert advice(few, SETTINGS) == [
        "10 cells were found and a finding needs 20: at this level that takes about 10,000 leukocytes; this specimen has 5,000."
    ]
    many = call("indeterminate", n_laip=400, below_threshold=None)
    assert advice(many, SETTINGS)[0].startswith("Controls show as many such cells")


def test_a_positive_on_few_cells_tells_what_a_number_would_take():
    assert advice(call("positive-not-quantifiable", n_laip=30, laip_fraction=0.0015), SETTINGS) == [
        "To quantify a burden this small takes about 33,334 leukocytes; this specimen has 200,000."
    ]


def test_a_visit_that_could_not_be_read_says_what_to_send():
    assert advice(unread(), SETTINGS)[0].startswith("Export or acquire the tube again")
    assert advice(unread(flags="no-diagnosis"), SETTINGS)[0].startswith("Add a diagnosis tube")
    assert advice(unread(flags=""), SETTINGS) == ["Send another specimen."]


def test_notes_alone_ask_for_no_look_and_every_note_is_a_declared_flag():
    assert set(words.FLAGS) >= NOTES
    assert review_reasons(call(flags=";".join(sorted(NOTES)))) == []


def test_gaps_of_a_specimen_ask_for_a_look_only_where_it_was_not_positive():
    flags = "blood;few-blasts;few-leukocytes"
    assert review_reasons(call(flags=flags)) == []
    assert review_reasons(call("indeterminate", flags=flags)) == ["cannot tell", "blood", "few-blasts", "few-leukocytes"]


def test_near_the_threshold_comes_first_then_no_answer_then_flags_then_the_rest():
    near = call(flags="near-threshold;shifted")
    untold, flagged, calm = call("indeterminate"), call(flags="shifted"), call()
    assert review_reasons(near)[0] == "near-threshold"
    ranked = sorted([calm, flagged, untold, near], key=review_rank)
    assert ranked == [near, untold, flagged, calm]
