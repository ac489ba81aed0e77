from math import asinh

import numpy as np
import pytest
from hypothesis import given, strategies as st

from mrd.core.panel import Channel, Scale
from mrd.report.ticks import channel_ticks, percent_label, scale_name, stack_labels


def test_ticks_stand_where_the_common_scale_puts_the_decades():
    major, labels, minor = channel_ticks(Channel(scale=Scale(cofactor=150)))
    assert dict(zip(labels, major, strict=True))["10⁴"] == pytest.approx(asinh(1e4 / 150))
    assert dict(zip(labels, major, strict=True))["0"] == 0
    assert labels[0] == "−10³"
    assert asinh(2e3 / 150) in minor


def test_a_logicle_channel_has_no_asinh_ticks_and_says_its_scale():
    channel = Channel(scale=Scale(kind="logicle"))
    assert channel_ticks(channel) is None
    assert scale_name(channel) == "logicle (T 262144, W 0.5, M 4.5, A 0)"
    assert scale_name(Channel(scale=Scale(cofactor=1000))) == "asinh(x / 1000)"


@pytest.mark.parametrize(("fraction", "told"), [(1e-3, "0.1 %"), (1.0, "100 %"), (1e-6, "0.0001 %"), (1e-7, "1e-05 %")])
def test_decades_of_the_mrd_axis_are_percent(fraction, told):
    assert percent_label(fraction) == told


def test_labels_that_would_overlap_go_a_row_up():
    assert stack_labels([0, 0.5, 3], [1, 1, 1], rows=3) == [0, 1, 0]


@given(st.lists(st.floats(0, 20), min_size=1, max_size=3).map(sorted), st.floats(0.1, 2))
def test_labels_in_one_row_never_overlap_while_there_is_a_free_row(places, width):
    rows = stack_labels(places, [width] * len(places), rows=3)
    for row in set(rows):
        mine = [p for p, r in zip(places, rows, strict=True) if r == row]
        assert (np.diff(mine) >= width - 1e-9).all()
