import math

import flowkit as fk
import numpy as np
import pytest

from mrd.core.errors import PanelError
from mrd.core.panel import check_panel
from mrd.files.panels import read_panel
from mrd.prepare.gate import RATIO, flowkit_gate, gate_events
from mrd.prepare.transform import transform

PANEL = read_panel("aml-lyric-9")
NAMES = list(PANEL.channels)


def tube(n=6000, seed=1):
    """Linear events of a crude marrow in the panel's channels, and each channel's column."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(4, n, p=[0.25, 0.45, 0.15, 0.15])
    cd45, side = np.array([4.6, 3.7, 3.2, 1.0])[kinds], np.array([3.2, 5.1, 3.9, 3.0])[kinds]
    cd33 = np.array([0.1, 2.5, 3.0, 0.1])[kinds]
    linear = np.empty((n, len(NAMES)))
    for i, name in enumerate(NAMES):
        level = {"CD45": cd45, "SSC-A": side, "CD33": cd33, "FSC-A": np.full(n, 4.8)}.get(name, np.full(n, 0.5))
        linear[:, i] = np.sinh(level + rng.normal(0, 0.25, n)) * PANEL.channels[name].scale.cofactor
    linear[:, NAMES.index("FSC-H")] = linear[:, NAMES.index("FSC-A")] / rng.lognormal(0.4, 0.1, n)
    linear[:, NAMES.index("Time")] = np.sort(rng.uniform(0, 100, n))
    return linear, {name: i for i, name in enumerate(NAMES)}


def gated(linear, index):
    ratio = linear[:, index["FSC-A"]] / (1 + linear[:, index["FSC-H"]])
    return gate_events(transform(linear, index, PANEL), ratio, np.ones(len(linear), bool), PANEL)


def strategy_of(result):
    """The placed gates as a FlowKit strategy on raw channels, FlowKit doing every transform itself."""
    strategy = fk.GatingStrategy()
    strategy.add_transform(RATIO, fk.transforms.RatioTransform(["FSC-A", "FSC-H"], param_a=1, param_b=0, param_c=-1))
    for name, channel in PANEL.channels.items():
        strategy.add_transform(name, fk.transforms.AsinhTransform(channel.scale.cofactor * math.sinh(1), 1 / math.log(10), 0))
    paths = {"events": ("root",)}
    for name, placed in result.placed.items():
        parent = paths[placed.parent]
        if placed.minus:
            refs = [{"ref": m, "path": paths[m][:-1], "complement": True} for m in placed.minus]
            gate = fk.gates.BooleanGate(name, "and", refs)
        else:
            gate = flowkit_gate(name, placed.spans)
            for dim in gate.dimensions:
                dim.compensation_ref = "uncompensated"
        strategy.add_gate(gate, parent)
        paths[name] = (*parent, name)
    return strategy, paths


def test_every_gate_holds_the_events_that_flowkit_gates_from_raw_channels():
    linear, index = tube()
    result = gated(linear, index)
    strategy, paths = strategy_of(result)
    theirs = strategy.gate_sample(fk.Sample(linear, sample_id="s", channel_labels=NAMES))
    for name in result.placed:
        assert result.inside[name].tolist() == theirs.get_gate_membership(name, paths[name][:-1]).tolist(), name


def test_a_child_holds_only_events_of_its_parent():
    result = gated(*tube())
    for name, placed in result.placed.items():
        assert not (result.inside[name] & ~result.inside[placed.parent]).any()


def test_leukocytes_are_the_nucleated_less_the_erythroid():
    result = gated(*tube())
    assert result.inside["leukocytes"].tolist() == (result.inside["nucleated"] & ~result.inside["erythroid"]).tolist()
    assert 0 < result.inside["erythroid"].sum() < result.inside["nucleated"].sum()


def test_gates_follow_a_tube_whose_cd45_is_brighter_throughout():
    linear, index = tube()
    before = gated(linear, index).inside["leukocytes"]
    bright = linear.copy()
    bright[:, index["CD45"]] *= math.exp(0.3)
    assert (gated(bright, index).inside["leukocytes"] == before).mean() > 0.995


def test_a_gate_digest_moves_with_its_place():
    linear, index = tube()
    one, two = gated(linear, index).placed, gated(linear * 1.1, index).placed
    assert one["leukocytes"].digest == two["leukocytes"].digest
    assert one["nucleated"].digest != two["nucleated"].digest


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"gates": [{"name": "a", "parent": "b", "where": {"CD45": {}}}]}, "names \\['b'\\], which no earlier gate declares"),
        ({"gates": [{"name": "a", "where": {"CD99": {}}}]}, "uses channels \\['CD99'\\] that the panel lacks"),
        ({"gates": [{"name": "a", "where": {"CD45": {}}, "minus": ["events"]}]}, "takes exactly one of where, ratio, minus"),
        ({"cells": "nothing"}, "gates \\['nothing'\\] are named but not declared"),
        ({"colour": "red"}, "colour: Extra inputs"),
    ],
)
def test_a_panel_that_does_not_hang_together_is_refused(change, told):
    values = PANEL.model_dump(exclude_defaults=True)
    with pytest.raises(PanelError, match=told):
        check_panel({**values, **change}, where="panel x")
