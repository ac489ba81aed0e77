import pytest

from mrd.core import words
from mrd.report.adequacy import Line
from mrd.report.lab import DETECTION, arm_words, lab_report, remarks_of
from mrd.report.looks import LOOKS
from mrd.report.specimens import deciding_tube, lab_reports
from tests.report.cases import PANEL, SETTINGS, arm, call, failed, laip, look, subject, tube, unread

OLD = Line("Age at receipt", "5 days", "at most 3 days, else viability told", "not met")


def fields(row, evidence=None, adequacy=()):
    """All fields of a report by their label."""
    told = lab_report(row, adequacy, evidence or subject(), panel="aml-lyric-9 1", differs=["CD56 brighter (99 % of pairs)"])
    return {label: value for _, section in told.sections for label, value in section}


def test_percent_side_and_detection_class_are_three_fields():
    told = fields(call("low-quantifiable", mrd_fraction=5e-4, ci_low=4e-4, ci_high=6e-4, below_threshold="Y"))
    assert told["MRD, % of CD45+ leukocytes"] == "0.0500 %"
    assert told["Against 0.1 % (10⁻³)"] == "below"
    assert told["Detection class"] == "QUANTIFIABLE MRD POSITIVITY"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("positive", "QUANTIFIABLE MRD POSITIVITY"),
        ("positive-not-quantifiable", "NON-QUANTIFIABLE MRD POSITIVITY"),
        ("low-quantifiable", "QUANTIFIABLE MRD POSITIVITY"),
        ("low-not-quantifiable", "NON-QUANTIFIABLE MRD POSITIVITY"),
        ("not-detected", "MRD NEGATIVITY"),
        ("indeterminate", "NE"),
        ("not-evaluable", "NE"),
    ],
)
def test_every_call_has_its_detection_class(name, told):
    assert DETECTION[name] == told
    assert set(DETECTION) == set(words.CALLS) == set(LOOKS)


def test_a_number_beside_the_threshold_is_not_rounded_onto_it():
    told = fields(call("low-quantifiable", mrd_fraction=0.00099996, below_threshold="Y", lod=0.0009999))
    assert told["MRD, % of CD45+ leukocytes"] == "0.099996 %"
    assert told["Limit of detection (LoD)"] == "0.09999 %"


def test_the_specimen_is_told_with_its_dates_and_tubes():
    told = fields(call(), adequacy=[OLD])
    assert told["Specimen"] == "P1-FU1"
    assert (told["Collected"], told["Received"], told["Age at receipt"]) == ("2024-02-01", "2024-02-02", "5 days")
    assert told["Tubes"] == "P1_FU1_T1"
    assert fields(call(), subject(received={}))["Received"] == "not told"


def test_counts_limits_and_phenotype_are_told():
    told = fields(call())
    assert told["Cells with the LAIP"] == "400"
    differ = fields(call(arm="dfn"))
    assert (differ["Cells that differ from normal"], "Cells with the LAIP" in differ) == ("400", False)
    assert told["CD45+ leukocytes, without erythroid"] == "200,000"
    assert told["Controls"] == "2 normal, 2 regenerating"
    assert told["LAIP"] == laip()["phenotype"]
    assert told["Arms"] == "laip: 0.200 %, decides"


def test_what_could_not_be_counted_is_a_dash_and_never_a_zero():
    told = fields(unread(panel=None), subject(laips=[], limits=[], arms=[]))
    for label in ("MRD, % of CD45+ leukocytes", "95 % interval", "Events", "Limit of detection (LoD)", "Controls", "Sureness"):
        assert told[label] == "–", label
    assert told["Against 0.1 % (10⁻³)"] == "cannot be told"
    assert told["LAIP"] == "none: no diagnosis tube of this panel"
    assert told["Arms"] == "none applied"
    assert told["Recorded reason"] == "The file is cut short."


def test_an_arm_says_whether_it_decides_agrees_disagrees_or_did_not_apply():
    told = [arm_words(arm(**c)) for c in ({}, {"decided": "N"}, {"decided": "N", "agrees": "N"})]
    assert [t.split(", ")[1] for t in told] == ["decides", "agrees", "disagrees"]
    assert arm_words(arm(outcome="failed", reason="no LAIP")) == "laip: did not apply (no LAIP)"


def test_remarks_tell_an_old_specimen_blood_and_every_flag():
    assert "Older than 3 days at receipt: viability must be told (ELN 2021, A7)." in remarks_of(call(), [OLD], SETTINGS)
    assert "Hemodilution was not assessed." in remarks_of(call(), [], SETTINGS)
    pure = call(purity=0.53, purity_method="holdrinet", flags="old-specimen")
    assert "Marrow share of the leukocytes: 53 % (by holdrinet); the result is not rescaled." in remarks_of(pure, [], SETTINGS)
    assert sum("viability" in r for r in remarks_of(pure, [OLD], SETTINGS)) == 1
    told = remarks_of(call(specimen_type="peripheral blood", flags="near-threshold;shifted"), [], SETTINGS)
    assert told[0] == "Peripheral blood: reported, never called below."
    assert {"The interval holds the threshold: review first.", "The tube lies unusually far from the reference."} <= set(told)


def test_every_visit_has_its_report_oldest_first_with_the_plots_of_its_tube():
    rows = [call(visit="FU2", collected="2024-05-01"), call(), unread(visit="FU3", collected="2024-06-01")]
    tubes = [tube(), tube(visit="FU2", tube_id="P1_FU2_T1"), failed(visit="FU3", tube_id="P1_FU3_T1")]
    looks = {"P1_FU1_T1": look(), "P1_FU2_T1": look(tube_id="P1_FU2_T1")}
    reports, pictures = lab_reports(subject(calls=rows, tubes=tubes, looks=looks))
    assert [r.visit for r in reports] == ["FU1", "FU2", "FU3"]
    assert [len(pictures[v]) for v in ("FU1", "FU2", "FU3")] == [3, 3, 0]
    assert pictures["FU1"][0].x.name == "CD45"


def test_the_tube_that_decided_gives_the_plots():
    two = [tube(), tube(tube_id="P1_FU1_T2", tube="T2")]
    looks = {"P1_FU1_T1": look(), "P1_FU1_T2": look()}
    evidence = subject(tubes=two, looks=looks, arms=[arm(decided="N"), arm(tubes="P1_FU1_T2")])
    assert deciding_tube(call(), two, evidence)["tube_id"] == "P1_FU1_T2"
    assert deciding_tube(call(), two, subject(tubes=two, looks=looks, arms=[]))["tube_id"] == "P1_FU1_T1"
    assert deciding_tube(call(), two, subject(looks={}, arms=[])) is None
    assert two[0]["panel"] == PANEL
