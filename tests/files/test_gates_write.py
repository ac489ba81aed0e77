"""Our gates go out as GatingML 2.0 and FlowKit, on the FCS file itself, counts what we counted."""

import flowkit
import numpy as np
import pytest

from mrd.cli.prepare import Job, measure_tube
from mrd.cli.run_options import start_run
from mrd.core.panel import Scale
from mrd.core.tables import records
from mrd.files.gates import read_gates
from mrd.files.gates_write import write_gatingml
from mrd.files.panels import read_panel
from mrd.prepare.drawn import Frame, inside_gates
from mrd.prepare.outline import Region, add_regions, gml_transform, outline_gates, removed_stretches, scale_factor, xml_name
from mrd.prepare.transform import apply_scale
from mrd.prepare.tube import gate_tube, qc_nodes
from tests.cohort import make_cohort, tube


@pytest.fixture(scope="module")
def gated(tmp_path_factory):
    """A tube with a clog, as read and as gated."""
    import argparse

    row = tube("N1", "V1", "control", 20_000, kind="normal")
    row[-1] = "sag=0.5;margin=0.02"
    settings = make_cohort(tmp_path_factory.mktemp("tube"), [row])
    run = start_run(argparse.Namespace(settings=settings))
    row = records(run.samples)[0]
    read = measure_tube(Job(row, read_panel(row["panel"]), run))
    return row["path"], read, gate_tube(read.measured, run.settings)


def test_flowkit_counts_what_we_counted(gated, tmp_path):
    path, read, done = gated
    strategy = outline_gates(read.measured, done, read.pnn, read.spill)
    write_gatingml(tmp_path / "t.xml", strategy)
    sample = flowkit.Sample(path, sample_id="t")
    results = flowkit.parse_gating_xml(str(tmp_path / "t.xml")).gate_sample(sample)
    nodes = {n["node"]: n["count"] for n in qc_nodes(done.gated, [("margins", done.inner), ("time", done.inner & done.steady)])}
    assert nodes["time"] < nodes["margins"]
    got = {n: int(results.get_gate_count(n)) for n in nodes if n != "events"}
    assert got == {n: c for n, c in nodes.items() if n != "events"}
    for name, mask in done.gated.inside.items():
        if name != "events":
            assert (results.get_gate_membership(name) == mask).all(), name


def test_our_own_reader_sees_every_event_as_we_gated_it(gated, tmp_path):
    _, read, done = gated
    write_gatingml(tmp_path / "t.xml", outline_gates(read.measured, done, read.pnn, read.spill))
    frame = Frame(read.measured.raw, read.pnn, ("",) * len(read.pnn), None)
    got = {p.rsplit("/", 1)[-1]: m for p, m in inside_gates(read_gates(tmp_path / "t.xml", where="t"), frame, where="t").items()}
    assert all((got[n] == m).all() for n, m in done.gated.inside.items() if n != "events")


def test_a_region_holds_the_cells_within_its_distance(gated, tmp_path):
    path, read, done = gated
    panel = read.measured.panel
    cells = np.flatnonzero(done.gated.inside[panel.cells])
    values = np.column_stack([done.columns[n][cells] for n in panel.model_channels])
    mean, spread = values.mean(axis=0), np.cov(values.T)
    distance = np.einsum("ni,ij,nj->n", values - mean, np.linalg.inv(spread), values - mean)
    strategy = outline_gates(read.measured, done, read.pnn, read.spill)
    add_regions(strategy, [Region("laip 1", mean, spread, 9.0)], read.measured, read.pnn, read.spill)
    write_gatingml(tmp_path / "t.xml", strategy)
    results = flowkit.parse_gating_xml(str(tmp_path / "t.xml")).gate_sample(flowkit.Sample(path, sample_id="t"))
    assert results.get_gate_count("laip_1") == (distance <= 9.0).sum()
    assert 0 < (distance <= 9.0).sum() < len(cells)


@pytest.mark.parametrize(
    "scale", [Scale(cofactor=150), Scale(cofactor=1000), Scale(kind="logicle", t=262144, w=0.7, m=4.5, a=0.1)]
)
def test_gatingmls_scale_times_the_factor_is_ours(scale):
    x = np.array([-500.0, 0.0, 1.0, 149.0, 150.0, 9_999.0, 262_144.0])
    theirs = gml_transform(scale).apply(x.reshape(-1, 1)).reshape(-1) * scale_factor(scale)
    np.testing.assert_allclose(theirs, apply_scale(x, scale), rtol=1e-12, atol=1e-12)


def test_removed_stretches_end_where_kept_events_begin():
    time = np.array([5.0, 1.0, 2.0, 3.0, 4.0, 6.0])
    steady = np.array([False, True, False, False, True, False])
    inner = np.array([True, True, True, True, True, True])
    assert removed_stretches(time, inner, steady) == [(2.0, 4.0), (5.0, None)]
    assert removed_stretches(time, inner, np.ones(6, dtype=bool)) == []
    assert removed_stretches(time, np.array([False, True, False, False, True, False]), steady) == []


def test_a_gate_name_that_xml_cannot_take_is_spelled_out():
    assert [xml_name(n) for n in ("CD34", "CD34+ CD117+", "3rd")] == ["CD34", "CD34__CD117_", "_3rd"]
