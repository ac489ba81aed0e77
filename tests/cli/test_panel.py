import shutil
from pathlib import Path

import pytest
import yaml

from mrd.cli.main import main
from mrd.core.draft import draft_gates, name_marker, read_stains
from mrd.core.errors import PanelError
from mrd.core.panel import check_panel
from mrd.files.panels import read_panel
from tests.files.fcs_bytes import fcs_bytes, keywords_of, pack_floats

FCS = sorted((Path(__file__).parents[2] / "test_fcs" / "fcs").glob("*T1.fcs"))


def test_a_draft_from_files_is_a_panel_that_reads_them(tmp_path, capsys):
    out = tmp_path / "mine.yaml"
    assert main(["panel", *map(str, FCS), "--name", "mine", "--out", str(out)]) == 0
    panel, known = read_panel(str(out)), read_panel("aml-lyric-9")
    assert panel.name == "mine"
    assert panel.markers == known.markers
    assert panel.gates == known.gates
    assert panel.anchor.within == known.anchor.within
    assert main(["inspect", str(FCS[0]), "--panel", str(out)]) == 0
    assert "\tread\t3400\t" in capsys.readouterr().out
    assert main(["panel", str(FCS[0]), "--out", str(out)]) == 2
    assert "the file is there already" in capsys.readouterr().err


def fcs(path, labels):
    keys = keywords_of(list(labels)) | {"$TOT": "1"} | {f"$P{i}S": s for i, s in enumerate(labels.values(), start=1) if s}
    path.write_bytes(fcs_bytes(keys, pack_floats([[1.0] * len(labels)])))
    return str(path)


BODY = {"FSC-A": "", "FSC-H": "", "SSC-A": "", "Time": ""}


def test_files_of_two_instruments_give_one_panel_of_what_both_show(tmp_path, capsys):
    one = fcs(tmp_path / "a.fcs", BODY | {"V500-A": "CD45 V500", "PE-A": "CD34", "APC-A": "CD33", "SORT": "SORT", "FITC-A": ""})
    two = fcs(tmp_path / "b.fcs", BODY | {"KrO-A": "cd45-KO", "PC5[1]-A": "Anti-CD34", "FL9-A": "CD7"})
    assert main(["panel", one, two]) == 0
    text = capsys.readouterr().out
    panel = check_panel(yaml.safe_load(text), where="t")
    assert panel.markers == ["CD45", "CD34"]
    assert panel.channels["CD45"].detectors == ("V500-A", "KrO-A")
    assert "# Left out, not in every file: CD33, CD7\n" in text
    assert "# Left out, no marker named: FITC-A\n" in text
    assert "a.fcs" not in text


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (BODY | {"PE-A": "CD34"}, "a panel needs CD45, and CD34 or CD117; the files name CD34"),
        (BODY | {"PE-A": "CD45", "APC-A": "CD45", "FITC-A": "CD34"}, "CD45 is shown by PE-A and APC-A"),
        ({"FSC-A": "", "SSC-A": "", "PE-A": "CD45", "APC-A": "CD34"}, "file 1: FSC-H absent or ambiguous"),
    ],
)
def test_what_no_panel_can_be_drafted_from_is_one_line(tmp_path, capsys, labels, told):
    assert main(["panel", fcs(tmp_path / "Jane_Doe.fcs", labels)]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert "Jane" not in error


def test_of_area_and_height_the_area_is_drafted():
    stains, _ = read_stains(["V500-H", "V500-A", "V500-W"], ["CD45"] * 3)
    assert [s.detector for s in stains] == ["V500-A"]
    with pytest.raises(PanelError, match="CD45 is shown by V500-A and FITC-A"):
        read_stains(["V500-A", "FITC-A"], ["CD45"] * 2)


@pytest.mark.parametrize(
    ("label", "marker"),
    [
        ("CD45 V500-C-A", "CD45"),
        ("Anti-HLA-DR", "HLA-DR"),
        ("HLADR PB", "HLA-DR"),
        ("cd11b:APC", "CD11b"),
        ("CD45RA FITC", "CD45RA"),
        ("PE-Cy7 CD117", "CD117"),
        ("CD3/CD19 BV510", "CD3+CD19"),
        ("Zombie Aqua", "Zombie"),
        ("anti-TdT", "TdT"),
        ("PE-A", ""),
        ("", ""),
    ],
)
def test_labels_become_plain_marker_names(label, marker):
    assert name_marker(label) == marker


def test_gates_use_only_markers_that_are_there():
    gates = draft_gates(["CD45", "CD34"])
    used = {m for g in gates for m in g.get("where", {})}
    assert used == {"FSC-A", "SSC-A", "CD45", "CD34"}


def test_inspect_tells_each_file_in_a_line(tmp_path, capsys):
    broken = tmp_path / "x.fcs"
    broken.write_bytes(b"nothing")
    shutil.copy(FCS[0], tmp_path / "a.fcs")
    assert main(["inspect", str(tmp_path / "a.fcs"), str(broken)]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["file", "outcome", "n_events", "why"]
    assert [line[1:3] for line in lines[1:]] == [["read", "3400"], ["refused", ""]]
    assert main(["inspect", str(FCS[0]), "--panel", "euroflow-aml-2"]) == 0
    assert "CD35 is absent" in capsys.readouterr().out
