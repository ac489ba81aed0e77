"""Cleaned files hold the same events and gates, and nothing about a person."""

import stat

import flowio
import numpy as np
import pytest

from mrd.cli.main import main
from mrd.core.contracts import DEIDENTIFIED
from mrd.files.fcs import read_fcs
from mrd.files.gates import read_gates
from mrd.files.tables import read_table
from mrd.prepare.drawn import Frame, inside_gates
from tests.files.test_gates import MATRIX, population, sample, span, workspace
from tests.planted import MARKERS, PERSON, assemble, plant, read_keywords, told_in

NAME = "ZQDOEZQ ZQJANEZQ.fcs"


def keys(channels=2, **more):
    """Keywords of a small file of floats."""
    told = {"$PAR": str(channels), "$TOT": "3", "$DATATYPE": "F", "$BYTEORD": "1,2,3,4", "$MODE": "L", "$NEXTDATA": "0"}
    for i in range(1, channels + 1):
        told |= {f"$P{i}N": f"FL{i}-A", f"$P{i}S": f"CD{i}", f"$P{i}B": "32", f"$P{i}E": "0,0", f"$P{i}R": "1024"}
    return {**told, **more}


EVENTS = np.array([[100.0, 20.0], [10.0, 50.0], [60.0, 60.0]], dtype="<f4")


@pytest.fixture
def lab(tmp_path):
    """A lab's folder with a file and a workspace that name a person wherever one can be named."""
    folder = tmp_path / "lab"
    folder.mkdir()
    (folder / NAME).write_bytes(assemble(keys(), EVENTS.tobytes()))
    plant(folder / NAME)
    gate = f"<gating:RectangleGate gating:id='ID7'>{span('Comp-FL1-A', 50, 500)}</gating:RectangleGate>"
    tree = population("cells", gate, population(f"{MARKERS[0]} blasts", gate))
    told = sample(NAME, f"file:/V:/{MARKERS[1]}/{NAME.replace(' ', '%20')}", tree, matrix=MATRIX)
    told = told.replace(
        "<Keywords>", f'<Keywords><Keyword name="$SRC" value="{PERSON}"/><Keyword name="{MARKERS[3]}" value="x"/>'
    )
    wsp = workspace(
        folder / f"{MARKERS[0]}.wsp", told.replace('owningGroup=""', f'owningGroup="{MARKERS[1]}" annotation="{PERSON}"')
    )
    wsp.write_text(wsp.read_text().replace('version="20.0"', f'version="20.0" nonAutoSaveFileName="{PERSON}"'))
    return folder


def clean(lab, out, *files):
    return main(
        ["deidentify", *(str(f) for f in files or sorted(lab.iterdir())), "--out", str(out), "--map", str(lab.parent / "map.tsv")]
    )


def test_nothing_of_the_person_is_left_in_any_file_or_name(lab, tmp_path, capfd):
    assert clean(lab, tmp_path / "out") == 0
    console = "".join(capfd.readouterr())
    assert not [m for m in MARKERS if m in console]
    files = [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert {p.suffix for p in files} == {".fcs", ".wsp", ".tsv", ".json"}
    assert {p.name: told_in(p) for p in files if told_in(p)} == {}


def test_the_events_and_what_gives_them_shape_stay(lab, tmp_path):
    clean(lab, tmp_path / "out")
    (path,) = (tmp_path / "out").glob("*.fcs")
    assert flowio.FlowData(str(path)).as_array(preprocess=False).tolist() == EVENTS.tolist()
    kept = read_keywords(path)
    assert (kept["p1n"], kept["p2s"], kept["p1r"]) == ("FL1-A", "CD2", "1024")
    assert not {"src", "fil", "date", "op", "cyt", "patient name"} & set(kept)


def test_the_gates_of_a_cleaned_workspace_are_those_of_the_cleaned_file(lab, tmp_path):
    clean(lab, tmp_path / "out")
    (fcs,) = (tmp_path / "out").glob("*.fcs")
    (wsp,) = (tmp_path / "out").glob("*.wsp")
    old = read_gates(next(lab.glob("*.wsp")), files=[NAME], where="old")
    new = read_gates(wsp, files=[fcs.name], where="new")
    data = read_fcs(fcs, where="t")
    frame = Frame(data.events, data.pnn, data.pns, None)
    before, after = (list(inside_gates(d, frame, where="t").values()) for d in (old, new))
    assert [m.tolist() for m in before] == [m.tolist() for m in after] == [[True, False, True]] * 2
    assert new.paths == ["cells", "cells/population-1"]


def test_the_map_lies_apart_is_private_and_gives_the_same_names_again(lab, tmp_path):
    clean(lab, tmp_path / "out")
    path = tmp_path / "map.tsv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().splitlines() == [
        "original\tpseudonym",
        f"{NAME.removesuffix('.fcs')}\tF0001",
        f"{MARKERS[0]}.wsp\tF0002",
    ]
    first = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    clean(lab, tmp_path / "out")
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == first


