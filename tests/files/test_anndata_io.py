import anndata as ad
import numpy as np
import pandas as pd
import pytest

from mrd.core.errors import ContractError, FileError
from mrd.core.slots import CELLS, SCORES
from mrd.files.anndata_io import read_anndata, row_names, write_anndata
from mrd.files.cells import read_cells

X = np.arange(12, dtype=np.float32).reshape(4, 3)
OBS = pd.DataFrame(
    {"event": np.array([0, 2, 5, 9], dtype=np.uint32), "leukocytes": [True, False, True, True]}, index=list("0123")
)
VAR = pd.DataFrame(
    {"role": ["side", "marker", "marker"], "detector": ["SSC-A", "PE-A", "APC-A"]}, index=["SSC-A", "CD34", "CD45"]
)
UNS = {"tube_id": "P1_FU1_T1", "panel": "p 1", "gates": "{}"}


def write(path, **change):
    given = {"obs": OBS, "var": VAR, "uns": UNS, "provenance": {"version": "1"}, "x": X} | change
    write_anndata(path, CELLS, **given)


def test_cells_come_back_as_prepare_wrote_them(tmp_path):
    write(tmp_path / "c.h5ad")
    cells = read_cells(tmp_path / "c.h5ad")
    assert cells.values.tolist() == X.tolist()
    assert cells.events.tolist() == [0, 2, 5, 9]
    assert cells.gates["leukocytes"].tolist() == [True, False, True, True]
    assert cells.channels == ("SSC-A", "CD34", "CD45")


def test_scverse_reads_every_element_and_names_cells_by_their_row(tmp_path):
    kinds = pd.Categorical(["b", "a", "b", "b"], categories=["a", "b"])
    write(tmp_path / "c.h5ad", obs=OBS.assign(kind=kinds).reset_index(drop=True))
    theirs = ad.read_h5ad(tmp_path / "c.h5ad")
    assert theirs.obs_names.tolist() == ["0", "1", "2", "3"]
    assert theirs.X.tolist() == X.tolist()
    assert theirs.obs["event"].tolist() == [0, 2, 5, 9]
    assert theirs.obs["leukocytes"].dtype == bool
    assert theirs.obs["kind"].tolist() == ["b", "a", "b", "b"]
    assert theirs.var["detector"].tolist() == ["SSC-A", "PE-A", "APC-A"]
    theirs[theirs.obs["leukocytes"]].copy().write_h5ad(tmp_path / "again.h5ad")
    assert ad.read_h5ad(tmp_path / "again.h5ad").obs_names.tolist() == ["0", "2", "3"]


@pytest.mark.parametrize("count", [0, 1, 10, 11, 1001])
def test_row_names_are_the_numbers_written_out(count):
    assert [n.decode() for n in row_names(count)] == [str(i) for i in range(count)]


def test_the_same_cells_give_the_same_bytes(tmp_path):
    write(tmp_path / "1.h5ad")
    write(tmp_path / "2.h5ad")
    assert (tmp_path / "1.h5ad").read_bytes() == (tmp_path / "2.h5ad").read_bytes()


def test_a_declared_slot_that_is_absent_is_named_when_writing_and_when_reading(tmp_path):
    with pytest.raises(ContractError, match=r"cells lacks obs\.event"):
        write(tmp_path / "c.h5ad", obs=OBS.drop(columns="event"))
    write(tmp_path / "c.h5ad")
    with pytest.raises(ContractError, match=r"scores lacks obs.laip_score, obs.laip"):
        read_anndata(tmp_path / "c.h5ad", SCORES)


def test_a_missing_or_broken_file_is_told(tmp_path):
    with pytest.raises(FileError, match="the file is missing; run the workflow again"):
        read_cells(tmp_path / "no.h5ad")
    (tmp_path / "bad.h5ad").write_bytes(b"nothing")
    with pytest.raises(FileError, match="not a readable AnnData file"):
        read_cells(tmp_path / "bad.h5ad")
