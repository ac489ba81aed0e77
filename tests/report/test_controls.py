import numpy as np

from mrd.report.controls import controls_alt, plot_controls, x_ends
from tests.report.cases import limits


def points(figure, kind):
    """Where the controls of a kind stand."""
    return next(np.asarray(a.get_xdata()) for a in figure.findobj() if a.get_gid() == f"controls-{kind}")


def test_each_control_is_a_point_and_one_in_which_nothing_passed_stands_at_the_left_end():
    figure = plot_controls(limits(), threshold=1e-3)
    assert list(points(figure, "normal")) == [1e-5, 5e-5]
    left = figure.axes[0].get_xlim()[0]
    assert left < points(figure, "regenerating")[0] < 1e-5
    assert points(figure, "regenerating")[1] == 1e-4


def test_a_kind_without_controls_leaves_its_row_empty_and_is_told():
    told = limits({"normal": [1e-5]})
    assert len(points(plot_controls(told, threshold=1e-3), "regenerating")) == 0
    assert (
        controls_alt(told)
        == "Share of control leukocytes that pass the cut: 1 normal controls from 0.001 to 0.001 %, no regenerating controls."
    )


def test_the_axis_holds_the_threshold_and_every_control():
    low, high = x_ends([0.0, 2e-6, 0.3], 1e-3)
    assert low < 2e-6
    assert high >= 1
    assert x_ends([], 1e-3)[0] < 1e-3 < x_ends([], 1e-3)[1]
