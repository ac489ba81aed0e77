"""GatingML and FlowJo workspaces: what is read, what is refused, and that hostile XML does nothing."""

from pathlib import Path

import numpy as np
import pytest

from mrd.core.errors import FileError
from mrd.files.gates import read_gates
from mrd.files.xml import read_xml
from mrd.prepare.compensate import Spill
from mrd.prepare.drawn import Frame, inside_gate, inside_gates

NS = (
    'xmlns:gating="http://www.isac-net.org/std/Gating-ML/v2.0/gating" '
    'xmlns:transforms="http://www.isac-net.org/std/Gating-ML/v2.0/transformations" '
    'xmlns:data-type="http://www.isac-net.org/std/Gating-ML/v2.0/datatypes"'
)
RAW = np.array([[100.0, 20.0], [10.0, 50.0], [60.0, 60.0]])
SPILL = Spill(("FL1-A", "FL2-A"), np.array([[1.0, 0.2], [0.1, 1.0]]))
FRAME = Frame(RAW, ("FL1-A", "FL2-A"), ("CD34", "CD117"), SPILL)


def span(channel, low, high, *, compensation="uncompensated"):
    return (
        f'<gating:dimension gating:compensation-ref="{compensation}" gating:min="{low}" gating:max="{high}">'
        f'<data-type:fcs-dimension data-type:name="{channel}"/></gating:dimension>'
    )


def gatingml(path, *gates, head=""):
    path.write_text(f'<?xml version="1.0"?>{head}<gating:Gating-ML {NS}>{"".join(gates)}</gating:Gating-ML>')
    return path


def box(name, *spans, parent=""):
    told = f' gating:parent_id="{parent}"' if parent else ""
    return f'<gating:RectangleGate gating:id="{name}"{told}>{"".join(spans)}</gating:RectangleGate>'


def workspace(path, *samples):
    path.write_text(
        f'<Workspace version="20.0" flowJoVersion="10.8" {NS}><Groups/><SampleList>{"".join(samples)}</SampleList></Workspace>'
    )
    return path


def sample(name, uri, population, *, matrix="", transforms=""):
    return (
        f'<Sample><DataSet uri="{uri}" sampleID="1"/>{matrix}<Transformations>{transforms}</Transformations>'
        f'<Keywords><Keyword name="$FIL" value="{name}"/></Keywords>'
        f'<SampleNode name="{name}" sampleID="1"><Subpopulations>{population}</Subpopulations></SampleNode></Sample>'
    )


def population(name, gate, inner=""):
    below = f"<Subpopulations>{inner}</Subpopulations>" if inner else ""
    return f'<Population name="{name}" owningGroup=""><Gate gating:id="i{name}">{gate}</Gate>{below}</Population>'


MATRIX = (
    '<transforms:spilloverMatrix prefix="Comp-" name="Acquisition-defined" suffix="" spectral="0"><data-type:parameters>'
    '<data-type:parameter data-type:name="FL1-A"/><data-type:parameter data-type:name="FL2-A"/></data-type:parameters>'
    + "".join(
        f'<transforms:spillover data-type:parameter="{n}">'
        f'<transforms:coefficient data-type:parameter="FL1-A" transforms:value="{a}"/>'
        f'<transforms:coefficient data-type:parameter="FL2-A" transforms:value="{b}"/></transforms:spillover>'
        for n, a, b in (("FL1-A", 1, 0.2), ("FL2-A", 0.1, 1))
    )
    + "</transforms:spilloverMatrix>"
)


def test_each_dimension_is_compensated_as_it_says(tmp_path):
    # by hand: event 0 solves (100, 20) = (a + 0.1 b, 0.2 a + b), so that a = 100 and b = 0; raw FL2-A is 20
    mixed = gatingml(tmp_path / "g.xml", box("A", span("FL1-A", 90, 110, compensation="FCS"), span("FL2-A", 19, 21)))
    assert inside_gate(read_gates(mixed, where="g"), "A", FRAME, where="g").tolist() == [True, False, False]
    both = gatingml(tmp_path / "h.xml", box("A", span("FL2-A", -1, 1, compensation="FCS")))
    assert inside_gate(read_gates(both, where="g"), "A", FRAME, where="g").tolist() == [True, False, False]


def test_a_span_holds_its_lower_end_and_not_its_upper(tmp_path):
    at = gatingml(tmp_path / "g.xml", box("low", span("FL1-A", 60, 99)), box("high", span("FL1-A", 0, 60)))
    got = inside_gates(read_gates(at, where="g"), FRAME, where="g")
    assert (got["low"][2], got["high"][2]) == (True, False)


