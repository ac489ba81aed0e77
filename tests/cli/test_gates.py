import numpy as np

from mrd.cli.gates import differs
from mrd.cli.main import main
from mrd.core.contracts import GATED
from mrd.files.fcs_write import FcsImage, write_fcs
from mrd.files.tables import read_table
from tests.files.test_gates import box, gatingml, population, sample, span, workspace

EVENTS = np.array([[100.0, 20.0], [10.0, 50.0], [60.0, 60.0]], dtype=np.float32)


def fcs(path):
    write_fcs(path, FcsImage(EVENTS, ["FL1-A", "FL2-A"], ["", ""], [1024, 1024], None, {}))
    return str(path)


def test_gates_of_a_file_are_counted(tmp_path, capsys):
    path = gatingml(tmp_path / "g.xml", box("A", span("FL1-A", 50, 200)), box("B", span("FL2-A", 0, 55), parent="A"))
    assert main(["gates", str(path), "--fcs", fcs(tmp_path / "a.fcs")]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["A\t2\t0.666666667\t\t", "A/B\t1\t0.333333333\t\t"]
    assert main(["gates", str(path), "--fcs", str(tmp_path / "a.fcs"), "--out", str(tmp_path / "t.tsv")]) == 0
    assert read_table(tmp_path / "t.tsv", GATED)["count"].tolist() == [2, 1]


def test_a_count_that_flowjo_wrote_otherwise_is_told(tmp_path, capsys):
    gate = f"<gating:RectangleGate>{span('FL1-A', 50, 500)}</gating:RectangleGate>"
    tree = population("P", gate).replace('owningGroup=""', 'owningGroup="" count="40"')
    path = workspace(tmp_path / "w.wsp", sample("a.fcs", "file:/a.fcs", tree))
    assert main(["gates", str(path), "--fcs", fcs(tmp_path / "a.fcs")]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[1] == "P\t2\t0.666666667\t40\tY"
    assert "gate P: FlowJo counted otherwise" in told.err


def test_a_workspace_without_the_file_is_an_error(tmp_path, capsys):
    path = workspace(tmp_path / "w.wsp", sample("b.fcs", "file:/b.fcs", ""))
    assert main(["gates", str(path), "--fcs", fcs(tmp_path / "a.fcs")]) == 2
    error = capsys.readouterr().err
    assert error == (
        "mrd gates: wsp: none of its 1 samples is this tube's FCS file; "
        "give the workspace in which the file was gated, with the file's own name\n"
    )


def test_ten_events_or_one_percent_are_the_grids():
    assert [differs(a, b) for a, b in ((100, 110), (100, 111), (5000, 5050), (5000, 5051), (0, 11))] == [
        False,
        True,
        False,
        True,
        True,
    ]
