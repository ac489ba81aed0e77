import pytest

from mrd.report.adequacy import MET, UNKNOWN, UNMET, adequacy_lines, distance_line
from tests.report.cases import SETTINGS, call, failed, tube, unread


def states(row=None, tubes=None, received=None):
    """State of every line by what it is about."""
    told = adequacy_lines(row or call(), [tube()] if tubes is None else tubes, received or {}, SETTINGS)
    return {line.what: line.state for line in told}


def test_an_adequate_visit_meets_all_that_was_assessed():
    told = states(received={"P1_FU1_T1": "2024-02-02"})
    assert told.pop("Hemodilution") == UNKNOWN
    assert set(told.values()) == {MET}


@pytest.mark.parametrize(
    ("changes", "what", "state"),
    [
        ({"n_leukocytes": 100_000}, "Leukocytes", MET),
        ({"n_leukocytes": 99_999}, "Leukocytes", UNMET),
        ({"n_blast": 100}, "Cells in the blast compartment", MET),
        ({"n_blast": 99}, "Cells in the blast compartment", UNMET),
        ({"lod": 0.000999999}, "LoD", MET),
        ({"lod": 0.001}, "LoD", UNMET),
        ({"specimen_type": "peripheral blood"}, "Specimen", UNMET),
    ],
)
def test_each_requirement_at_its_limit(changes, what, state):
    assert states(call(**changes))[what] == state


@pytest.mark.parametrize(("day", "state"), [("2024-02-01", MET), ("2024-02-04", MET), ("2024-02-05", UNMET), (None, UNKNOWN)])
def test_a_specimen_older_than_three_days_is_told(day, state):
    assert states(received={"P1_FU1_T1": day})["Age at receipt"] == state


def test_the_latest_tube_gives_the_age():
    tubes = [tube(), tube(tube_id="P1_FU1_T2", tube="T2")]
    received = {"P1_FU1_T1": "2024-02-02", "P1_FU1_T2": "2024-02-07"}
    line = next(x for x in adequacy_lines(call(), tubes, received, SETTINGS) if x.what == "Age at receipt")
    assert (line.seen, line.state) == ("6 days", UNMET)


def test_tubes_and_their_acquisition_are_told():
    assert states(tubes=[tube(), failed()])["Tubes used"] == UNMET
    assert states(tubes=[tube(flags="unstable")])["Acquisition"] == UNMET
    assert states(tubes=[tube(flags="few-controls")])["Acquisition"] == MET


def test_what_could_not_be_counted_is_not_assessed_and_never_met():
    told = states(unread(), [failed()])
    assert {told[w] for w in ("Leukocytes", "Cells in the blast compartment", "LoD", "Acquisition", "Age at receipt")} == {
        UNKNOWN
    }
    assert told["Tubes used"] == UNMET


def test_the_distance_is_judged_as_the_detect_stage_flagged_it():
    assert distance_line(0.7, ["shifted"]).state == UNMET
    assert distance_line(0.1, []).state == MET
    assert distance_line(None, []).state == UNKNOWN


@pytest.mark.parametrize(("purity", "state"), [(0.6, MET), (0.59, UNMET), (None, UNKNOWN)])
def test_a_diluted_specimen_is_told_with_its_purity_and_method(purity, state):
    rows = adequacy_lines(call(purity=purity, purity_method="composition"), [tube()], {}, SETTINGS, shares=["lymphocytes 30 %"])
    line = next(x for x in rows if x.what == "Hemodilution")
    assert line.state == state
    assert line.seen.endswith("lymphocytes 30 %")
    assert ("marrow (by composition)" in line.seen) == (purity is not None)
