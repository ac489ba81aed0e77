"""Conversion of one subject: clinical row and calls in, line list out."""

import pytest

from .tables import BLOOD, MARROW, call, day, derive, rows, subject

BASELINE = (-3, "positive")
CASES = {
    # what: specimens, clinical dates, converted last / any / best / worst, reason
    "a marrow below before consolidation converts":
        ([BASELINE, (28, "below")], {"consolidation": 40}, "YYYY", "converted"),
    "a low but quantified marrow is below and converts":
        ([BASELINE, (28, "low")], {}, "YYYY", "converted"),
    "a marrow below only after consolidation is missing":
        ([BASELINE, (41, "below")], {"consolidation": 40}, "NNYN", "missing"),
    "a marrow of the day of consolidation counts":
        ([BASELINE, (40, "below")], {"consolidation": 40}, "YYYY", "converted"),
    "a marrow of the day before consolidation counts":
        ([BASELINE, (39, "below")], {"consolidation": 40}, "YYYY", "converted"),
    "a positive marrow of the day of consolidation counts too":
        ([BASELINE, (28, "below"), (40, "positive")], {"consolidation": 40}, "NYNN", "positive"),
    "a positive marrow after consolidation undoes nothing":
        ([BASELINE, (28, "below"), (41, "positive")], {"consolidation": 40}, "YYYY", "converted"),
    "relapse before the first marrow is a failure in the best case too":
        ([BASELINE, (40, "below")], {"relapse": 30}, "NNNN", "relapse"),
    "a marrow of the day of relapse does not count":
        ([BASELINE, (30, "below")], {"relapse": 30}, "NNNN", "relapse"),
    "a marrow of the day before relapse counts":
        ([BASELINE, (29, "below")], {"relapse": 30}, "YYYY", "converted"),
    "new therapy before the first marrow is a failure":
        ([BASELINE, (40, "below")], {"new_therapy": 30}, "NNNN", "new-therapy"),
    "a marrow of the day of new therapy does not count":
        ([BASELINE, (30, "below")], {"new_therapy": 30}, "NNNN", "new-therapy"),
    "a marrow of the day before new therapy counts":
        ([BASELINE, (29, "below")], {"new_therapy": 30}, "YYYY", "converted"),
    "a marrow of the day of transplant does not count":
        ([BASELINE, (90, "below")], {"transplant": 90}, "NNYN", "missing"),
    "a marrow of the day before transplant counts":
        ([BASELINE, (89, "below")], {"transplant": 90}, "YYYY", "converted"),
    "a marrow after transplant does not count":
        ([BASELINE, (91, "below")], {"transplant": 90}, "NNYN", "missing"),
    "death before any assessment is a failure":
        ([BASELINE], {"death": 20}, "NNNN", "death"),
    "death after a conversion leaves it standing":
        ([BASELINE, (28, "below")], {"death": 60}, "YYYY", "converted"),
    "death after relapse is a relapse first":
        ([BASELINE], {"relapse": 30, "death": 60}, "NNNN", "relapse"),
    "relapse after an unassessed consolidation is a missing assessment":
        ([BASELINE], {"consolidation": 40, "relapse": 200}, "NNYN", "missing"),
    "death and consolidation of one day are a death":
        ([BASELINE], {"consolidation": 40, "death": 40}, "NNNN", "death"),
    "no marrow at all is missing":
        ([BASELINE], {}, "NNYN", "missing"),
    "peripheral blood alone is no marrow":
        ([BASELINE, (28, "inadequate", BLOOD)], {}, "NNYN", "blood-only"),
    "positive blood after a marrow below undoes nothing":
        ([BASELINE, (28, "below"), (35, "positive", BLOOD)], {}, "YYYY", "converted"),
    "blood before death is a death":
        ([BASELINE, (28, "inadequate", BLOOD)], {"death": 30}, "NNNN", "death"),
    "a positive marrow is not converted":
        ([BASELINE, (28, "positive")], {}, "NNNN", "positive"),
    "a positive marrow of few cells is valid and not converted":
        ([BASELINE, (28, "few")], {}, "NNNN", "positive"),
    "positive after below: the last decides, any disagrees":
        ([BASELINE, (28, "below"), (56, "positive")], {}, "NYNN", "positive"),
    "below after positive converts by every rule":
        ([BASELINE, (28, "positive"), (56, "below")], {}, "YYYY", "converted"),
    "an indeterminate last marrow is passed over, save in the worst case":
        ([BASELINE, (28, "below"), (56, "background")], {}, "YYYN", "converted"),
    "an indeterminate marrow after a positive one helps in the best case only":
        ([BASELINE, (28, "positive"), (56, "inadequate")], {}, "NNYN", "positive"),
    "an inadequate marrow alone is inadequate":
        ([BASELINE, (28, "inadequate")], {}, "NNYN", "inadequate"),
    "background over the threshold alone is indeterminate":
        ([BASELINE, (28, "background")], {}, "NNYN", "indeterminate"),
    "an unreadable marrow alone is not evaluable":
        ([BASELINE, (28, "unreadable")], {}, "NNYN", "not-evaluable"),
    "an untold marrow before death stays untold":
        ([BASELINE, (28, "inadequate")], {"death": 30}, "NNYN", "inadequate"),
    "two marrows of one day: disease speaks for the day":
        ([BASELINE, (28, "below"), (28, "positive", MARROW, "repeat")], {}, "NYNN", "positive"),
    "two marrows of one day: their names change nothing":
        ([BASELINE, (28, "below"), (28, "positive", MARROW, "A")], {}, "NYNN", "positive"),
    "relapse and death of one day are a death":
        ([BASELINE], {"relapse": 40, "death": 40}, "NNNN", "death"),
    "relapse and new therapy of one day are a relapse":
        ([BASELINE], {"relapse": 40, "new_therapy": 40}, "NNNN", "relapse"),
    "a marrow repeated the same day because it was inadequate counts":
        ([BASELINE, (28, "inadequate"), (28, "below", MARROW, "repeat")], {}, "YYYY", "converted"),
    "refractory disease is not converted whatever the flow says":
        ([BASELINE, (28, "below")], {"refractory": 30}, "NNNN", "refractory"),
    "refractory disease judged after consolidation bars it too":
        ([BASELINE, (28, "below")], {"consolidation": 40, "refractory": 50}, "NNNN", "refractory"),
    "a marrow on the day of the first dose is no follow-up":
        ([(0, "below", MARROW, "D1", "follow-up")], {}, "NNYN", "missing"),
    "a marrow on the day after the first dose is one":
        ([(1, "below")], {}, "YYYY", "converted"),
    "the last day of the two years counts":
        ([BASELINE, (730, "below")], {}, "YYYY", "converted"),
    "the day after the two years does not":
        ([BASELINE, (731, "below")], {}, "NNYN", "missing"),
    "a diagnosis specimen after the first dose is no follow-up":
        ([(2, "below", MARROW, "DX", "diagnosis")], {}, "NNYN", "missing"),
}  # fmt: skip


