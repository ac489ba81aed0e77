import re
from xml.etree import ElementTree

from mrd.report.scatter import Axis, Outline, Plot
from mrd.report.vector import FOOT, HEAD, HEIGHT, LEFT, SIDE, shown, symbol

HOSTILE = '"><script>alert(1)</script>'
AXIS = Axis("CD45", ((0.0, "0"), (1.0, "10³")), (0.5,))


def parsed(plot, name="plot-0-0"):
    """A symbol as XML: it must be well formed."""
    return ElementTree.fromstring(symbol(plot, name))  # noqa: S314


def test_ticks_and_gates_stand_at_their_places_with_up_as_up():
    tree = parsed(Plot(b"x", (Outline("blasts", 0.25, None, 0.5, 0.75),), AXIS, AXIS))
    ticks = [t for t in tree.iter("text") if t.get("class") == "tick"]
    across, up = ([t for t in ticks if t.get("text-anchor") == side] for side in ("middle", "end"))
    assert [(float(t.get("x")), t.text) for t in across] == [(LEFT, "0"), (LEFT + SIDE, "10³")]
    heights = [float(t.get("y")) for t in up]
    assert heights == [HEAD + SIDE + 4, HEAD + 4]
    gate = next(p.get("d") for p in tree.iter("path") if p.get("class") == "gate")
    foot, top = HEAD + SIDE, HEAD + SIDE / 4
    assert gate == f"M100.0 {foot}V{top}M160.0 {foot}V{top}M100.0 {top}H160.0"


def test_a_symbol_holds_its_cells_and_its_name():
    tree = parsed(Plot(b"x", (), AXIS, AXIS), "plot-3-1")
    assert tree.get("id") == "plot-3-1"
    assert next(tree.iter("image")).get("href") == "data:image/png;base64,eA=="
    assert [t.text for t in tree.iter("text") if t.get("class") == "channel"] == ["CD45", "CD45"]


def test_an_axis_without_decades_keeps_its_name():
    tree = parsed(Plot(b"x", (), Axis("map 1", (), ()), AXIS))
    assert "map 1" in [t.text for t in tree.iter("text")]


def test_hostile_names_stay_text():
    told = symbol(Plot(b"x", (Outline(HOSTILE, 0.1, 0.1, 0.2, 0.2),), Axis(HOSTILE, ((0.5, HOSTILE),), ()), AXIS), "plot-0-0")
    assert "<script" not in told
    assert "<script" not in shown("plot-0-0", HOSTILE)
    assert ElementTree.fromstring(shown("plot-0-0", HOSTILE)).get("aria-label") == HOSTILE  # noqa: S314


def test_what_is_shown_refers_to_the_symbol_and_says_what_it_is():
    told = shown("plot-0-0", "CD34 of FU1")
    assert re.search(r'role="img".*aria-label="CD34 of FU1".*href="#plot-0-0"', told)
    assert HEIGHT == HEAD + SIDE + FOOT
