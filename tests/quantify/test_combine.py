from dataclasses import replace

import numpy as np
import pytest

from mrd.core.settings import Settings
from mrd.quantify.blanks import Blanks
from mrd.quantify.burden import Recall
from mrd.quantify.combine import COMBINATIONS, combine, combined_flags, heard, reaching
from mrd.quantify.visit import Counted, judge, pool

S = Settings(min_leukocytes=100_000)
BLANKS = Blanks(np.array([8, 9, 10, 11, 12, 10] * 4), np.full(24, 150_000), ("normal", "regenerating") * 12)
LAIP = Counted(("P1_FU1_T1",), "p9", "laip", 220_000, 200_000, 160_000, 900, 20, Recall(0.9, 0.03), BLANKS)
DFN = replace(LAIP, arm="dfn", least_lod=6e-4, own=True)


def judged(*counted, settings=S):
    return [judge(c, settings, marrow=True) for c in counted]


def told(*counted, settings=S):
    deciding, decision = combine(judged(*counted, settings=settings), settings)
    return deciding.counted.arm, decision.call, decision.below


def test_the_laip_decides_where_both_see_the_same():
    assert told(replace(LAIP, found=900), replace(DFN, found=850)) == ("laip", "positive", "N")
    assert told(replace(LAIP, found=90), replace(DFN, found=0)) == ("laip", "low-quantifiable", "Y")


OVERRIDE = S.model_copy(update={"dfn_overrides": "always"})


def test_disease_that_the_laip_does_not_see_is_never_called_below():
    assert told(replace(LAIP, found=10), replace(DFN, found=600)) == ("laip", "indeterminate", "")
    assert told(replace(LAIP, found=10), replace(DFN, found=600), settings=OVERRIDE) == ("dfn", "positive", "N")


def test_what_is_clearly_different_and_new_overrides_a_laip_that_does_not_see_it():
    clear = replace(DFN, found=600, flags=("clearly-different", "new-population"))
    never = S.model_copy(update={"dfn_overrides": "never"})
    assert told(replace(LAIP, found=10), clear) == ("dfn", "positive", "N")
    assert told(replace(LAIP, found=10), clear, settings=never) == ("laip", "indeterminate", "")


def test_what_one_tube_does_not_detect_hides_nothing_that_another_does():
    clear = replace(DFN, found=170, flags=("clearly-different", "new-population"))
    small = replace(DFN, tubes=("P1_FU1_T2",), n_leukocytes=15_000, found=19)
    assert told(replace(LAIP, found=10), clear) == ("dfn", "positive", "N")
    assert told(replace(LAIP, found=10), clear, small) == ("dfn", "positive", "N")
    assert told(replace(LAIP, found=10), small) == ("laip", "not-detected", "Y")
    assert told(clear, small) == ("dfn", "positive", "N")
    assert told(replace(LAIP, found=10, flags=("laip-of-follow-up",)), clear, small) == ("dfn", "positive", "N")


def test_where_a_stain_that_shows_the_laip_may_have_failed_nobody_is_told_below():
    assert told(replace(LAIP, found=10, blind=True)) == ("laip", "indeterminate", "")
    [both] = pool([replace(LAIP, found=10), replace(LAIP, tubes=("P1_FU1_T2",), found=10, blind=True)])
    assert told(both) == ("laip", "indeterminate", "")
    assert told(replace(LAIP, found=900, blind=True)) == ("laip", "positive", "N")


def test_a_laip_that_another_reference_taught_tells_no_below():
    assert told(replace(LAIP, found=10, flags=("other-reference",))) == ("laip", "indeterminate", "")


def test_what_is_there_at_other_visits_too_is_for_review():
    steady = replace(DFN, found=600, flags=("clearly-different",))
    assert told(replace(LAIP, found=10), steady) == ("laip", "indeterminate", "")
    assert told(replace(LAIP, found=10), steady, settings=OVERRIDE) == ("dfn", "positive", "N")


