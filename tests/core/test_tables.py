import pandas as pd
import pytest

from mrd.core.contracts import PIPELINE_TABLES
from mrd.core.errors import ContractError
from mrd.core.tables import Column, Table, dictionary, json_schema

VISITS = Table(
    "visits",
    2,
    "visit",
    (
        Column("id", "s", "who", required=True),
        Column("day", "d", "when"),
        Column("n", "i", "how many", low=0),
        Column("share", "f", "part", "1", low=0, high=1),
        Column("kind", "s", "what", codes=("a", "b")),
    ),
    key=("id",),
)
GOOD = pd.DataFrame({"id": ["x", "y"], "day": ["2024-02-29", None], "n": [0, 3], "share": [0.0, 1.0], "kind": ["a", None]})


def test_a_frame_that_keeps_its_declaration_comes_back_unchanged():
    assert VISITS.check(GOOD) is GOOD


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("day", "2023-02-29", "column day has '2023-02-29' in row 3"),
        ("day", "01.02.2024", "it takes a date YYYY-MM-DD"),
        ("n", 1.5, "column n has '1.5' in row 3; it takes a whole number from 0"),
        ("n", -1, "column n has '-1' in row 3"),
        ("share", 1.0001, "it takes a number from 0 to 1"),
        ("kind", "c", "it takes one of a, b"),
        ("id", "", "column id is empty in row 3"),
    ],
)
def test_a_wrong_cell_is_told_with_its_row_and_what_it_takes(column, value, told):
    wrong = GOOD.astype({"n": "float64"}).assign(**{column: [GOOD[column].iloc[0], value]})
    assert any(told in problem for problem in VISITS.problems(wrong))


def test_all_problems_are_told_at_once():
    wrong = GOOD.assign(kind=["z", "a"], share=[2.0, 0.5]).drop(columns="day").assign(more=1)
    problems = VISITS.problems(wrong)
    assert len(problems) == 4
    with pytest.raises(ContractError, match=r"day is missing; .*more is not declared; .*share.*; .*kind"):
        VISITS.check(wrong)


def test_a_key_that_stands_twice_names_both_rows():
    assert VISITS.problems(pd.concat([GOOD, GOOD.iloc[[0]]], ignore_index=True)) == ["id x stands in rows 2, 4"]


def test_rows_become_a_frame_in_the_declared_order_with_missing_cells_empty():
    frame = VISITS.frame([{"n": 2, "id": "x"}])
    assert list(frame.columns) == VISITS.names
    assert frame.loc[0, "n"] == 2
    assert frame.loc[0, ["day", "share", "kind"]].isna().all()


def test_the_schema_of_a_table_holds_codes_units_and_what_is_required():
    schema = json_schema(VISITS)
    assert schema["required"] == ["id"]
    assert schema["properties"]["kind"]["enum"] == ["a", "b", None]
    assert schema["properties"]["share"]["unit"] == "1"
    assert schema["version"] == 2


def test_the_dictionary_names_every_column_of_every_table():
    text = dictionary(PIPELINE_TABLES)
    for table in PIPELINE_TABLES:
        section = text.split(f"## {table.name} (version")[1].split("\n## ")[0]
        assert all(f"| {c.name} |" in section for c in table.columns)


def test_calls_hold_the_columns_of_the_contract_in_its_order():
    contract = [
        *("subject", "visit", "role", "specimen", "specimen_type", "collected"),
        *("n_tubes", "n_events", "n_cells", "n_leukocytes", "n_blast", "n_laip", "laip_fraction", "laip_below"),
        *("mrd_fraction", "ci_low", "ci_high", "lob", "lod", "lloq", "recall", "background"),
        *("arm", "call", "below_threshold", "confident", "reason", "flags"),
        *("decide_on", "threshold", "guideline", "reference", "laip", "panel", "version"),
    ]
    assert next(t for t in PIPELINE_TABLES if t.name == "calls").names == contract