def test_the_manifest_tells_what_went_without_telling_names(lab, tmp_path):
    clean(lab, tmp_path / "out")
    told = read_table(tmp_path / "out" / "deidentified.tsv", DEIDENTIFIED).set_index("kind")
    assert told.loc["fcs", "file"] == "F0001.fcs"
    assert {"$SRC", "$DATE", "$FIL", "$OP"} <= set(told.loc["fcs", "removed"].split(";"))
    assert told.loc["fcs", "n_removed"] > len(told.loc["fcs", "removed"].split(";"))


@pytest.mark.parametrize("where", ["out/map.tsv", "repository/deep/map.tsv", "results/map.tsv"])
def test_the_map_may_not_lie_where_it_could_travel(lab, tmp_path, capsys, where):
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "calls.tsv").write_text("")
    words = ["deidentify", str(lab / NAME), "--out", str(tmp_path / "out"), "--map", str(tmp_path / where)]
    assert main(words) == 2
    assert "the pseudonym map would lie" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"not FCS at all" * 10, b"FCS3.1    " + b"       0" * 6 + b"|" * 50])
def test_a_broken_file_is_one_line_that_does_not_name_it_and_no_other_is_written(lab, tmp_path, capsys, content):
    bad = lab / "ZQDOEZQ bad.fcs"
    bad.write_bytes(content)
    assert clean(lab, tmp_path / "out", lab / NAME, bad) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("mrd deidentify: file 2 (to be F0002.fcs): ")
    assert not [m for m in MARKERS if m in error]
    assert list((tmp_path / "out").glob("*.fcs")) == []


def test_every_data_set_of_a_file_is_cleaned(lab, tmp_path):
    one, two = (assemble(keys(**{"$SRC": PERSON, "$TOT": "3"}), (EVENTS * k).tobytes()) for k in (1, 2))
    both = one
    for _ in range(3):
        both = assemble(keys(**{"$SRC": PERSON, "$NEXTDATA": str(len(both))}), EVENTS.tobytes())
    (lab / "two.fcs").write_bytes(both + two)
    assert clean(lab, tmp_path / "out", lab / "two.fcs") == 0
    (path,) = (tmp_path / "out").glob("*.fcs")
    sets = flowio.read_multiple_data_sets(str(path))
    assert [s.as_array(preprocess=False).tolist() for s in sets] == [EVENTS.tolist(), (EVENTS * 2).tolist()]
    assert told_in(path) == []


def test_names_in_supplemental_text_and_analysis_go_too(lab, tmp_path):
    extra = f"|$SRC|{PERSON}|$P1S|CD99|".encode()
    told = keys(**{"$BEGINSTEXT": "0" * 8, "$ENDSTEXT": "0" * 8})
    del told["$P1S"]
    base = assemble(told, EVENTS.tobytes())
    told |= {"$BEGINSTEXT": f"{len(base):08d}", "$ENDSTEXT": f"{len(base) + len(extra) - 1:08d}"}
    (lab / "s.fcs").write_bytes(assemble(told, EVENTS.tobytes()) + extra)
    assert clean(lab, tmp_path / "out", lab / "s.fcs") == 0
    (path,) = (tmp_path / "out").glob("*.fcs")
    assert read_keywords(path)["p1s"] == "CD99"
    assert told_in(path) == []
