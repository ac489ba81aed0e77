import numpy as np
import pytest

from mrd.core.errors import ContractError, FileError
from mrd.files.models import read_model, write_model

ARRAYS = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.array([1.5])}


def test_arrays_and_description_come_back(tmp_path):
    write_model(tmp_path / "m.safetensors", "laip", 1, ARRAYS, {"cut": 4.5})
    arrays, about = read_model(tmp_path / "m.safetensors", "laip", 1)
    assert about == {"cut": 4.5}
    assert {n: a.tolist() for n, a in arrays.items()} == {n: a.tolist() for n, a in ARRAYS.items()}


def test_the_same_content_gives_the_same_bytes(tmp_path):
    write_model(tmp_path / "1", "laip", 1, ARRAYS, {"x": 1, "y": 2})
    write_model(tmp_path / "2", "laip", 1, dict(reversed(ARRAYS.items())), {"y": 2, "x": 1})
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


@pytest.mark.parametrize(
    ("kind", "version", "told"),
    [("reference", 1, "it holds laip version 1, reference version 1"), ("laip", 2, "laip version 2 is needed")],
)
def test_another_kind_or_version_is_refused(tmp_path, kind, version, told):
    write_model(tmp_path / "m", "laip", 1, ARRAYS, {})
    with pytest.raises(ContractError, match=told):
        read_model(tmp_path / "m", kind, version)


def test_a_missing_or_broken_model_is_told(tmp_path):
    with pytest.raises(FileError, match="the laip is missing"):
        read_model(tmp_path / "no", "laip", 1)
    (tmp_path / "bad").write_bytes(b"x" * 50)
    with pytest.raises(FileError, match="not a readable laip"):
        read_model(tmp_path / "bad", "laip", 1)
