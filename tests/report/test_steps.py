from mrd.report.steps import Box, Step, ancestors, gate_boxes, gating_steps, lead_pair
from tests.report.cases import PANEL, drawn, read_panel


def test_the_hierarchy_goes_from_size_to_the_laip():
    steps = gating_steps(read_panel(PANEL), [("CD33", "CD56")])
    assert [(s.pair, s.of) for s in steps] == [
        (("FSC-A", "SSC-A"), "cells"),
        (("CD45", "SSC-A"), "cells"),
        (("CD34", "CD117"), "blasts"),
        (("CD33", "CD56"), "leukocytes"),
    ]


def test_a_panel_without_scatter_or_progenitor_markers_has_the_steps_it_can_have():
    panel = read_panel(PANEL)
    channels = {n: c for n, c in panel.channels.items() if n not in ("CD117", "FSC-A", "SSC-A")}
    lean = panel.model_copy(update={"channels": channels})
    assert [s.pair for s in gating_steps(lean, [])] == [lead_pair(lean)]
    assert lead_pair(lean) == ("CD45", "CD45")


def test_a_step_outlines_the_gates_of_its_parents_on_its_own_channels():
    gates = drawn().gates
    step = Step("", ("CD45", "SSC-A"), "cells", ("cells", "leukocytes"))
    assert list(gate_boxes(gates, step)) == [
        Box("nucleated", (-1.0, None), (None, None)),
        Box("blasts", (0.2, 2.0), (None, 3.0)),
    ]
    assert [b.name for b in gate_boxes(gates, Step("", ("CD45", "CD34"), "cells", ("cells", "leukocytes")))] == ["nucleated"]
    assert list(gate_boxes(gates, Step("", ("CD45", "SSC-A"), "cells", ("blasts",)))) == []


def test_a_gates_ancestors_come_nearest_first():
    assert ancestors(drawn().gates, "blasts") == ("leukocytes", "nucleated", "cells")
    assert ancestors({}, "blasts") == ()
