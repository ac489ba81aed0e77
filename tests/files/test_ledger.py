import json

from mrd.files.ledger import record_path, recorded, remember, remembered


def test_work_is_remembered_until_its_inputs_change(tmp_path):
    path = tmp_path / "a.h5ad"
    path.write_bytes(b"cells")
    record = remember(path, "inputs1", {"row": {"n": 3}})
    assert record["row"] == {"n": 3}
    assert remembered(path, "inputs1") == record
    assert remembered(path, "inputs2") is None


def test_an_artefact_that_was_changed_or_lost_is_made_again(tmp_path):
    path = tmp_path / "a.h5ad"
    path.write_bytes(b"cells")
    remember(path, "i", {})
    path.write_bytes(b"other")
    assert remembered(path, "i") is None
    path.unlink()
    assert recorded(path) is None


def test_an_outcome_without_an_artefact_is_remembered_too(tmp_path):
    path = tmp_path / "a.h5ad"
    remember(path, "i", {"reason": "cut off"})
    assert remembered(path, "i") == {"reason": "cut off", "inputs": "i", "artefact": ""}


def test_a_broken_record_is_as_good_as_none(tmp_path):
    path = tmp_path / "a.h5ad"
    record_path(path).write_text("{")
    assert remembered(path, "i") is None
    record_path(path).write_text(json.dumps({"inputs": "j"}))
    assert remembered(path, "i") is None
