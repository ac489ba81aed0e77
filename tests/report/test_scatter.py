import io

import numpy as np
import pytest
from PIL import Image

from mrd.report.drawn import axis_limits
from mrd.report.looks import BLAST_TONES, FOUND_INK, LEUKOCYTE_TONES, OTHER_TONES
from mrd.report.scatter import found_radius, outline, plot_step, step_layers, unit
from mrd.report.steps import Box, gating_steps
from tests.report.cases import PANEL, drawn, read_panel

PANEL_READ = read_panel(PANEL)
SIZE, LEUKOCYTES, BLASTS, LAIP = gating_steps(PANEL_READ, [("CD33", "CD13")])


def colours(plot):
    """Colours of a plot with the number of their pixels."""
    image = Image.open(io.BytesIO(plot.png)).convert("RGB")
    return {"#%02x%02x%02x" % colour: count for count, colour in image.getcolors()}  # noqa: UP031


def plot(tube, step=LEUKOCYTES):
    """A step of a tube."""
    return plot_step(tube, step, PANEL_READ, axis_limits([tube]))


def test_every_kind_of_cell_has_its_colours_and_the_found_ones_lie_on_top():
    told = colours(plot(drawn(40, 300)))
    assert told.keys() & set(OTHER_TONES)
    assert told.keys() & set(LEUKOCYTE_TONES)
    assert told.keys() & set(BLAST_TONES)
    assert told[FOUND_INK] > 40
    assert [layer[1] for layer in step_layers(drawn(), LEUKOCYTES)][-1] == (FOUND_INK,)


def test_no_found_cell_no_found_colour():
    assert FOUND_INK not in colours(plot(drawn(0)))
    assert FOUND_INK not in colours(plot(drawn(None)))


def test_the_blast_step_shows_blasts_only():
    told = colours(plot(drawn(), BLASTS))
    assert not told.keys() & {*LEUKOCYTE_TONES, *OTHER_TONES}
    assert told.keys() & set(BLAST_TONES)


def test_gates_are_outlined_where_they_were_placed():
    told = {o.name: o for o in plot(drawn()).outlines}
    low, high = axis_limits([drawn()])["CD45"]
    assert set(told) == {"blasts", "nucleated"}
    assert told["blasts"].left == pytest.approx((0.2 - low) / (high - low))
    assert told["blasts"].bottom is None
    assert plot(drawn(), BLASTS).outlines == ()


def test_an_outline_keeps_the_sides_that_are_seen():
    told = outline(Box("g", (1, 3), (None, 2)), (0, 2), (0, 4))
    assert (told.left, told.right, told.bottom, told.top) == (0.5, None, None, 0.5)
    assert outline(Box("g", (5, 6), (0, 1)), (0, 2), (0, 4)) is None
    assert outline(Box("g", (None, None), (-1, 9)), (0, 2), (0, 4)) is None


def test_a_cell_beyond_the_axis_is_drawn_at_its_end():
    assert unit(np.array([-99.0, 1.0, 99.0], dtype=np.float32), (0.0, 2.0)).tolist() == [0.008, 0.5, 0.992]


def test_axes_carry_the_decades_of_the_channel_that_are_in_view():
    axis = plot(drawn()).x
    assert axis.name == "CD45"
    assert {"0", "10³"} <= {label for _, label in axis.labels}
    assert all(0 <= place <= 1 for place, _ in axis.labels)


def test_few_found_cells_are_drawn_larger():
    assert found_radius(200) > found_radius(201) > found_radius(1001)


def test_the_same_cells_give_the_same_bytes():
    assert plot(drawn()).png == plot(drawn()).png
