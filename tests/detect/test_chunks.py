import subprocess
import sys

import pytest
import torch

from mrd.detect.align import adapt
from mrd.detect.chunks import CHUNK, DEVICE_CHUNK, Chunks, chunks, ways, workers
from mrd.detect.learned import score_learned
from mrd.detect.mixture import log_density
from mrd.detect.reference import prior_of
from tests.detect.marrow import mixed
from tests.detect.test_dfn import S, bank, search
from tests.detect.test_gpu import network
from tests.detect.test_mixture import cells, mixture


def test_slices_cover_all_cells_once_the_last_one_short():
    assert chunks(10, 4) == [slice(0, 4), slice(4, 8), slice(8, 10)]
    assert chunks(0) == []


@pytest.mark.parametrize("n", [0, 1, CHUNK, 5 * CHUNK + 17])
def test_threads_change_no_bit_of_a_score(n):
    x, m = cells(n), mixture()
    assert torch.equal(log_density(x, m, Chunks(threads=3)), log_density(x, m))


def test_a_small_product_comes_out_the_same_in_a_worker():
    a, b = torch.rand(12, 1111), torch.rand(1111, 15)
    with workers(3) as pool:
        assert all(torch.equal(a @ b, told) for told in pool.map(lambda _: a @ b, range(6)))


def test_a_tube_with_its_shift_scores_as_its_cells_moved():
    x, shift = cells(2 * CHUNK + 5), torch.tensor([0.3, -0.2, 0.1, 0.0])
    assert torch.equal(score_learned(x, network(), shift), score_learned(x - shift, network()))


def test_a_device_whose_memory_does_not_suffice_gives_way_to_smaller_chunks_then_to_the_cpu():
    told = [(w.device.type, w.chunks.size, w.chunks.threads) for w in ways(torch.device("cuda"), 2)]
    assert told[0] == ("cuda", DEVICE_CHUNK, 2)
    assert told[1] == ("cuda", DEVICE_CHUNK // 2, 2)
    assert told[-1] == ("cpu", CHUNK, 2)
    assert [w.chunks.size for w in ways(torch.device("cpu"))][:2] == [CHUNK, CHUNK // 2]


BLOCKED = """
import pkgutil, sys
from importlib import import_module
sys.modules.update(dict.fromkeys(["flowkit", "flowio", "flowutils", "anndata", "h5py"]))
import mrd.detect
for module in pkgutil.iter_modules(mrd.detect.__path__):
    import_module(f"mrd.detect.{module.name}")
"""


def test_the_detectors_need_neither_flowkit_nor_anndata():
    done = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_threads_change_no_bit_of_an_adaptation_or_a_search():
    cells, _ = mixed(20_000, 0.02, 33)
    told, _, _ = bank()
    one, three = (adapt(cells, told.reference.mixture, prior_of(S), by=Chunks(threads=t)) for t in (1, 3))
    assert torch.equal(one.mixture.means, three.mixture.means)
    assert torch.equal(one.mixture.spreads, three.mixture.spreads)
    found = [search(cells, by=Chunks(threads=t)) for t in (1, 3)]
    assert torch.equal(found[0].odds, found[1].odds)
