import pytest

from mrd.core import digest
from mrd.core.digest import REACH, code_digest, digest_bytes, digest_json


def test_the_border_between_parts_counts():
    assert digest_bytes(b"ab", b"c") != digest_bytes(b"a", b"bc")


def test_the_order_of_keys_does_not_count():
    assert digest_json({"a": 1, "b": 2}) == digest_json({"b": 2, "a": 1})


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of one line per layer and command, standing in for the real one."""
    sources = {p if p.endswith(".py") else f"{p}/a.py" for reach in REACH.values() for p in reach}
    for name in sources | {f"cli/{command}.py" for command in REACH}:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x = 1")
    monkeypatch.setattr(digest, "PACKAGE", tmp_path)
    code_digest.cache_clear()
    yield tmp_path
    code_digest.cache_clear()


@pytest.mark.parametrize(
    ("edited", "reached"),
    [
        ("quantify/a.py", {"laip", "detect", "call"}),
        ("cli/calibrate.py", {"laip", "detect"}),
        ("cli/tubes.py", {"reference", "laip", "detect"}),
        ("cli/looks.py", {"report"}),
        ("cli/call.py", {"call"}),
        ("core/a.py", set(REACH)),
    ],
)
def test_an_edit_reaches_the_commands_that_use_it_and_no_other(package, edited, reached):
    before = {c: code_digest(c) for c in REACH}
    (package / edited).write_text("x = 2")
    code_digest.cache_clear()
    assert {c for c in REACH if code_digest(c) != before[c]} == reached