def test_where_the_laip_shows_disease_what_is_clearly_different_is_for_review():
    clear = replace(DFN, found=600, flags=("clearly-different", "new-population"))
    assert told(replace(LAIP, found=90), clear) == ("laip", "indeterminate", "")
    assert told(replace(LAIP, found=90), clear, settings=OVERRIDE) == ("dfn", "positive", "N")


def test_in_a_tube_far_from_the_reference_only_what_surely_changed_overrides():
    shifted = replace(DFN, found=600, flags=("clearly-different", "new-population", "shifted"))
    assert told(replace(LAIP, found=10), shifted) == ("laip", "indeterminate", "")
    changed = replace(shifted, flags=("clearly-different", "new-population", "shifted", "surely-changed"))
    assert told(replace(LAIP, found=10), changed) == ("dfn", "positive", "N")
    unsure = replace(shifted, found=130, recall=Recall(0.9, 0.15))
    assert told(replace(LAIP, found=10), unsure) == ("laip", "indeterminate", "")


def test_what_has_surely_changed_and_is_far_more_overrides_what_is_left_of_the_laip():
    changed = replace(DFN, found=6_000, flags=("clearly-different", "new-population", "surely-changed"))
    never = S.model_copy(update={"dfn_overrides": "never"})
    assert told(replace(LAIP, found=90), changed) == ("dfn", "positive", "N")
    unsure = replace(changed, flags=("clearly-different", "new-population"))
    assert told(replace(LAIP, found=90), unsure) == ("laip", "indeterminate", "")
    assert told(replace(LAIP, found=90), replace(changed, found=400)) == ("laip", "indeterminate", "")
    assert told(replace(LAIP, found=90), changed, settings=never) == ("laip", "indeterminate", "")


def test_what_is_clearly_different_and_may_lie_above_the_threshold_is_never_called_below():
    unsure = replace(DFN, found=130, recall=Recall(0.9, 0.15))
    assert told(replace(LAIP, found=10), unsure) == ("laip", "not-detected", "Y")
    assert told(replace(LAIP, found=10), replace(unsure, flags=("clearly-different",))) == ("laip", "indeterminate", "")
    assert told(replace(LAIP, found=120), replace(unsure, flags=("clearly-different",)))[2] == "Y"


def test_dfn_just_over_the_threshold_but_within_the_laips_interval_leaves_the_laip_to_decide():
    arm, _, below = told(replace(LAIP, found=150), replace(DFN, found=160))
    assert (arm, below) == ("laip", "Y")


def test_a_laip_that_cannot_tell_gives_way_to_disease_found_otherwise():
    poor = replace(LAIP, found=0, n_leukocytes=50_000)
    assert told(poor, replace(DFN, found=600, n_leukocytes=50_000), settings=OVERRIDE) == ("dfn", "positive", "N")
    assert told(poor, replace(DFN, found=600, n_leukocytes=50_000))[1] == "indeterminate"
    assert told(poor, replace(DFN, found=0, n_leukocytes=50_000))[1] == "indeterminate"


def test_without_a_laip_nothing_found_tells_nothing_unless_the_settings_say_so():
    assert told(replace(DFN, found=0)) == ("dfn", "indeterminate", "")
    assert told(replace(DFN, found=600)) == ("dfn", "positive", "N")
    allowed = S.model_copy(update={"dfn_below": True})
    assert told(replace(DFN, found=0), settings=allowed) == ("dfn", "not-detected", "Y")
    assert told(replace(DFN, found=0, least_lod=2e-3), settings=allowed) == ("dfn", "indeterminate", "")


def test_an_arms_least_lod_holds_whatever_the_counts_say():
    [with_floor] = judged(replace(DFN, least_lod=8e-4))
    assert (with_floor.limits.lod, with_floor.limits.lloq >= 8e-4) == (8e-4, True)


DRAWN = replace(LAIP, arm="drawn")


