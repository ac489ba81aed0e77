from mrd.core import digest
from mrd.core.digest import REACH, code_digest, digest_bytes, digest_json


def test_the_border_between_parts_counts():
    assert digest_bytes(b"ab", b"c") != digest_bytes(b"a", b"bc")


def test_the_order_of_keys_does_not_count():
    assert digest_json({"a": 1, "b": 2}) == digest_json({"b": 2, "a": 1})


def test_an_edit_reaches_the_commands_of_its_layer_and_no_other(tmp_path, monkeypatch):
    for layer in {name for reach in REACH.values() for name in reach}:
        (tmp_path / layer).mkdir()
        (tmp_path / layer / "a.py").write_text("x = 1")
    (tmp_path / "cli").mkdir()
    for command in REACH:
        (tmp_path / "cli" / f"{command}.py").write_text("")
    monkeypatch.setattr(digest, "PACKAGE", tmp_path)
    code_digest.cache_clear()
    before = {c: code_digest(c) for c in REACH}
    (tmp_path / "quantify" / "a.py").write_text("x = 2")
    code_digest.cache_clear()
    moved = {c for c in REACH if code_digest(c) != before[c]}
    code_digest.cache_clear()
    assert moved == {"laip", "call"}
