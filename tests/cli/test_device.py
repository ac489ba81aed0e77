"""Every stage on a device that is not the CPU, as far as a machine without one can show it (tests/pretend.py)."""

import contextlib

import numpy as np
import pytest
import torch

from mrd.detect import rehearse
from mrd.detect.chunks import DEVICE_CHUNK, Chunks
from mrd.files.layout import laip_path, reference_path, search_path
from mrd.files.models import LAIP_MODEL, REFERENCE_MODEL, SEARCH_MODEL, read_model
from tests.cohort import controls, make_cohort, patient, read_calls, run_stages
from tests.detect.test_gpu import scored
from tests.pretend import There, pretended

PANEL = "aml-lyric-9"


class OneByOne(contextlib.AbstractContextManager):
    """Workers that work where they were asked: the device is pretended in this thread alone."""

    map = staticmethod(map)

    def __exit__(self, *told):
        return None


@pytest.fixture
def there(monkeypatch):
    """A machine with a device."""
    monkeypatch.setattr(rehearse, "workers", lambda threads: OneByOne())
    with pretended(monkeypatch):
        yield torch.device("cuda")


def test_what_lies_in_two_places_is_refused(there):
    a, b = torch.zeros(3, 4, device=there), torch.ones(4, 2)
    assert (a.device, b.device, a.new_zeros(2).device) == (there, torch.device("cpu"), there)
    for mixed in (lambda: a @ b, lambda: b[a[:, 0].long()], lambda: torch.cat([a, b.T]), lambda: b.T + a.amax(dim=0)):
        with pytest.raises(RuntimeError, match="tensors on cuda:0 and cpu"):
            mixed()
    with pytest.raises(RuntimeError, match="tensors on cuda:0 and cpu"):
        a[0] = torch.ones(4)
    for taken in (a.numpy, lambda: np.asarray(a)):
        with pytest.raises(TypeError, match="can't convert cuda"):
            taken()
    ours = torch.Generator().manual_seed(1)
    for drawn in (lambda: torch.rand(3, generator=ours, device=there), lambda: a.normal_(generator=ours)):
        with pytest.raises(RuntimeError, match="type for generator"):
            drawn()
    assert not isinstance(torch.rand(3, generator=ours), There)
    product = a @ b.to(there)
    assert isinstance(product, There)
    assert not isinstance(product.cpu(), There)
    assert product.mul_(2) is product


def test_scores_there_are_those_of_the_cpu(there):
    for theirs, ours in zip(scored(there, Chunks(DEVICE_CHUNK)), scored(torch.device("cpu"), Chunks()), strict=True):
        assert abs(theirs - ours).max() < 1e-3


def test_a_cohort_is_learned_and_called_there(there, tmp_path):
    rows = [*controls(5, 4_000), *patient("P1", "CD56+", [0.06], events=5_000), *patient("P2", "CD56+", [0.0, 0.08])[1:]]
    results = run_stages(make_cohort(tmp_path, rows, device="auto"))
    models = [
        (reference_path(results / "reference", PANEL), REFERENCE_MODEL),
        *((laip_path(results / "laip", p, PANEL), LAIP_MODEL) for p in ("P1", "P2")),
        (search_path(results / "laip", "P2_FU2_T1"), SEARCH_MODEL),
    ]
    assert [read_model(path, *kind)[1]["provenance"]["device"] for path, kind in models] == ["cuda"] * len(models)
    calls = read_calls(results)["call"]
    assert calls.to_dict() == {
        ("P1", "DX"): "positive",
        ("P1", "FU1"): "positive",
        ("P2", "FU1"): "indeterminate",
        ("P2", "FU2"): "positive",
    }
