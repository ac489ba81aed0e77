"""A killed write, and a disk that is full: the old file or the new one stands, never a half."""

import os
import resource
import signal
import time
import warnings

import numpy as np
import pandas as pd
import pytest

from mrd.core.contracts import PAGES
from mrd.core.errors import DiskError
from mrd.core.slots import SCORES
from mrd.files.anndata_io import read_anndata, write_anndata
from mrd.files.atomic import write_text
from mrd.files.datasets import read_parquet, write_parquet
from mrd.files.fcs import read_fcs
from mrd.files.fcs_write import FcsImage, write_fcs
from mrd.files.ledger import recorded, remember
from mrd.files.manifest import list_files
from mrd.files.models import read_model, write_model
from mrd.files.tables import read_table, write_table

N = 20_000


def frame(value):
    return PAGES.frame([{"subject": f"S{i}", "inputs": str(value), "artefact": str(value)} for i in range(2000)])


def write_scores(path, value):
    columns = {"event": np.arange(N), **{n: np.full(N, value) for n in SCORES.obs if n != "event"}}
    obs = pd.DataFrame(columns, index=np.arange(N).astype(str))
    write_anndata(path, SCORES, obs=obs, var=pd.DataFrame(index=[]), uns={"tube_id": "t"}, provenance={"value": value})


def read_scores(path):
    values = read_anndata(path, SCORES).obs["laip_score"].to_numpy()
    assert len(values) == N
    return set(values)


def write_events(path, value):
    write_fcs(path, FcsImage(np.full((N, 4), value, dtype=np.float32), list("abcd"), [""] * 4, [100] * 4, None, {}))


WRITERS = {
    "s.h5ad": (write_scores, read_scores),
    "m.safetensors": (
        lambda p, v: write_model(p, "k", 1, {"a": np.full(N, float(v))}, {"v": v}),
        lambda p: {*read_model(p, "k", 1)[0]["a"].tolist(), read_model(p, "k", 1)[1]["v"]},
    ),
    "d.parquet": (lambda p, v: write_parquet(p, frame(v), PAGES), lambda p: {float(x) for x in read_parquet(p, PAGES)["inputs"]}),
    "t.tsv": (lambda p, v: write_table(p, frame(v), PAGES), lambda p: {float(x) for x in read_table(p, PAGES)["inputs"]}),
    "e.fcs": (write_events, lambda p: {float(x) for x in read_fcs(p, where="e").events.ravel()}),
    "p.html": (lambda p, v: write_text(p, f"{v}\n" * N), lambda p: {float(x) for x in p.read_text().split()}),
}


def write_all(folder, value, names):
    """Write every kind of artefact with its record; each file holds one value throughout."""
    for name in names:
        WRITERS[name][0](folder / name, value)
        remember(folder / name, str(value), {})


def test_killed_twenty_times_no_half_file_is_taken_for_a_whole_one(tmp_path):
    rng = np.random.default_rng(7)
    seen = set()
    write_all(tmp_path, 0, WRITERS)
    for turn in range(20):
        order = [str(n) for n in rng.permutation([*WRITERS])]
        heard, begun = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a fork of a process with threads
            child = os.fork()
        if child == 0:
            try:
                for value in range(1000):
                    write_all(tmp_path, 1 + turn * 1000 + value, order)
                    os.write(begun, b".")
            finally:
                os._exit(1)
        assert os.read(heard, 1) == b"."  # at least once all were written
        time.sleep(rng.uniform(0.02, 0.22))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(heard)
        os.close(begun)
        for name, (_, read) in WRITERS.items():
            (value,) = read(tmp_path / name)
            seen.add((name, value))
            record = recorded(tmp_path / name)  # none: killed between a file and its record, so it is made again
            assert record is None or record["inputs"] == str(int(value))
    assert len(seen) > 20
    named = {n.removesuffix(".json") for n in list_files(tmp_path)} - {"t.schema"}
    assert named <= set(WRITERS)


@pytest.mark.parametrize("limit", [1024, 5_000])
@pytest.mark.parametrize("name", [*WRITERS])
def test_a_full_disk_is_one_line_and_leaves_the_old_file(tmp_path, name, limit):
    write, read = WRITERS[name]
    write(tmp_path / name, 1)
    before = sorted(p.name for p in tmp_path.iterdir())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(DiskError, match=rf"{name}: cannot write \(.*\); free space or choose another results folder") as told:
            write(tmp_path / name, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "\n" not in str(told.value)
    assert read(tmp_path / name) == {1}
    assert sorted(p.name for p in tmp_path.iterdir()) == before
