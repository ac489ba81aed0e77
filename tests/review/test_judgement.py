"""What a reader may decide: rules on plain values, at, just below and just above the threshold."""

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from mrd.core.settings import Settings
from mrd.core.words import ABOVE, BELOW, CALLS
from mrd.review.agreement import cohen_kappa
from mrd.review.evidence import Evidence
from mrd.review.judgement import DISAGREED, READING, SETTLED, UNASSIGNED, Asked, agree, judge, read_percent, state_of
from mrd.review.recount import DecisionError, poisson_interval, recount
from mrd.review.schema import SEATS
from tests.review.cases import N, arm_of, cluster, told

SETTINGS = Settings()


def evidence(fraction=0.01, call="positive", clusters=(), **change):
    row = told("P02", "FU2", call, fraction, **change)
    return Evidence(row, [arm_of(row)], list(clusters))


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (Asked("", reason="long enough"), "no decision was chosen"),
        (Asked("override", "positive", "0.5", "no"), "the reason has 2 characters, it needs 5"),
        (Asked("override", "positive", "", "long enough"), "call positive needs a value"),
        (Asked("override", "positive", "0.0999", "long enough"), "which is below the threshold 0.1 %"),
        (Asked("override", "low-quantifiable", "0.1", "long enough"), "which is at or above the threshold 0.1 %"),
        (Asked("override", "positive", "1e3", "long enough"), "is no percentage"),
        (Asked("override", "positive", "nan", "long enough"), "is no percentage"),
        (Asked("override", "positive", "101", "long enough"), "is no percentage"),
        (Asked("override", "positive", "-1", "long enough"), "is no percentage"),
        (Asked("override", "clean", "1", "long enough"), "no call was chosen"),
        (Asked("override", "positive", "1", "long enough"), "this is the pipeline's own call and value"),
        (Asked("accept", rejected=("laip/P02_FU2_T1/1",)), "clusters were rejected"),
        (Asked("repeat"), "the reason has 0 characters"),
        (Asked("accept", reason="x" * 2001), "it takes 2000"),
    ],
)
def test_a_decision_that_does_not_hold_says_why(asked, why):
    with pytest.raises(DecisionError, match=why):
        judge(asked, evidence(clusters=[cluster(1, 5)]), SETTINGS)


@pytest.mark.parametrize(("call", "percent"), [("positive", "0.1"), ("positive", "0.1000001"), ("low-quantifiable", "0.0999999")])
def test_exactly_the_threshold_is_not_below(call, percent):
    judged = judge(Asked("override", call, percent, "gated by hand"), evidence(), SETTINGS)
    assert (judged.value < 1e-3) == (call in BELOW)


@pytest.mark.parametrize("change", [{"specimen_type": "peripheral blood"}, {"adequate": "N"}])
def test_below_needs_a_specimen_that_could_have_shown_disease(change):
    row = told("P02", "FU2", "indeterminate", 5e-4, **{k: v for k, v in change.items() if k != "adequate"})
    seen = Evidence(row, [arm_of(row, **{k: v for k, v in change.items() if k == "adequate"})])
    with pytest.raises(DecisionError, match="cannot be called below"):
        judge(Asked("override", "low-quantifiable", "0.05", "gated by hand"), seen, SETTINGS)


def test_an_accepted_call_states_the_estimate_only_where_the_estimate_decided():
    assert judge(Asked("accept"), evidence(), SETTINGS).value == 0.01
    assert judge(Asked("accept"), evidence(decide_on="laip_fraction"), SETTINGS).value is None
    assert judge(Asked("accept"), evidence(1.2e-3, "indeterminate"), SETTINGS).value is None


@given(st.sampled_from(CALLS), st.floats(0, 100))
def test_no_override_ever_contradicts_its_own_value(call, percent):
    try:
        judged = judge(Asked("override", call, f"{percent:.6f}", "gated by hand"), evidence(0.5), SETTINGS)
    except DecisionError:
        return
    assert not (judged.call in BELOW and judged.value >= 1e-3)
    assert not (judged.call in ABOVE and judged.value < 1e-3)


def test_percent_is_read_as_a_fraction_with_comma_or_point():
    assert [read_percent(t) for t in ("0.05", "0,05", " 5e-2 % ", "", "0", "100")] == [5e-4, 5e-4, 5e-4, None, 0.0, 1.0]


FOUND = round(N * (1.1e-3 * (0.9 - 1e-5) + 1e-5))


def test_a_recount_without_rejections_is_the_pipelines_number():
    counted = recount(evidence(1.1e-3), (), SETTINGS)
    assert counted.n_found == FOUND
    assert counted.value == pytest.approx(1.1e-3, rel=2e-3)


def test_rejected_cells_are_the_background_and_not_taken_out_twice():
    few = recount(evidence(1.1e-3, clusters=[cluster(1, 3)]), ["laip/P02_FU2_T1/1"], SETTINGS)
    assert few.value == pytest.approx(((FOUND - 3) / N - (1e-5 - 3 / N)) / (0.9 - 1e-5))
    many = recount(evidence(1.1e-3, clusters=[cluster(1, 100)]), ["laip/P02_FU2_T1/1"], SETTINGS)
    assert many.value == pytest.approx((FOUND - 100) / N / (0.9 - 1e-5))
    assert many.call == "low-quantifiable"