def test_a_gate_is_found_by_name_or_path_and_never_guessed(tmp_path):
    told = gatingml(tmp_path / "g.xml", box("A", span("FL1-A", 50, 200)), box("B", span("FL2-A", 0, 55), parent="A"))
    drawn = read_gates(told, where="tube T")
    assert drawn.paths == ["A", "A/B"]
    assert inside_gate(drawn, "B", FRAME, where="tube T").tolist() == inside_gate(drawn, "A/B", FRAME, where="t").tolist()
    with pytest.raises(FileError, match=r"tube T: there is no gate C; use one of A, A/B"):
        inside_gate(drawn, "C", FRAME, where="tube T")


def test_a_workspace_gates_its_own_sample_and_no_other(tmp_path):
    one, two = (population("P", f"<gating:RectangleGate>{span('FL1-A', low, 500)}</gating:RectangleGate>") for low in (50, 90))
    path = workspace(tmp_path / "w.wsp", sample("a.fcs", "file:/V:/x/a.fcs", one), sample("b.fcs", "file:/V:/x/b%20b.fcs", two))
    assert inside_gate(read_gates(path, files=["a.fcs"], where="t"), "P", FRAME, where="t").sum() == 2
    assert inside_gate(read_gates(path, files=["B B.FCS"], where="t"), "P", FRAME, where="t").sum() == 1


@pytest.mark.parametrize("files", [["c.fcs"], [], [""]])
def test_an_unmatched_sample_is_an_error_and_never_zero_events(tmp_path, files):
    path = workspace(tmp_path / "w.wsp", sample("SMITH.fcs", "file:/SMITH.fcs", ""))
    with pytest.raises(FileError, match="tube T: none of its 1 samples is this tube's FCS file") as told:
        read_gates(path, files=files, where="tube T")
    assert "SMITH" not in str(told.value)


def test_two_samples_of_one_file_are_refused(tmp_path):
    path = workspace(tmp_path / "w.wsp", *[sample("a.fcs", "file:/a.fcs", "")] * 2)
    with pytest.raises(FileError, match="2 of its 2 samples show this tube's FCS file"):
        read_gates(path, files=["a.fcs"], where="t")


def test_flowjo_compensates_channels_with_its_prefix_and_leaves_the_others_raw(tmp_path):
    raw = population("raw", f"<gating:RectangleGate>{span('FL2-A', 19, 21)}</gating:RectangleGate>")
    comp = population("comp", f"<gating:RectangleGate>{span('Comp-FL2-A', -1, 1)}</gating:RectangleGate>", raw)
    path = workspace(tmp_path / "w.wsp", sample("a.fcs", "file:/a.fcs", comp, matrix=MATRIX))
    got = inside_gates(read_gates(path, files=["a.fcs"], where="t"), FRAME, where="t")
    assert got["comp"].tolist() == [True, False, False]
    assert got["comp/raw"].tolist() == [True, False, False]


def test_a_polygon_on_a_compensated_channel_uses_that_channels_transform(tmp_path):
    def biex(name, width):
        return (
            f'<transforms:biex transforms:length="256" transforms:maxRange="262144" transforms:neg="0" '
            f'transforms:width="{width}" transforms:pos="4.4"><data-type:parameter data-type:name="{name}"/></transforms:biex>'
        )

    def dimension(name):
        return f'<gating:dimension><data-type:fcs-dimension data-type:name="{name}"/></gating:dimension>'

    corners = "".join(
        f'<gating:vertex><gating:coordinate data-type:value="{x}"/><gating:coordinate data-type:value="{y}"/></gating:vertex>'
        for x, y in ((0, 0), (20000, 100), (20000, 20000))
    )
    gate = f"<gating:PolygonGate>{dimension('Comp-FL1-A')}{dimension('Comp-FL2-A')}{corners}</gating:PolygonGate>"
    scales = "".join(biex(p + c, w) for p, w in (("", "-10"), ("Comp-", "-100")) for c in ("FL1-A", "FL2-A"))
    path = workspace(tmp_path / "w.wsp", sample("a.fcs", "file:/a.fcs", population("P", gate), matrix=MATRIX, transforms=scales))
    drawn = read_gates(path, files=["a.fcs"], where="t")
    assert drawn.strategy.transformations["FL1-A"].width == -100


