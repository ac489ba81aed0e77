"""Every gate of the GatingML 2.0 compliance set, event by event."""

from pathlib import Path

import numpy as np
import pytest

from mrd.core.errors import FileError
from mrd.files.fcs import read_fcs
from mrd.files.gates import read_gates
from mrd.prepare.drawn import Frame, inside_gate, inside_gates

DATA = Path(__file__).parents[3] / "shared" / "data" / "gatingml" / "gate_ref"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/gatingml is absent")

OTHERWISE = {("gml_parent_quadrant_rect_gate", "ParRectangle1"): "ParQuadRect"}
"""A gate whose truth lies under another name."""


@pytest.fixture(scope="module")
def frame():
    data = read_fcs(DATA / "data1.fcs", where="data1")
    return Frame(data.events, data.pnn, data.pns, None)


@pytest.fixture(scope="module")
def truth():
    return {p.stem.removeprefix("Results_"): np.loadtxt(p).astype(bool) for p in sorted((DATA / "truth").glob("*.txt"))}


def test_all_gates_are_reproduced_event_by_event(frame, truth):
    seen = set()
    for path in sorted((DATA / "gml").glob("*_gate*.xml")):
        if path.stem == "gml_range_gate_attr_testing":  # its gates stand under elements that GatingML does not have
            continue
        got = {
            p.rsplit("/", 1)[-1]: m for p, m in inside_gates(read_gates(path, where=path.stem), frame, where=path.stem).items()
        }
        got = {OTHERWISE.get((path.stem, n), n): m for n, m in got.items()}
        for name in truth.keys() & got.keys():
            assert (got[name] == truth[name]).all(), (path.name, name)
            seen.add(name)
    assert len(truth) == 51
    assert seen == set(truth)


def test_a_gate_alone_asks_only_for_what_it_needs(frame, truth):
    drawn = read_gates(DATA / "gml" / "gml_all_gates.xml", where="g")
    few = [frame.pnn.index(n) for n in ("FSC-H", "SSC-H", "FL1-H")]
    lean = Frame(frame.raw[:, few], tuple(frame.pnn[i] for i in few), tuple(frame.pns[i] for i in few), None)
    assert (inside_gate(drawn, "Rectangle1", lean, where="g") == truth["Rectangle1"]).all()
    with pytest.raises(FileError, match=r"g: gate Polygon1 needs channel FL2-H, the tube has \[FSC-H, SSC-H, FL1-H\]"):
        inside_gate(drawn, "Polygon1", lean, where="g")