@given(st.lists(st.integers(1, 150), min_size=1, max_size=4), st.integers(0, 15))
def test_rejecting_more_never_raises_the_number(sizes, chosen):
    clusters = [cluster(i, n) for i, n in enumerate(sizes)]
    keys = [f"laip/P02_FU2_T1/{i}" for i in range(len(sizes)) if chosen >> i & 1]
    seen = evidence(2e-3, clusters=clusters)
    values = [recount(seen, keys[:k], SETTINGS).value for k in range(len(keys) + 1)]
    assert all(after <= before * (1 + 1e-12) for before, after in pairwise(values))


def test_a_cluster_that_is_none_of_the_visits_is_refused():
    with pytest.raises(DecisionError, match="cluster dfn/P02_FU2_T1/2 is not one of this visit"):
        recount(evidence(clusters=[cluster(1, 50, arm="dfn")]), ["dfn/P02_FU2_T1/2"], SETTINGS)


def test_a_cluster_of_an_arm_that_did_not_decide_changes_no_number_and_may_be_rejected_with_any_decision():
    seen = evidence(clusters=[cluster(1, 50, arm="dfn")])
    keys = ("dfn/P02_FU2_T1/1",)
    assert recount(seen, keys, SETTINGS) == recount(seen, (), SETTINGS)
    judged = judge(Asked("accept", rejected=keys), seen, SETTINGS)
    assert (judged.value, judged.rejected) == (0.01, list(keys))


def two_arms(laip_fraction, **laip):
    """The search decided over a LAIP that found less."""
    call = told("P02", "FU2", "positive", 3e-3, arm="dfn")
    other = arm_of(told("P02", "FU2", "low-quantifiable", laip_fraction), decided="N", **laip)
    return Evidence(call, [arm_of(call, arm="dfn"), other], [cluster(1, 1300, arm="dfn")])


def test_without_the_searchs_clusters_the_laips_own_number_stands():
    counted = recount(two_arms(4e-4), ["dfn/P02_FU2_T1/1"], SETTINGS)
    assert (counted.arm, counted.call) == ("laip", "low-quantifiable")
    assert counted.value == pytest.approx(4e-4, rel=5e-3)
    high = recount(two_arms(2e-3), ["dfn/P02_FU2_T1/1"], SETTINGS)
    assert (high.arm, high.call) == ("laip", "positive")


def test_below_needs_an_adequate_laip_tube_even_where_the_search_decided():
    assert recount(two_arms(4e-4, adequate="N"), ["dfn/P02_FU2_T1/1"], SETTINGS).call == "indeterminate"


@pytest.mark.parametrize(("allowed", "call"), [(False, "indeterminate"), (True, "not-detected")])
def test_the_search_alone_tells_below_only_where_the_settings_let_it(allowed, call):
    row = told("P02", "FU2", "positive", 3e-3, arm="dfn")
    seen = Evidence(row, [arm_of(row, arm="dfn")], [cluster(1, 1355, arm="dfn")])
    settings = Settings(dfn_below=allowed)
    assert recount(seen, ["dfn/P02_FU2_T1/1"], settings).call == call


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0, 3.69), (10, 4.8, 18.4), (20, 12.2, 30.9), (100, 81.4, 121.6)])
def test_the_poisson_interval_is_the_published_one(count, low, high):
    assert poisson_interval(count) == pytest.approx((low, high), abs=0.06)


def test_a_counted_run_is_recounted_on_its_own_scale():
    seen = evidence(1.05e-3, decide_on="laip_fraction", clusters=[cluster(1, 5)])
    assert recount(seen, (), SETTINGS).fraction == pytest.approx(9.54e-4)
    assert recount(seen, (), SETTINGS).call == "low-quantifiable"


def test_cohens_kappa_is_that_of_the_published_example():
    """Cohen's worked table as commonly reprinted: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no gives 0.40."""
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    told = cohen_kappa(pairs)
    assert (told.n, told.alike) == (50, 35)
    assert told.kappa == pytest.approx(0.40)


def test_kappa_is_not_defined_where_chance_alone_would_always_agree():
    assert cohen_kappa([("y", "y")] * 4).kappa is None
    assert cohen_kappa([]).kappa is None


def decision(id_, call="positive", value=0.01):
    return {"id": id_, "call": call, "value": value}


def test_where_a_round_stands():
    alike = {"reader-1": decision(1), "reader-2": decision(2)}
    apart = {"reader-1": decision(1), "reader-2": decision(2, value=0.011)}
    assert state_of(("reader-1",), {}) == UNASSIGNED
    assert state_of(SEATS, {"reader-1": decision(1)}) == READING
    assert state_of(SEATS, alike) == SETTLED
    assert state_of(SEATS, apart) == DISAGREED
    assert state_of(SEATS, apart | {"adjudicator": decision(3)}) == SETTLED


def test_readers_agree_only_on_the_same_call_and_value():
    assert agree(decision(1), decision(2))
    assert agree(decision(1, value=None), decision(2, value=None))
    assert not agree(decision(1), decision(2, value=None))
    assert not agree(decision(1), decision(2, call="positive-not-quantifiable"))
