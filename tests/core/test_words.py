import pytest

from mrd.core import words


def test_flags_are_joined_sorted_without_repeats_and_split_again():
    text = words.join_flags(["unstable", "blood"], ("blood",))
    assert text == "blood;unstable"
    assert words.split_flags(text) == ["blood", "unstable"]


def test_an_undeclared_flag_is_a_bug():
    with pytest.raises(KeyError, match="odd"):
        words.join_flags(["odd"])


def test_no_flags_split_to_none():
    assert words.split_flags(None) == []
    assert words.split_flags("") == []