def test_a_drawn_laip_stands_in_where_none_was_learned():
    assert told(replace(DRAWN, found=900)) == ("drawn", "positive", "N")
    assert told(replace(DRAWN, found=0), replace(DFN, found=0)) == ("drawn", "not-detected", "Y")
    assert told(replace(DRAWN, found=10), replace(DFN, found=600)) == ("drawn", "indeterminate", "")
    other = replace(LAIP, panel="p8", tubes=("P1_FU1_T2",), found=0)
    assert told(replace(DRAWN, found=900), other) == ("drawn", "positive", "N")


def test_what_a_drawn_laip_finds_beside_a_learned_one_is_never_called_below_nor_positive_by_itself():
    assert told(replace(LAIP, found=10), replace(DRAWN, found=600)) == ("laip", "indeterminate", "")
    assert told(replace(LAIP, found=10), replace(DRAWN, found=600), settings=OVERRIDE) == ("laip", "indeterminate", "")
    assert told(replace(LAIP, found=900), replace(DRAWN, found=0)) == ("laip", "positive", "N")
    assert told(replace(LAIP, found=10), replace(DRAWN, found=20)) == ("laip", "not-detected", "Y")


def test_a_drawn_laip_of_assumed_recall_tells_disease_and_never_its_absence_unless_the_settings_say_so():
    assumed = replace(DRAWN, flags=("recall-assumed",), found=0)
    [judged_] = judged(assumed)
    assert judged_.gaps == ["recall-assumed"]
    assert judged_.decision.reason.endswith("but no diagnosis tells which share of the leukaemia the drawn LAIP holds")
    assert told(assumed) == ("drawn", "indeterminate", "")
    assert told(replace(assumed, found=900)) == ("drawn", "positive", "N")
    assert told(assumed, settings=S.model_copy(update={"drawn_below": True})) == ("drawn", "not-detected", "Y")


def test_an_arm_that_finds_nothing_cannot_rule_out_less_than_its_least_lod():
    [nothing, some] = judged(replace(DFN, found=0, least_lod=2e-3), replace(DFN, found=300, least_lod=2e-3))
    assert (nothing.interval[1], nothing.decision.below) == (2e-3, "")
    assert some.interval[1] == judged(replace(DFN, found=300, least_lod=0.0))[0].interval[1]


@pytest.mark.parametrize("arm", ["laip", "dfn", "learned", "drawn"])
def test_one_arm_alone_by_config(arm):
    settings = S.model_copy(update={"combine": arm})
    mine = [replace(LAIP, arm=a, found=f) for a, f in (("laip", 400), ("learned", 500), ("dfn", 600), ("drawn", 700))]
    assert told(*mine, settings=settings)[0] == arm
    assert combine(judged(*[m for m in mine if m.arm != arm]), settings) is None


def test_the_highest_arm_by_config():
    settings = S.model_copy(update={"combine": "highest"})
    assert told(replace(LAIP, found=90), replace(LAIP, arm="learned", found=500), settings=settings) == (
        "learned",
        "positive",
        "N",
    )


def test_every_rule_of_the_settings_exists():
    assert set(COMBINATIONS) == set(Settings.model_json_schema()["properties"]["combine"]["enum"])


def flags(*counted):
    all_ = judged(*counted)
    return combined_flags(all_, *combine(all_, S), S)


def test_what_is_clearly_different_beyond_the_laips_interval_is_a_disagreement():
    clear = replace(DFN, found=130, recall=Recall(0.9, 0.15), flags=("clearly-different",))
    assert "arms-disagree" in flags(replace(LAIP, found=10), clear)
    assert "arms-disagree" not in flags(replace(LAIP, found=120), clear)


def test_arms_on_different_sides_are_flagged():
    assert flags(replace(LAIP, found=10), replace(DFN, found=600)) == ["arms-disagree"]
    assert flags(replace(LAIP, found=900), replace(DFN, found=850)) == []


def test_an_arm_that_is_blind_to_much_of_what_is_found_is_flagged_and_to_little_is_not():
    assert flags(replace(LAIP, found=900), replace(DFN, found=0)) == ["arms-disagree"]
    assert flags(replace(LAIP, found=60), replace(DFN, found=0)) == []


