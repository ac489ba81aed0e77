"""What does not fit a transport file is refused before it is written, with every problem told."""

import pytest

from mrd.core.conformance import check_submission, find_misfits
from mrd.core.contracts import ADAE, ADMRD, ADRS, ADSL, ADTTE, CP, RS
from mrd.core.errors import ContractError
from mrd.core.tables import Column, Table

DATASETS = (ADSL, ADMRD, ADRS, ADTTE, ADAE, CP, RS)


def variable(name="AVALC", meaning="Analysis Value (C)", **more):
    return Column(name, "s", meaning, **{"origin": "Derived", "derivation": "as told", "length": 8, **more})


def dataset(*columns, name="adxx", label="A Dataset"):
    return Table(name, 1, "row", columns, key=("AVALC",), label=label, structure="BASIC DATA STRUCTURE")


@pytest.mark.parametrize("table", DATASETS, ids=lambda t: t.name)
def test_every_submitted_dataset_is_declared_in_full(table):
    assert list(find_misfits(table)) == []
    names = [c.name for c in table.columns]
    assert len(set(names)) == len(names)
    assert set(table.key) <= set(names)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (dataset(variable("ANALYSISV")), "column ANALYSISV: its name is not 1 to 8 capital letters"),
        (dataset(variable("avalc")), "column avalc: its name is not 1 to 8 capital letters"),
        (dataset(variable("1AVAL")), "column 1AVAL: its name is not 1 to 8 capital letters"),
        (dataset(variable(meaning="x" * 41)), "is not 1 to 40 ASCII characters"),
        (dataset(variable(meaning="Größe")), "label 'Größe' is not 1 to 40 ASCII characters"),
        (dataset(variable(length=201)), "column AVALC: length 201 is over 200 bytes"),
        (dataset(variable(derivation="")), "column AVALC: no origin or derivation is declared"),
        (dataset(variable(), name="adxxxxxxx"), "name adxxxxxxx is not 1 to 8 letters"),
        (dataset(variable(), label=""), "label '' is not 1 to 40 ASCII characters"),
    ],
)
def test_a_declaration_that_does_not_fit_is_told(table, told):
    assert told in "; ".join(find_misfits(table))


def test_names_of_8_labels_of_40_and_texts_of_their_length_fit():
    table = dataset(variable(), variable("A2345678", "x" * 40, length=200))
    frame = table.frame([{"AVALC": "x" * 8, "A2345678": "y" * 200}])
    assert check_submission(frame, table) is frame


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("x" * 9, "column AVALC has 9 bytes in row 2; it takes 8"),
        ("Müller", "column AVALC has 'Müller' in row 2, which is not printable ASCII"),
        ("a\nb", "in row 2, which is not printable ASCII"),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_its_row(value, told):
    table = dataset(variable())
    with pytest.raises(ContractError) as error:
        check_submission(table.frame([{"AVALC": "fits"}, {"AVALC": value}]), table)
    assert told in str(error.value)
    assert "nothing is truncated" in str(error.value)