def _calls(specimens):
    named = [dict(zip(("offset", "outcome", "kind", "visit", "role"), s, strict=False)) for s in specimens]
    return [call(**{k: v for k, v in s.items() if v is not None}) for s in named]


def _line(specimens, dates, responses=None, **settings):
    clinical = {k: v for k, v in dates.items() if k == "entry"}
    tables = derive(
        _calls(specimens), [subject(**clinical, **{k: v for k, v in dates.items() if k != "entry"})], responses, **settings
    )
    (line,) = rows(tables.conversion)
    return line


@pytest.mark.parametrize(("specimens", "dates", "expected", "reason"), list(CASES.values()), ids=list(CASES))
def test_a_subject_converts_or_not_and_says_why(specimens, dates, expected, reason):
    line = _line(specimens, dates)
    assert "".join(line[f"converted_{rule}"] for rule in ("last", "any", "best", "worst")) == expected
    assert (line["converted"], line["reason"]) == (expected[0], reason)


def test_a_line_of_the_list_in_full():
    line = _line(
        [BASELINE, (28, "below"), (56, "low"), (70, "inadequate"), (90, "positive")], {"consolidation": 75, "cr_date": 30}
    )
    assert line == {
        "subject": "P01",
        "treated": "Y",
        "evaluable": "Y",
        "cr_cri": "Y",
        "disease": "flow",
        "first_dose": day(0),
        "window_end": day(75),
        "closed_by": "consolidation",
        "n_marrows": 3,
        "n_told": 2,
        "converted": "Y",
        "reason": "converted",
        "converted_last": "Y",
        "converted_any": "Y",
        "converted_best": "Y",
        "converted_worst": "N",
        "visit": "D56",
        "specimen": "P01-D56b",
        "collected": day(56),
        "call": "low-quantifiable",
        "calls_row": 3,  # D-3, D28, D56, D70, D90: by name
    }