def test_a_search_without_a_laip_says_so():
    assert flags(replace(DFN, found=600)) == ["dfn-only"]


def test_tubes_judged_by_themselves_are_not_pooled():
    second = ("P1_FU1_T2",)
    assert len(pool([DFN, replace(DFN, tubes=second)])) == 2
    assert len(pool([LAIP, replace(LAIP, tubes=second)])) == 1


LEARNED = replace(LAIP, arm="learned")


def shown(*counted, settings=S):
    all_ = judged(*counted, settings=settings)
    deciding, decision = combine(all_, settings)
    return deciding, decision, *reaching(all_, deciding, decision, settings)


def test_the_interval_reaches_up_to_what_another_arm_that_detects_disease_estimates():
    own, decision, told, told_decision = shown(replace(LAIP, found=90), replace(LEARNED, found=260))
    assert told.interval == (own.interval[0], judged(replace(LEARNED, found=260))[0].fraction)
    assert (told_decision.below, decision.confident, told_decision.confident) == ("Y", "Y", "N")


def test_a_lower_estimate_or_one_that_is_not_detected_leaves_the_interval():
    for other in (replace(LEARNED, found=40), replace(LEARNED, found=0), replace(DFN, found=0)):
        own, decision, told, told_decision = shown(replace(LAIP, found=90), other)
        assert (told, told_decision) == (own, decision)


def test_a_rule_that_listens_to_one_arm_keeps_its_interval():
    alone = S.model_copy(update={"combine": "laip"})
    own, _, told, _ = shown(replace(LAIP, found=90), replace(LEARNED, found=260), settings=alone)
    assert told == own


def test_counted_shares_reach_on_their_own_scale():
    plain = S.model_copy(update={"decide_on": "laip_fraction"})
    _, _, told, _ = shown(replace(LAIP, found=90), replace(LEARNED, found=260), settings=plain)
    assert told.finding.interval[1] == 260 / 160_000


FOLLOWED = replace(LAIP, flags=("laip-of-follow-up",))


def test_a_followed_laip_tells_positive_and_never_below_unless_the_settings_say_so():
    allowed = S.model_copy(update={"followed_below": True})
    assert told(replace(FOLLOWED, found=600), replace(DFN, found=0)) == ("laip", "positive", "N")
    assert told(replace(FOLLOWED, found=90), replace(DFN, found=0)) == ("laip", "indeterminate", "")
    assert told(replace(FOLLOWED, found=90), replace(DFN, found=0), settings=allowed) == ("laip", "low-quantifiable", "Y")


def test_a_followed_laip_takes_no_positive_back():
    assert told(replace(FOLLOWED, found=10), replace(DFN, found=600)) == ("dfn", "positive", "N")
    assert told(replace(FOLLOWED, found=900), replace(DFN, found=600)) == ("laip", "positive", "N")


def test_a_drawn_laip_leads_before_a_followed_one():
    drawn = replace(LAIP, arm="drawn", found=90)
    assert told(drawn, replace(FOLLOWED, found=100), replace(DFN, found=0))[0] == "drawn"
    assert told(drawn, replace(LAIP, found=100), replace(DFN, found=0))[0] == "laip"


@pytest.mark.parametrize(
    ("first", "combine", "asked"),
    [
        (LAIP, "laip-first", False),
        (FOLLOWED, "laip-first", False),
        (replace(LAIP, arm="drawn"), "laip-first", False),
        (replace(LAIP, panel="p8", tubes=("P1_FU1_T2",)), "laip-first", True),
        (replace(LAIP, arm="learned"), "laip-first", True),
        (LAIP, "highest", True),
        (FOLLOWED, "highest", False),
        (LAIP, "dfn", True),
        (FOLLOWED, "dfn", True),
    ],
)
def test_what_most_subjects_share_is_asked_only_where_no_laip_leads(first, combine, asked):
    lead, search = judged(first, DFN)
    settings = S.model_copy(update={"combine": combine})
    assert heard([lead, search], [search], settings) == ([lead, search] if asked else [lead])
    assert heard([lead, search], [], settings) == [lead, search]
