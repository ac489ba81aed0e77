"""Lab-drawn LAIPs find the cells they say, by phenotype, by spans and by gate, and agree with each other."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from mrd.core.errors import FileError, PanelError
from mrd.core.laips import check_laips
from mrd.core.matching import match_channels
from mrd.core.panel import Scale
from mrd.core.settings import Settings
from mrd.files.gates import read_gates
from mrd.files.laips import laips_of, read_laip_gates, read_laips
from mrd.files.panels import read_panel
from mrd.prepare.compensate import compensate
from mrd.prepare.drawn import Frame, inside_gate, undo_scale
from mrd.prepare.drawn_laip import PreparedCells, anchor_of, gates_of_cells, inside_laip, inside_laips
from mrd.prepare.phenotypes import Token, parse_phenotype, range_of
from mrd.prepare.transform import apply_scale
from mrd.prepare.tube import Measured, prepare_events
from mrd.simulate.truth import CODE, LEUKAEMIC
from mrd.simulate.tube import simulate_tube
from tests.files.test_gates import box, gatingml, span
from tests.simulate.tubes import planned, spill_of

PANEL = read_panel("aml-lyric-9")


@pytest.fixture(scope="module")
def tube():
    """A tube with 20 % CD56+ leukaemia: file channels, raw events, matrix, prepared cells and their true codes."""
    made = simulate_tube(planned(events=12_000, role="diagnosis", burden=0.2, laip="CD56+"), 1)
    raw, spill = made.events.astype(float), spill_of(made)
    pnn, pns = tuple(made.instrument.pnn), tuple(made.instrument.pns)
    index = match_channels(PANEL, pnn, pns, where="t")
    linear = compensate(raw, pnn, spill, where="t")
    done = prepare_events(Measured(raw, linear, np.full(len(pnn), 262144.0), index, PANEL), Settings())
    detectors = [pnn[index[n]] for n in PANEL.model_channels]
    cells = PreparedCells(done.values, detectors, done.gates, PANEL)
    return Frame(raw, pnn, pns, spill), cells, done.events, made.code[done.events] == CODE[LEUKAEMIC]


def drawn(**told):
    return check_laips({"subjects": {"P1": [told]}}, where="t").of("P1", "aml-lyric-9")[0]


def test_a_phenotype_finds_the_leukaemia_and_next_to_nothing_else(tube):
    _, cells, _, leukaemic = tube
    found = inside_laip(drawn(phenotype="CD45loSSCloCD117+CD56+CD19-"), cells, None, where="t")
    assert found[leukaemic].mean() > 0.6
    assert found[~leukaemic].mean() < 0.005


def test_spans_of_the_panels_grammar_are_placed_by_the_anchor(tube):
    _, cells, _, leukaemic = tube
    laip = drawn(where={"CD56": {"min": {"anchor": 2.0}}, "CD117": {"min": {"value": 2.0}}}, parent="blasts")
    found = inside_laip(laip, cells, None, where="t")
    columns, anchor = cells.columns, anchor_of(cells.columns, PANEL)
    by_hand = cells.gates["blasts"] & (columns["CD56"] >= anchor["CD56"] + 2.0) & (columns["CD117"] >= 2.0)
    assert (found == by_hand).all()
    assert found[leukaemic].mean() > 0.5


def test_a_gate_finds_the_same_cells_in_the_file_and_in_the_prepared_cells(tube, tmp_path):
    frame, cells, events, leukaemic = tube
    detector = dict(zip(PANEL.model_channels, cells.detectors, strict=True))
    low, high = undo_scale(np.array([2.2, 6.5]), Scale())
    gate = box("LAIP", span(detector["CD56"], low, high, compensation="FCS"), parent="single")
    single = box("single", span("FSC-H", 1, 262143), span("Time", -1, 1e9))
    path = gatingml(tmp_path / "g.xml", single, gate)
    whole = inside_gate(read_gates(path, where="t"), "LAIP", frame, where="t")[events]
    found = inside_laip(drawn(gates="g.xml", gate="LAIP"), cells, read_gates(path, where="t"), where="t")
    assert (whole == found).all()
    assert found[leukaemic].mean() > 0.5


def test_a_gate_itself_never_passes_for_want_of_a_channel(tube, tmp_path):
    path = gatingml(
        tmp_path / "g.xml",
        box("A", span("FSC-H", 1, 2)),
        box("M", span("CD99-A", 1, 2)),
        box("B", span("FSC-A", 0, 1e9), parent="M"),
    )
    with pytest.raises(FileError, match="gate A needs channel FSC-H"):
        inside_laip(drawn(gates="g.xml", gate="A"), tube[1], read_gates(path, where="t"), where="t")
    with pytest.raises(FileError, match="gate M needs channel CD99-A"):
        inside_laip(drawn(gates="g.xml", gate="B"), tube[1], read_gates(path, where="t"), where="t")


def test_several_laips_are_their_union_and_none_finds_nothing(tube):
    cells = tube[1]
    laips = [drawn(phenotype="CD56+"), drawn(phenotype="CD19+")]
    union = inside_laips([(x, None) for x in laips], cells, where="t")
    parts = [inside_laip(x, cells, None, where="t") for x in laips]
    assert (union == (parts[0] | parts[1])).all()
    assert union.sum() > max(p.sum() for p in parts)
    assert not inside_laips([], cells, where="t").any()


def test_gates_placed_on_cells_alone_are_those_of_the_tube_but_for_a_few_cells(tube):
    cells = tube[1]
    anew = gates_of_cells(cells.columns, PANEL)
    for name in ("leukocytes", "blasts", "immature"):
        assert (anew[name] != cells.gates[name]).mean() < 0.02, name
    bank = PreparedCells(cells.values, cells.detectors, {}, PANEL)
    a, b = (inside_laip(drawn(phenotype="CD56+", parent="blasts"), c, None, where="t") for c in (cells, bank))
    assert (a != b).mean() < 0.01


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("CD45loSSCloCD34+CD117+", "CD45 lo, SSC-A lo, CD34 +, CD117 +"),
        ("CD34+HLADR-/CD45+", "CD34 +, HLA-DR -"),
        ("CD34+HLA-DR-", "CD34 +, HLA-DR -"),
        ("cd33bright, c-kit pos; FSChi", "CD33 hi, CD117 +, FSC-A hi"),
        ("CD38midCD13++", "CD38 mid, CD13 hi"),
    ],
)
def test_phenotypes_are_read(text, tokens):
    assert ", ".join(f"{t.channel} {t.level}" for t in parse_phenotype(text, PANEL, where="t")) == tokens


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("CD34+CD7+", r"CD7\+ does not begin with a marker of panel aml-lyric-9 and a level; use FSC-A, SSC-A, CD38"),
        ("CD3+", r"CD3\+ does not begin with a marker"),
        ("CD34", "CD34 does not begin with a marker of panel aml-lyric-9 and a level"),
        ("CD34+CD34-", "CD34 stands twice"),
        ("", "a LAIP takes exactly one of phenotype, where, gates"),
        (" ", "it names no marker"),
        ("CD34+/CD34+", r"the denominator is always CD45\+"),
        ("CD34weak", "does not begin with a marker"),
    ],
)
def test_what_is_no_phenotype_of_the_panel_is_refused(tube, text, told):
    with pytest.raises(PanelError, match=told):
        inside_laip(drawn(phenotype=text), tube[1], None, where="tube T")


def test_a_range_holds_its_lower_end_and_the_labs_own_levels_win():
    anchor = {"CD45": 4.5}
    assert range_of(Token("CD34", "+"), PANEL, anchor, {}) == (2.3, None)
    assert range_of(Token("CD45", "lo"), PANEL, anchor, {}) == (4.5 - 2.8, 4.5 - 0.7)
    assert range_of(Token("CD34", "+"), PANEL, anchor, {"CD34": {"+": (3.0, None)}}) == (3.0, None)
    values = np.zeros((3, len(PANEL.model_channels)), dtype=np.float32)
    values[:, PANEL.model_channels.index("CD34")] = [2.25, 2.5, 2.75]
    cells = PreparedCells(values, [""] * values.shape[1], {}, PANEL)
    told = drawn(phenotype="CD34+", levels={"CD34": {"+": [2.5, 2.75]}})
    assert inside_laip(told, cells, None, where="t").tolist() == [False, True, False]


@pytest.mark.parametrize("scale", [Scale(cofactor=150), Scale(kind="logicle", w=0.7)])
def test_undoing_a_scale_gives_the_linear_values_back(scale):
    x = np.array([-400.0, 0.0, 3.0, 1_000.0, 200_000.0])
    assert undo_scale(apply_scale(x, scale), scale) == pytest.approx(x, rel=1e-6, abs=1e-6)


def test_laips_are_read_from_yaml_and_their_gates_from_beside_it(tmp_path):
    gatingml(tmp_path / "g.xml", box("L", span("FL1-A", 0, 1)))
    (tmp_path / "laips.yaml").write_text(
        json.dumps({"subjects": {"P1": [{"phenotype": "CD34+", "panel": "other"}, {"gates": "g.xml", "gate": "L"}]}})
    )
    laips = read_laips(tmp_path / "laips.yaml")
    (laip,) = laips.of("P1", "aml-lyric-9")
    gates = read_laip_gates(laip, tmp_path, files=[], where="subject P1")
    assert gates is not None
    assert gates.paths == ["L"]
    assert laips.of("P2", "aml-lyric-9") == []
    assert read_laip_gates(laips.of("P1", "other")[0], tmp_path, files=[], where="t") is None
    assert asdict(gates)["source"] == "gatingml"


def test_the_digest_of_a_subjects_laips_follows_what_they_say_and_no_other_subjects(tube, tmp_path):
    path = tmp_path / "laips.yaml"

    def told(low, other):
        gatingml(tmp_path / "g.xml", box("L", span("FSC-A", low, 1e9)))
        laips = {"P1": [{"gates": "g.xml", "gate": "L"}, {"phenotype": "CD34+"}], "P2": [{"phenotype": other}]}
        path.write_text(json.dumps({"subjects": laips}))
        return laips_of(path, "P1", "aml-lyric-9", files=[])

    laips, digest = told(0, "CD56+")
    assert told(0, "CD19+")[1] == digest
    assert told(1, "CD56+")[1] != digest
    assert inside_laips(laips, tube[1], where="t").all()
    assert laips_of(path, "P3", "aml-lyric-9", files=[])[0] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("subjects: {P1: [{phenotype: CD34+, gates: a.xml, gate: b}]}", "exactly one of phenotype, where, gates"),
        ("subjects: {P1: [{gates: a.xml}]}", "gates and gate go together"),
        ("subjects: {P1: [{phenotyp: CD34+}]}", "phenotyp: Extra inputs are not permitted"),
        ("- 1", "should be a valid dictionary"),
        ("{", "not a YAML file"),
    ],
)
def test_a_broken_file_of_laips_is_one_line(tmp_path, text, told):
    (tmp_path / "l.yaml").write_text(text)
    with pytest.raises(PanelError, match=told):
        read_laips(tmp_path / "l.yaml")


@pytest.mark.parametrize("path", ["../g.xml", "/etc/passwd"])
def test_gates_may_not_lie_outside_the_folder(tmp_path, path):
    with pytest.raises(FileError, match="leaves the folder of the LAIPs"):
        read_laip_gates(drawn(gates=path, gate="L"), tmp_path, files=[], where="t")
