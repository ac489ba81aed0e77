from dataclasses import replace

import numpy as np
import pytest

from mrd.core.settings import Settings
from mrd.quantify.blanks import Blanks
from mrd.quantify.burden import Recall
from mrd.quantify.decide import Decision
from mrd.quantify.visit import (
    Counted,
    arm_row,
    call_row,
    count_looks,
    decide_visit,
    doubt,
    judge,
    judge_visit,
    pool,
    visit_flags,
    withhold,
)

S = Settings(min_leukocytes=100_000)
BLANKS = Blanks(np.array([8, 9, 10, 11, 12, 10] * 4), np.full(24, 150_000), ("normal", "regenerating") * 12)
TUBE = Counted(("P1_FU1_T1",), "p9", "laip", 220_000, 200_000, 160_000, 900, 20, Recall(0.9, 0.03), BLANKS)


def judged(**change):
    return judge(replace(TUBE, **change), S, marrow=True)


def test_tubes_of_one_panel_are_one_look():
    pooled = pool([TUBE, replace(TUBE, tubes=("P1_FU1_T2",), found=30, n_leukocytes=100_000, flags=("unstable",))])
    assert len(pooled) == 1
    assert (pooled[0].tubes, pooled[0].found, pooled[0].n_leukocytes, pooled[0].flags) == (
        ("P1_FU1_T1", "P1_FU1_T2"),
        50,
        260_000,
        ("unstable",),
    )


def test_tubes_of_different_panels_stay_apart():
    assert [c.panel for c in pool([TUBE, replace(TUBE, panel="p8")])] == ["p9", "p8"]


def test_the_highest_estimate_decides_and_gives_its_counts():
    low, high = judged(found=15), judged(found=600, panel="p8", tubes=("P1_FU1_T2",))
    deciding, decision = decide_visit([low, high])
    assert deciding is high
    assert decision.call == "positive"
    row = call_row(deciding, decision, S)
    assert (row["n_laip"], row["panel"], row["laip_below"], row["below_threshold"]) == (600, "p8", "N", "N")


def test_below_needs_every_tube_to_be_adequate():
    good, poor = judged(found=40), judged(found=0, panel="p8", tubes=("P1_FU1_T2",), n_leukocytes=9_000)
    deciding, decision = decide_visit([good, poor])
    assert deciding is good
    assert (decision.call, decision.below) == ("indeterminate", "")
    assert "P1_FU1_T2 is not adequate (few-leukocytes, lod-above-threshold)" in decision.reason


def test_a_positive_tube_is_positive_whatever_the_other_lacks():
    assert decide_visit([judged(found=900), judged(found=0, panel="p8", n_leukocytes=9_000)])[1].call == "positive"


def test_blood_is_never_called_below():
    told = judge(TUBE, S, marrow=False)
    assert (told.gaps, told.decision.call) == (["blood"], "indeterminate")
    assert judge(replace(TUBE, found=900), S, marrow=False).decision.call == "positive"


@pytest.mark.parametrize(("decide_on", "below"), [("mrd_fraction", "N"), ("laip_fraction", "Y")])
def test_the_quantity_that_decides_is_a_setting_and_both_are_reported(decide_on, below):
    """140 of 160,000 counted, at a recall of 0.6: 8.75e-4 counted, 1.35e-3 corrected."""
    settings = S.model_copy(update={"decide_on": decide_on})
    told = judge(replace(TUBE, found=140, recall=Recall(0.6, 0.03)), settings, marrow=True)
    row = call_row(told, told.decision, settings)
    assert row["below_threshold"] == below
    assert row["laip_fraction"] == pytest.approx(8.75e-4)
    assert row["mrd_fraction"] == pytest.approx((8.75e-4 - 6.7e-5) / (0.6 - 6.7e-5), rel=0.01)
    assert "discordant-counted" in visit_flags(told, told.decision, settings)


def test_an_arm_agrees_where_it_lies_on_the_calls_side():
    high, low = judged(found=900), judged(found=15, panel="p8")
    deciding, decision = decide_visit([high, low])
    assert [arm_row(j, decided=j is deciding, decision=decision, settings=S)["agrees"] for j in (high, low)] == ["Y", "N"]
    assert [arm_row(j, decided=j is deciding, decision=decision, settings=S)["decided"] for j in (high, low)] == ["Y", "N"]


def test_a_call_near_the_threshold_is_flagged_for_review():
    told = judged(found=150)
    assert "near-threshold" in visit_flags(told, told.decision, S)
    told = judged(found=900)
    assert "near-threshold" not in visit_flags(told, told.decision, S)


LOUD = Blanks(np.array([18, 29, 40, 51, 32, 20] * 4), np.full(24, 150_000), ("normal", "regenerating") * 12)
OTHER = replace(TUBE, panel="p8", tubes=("P1_FU1_T2",), blanks=LOUD)


def test_a_visit_of_one_panel_is_judged_as_ever_and_one_of_two_panels_more_strictly():
    tube = replace(TUBE, blanks=LOUD, found=90)
    [alone] = judge_visit([tube], S, marrow=True)
    assert (alone.limits, alone.interval) == (judge(tube, S, marrow=True).limits, judge(tube, S, marrow=True).interval)
    first, second = judge_visit([tube, OTHER], S, marrow=True)
    assert first.limits == second.limits
    assert first.limits.bound > alone.limits.bound
    assert first.limits.lob > alone.limits.lob
    assert first.limits.lod > alone.limits.lod
    assert first.interval[0] < alone.interval[0] < alone.interval[1] < first.interval[1]
    assert first.fraction == alone.fraction


def test_a_count_between_the_bound_of_one_panel_and_that_of_two_is_found_by_itself_only():
    counted = replace(TUBE, blanks=LOUD, found=judged(blanks=LOUD).limits.bound + 1)
    blank = replace(OTHER, found=5)
    assert judge_visit([counted], S, marrow=True)[0].decision.call == "low-not-quantifiable"
    assert decide_visit(judge_visit([counted, blank], S, marrow=True))[1].call == "not-detected"


def test_looks_are_panels_a_drawn_laip_standing_in_for_a_learned_one():
    tubes = [TUBE, replace(OTHER, arm="drawn"), replace(TUBE, arm="drawn"), replace(TUBE, arm="learned")]
    assert count_looks(tubes) == {"laip": 2, "drawn": 2, "learned": 1}


def test_tubes_that_are_judged_by_themselves_are_looks_of_their_own():
    tubes = [replace(TUBE, arm="dfn", own=True, tubes=(name,)) for name in ("T1", "T2", "T2")]
    assert count_looks(tubes) == {"dfn": 2}


def test_what_a_panel_that_could_not_be_counted_hides_is_not_called_below():
    low, high = judged(found=15).decision, judged(found=600).decision
    assert withhold(low, []) is low
    assert withhold(high, ["p8"]) is high
    told = withhold(low, ["p8"])
    assert (told.call, told.below) == ("indeterminate", "")
    assert told.reason.endswith("but no tube of panel p8, which carries the subject's LAIP, could be counted")


def test_nobody_is_called_positive_for_what_most_subjects_share():
    found = Decision("positive", "N", "Y", "0.002 detected")
    told = doubt(found, shared=True)
    assert (told.call, told.below) == ("indeterminate", "")
    assert told.reason.startswith("0.002 detected; but most subjects show such a population")
    assert doubt(found, shared=False) == found
    below = Decision("not-detected", "Y", "Y", "nothing")
    assert doubt(below, shared=True) == below