BOMB = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;">]>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("head", [BOMB, OUTSIDE, '<!DOCTYPE a SYSTEM "http://example.org/a.dtd">'])
@pytest.mark.parametrize("make", [gatingml, lambda p, *_g, head: p.write_text(f"<?xml version='1.0'?>{head}<Workspace/>") and p])
def test_document_types_and_entities_are_refused(tmp_path, head, make):
    path = make(tmp_path / "g.xml", head=head)
    with pytest.raises(FileError, match="declares a document type or entities") as told:
        read_gates(path, files=["a.fcs"], where="g")
    assert "passwd" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not well-formed XML"),
        ("<a>", "not well-formed XML"),
        ("<a/>", "neither GatingML 2.0 nor a FlowJo workspace"),
        ("<Workspace/>", "none of its 0 samples"),
        ("<a>" * 500 + "</a>" * 500, "nested deeper or longer"),
        (f'<gating:Gating-ML {NS}><gating:RectangleGate gating:id="A"/></gating:Gating-ML>', "FlowKit cannot build its gates"),
        (f"<gating:Gating-ML {NS}>{box('A', span('FL1-A', 1, 'SMITH'))}</gating:Gating-ML>", "FlowKit cannot build its gates"),
        ('<?xml version="1.0" encoding="made-up"?><a/>', "not well-formed XML"),
    ],
)
def test_what_is_not_a_gating_file_is_one_line(tmp_path, text, told):
    (tmp_path / "g.xml").write_text(text)
    with pytest.raises(FileError, match=told) as error:
        read_gates(tmp_path / "g.xml", files=["a.fcs"], where="g")
    assert "\n" not in str(error.value)
    assert "SMITH" not in str(error.value)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "g.xml").open("wb") as handle:
        handle.truncate(2**40)
    with pytest.raises(FileError, match="larger than 256 MB"):
        read_xml(tmp_path / "g.xml", where="g")


def test_a_gate_with_a_reference_to_nothing_is_refused(tmp_path):
    path = gatingml(tmp_path / "g.xml", box("A", span("FL1-A", 0, 1, compensation="M1")))
    with pytest.raises(FileError, match="gate A needs matrix M1, which the file does not declare"):
        inside_gate(read_gates(path, where="g"), "A", FRAME, where="g")


def test_a_gate_without_an_axis_is_refused(tmp_path):
    tree = population("P", "<gating:RectangleGate/>")
    path = workspace(tmp_path / "w.wsp", sample("a.fcs", "file:/a.fcs", tree))
    with pytest.raises(FileError, match="FlowKit cannot build its gates"):
        read_gates(path, files=["a.fcs"], where="t")


def test_a_gate_whose_corners_are_no_numbers_is_refused_and_never_empty(tmp_path):
    def vertex(x, y):
        return (
            f'<gating:vertex><gating:coordinate data-type:value="{x}"/><gating:coordinate data-type:value="{y}"/></gating:vertex>'
        )

    dimensions = "".join(
        f'<gating:dimension><data-type:fcs-dimension data-type:name="FL{i}-A"/></gating:dimension>' for i in (1, 2)
    )
    circle = (
        f"<gating:foci>{vertex(5, 5) * 2}</gating:foci><gating:edge>{vertex(0, 5)}{vertex(10, 5)}{vertex(5, 0)}{vertex(5, 10)}"
    )
    gate = f"<gating:EllipsoidGate>{dimensions}{circle}</gating:edge></gating:EllipsoidGate>"
    path = workspace(tmp_path / "w.wsp", sample("a.fcs", "file:/a.fcs", population("P", gate)))
    with pytest.raises(FileError, match="FlowKit cannot build its gates"):
        read_gates(path, files=["a.fcs"], where="t")


DATA = Path(__file__).parents[3] / "shared" / "data" / "gatingml"
COUNTS = [
    ("simple_line_example", "data_set_simple_line_100.fcs", "single_ellipse_51_events.wsp", {"ellipse1": 51}),
    ("simple_diamond_example", "test_data_diamond_01.fcs", "test_data_diamond_biex_rect.wsp", {"upper_right": 50605}),
    ("simple_diamond_example", "test_data_diamond_01.fcs", "test_data_diamond_asinh_rect.wsp", {"upper_right": 50559}),
    (
        "simple_diamond_example",
        "test_data_diamond_01.fcs",
        "simple_diamond_example_quad_gate.wsp",
        {"Q1: channel_A- , channel_B+": 49671, "Q3: channel_A+ , channel_B-": 50330},
    ),
]


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/gatingml is absent")
@pytest.mark.parametrize(("folder", "fcs", "wsp", "counts"), COUNTS)
def test_flowjo_workspaces_give_the_counts_flowjo_wrote_into_them(folder, fcs, wsp, counts):
    from mrd.files.fcs import read_fcs

    data = read_fcs(DATA / folder / fcs, where="t")
    drawn = read_gates(DATA / folder / wsp, files=[fcs], where="t")
    got = inside_gates(drawn, Frame(data.events, data.pnn, data.pns, None), where="t")
    assert {n: int(got[n].sum()) for n in counts} == counts
    assert {n: drawn.counts[n] for n in counts} == counts
