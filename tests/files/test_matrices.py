import numpy as np
import pytest

from mrd.core.errors import FileError
from mrd.files.matrices import read_matrix

MATRIX = np.array([[1.0, 0.16476], [0.0172, 1.0]])
OLD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE CompensationMatrix>
<CompensationMatrix name="comp" prefix="Comp-" suffix="" version="Version 5.3">
<Channel name="FITC-A"><ChannelValue name="FITC-A" value="1.00000"/><ChannelValue name="PE-A" value="0.16476"/></Channel>
<Channel name="PE-A"><ChannelValue name="FITC-A" value="0.01720"/><ChannelValue name="PE-A" value="1.00000"/></Channel>
</CompensationMatrix>
"""
SPACES = 'xmlns:transforms="http://www.isac-net.org/std/Gating-ML/v2.0/transformations" xmlns:data-type="http://www.isac-net.org/std/Gating-ML/v2.0/datatypes"'


def spillover(values, name="m", names=("FITC-A", "PE-A"), more=""):
    rows = "".join(
        f'<transforms:spillover data-type:parameter="{r}">'
        + "".join(
            f'<transforms:coefficient data-type:parameter="{c}" transforms:value="{v}"/>' for c, v in zip(names, row, strict=True)
        )
        + "</transforms:spillover>"
        for r, row in zip(names, values, strict=True)
    )
    return f'<transforms:spilloverMatrix {SPACES} prefix="Comp-" name="{name}" {more}>{rows}</transforms:spilloverMatrix>'


def workspace(*samples):
    parts = "".join(
        f'<Sample><DataSet uri="file:/D:/data/{name}" sampleID="1"/>{m}<SampleNode name="x"/></Sample>' for name, m in samples
    )
    return f"<Workspace><SampleList>{parts}</SampleList></Workspace>"


def read(tmp_path, text, name="m.mtx", **options):
    path = tmp_path / name
    path.write_text(text)
    return read_matrix(path, where="tube T", **options)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.mtx", OLD),
        ("m.mtx", spillover(MATRIX)),
        ("m.xml", f"<x>{spillover(MATRIX)}</x>"),
        ("m.csv", ",FITC-A,PE-A\nFITC-A,1,0.16476\nPE-A,0.0172,1\n"),
        ("m.csv", "\ufeff,FITC-A,PE-A\r\nPE-A,0.0172,1\r\nFITC-A,1,0.16476\r\n\r\n"),
        ("m.tsv", "\tFITC-A\tPE-A\nFITC-A\t1\t0.16476\nPE-A\t0.0172\t1\n"),
        ("m.csv", '"","FITC-A","PE-A"\n"FITC-A",1,0.16476\n"PE-A",0.0172,1\n'),
        ("m.csv", "FITC-A,PE-A\n1,0.16476\n0.0172,1\n"),
        ("m.csv", "FITC-A,PE-A\nFITC-A,1,0.16476\nPE-A,0.0172,1\n"),
        ("m.csv", ";FITC-A;PE-A\nFITC-A;1;0,16476\nPE-A;0,0172;1\n"),
        ("m.mtx", "compensation2.mtx\n<\t>\nFITC-A\tPE-A\n1.00000\t0.16476\n0.01720\t1.00000\n"),
        ("m.wsp", workspace(("a.fcs", spillover(MATRIX)))),
    ],
)
def test_a_matrix_is_the_same_from_every_kind_of_file(tmp_path, name, text):
    names, values = read(tmp_path, text, name)
    assert names == ("FITC-A", "PE-A")
    assert values == pytest.approx(MATRIX)


def test_a_workspace_gives_each_sample_its_own_matrix(tmp_path):
    text = workspace(("a%20b.fcs", spillover(MATRIX)), ("c.fcs", spillover(np.eye(2))))
    assert read(tmp_path, text, "w.wsp", sample="a b.fcs")[1] == pytest.approx(MATRIX)
    assert read(tmp_path, text, "w.wsp", sample="c.fcs")[1] == pytest.approx(np.eye(2))
    with pytest.raises(FileError, match="tube T: its compensation file holds 2 different matrices; export the tube's own"):
        read(tmp_path, text, "w.wsp", sample="d.fcs")


def test_one_matrix_of_all_samples_needs_no_name(tmp_path):
    text = workspace(("a.fcs", spillover(MATRIX)), ("c.fcs", spillover(MATRIX, name="again")))
    assert read(tmp_path, text, "w.wsp", sample="renamed.fcs")[1] == pytest.approx(MATRIX)


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BOMB, "not XML that can be read safely"),
        (OUTSIDE, "not XML that can be read safely"),
        ("<x>" * 1000, "not XML that can be read safely"),
        ("<x", "not XML that can be read safely"),
        ("", "not a CSV matrix"),
        ("<x/>", "holds no matrix"),
        (spillover(MATRIX, more='spectral="1"'), "not XML that can be read safely"),
        (spillover([[1, 0]] * 2, names=("A", "A")), "different detectors in rows and columns"),
        (OLD.replace('name="PE-A" value="1.0', 'name="APC-A" value="1.0'), "different detectors in rows and columns"),
    ],
)
def test_xml_that_is_no_matrix_or_not_safe_is_refused(tmp_path, text, told):
    with pytest.raises(FileError, match=f"tube T: its compensation file .*{told}|{told}") as error:
        read(tmp_path, text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not a CSV matrix"),
        ("a", "not a CSV matrix"),
        (",A,B\nA,1\nB,0,1\n", "not a CSV matrix"),
        (",A,B\nA,1,x\nB,0,1\n", "not a CSV matrix"),
        (",A,B\nA,1,1_0\nB,0,1\n", "not a CSV matrix"),
        (",A,B\nA,1,0\nC,0,1\n", "different detectors"),
        (",A,A\nA,1,0\nA,0,1\n", "different detectors"),
        (",A,B\nA,1,0\n", "not a CSV matrix"),
        ('"', "not a CSV matrix"),
    ],
)
def test_tables_that_are_no_matrix_are_refused(tmp_path, text, told):
    with pytest.raises(FileError, match=told):
        read(tmp_path, text, "m.csv")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    for name in ("m.csv", "m.mtx"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00\x01" * 9)
        with pytest.raises(FileError, match="its compensation file is not"):
            read_matrix(tmp_path / name, where="t")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(FileError, match="t: its compensation file is missing; correct the compensation column"):
        read_matrix(tmp_path / "no.csv", where="t")
