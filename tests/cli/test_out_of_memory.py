"""A device that runs out of memory: the tube is looked at in smaller chunks, then on the CPU, and never lost."""

import pandas as pd
import pytest
import torch

from mrd.cli import detect, laip, reference
from mrd.cli.bank import Banks, read_bank
from mrd.core.settings import Settings
from mrd.detect.chunks import CHUNK, DEVICE_CHUNK
from mrd.files.layout import laip_path, reference_path, scores_path
from mrd.files.ledger import record_path
from tests.cohort import run_some


@pytest.fixture
def unseen(copied):
    """A finished run whose follow-up is to be looked at anew; its settings and results."""
    for visit in ("FU1", "DX"):
        path = scores_path(copied[1], f"P1_{visit}_T1")
        path.unlink()
        record_path(path).unlink()
    return copied


def cuda(name):
    return torch.device("cuda")


def counted(results):
    return pd.read_csv(results / "detect" / "s001.tsv", sep="\t").set_index(["tube_id", "arm"])[["n_found", "n_leukocytes"]]


def test_a_tube_that_does_not_fit_is_looked_at_in_smaller_chunks_with_the_same_counts(unseen, monkeypatch, capsys):
    before, sizes, align = counted(unseen[1]), [], detect.align

    def scarce(look):
        sizes.append(look.by.size)
        if look.by.size > CHUNK // 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return align(look)

    monkeypatch.setattr(detect, "align", scarce)
    run_some(unseen[0], "detect")
    assert sizes == [CHUNK, CHUNK // 2, CHUNK // 4] * 2
    assert (counted(unseen[1]) - before).abs().max().max() <= 1
    assert "P1_FU1_T1: out of memory on cpu, 4096 cells at a time" in capsys.readouterr().err


def test_the_last_resort_of_a_cuda_device_is_the_cpu(monkeypatch):
    tried = []

    def make_sights(job, bank, known, told, by):
        tried.append((bank, by.size))
        if bank == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return "seen"

    monkeypatch.setattr(detect, "choose_device", cuda)
    monkeypatch.setattr(detect, "bank_on", lambda job, way, banks: way.device.type)
    monkeypatch.setattr(detect, "make_sights", make_sights)
    run = detect.Run(Settings(), pd.DataFrame(), None)
    assert detect.sights_within(detect.Job(run, {"tube_id": "T"}, {}), {}, {}) == "seen"
    assert tried == [("cuda", DEVICE_CHUNK >> i) for i in range(4)] + [("cpu", CHUNK)]


@pytest.mark.parametrize(
    ("stage", "module", "work", "artefact"),
    [
        ("reference", reference, "make_reference", lambda results: reference_path(results / "reference", "aml-lyric-9")),
        ("laip", laip, "make_laip", lambda results: laip_path(results / "laip", "P1", "aml-lyric-9")),
    ],
)
def test_what_is_learned_is_learned_on_the_cpu_where_a_device_has_no_room(
    copied, stage, module, work, artefact, monkeypatch, capsys
):
    path, done, tried = artefact(copied[1]), getattr(module, work), []
    before = path.read_bytes()
    path.unlink()

    def scarce(*words, **named):
        tried.append(len(words))
        if len(tried) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return done(*words, **named)

    monkeypatch.setattr(module, "choose_device", cuda)
    monkeypatch.setattr(Banks, "on", lambda banks, name, device: read_bank(banks.folder, name, torch.device("cpu")))
    monkeypatch.setattr(module, work, scarce)
    run_some(copied[0], stage)
    assert len(tried) == 2
    assert path.read_bytes() == before
    assert "out of memory on cuda" in capsys.readouterr().err
