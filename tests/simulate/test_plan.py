"""Plans: what they refuse, and the ones that come with the project."""

from __future__ import annotations

import pandas as pd
import pytest

from mrd.core.errors import SheetError
from mrd.files.clinical import read_subjects
from mrd.files.tables import read_text_table
from mrd.simulate.plan import PLAN, TubePlan, choose_tubes, read_plan

from .tubes import ROOT

ROW = {
    "subject": "P01", "visit": "DX", "role": "diagnosis", "control_kind": None, "tube": "T1", "specimen": "P01-DX",
    "specimen_type": "bone marrow", "collected": "2024-01-10", "fcs": "fcs/P01_DX_T1.fcs", "events": "1000",
    "burden": "0.5", "laip": "CD56+", "artefacts": None, "panel": None,
}  # fmt: skip


def sheet(*changes: dict[str, str | None]) -> pd.DataFrame:
    return pd.DataFrame([{**ROW, **change} for change in changes], dtype="string")


def read(*changes: dict[str, str | None]) -> list[TubePlan]:
    return read_plan(sheet(*changes), panel="aml-lyric-9", where="plan")


def told(name: str) -> list[TubePlan]:
    return read_plan(read_text_table(ROOT / name, where=name), panel="aml-lyric-9", where=name)


def test_a_row_is_read_with_the_usual_panel_and_its_kinds() -> None:
    (tube,) = read({"laip": "CD56;CD33hi", "burden": "0.25"})
    assert tube.tube_id == "P01_DX_T1"
    assert tube.panel == "aml-lyric-9"
    assert tube.burden == 0.25
    assert [k.name for k in tube.kinds] == ["CD56+", "CD33hi"]


def test_a_switch_replaces_the_kinds_of_the_subject() -> None:
    (tube,) = read({"artefacts": "switch=CD19"})
    assert [k.name for k in tube.kinds] == ["CD19+"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"events": "0"}, "column events has '0'"),
        ({"events": None}, "column events is empty"),
        ({"burden": "1.5"}, "column burden has '1.5'"),
        ({"laip": None}, "a burden without a LAIP kind"),
        ({"laip": "CD99+"}, "CD99+ is no LAIP kind; there are CD7+"),
        ({"laip": "CD7+"}, "P01 DX: no tube shows LAIP CD7+, which takes CD7; add a tube of eln-core-8"),
        ({"laip": "CD34+CD15+"}, "which takes CD34 and CD15; no panel that can be simulated has it"),
        ({"artefacts": "switch=CD2"}, "no tube shows LAIP CD2+"),
        ({"artefacts": "rust"}, "rust is no artefact"),
        ({"panel": "aml-99"}, "panel aml-99 cannot be simulated; there are aml-lyric-9, eln-core-8"),
        ({"subject": "../P01"}, "may hold only letters"),
    ],
)
def test_a_plan_that_cannot_be_simulated_is_refused_in_one_line(change: dict[str, str | None], words: str) -> None:
    with pytest.raises(SheetError) as refusal:
        read(change)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_kind_one_panel_lacks_is_fine_where_another_tube_of_the_visit_shows_it() -> None:
    both = {"tube": "T2", "panel": "eln-core-8", "fcs": "fcs/P01_DX_T2.fcs", "laip": "CD7+"}
    assert [t.panel for t in read({"laip": "CD7+"}, both)] == ["aml-lyric-9", "eln-core-8"]


def test_every_problem_of_a_plan_is_told_at_once() -> None:
    with pytest.raises(SheetError, match=r"CD99\+ is no LAIP kind.*rust is no artefact"):
        read({"laip": "CD99+"}, {"visit": "FU1", "fcs": "b.fcs", "artefacts": "rust"})


def test_two_tubes_in_one_file_are_refused() -> None:
    with pytest.raises(SheetError, match="stands for more than one tube"):
        read({}, {"visit": "FU1"})


def test_a_subject_with_two_leukaemias_is_told_to_switch() -> None:
    with pytest.raises(SheetError, match=r"P01 has LAIPs CD19\+ and CD56\+; .* switch=KIND"):
        read({}, {"visit": "FU1", "fcs": "b.fcs", "laip": "CD19+"})


def test_a_tube_the_plan_lacks_cannot_be_chosen() -> None:
    tubes = read({})
    assert choose_tubes(tubes, ["P01_DX_T1"]) == choose_tubes(tubes, None) == tubes
    with pytest.raises(SheetError, match="no tube P02_DX_T1"):
        choose_tubes(tubes, ["P02_DX_T1"])


def test_the_plan_is_a_sample_sheet_with_four_columns_more() -> None:
    assert PLAN.names[-4:] == ["events", "burden", "laip", "artefacts"]
    assert PLAN.open


def test_the_demo_has_what_it_is_to_show() -> None:
    tubes = told("workflow/config/demo.tsv")
    follow_ups = {t.tube_id: t for t in tubes if t.role == "follow-up"}
    burdens = [t.burden for t in follow_ups.values()]
    assert [sum(t.control_kind == k for t in tubes) for k in ("normal", "regenerating")] == [6, 6]
    assert {t.subject for t in tubes if t.role == "diagnosis"} == {t.subject for t in follow_ups.values()}
    assert max(burdens) >= 0.01
    assert 0.0 in burdens
    assert any(0 < b <= 2e-4 for b in burdens)
    assert any(0.0007 < b < 0.0015 for b in burdens)
    assert min(t.events for t in follow_ups.values()) == 6000
    assert {"sag", "hemodilution"} <= {a.partition("=")[0] for t in tubes for a in t.artefacts.split(";")}


@pytest.mark.parametrize(
    ("plan", "clinical"),
    [("workflow/config/demo.tsv", "workflow/config/demo_subjects.tsv"), ("test_fcs/plan.tsv", "test_fcs/subjects.tsv")],
)
def test_the_clinical_tables_fit_their_plans(plan: str, clinical: str) -> None:
    sheet = read_text_table(ROOT / plan, where=plan)
    subjects = read_subjects(ROOT / clinical).set_index("subject")
    patients = sheet[sheet["role"].ne("control")]
    assert set(patients["subject"]) <= set(subjects.index)
    for row in patients.itertuples():
        first = subjects.loc[row.subject, "first_dose"]
        assert (row.collected < first) == (row.role == "diagnosis")
        assert row.collected <= subjects.loc[row.subject, "last_alive"]