@pytest.mark.parametrize(
    ("specimens", "entry", "disease", "converted"),
    [
        pytest.param([(-3, "positive")], "newly diagnosed", "flow", "Y", id="flow at or above the threshold shows it"),
        pytest.param([(0, "positive")], "newly diagnosed", "flow", "Y", id="a marrow of the day of the first dose is baseline"),
        pytest.param([(-3, "below")], "newly diagnosed", "none", "N", id="flow below shows none"),
        pytest.param([(-3, "below")], "relapsed", "entry-flow-below", "Y", id="relapse on entry stands, flow below is told"),
        pytest.param([], "refractory", "entry-no-flow", "Y", id="refractory on entry stands, no flow baseline is told"),
        pytest.param([], "newly diagnosed", "none", "N", id="no baseline at all"),
        pytest.param([], None, "none", "N", id="no baseline and no state on entry"),
        pytest.param([(-3, "inadequate")], "relapsed", "entry-no-flow", "Y", id="an inadequate baseline is no flow baseline"),
        pytest.param(
            [(-3, "positive", BLOOD)], "newly diagnosed", "flow-blood", "Y", id="blood shows it where there is no marrow"
        ),
        pytest.param([(-3, "inadequate", BLOOD)], "newly diagnosed", "none", "N", id="blood that is not positive shows nothing"),
        pytest.param(
            [(-900, "positive"), (-2, "below")],
            "newly diagnosed",
            "none",
            "N",
            id="the last marrow before the dose is the baseline",
        ),
        pytest.param(
            [(-2, "positive"), (-2, "below", MARROW, "repeat")], "newly diagnosed", "flow", "Y", id="of one day disease speaks"
        ),
    ],
)
def test_only_known_disease_converts(specimens, entry, disease, converted):
    line = _line([*specimens, (28, "below")], {"entry": entry})
    assert (line["disease"], line["converted"]) == (disease, converted)
    assert line["reason"] == ("converted" if converted == "Y" else "no-disease")
    assert {line[f"converted_{rule}"] for rule in ("last", "any", "best", "worst")} == {converted}


def test_a_subject_without_a_first_dose_is_not_treated_and_in_no_set():
    line = _line([BASELINE, (28, "below")], {"first_dose": None})
    assert (line["treated"], line["evaluable"], line["cr_cri"]) == ("N", "N", "N")
    assert (line["reason"], line["converted_best"], line["window_end"], line["n_marrows"]) == ("not-treated", "N", None, 0)


