import ast

import pytest

from mrd.cli.lock import METHOD
from mrd.core import digest
from mrd.core.digest import PACKAGE, REACH, code_digest, digest_bytes, digest_json


def test_the_border_between_parts_counts():
    assert digest_bytes(b"ab", b"c") != digest_bytes(b"a", b"bc")


def test_the_order_of_keys_does_not_count():
    assert digest_json({"a": 1, "b": 2}) == digest_json({"b": 2, "a": 1})


MOVES_NO_RESULT = {"cli/run_options.py"}
"""Checks what was asked for, or says where things lie."""


def imported(path):
    """Files of the package that one imports at its top."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mrd."):
            stem = node.module.removeprefix("mrd.").replace(".", "/")
            yield from (f"{s}.py" for s in (stem, *(f"{stem}/{a.name}" for a in node.names)) if (PACKAGE / f"{s}.py").is_file())


@pytest.mark.parametrize("command", METHOD)
def test_a_digest_covers_all_that_a_command_which_can_move_a_call_imports(command):
    seen, todo = set(), [f"cli/{command}.py"]
    while todo:
        name = todo.pop()
        if name not in seen | MOVES_NO_RESULT:
            seen.add(name)
            todo += imported(PACKAGE / name)
    assert len(seen) > 5
    assert {n for n in seen - {f"cli/{command}.py"} if n not in REACH[command] and n.split("/")[0] not in REACH[command]} == set()


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
        ("cli/searches.py", {"laip", "detect"}),
        ("cli/followed.py", {"laip"}),
        ("cli/tubes.py", {"reference", "laip", "detect"}),
        ("cli/looks.py", {"report"}),
        ("cli/subject_pages.py", {"report"}),
        ("cli/call.py", {"call"}),
        ("core/a.py", set(REACH)),
    ],
)
def test_an_edit_reaches_the_commands_that_use_it_and_no_other(package, edited, reached):
    before = {c: code_digest(c) for c in REACH}
    (package / edited).write_text("x = 2")
    code_digest.cache_clear()
    assert {c for c in REACH if code_digest(c) != before[c]} == reached
