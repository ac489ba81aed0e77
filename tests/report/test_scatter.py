from mrd.report.drawn import axis_limits
from mrd.report.scatter import found_size, gate_boxes, plot_cells
from tests.report.cases import PANEL, drawn, read_panel


def gids(figure):
    """Number of points per layer, and the outlines."""
    told = {a.get_gid(): a for a in figure.findobj() if a.get_gid()}
    return {g: len(a.get_xdata()) if hasattr(a, "get_xdata") else None for g, a in told.items()}


def plot(tube, pair=("CD45", "SSC-A")):
    """A tube's scatter plot."""
    return plot_cells(tube, pair, read_panel(PANEL), axis_limits([tube]))


def test_every_drawn_cell_is_in_exactly_one_layer():
    assert {g: n for g, n in gids(plot(drawn(40, 300))).items() if n} == {"leukocytes": 270, "blasts": 30, "found": 40}


def test_where_no_arm_looked_there_is_no_layer_of_found_cells():
    assert "found" not in gids(plot(drawn(None)))
    assert gids(plot(drawn(0)))["found"] == 0


def test_a_gate_is_outlined_on_its_own_channels_only():
    assert "gate-blasts" in gids(plot(drawn()))
    assert "gate-blasts" not in gids(plot(drawn(), ("CD34", "CD117")))
    assert [b.name for b in gate_boxes(drawn().gates, ("SSC-A", "CD45"), below="leukocytes")] == ["blasts"]
    assert list(gate_boxes(drawn().gates, ("CD45", "SSC-A"), below="blasts")) == []


def test_an_open_side_of_a_gate_lies_outside_the_plot():
    figure = plot(drawn())
    box = next(a for a in figure.findobj() if a.get_gid() == "gate-blasts")
    assert box.get_y() < figure.axes[0].get_ylim()[0]
    assert box.get_x() == 0.2


def test_few_found_cells_are_drawn_larger():
    assert found_size(200) > found_size(201) > found_size(1001)
