from pathlib import Path

import pytest

from mrd.core.errors import SheetError
from mrd.core.settings import Settings
from mrd.files.sheet import read_samples

HEAD = "subject\tvisit\trole\tcontrol_kind\ttube\tspecimen\tspecimen_type\tcollected\tfcs"


def sheet(tmp_path, *rows, head=HEAD):
    path = tmp_path / "samples.tsv"
    path.write_text("\n".join([head, *("\t".join(r) for r in rows)]) + "\n")
    return Settings(samples=str(path), reference="frozen")


def row(subject="P1", visit="FU1", role="follow-up", kind="", tube="T1", kind_of="bone marrow", day="2024-01-08", fcs="a.fcs"):
    return (subject, visit, role, kind, tube, f"{subject}-{visit}", kind_of, day, fcs)


def test_a_good_sheet_gives_ids_panels_and_paths_relative_to_it(tmp_path):
    (tmp_path / "a.fcs").write_bytes(b"x")
    frame = read_samples(sheet(tmp_path, (*row(), "k9"), head=HEAD + "\tnote"))
    assert frame.loc[0, ["tube_id", "panel", "path", "note", "compensation"]].tolist() == [
        "P1_FU1_T1",
        "aml-lyric-9",
        str(tmp_path / "a.fcs"),
        "k9",
        "",
    ]


def test_a_tube_may_name_its_own_panel_and_matrix(tmp_path):
    (tmp_path / "a.fcs").write_bytes(b"x")
    with pytest.raises(SheetError, match="P1_FU1_T1: its compensation file is missing"):
        read_samples(sheet(tmp_path, (*row(), "m.csv"), head=HEAD + "\tcompensation"))
    (tmp_path / "m.csv").write_bytes(b"x")
    frame = read_samples(sheet(tmp_path, (*row(), "eln-core-8", "m.csv"), head=HEAD + "\tpanel\tcompensation"))
    assert frame.loc[0, ["panel", "compensation"]].tolist() == ["eln-core-8", str(tmp_path / "m.csv")]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ([row(fcs="no.fcs")], "P1_FU1_T1: its FCS file is missing"),
        ([row(role="patient")], "column role has 'patient' in row 2; it takes one of control, diagnosis, follow-up"),
        ([row(), row()], "subject \\+ visit \\+ tube P1 FU1 T1 stands in rows 2, 3"),
        (
            [row(), row(tube="T2", kind_of="peripheral blood", day="2024-01-09")],
            "P1 FU1 differ in specimen_type, collected: they are",
        ),
        ([row(role="control")], "control P1_FU1_T1 needs control_kind normal or regenerating"),
        ([row(day="8.1.2024")], "column collected has '8.1.2024' in row 2; it takes a date"),
        ([row(subject="../P1")], "subject '../P1' may hold only letters"),
        ([row(subject="P 1")], "subject 'P 1' may hold only letters"),
        ([row(subject="P_1", visit="A"), row(subject="P", visit="1_A")], "P_1_A_T1 names two tubes"),
        ([row(role="control", kind="normal"), row(visit="FU2")], "subject P1 is a control and a patient"),
        ([row(kind_of="marrow")], "column specimen_type has 'marrow'"),
    ],
)
def test_every_mistake_in_the_sheet_is_told(tmp_path, wrong, told):
    (tmp_path / "a.fcs").write_bytes(b"x")
    with pytest.raises(SheetError, match=told) as error:
        read_samples(sheet(tmp_path, *wrong))
    assert "\n" not in str(error.value)


def test_all_problems_are_listed_at_once(tmp_path):
    rows = [row(role="patient"), row(visit="FU2", day="x"), row(visit="FU3", tube="")]
    with pytest.raises(SheetError, match=r"role.*tube.*collected|role.*collected.*tube|tube.*collected"):
        read_samples(sheet(tmp_path, *rows))


def test_missing_columns_are_all_named(tmp_path):
    with pytest.raises(
        SheetError, match="column specimen is missing; column specimen_type is missing; column collected is missing"
    ):
        read_samples(
            sheet(tmp_path, ("P1", "FU1", "follow-up", "", "T1", "a.fcs"), head="subject\tvisit\trole\tcontrol_kind\ttube\tfcs")
        )


def test_files_the_workflow_will_make_need_not_exist(tmp_path):
    settings = sheet(tmp_path, row(fcs="made/a.fcs"), row(visit="FU2", fcs="b.fcs"))
    with pytest.raises(SheetError, match=r"^[^;]*P1_FU2_T1: its FCS file is missing; correct"):
        read_samples(settings, made_in=tmp_path / "made")


def test_no_sheet_says_how_to_give_one():
    with pytest.raises(SheetError, match="no sample sheet is given; give --config samples=PATH"):
        read_samples(Settings())


def test_the_demo_and_test_sheets_hold():
    root = Path(__file__).parents[2]
    for name in ("workflow/config/demo.tsv", "test_fcs/plan.tsv"):
        assert len(read_samples(Settings(samples=str(root / name)), whole_run=False)) > 10


@pytest.mark.parametrize("word", ["none", "keyword"])
def test_words_of_the_compensation_column_are_no_paths(tmp_path, word):
    (tmp_path / "a.fcs").write_bytes(b"x")
    frame = read_samples(sheet(tmp_path, (*row(), word), head=HEAD + "\tcompensation"))
    assert frame.loc[0, "compensation"] == word