@pytest.mark.parametrize(
    ("responses", "converted", "reason"),
    [
        pytest.param([(28, 4.9)], "Y", "converted", id="under 5 percent changes nothing"),
        pytest.param([(28, 5.0)], "N", "blasts", id="5 percent is disease"),
        pytest.param([(28, 20.0)], "N", "blasts", id="20 percent with a lost LAIP is disease"),
        pytest.param([(35, 20.0)], "N", "blasts", id="a count of 7 days later belongs to the marrow"),
        pytest.param([(21, 20.0)], "N", "blasts", id="a count of 7 days earlier belongs to the marrow"),
        pytest.param([(36, 20.0)], "Y", "converted", id="a count of 8 days later does not"),
        pytest.param([(28, 2.0), (30, 20.0)], "Y", "converted", id="the nearest count is the marrow's own"),
        pytest.param([(27, 2.0), (29, 20.0)], "N", "blasts", id="of two equally near the higher one"),
        pytest.param([(28, None)], "Y", "converted", id="an empty count says nothing"),
    ],
)
def test_marrow_blasts_overrule_the_flow(responses, converted, reason):
    read = [{"subject": "P01", "assessed": day(d), "marrow_blasts": b} for d, b in responses]
    line = _line([BASELINE, (28, "below")], {}, read)
    assert (line["converted"], line["converted_any"], line["reason"]) == (converted, converted, reason)
    assert line["evaluable"] == "Y"


def test_blasts_speak_where_the_flow_could_not():
    read = [{"subject": "P01", "assessed": day(56), "marrow_blasts": 20.0}]
    line = _line([BASELINE, (28, "below"), (56, "unreadable")], {}, read)
    assert (line["converted_last"], line["converted_any"], line["converted_best"], line["reason"]) == ("N", "Y", "N", "blasts")


def test_an_untold_marrow_makes_no_subject_evaluable():
    assert _line([BASELINE, (28, "inadequate")], {})["evaluable"] == "N"
    assert _line([BASELINE, (28, "positive")], {})["evaluable"] == "Y"


@pytest.mark.parametrize(("cr_date", "inside"), [(30, "Y"), (40, "Y"), (41, "N"), (None, "N")])
def test_a_remission_counts_up_to_the_day_of_consolidation(cr_date, inside):
    assert _line([BASELINE, (28, "below")], {"consolidation": 40, "cr_date": cr_date})["cr_cri"] == inside


def test_the_primary_rule_is_a_setting():
    specimens = [BASELINE, (28, "below"), (42, "below"), (56, "positive")]
    last, anyone = (_line(specimens, {}, conversion_rule=rule) for rule in ("last", "any"))
    assert (last["converted"], last["reason"], last["visit"]) == ("N", "positive", "D56")
    assert (anyone["converted"], anyone["reason"], anyone["visit"]) == ("Y", "converted", "D28")
    assert (anyone["converted_best"], anyone["converted_worst"]) == ("Y", "Y")


def test_by_the_rule_any_the_last_told_marrow_stands_for_a_failure():
    line = _line([BASELINE, (28, "positive"), (56, "positive"), (70, "inadequate")], {}, conversion_rule="any")
    assert (line["converted"], line["converted_best"], line["visit"]) == ("N", "Y", "D56")


def test_the_window_is_a_setting():
    assert _line([BASELINE, (100, "below")], {}, window_days=100)["converted"] == "Y"
    assert _line([BASELINE, (101, "below")], {}, window_days=100)["converted"] == "N"


def test_background_exactly_at_the_threshold_is_indeterminate_and_not_inadequate():
    told = [derive([call(28, "background", mrd_fraction=x)], [subject()]) for x in (0.001, 0.00099)]
    assert [t.conversion["reason"][0] for t in told] == ["indeterminate", "inadequate"]


def test_a_barred_subject_names_no_deciding_marrow():
    line = _line([BASELINE, (28, "below")], {"refractory": 30})
    assert (line["visit"], line["calls_row"]) == (None, None)


@pytest.mark.parametrize(("dates", "closed_by"), [
    ({"relapse": 100, "consolidation": 50}, "consolidation"),
    ({"relapse": 100, "consolidation": 150}, "relapse"),
    ({"new_therapy": 60, "transplant": 60}, "new_therapy"),
    ({"relapse": 731}, "window_days"),
    ({"relapse": 730}, "relapse"),
    ({}, "window_days"),
])  # fmt: skip
def test_the_first_limit_closes_the_window(dates, closed_by):
    line = _line([BASELINE], dates)
    assert line["closed_by"] == closed_by
    assert line["window_end"] == day(dates.get(closed_by, 730))
