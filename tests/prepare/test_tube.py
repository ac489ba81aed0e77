import numpy as np
import pytest

from mrd.core.settings import Settings
from mrd.prepare.tube import Measured, prepare_events
from tests.prepare.test_gate import NAMES, PANEL, tube as crude_tube


def measured(linear, index, top=262144.0):
    return Measured(linear, linear, np.full(len(NAMES), top), index, PANEL)


def test_the_nodes_count_the_file_the_quality_steps_and_the_gates_in_order():
    linear, index = crude_tube()
    linear[:7, index["SSC-A"]] = 262144.0
    cells = prepare_events(measured(linear, index), Settings())
    nodes = {n["node"]: n for n in cells.nodes}
    assert list(nodes)[:5] == ["events", "margins", "time", "singlets", "cells"]
    assert nodes["events"]["count"] == len(linear)
    assert nodes["margins"]["count"] == len(linear) - 7
    assert nodes["cells"]["count"] == len(cells.events) == len(cells.values)
    assert nodes["leukocytes"]["count"] == cells.count("leukocytes")
    assert nodes["leukocytes"]["parent"] == "nucleated"
    for node in cells.nodes[1:]:
        assert node["share_parent"] == pytest.approx(node["count"] / nodes[node["parent"]]["count"])


def test_a_cell_keeps_its_number_in_the_file():
    linear, index = crude_tube()
    cells = prepare_events(measured(linear, index), Settings())
    where = PANEL.model_channels.index("CD45")
    assert cells.values[:, where] == pytest.approx(np.arcsinh(linear[cells.events, index["CD45"]] / 150), rel=1e-5)


def test_doublets_are_left_out():
    linear, index = crude_tube()
    linear[:300, index["FSC-H"]] /= 2.5
    cells = prepare_events(measured(linear, index), Settings())
    assert np.isin(np.arange(300), cells.events).mean() < 0.02
    assert np.isin(np.arange(300, len(linear)), cells.events).mean() > 0.97


def test_without_a_clock_the_tube_is_flagged_and_kept():
    linear, index = crude_tube()
    linear[:, index["Time"]] = 5.0
    cells = prepare_events(measured(linear, index), Settings())
    assert "time-missing" in cells.flags
    assert len(cells.events) > 0.9 * len(linear)


def test_a_saturated_marker_is_flagged():
    linear, index = crude_tube()
    linear[:100, index["CD34"]] = 262144.0
    assert "saturated" in prepare_events(measured(linear, index), Settings()).flags
    linear[60:100, index["CD34"]] = 10.0
    assert "saturated" not in prepare_events(measured(linear, index), Settings()).flags


def test_a_tube_without_events_gives_no_cells():
    linear, index = crude_tube()
    cells = prepare_events(measured(linear[:0], index), Settings())
    assert len(cells.events) == 0
    assert cells.count("leukocytes") == 0
    assert "anchor-missing" in cells.flags
