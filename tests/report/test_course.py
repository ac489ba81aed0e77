import numpy as np
import pytest

from mrd.report.course import course_alt, course_events, course_points, plot_course, y_ends
from tests.report.cases import call, unread

NOT_DETECTED = {"mrd_fraction": 0.0, "ci_low": 0.0, "ci_high": 1e-4, "below_threshold": "Y"}


def artists(figure):
    """The artists of a figure by gid."""
    return {a.get_gid(): a for a in figure.findobj() if a.get_gid()}


def height(figure, gid):
    """Where a marker stands."""
    return float(np.asarray(artists(figure)[gid].get_ydata())[0])


def test_the_estimate_its_interval_its_limits_and_the_threshold_are_drawn_where_they_are():
    figure = plot_course([call()], threshold=1e-3)
    assert height(figure, "call-FU1") == pytest.approx(0.002)
    assert list(artists(figure)["interval-FU1"].get_ydata()) == pytest.approx([0.0017, 0.0023])
    assert (height(figure, "lod-FU1"), height(figure, "lob-FU1")) == (2e-4, 1e-4)
    assert height(figure, "threshold") == 1e-3


def test_where_nothing_was_detected_the_marker_stands_at_the_lod_without_an_interval():
    figure = plot_course([call("not-detected", **NOT_DETECTED)], threshold=1e-3)
    assert height(figure, "call-FU1") == pytest.approx(2e-4)
    assert "interval-FU1" not in artists(figure)


def test_an_indeterminate_visit_with_no_cell_stands_at_its_lod_too():
    figure = plot_course([call("indeterminate", **NOT_DETECTED, lod=5e-3)], threshold=1e-3)
    assert height(figure, "call-FU1") == pytest.approx(5e-3)


def test_a_visit_that_could_not_be_evaluated_stands_at_the_foot():
    figure = plot_course([unread()], threshold=1e-3)
    low, high = artists(figure)["call-FU1"].axes.get_ylim()
    assert low < height(figure, "call-FU1") < 3 * low
    assert high > 1e-3


def test_an_estimate_far_below_the_axis_is_drawn_at_its_foot_and_not_lost():
    figure = plot_course([call(mrd_fraction=1e-9, ci_low=0.0)], threshold=1e-3)
    assert height(figure, "call-FU1") > artists(figure)["call-FU1"].axes.get_ylim()[0]


def test_visits_of_one_day_stand_side_by_side():
    points = course_points([call(visit="A"), call(visit="B"), call(visit="C", collected="2024-04-01")])
    assert points[0].day == 0
    assert 0 < points[1].day < points[2].day == 60


def test_only_events_near_the_visits_are_drawn_in_order():
    calls = [call(), call(visit="FU2", collected="2024-03-01")]
    events = {
        "death": "2026-01-01",
        "relapse": "2024-03-05",
        "first_dose": "2024-01-20",
        "cr_date": None,
        "last_alive": "2024-02-02",
    }
    assert course_events(calls, events) == [(-12.0, "first dose"), (33.0, "relapse")]


def test_the_axis_holds_a_decade_on_each_side_of_the_threshold():
    low, high = y_ends([], 1e-3)
    assert low < 1e-4
    assert high > 1e-2


def test_a_subject_without_visits_gives_an_empty_course():
    assert "threshold" in artists(plot_course([], threshold=1e-3))


def test_the_course_is_told_in_words():
    alt = course_alt([call(), call("not-detected", visit="FU2")], threshold=1e-3)
    assert alt == "MRD over time against 0.1 % (10⁻³): FU1 positive, FU2 not detected. 1 of 2 visits are below."
