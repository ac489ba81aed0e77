import math

import flowkit as fk
import numpy as np
import pytest

from mrd.core.panel import Scale
from mrd.core.stretches import STRETCH
from mrd.files.panels import read_panel
from mrd.prepare.transform import apply_scale, transform

VALUES = np.array([-500.0, -10.0, 0.0, 1.0, 150.0, 1e3, 262144.0])


def test_asinh_by_hand():
    assert apply_scale(np.array([0.0, 150.0, -150.0]), Scale()) == pytest.approx([0.0, 0.881373587, -0.881373587])


@pytest.mark.parametrize("cofactor", [5.0, 150.0, 1000.0])
def test_asinh_equals_flowkits_with_a_decade_of_ln_10(cofactor):
    theirs = fk.transforms.AsinhTransform(cofactor * math.sinh(1), 1 / math.log(10), 0)
    assert apply_scale(VALUES, Scale(cofactor=cofactor)) == pytest.approx(theirs.apply(VALUES.reshape(-1, 1)).ravel())


def test_logicle_equals_flowkits_times_its_decades_in_natural_logs():
    theirs = fk.transforms.LogicleTransform(262144, 0.5, 4.5, 0).apply(VALUES.reshape(-1, 1)).ravel()
    assert apply_scale(VALUES, Scale(kind="logicle")) == pytest.approx(theirs * 4.5 * math.log(10))


def test_time_is_left_as_it_is():
    panel = read_panel("aml-lyric-9")
    columns = transform(np.array([[1000.0, 7.0, 150.0]]), {"FSC-A": 0, "Time": 1, "CD34": 2}, panel)
    assert columns["Time"].tolist() == [7.0]
    assert columns["FSC-A"] == pytest.approx([0.881373587])
    assert columns["CD34"] == pytest.approx([0.881373587])


def test_a_tube_of_several_stretches_is_scaled_as_flowkit_scales_it_whole():
    panel, events = read_panel("aml-lyric-9"), np.random.default_rng(1).normal(500, 2000, (2 * STRETCH + 7, 3))
    columns = transform(events, {"Time": 0, "CD34": 1, "SSC-A": 2}, panel)
    for name, column, cofactor in (("CD34", 1, 150), ("SSC-A", 2, 1000)):
        theirs = fk.transforms.AsinhTransform(cofactor * math.sinh(1), 1 / math.log(10), 0).apply(events[:, column])
        np.testing.assert_allclose(columns[name], theirs, atol=1e-9)
        assert np.array_equal(columns[name], apply_scale(events[:, column], panel.channels[name].scale))
    assert np.array_equal(columns["Time"], events[:, 0])


def test_threads_change_no_bit_of_a_scale():
    panel, events = read_panel("aml-lyric-9"), np.random.default_rng(2).normal(500, 2000, (3 * STRETCH + 7, 2))
    one, three = (transform(events, {"CD34": 0, "SSC-A": 1}, panel, threads=t) for t in (1, 3))
    assert all(np.array_equal(one[name], three[name]) for name in one)
