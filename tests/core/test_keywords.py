import pytest
from hypothesis import given, strategies as st

from mrd.core.keywords import kept_keywords, may_leave, person_words


@pytest.mark.parametrize(
    ("key", "value", "stays"),
    [
        ("$PAR", "12", True),
        ("$PAR", "twelve", False),
        ("$P3N", "PE-Cy7-A", True),
        ("$P3N", "DOE^JANE", False),
        ("$P3E", "4,1", True),
        ("$P3E", "4,1 Jane", False),
        ("$CYT", "FACSLyric", True),
        ("$CYT", "Jane's cytometer", False),
        ("$SPILLOVER", "2,FL1-A,FL2-A,1,0.1,0.02,1", True),
        ("$SPILLOVER", "2,FL1-A,DOE^JANE,1,0,0,1", False),
        ("$DATE", "03-JAN-2024", False),
        ("$SRC", "marrow", False),
        ("TUBE NAME", "T1", False),
        ("$DFC1TO2", "0.5", True),
        ("$P3DATATYPE", "D", True),
    ],
)
def test_a_keyword_leaves_only_in_the_form_it_must_have(key, value, stays):
    assert may_leave(key, value) == stays


def test_a_marker_that_names_the_person_of_the_file_goes_and_a_channel_keeps_a_number():
    told = {
        "$SRC": "Doe, Jane",
        "$P1N": "FITC-A",
        "$P1S": "CD34 doe",
        "$P2N": "JANE-A",
        "$P2S": "CD45",
        "PATIENT ID": "CD45 4711",
    }
    assert kept_keywords(told) == {"$P1N": "FITC-A", "$P2N": "P2", "$P2S": "CD45"}
    assert person_words(told) == {"doe", "jane", "4711"}


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=30), max_size=8))
def test_cleaning_twice_is_cleaning_once(pairs):
    once = kept_keywords(pairs)
    assert kept_keywords(once) == once
    assert set(once) <= {k.strip().upper() for k in pairs}
