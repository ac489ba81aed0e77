"""AnnData files: write with declared slots, read back checked."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata as ad
import h5py
import numpy as np
import pandas as pd
from anndata.io import read_elem, write_elem

from mrd.core.errors import FileError
from mrd.core.slots import Slots
from mrd.files.atomic import whole


def write_anndata(
    path: Path,
    slots: Slots,
    *,
    obs: pd.DataFrame,
    var: pd.DataFrame,
    uns: dict[str, Any],
    provenance: dict[str, Any],
    x: np.ndarray | None = None,
) -> None:
    """Write an AnnData file whole, with the declared slots; cells are named by their row."""
    told = {**uns, "kind": slots.name, "slots_version": slots.version, "provenance": json.dumps(provenance, sort_keys=True)}
    slots.check(obs=list(obs.columns), var=list(var.columns), uns=list(told), where=path.name)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Transforming to str index")
        around = ad.AnnData(var=var, uns=told)
    with h5py.File(path.name, "w", driver="core", backing_store=False, block_size=BLOCK) as file:
        write_elem(file, "/", around)
        _write_cells(file, obs, x)
        file.flush()
        image = file.id.get_file_image()
    with whole(path) as temporary:
        temporary.write_bytes(image)


BLOCK = 1 << 24
"""The file grows in memory by so many bytes and goes to the disk as one: HDF5 itself does not end cleanly on a full disk."""


def _write_cells(file: h5py.File, obs: pd.DataFrame, x: np.ndarray | None) -> None:
    """What grows with the cells, as the AnnData format lays it out (`dataframe` 0.2.0, `string-array` 0.2.0).

    Names have a fixed width: as a million Python strings they would take longer, and more memory, than the cells.
    """
    if x is not None:
        write_elem(file, "X", x)
    del file["obs"]
    table = file.create_group("obs")
    table.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "_index"})
    table.attrs["column-order"] = np.array(list(obs.columns), dtype=h5py.string_dtype())
    names = table.create_dataset("_index", data=row_names(len(obs)))
    names.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})
    for name, column in obs.items():
        write_elem(table, str(name), column.array if isinstance(column.dtype, pd.CategoricalDtype) else column.to_numpy())


def row_names(count: int) -> np.ndarray:
    """Row numbers as ASCII text of a fixed width, (n,): `0`, `1`, ..., digit by digit (NumPy's own takes ten times as long)."""
    width = len(str(max(count - 1, 0)))
    text = np.zeros((count, width), dtype=np.uint8)
    for digits in range(1, width + 1):
        first, end = 10 ** (digits - 1) if digits > 1 else 0, min(10**digits, count)
        left = np.arange(first, end, dtype=np.int64)
        for at in reversed(range(digits)):
            left, digit = np.divmod(left, 10)
            text[first:end, at] = digit + ord("0")
    return text.view(f"S{width}")[:, 0]


@dataclass(frozen=True)
class Stored:
    """What an AnnData file holds: x (n, m) or None, obs with cells by their number, var, uns."""

    x: np.ndarray | None
    obs: pd.DataFrame
    var: pd.DataFrame
    uns: dict[str, Any]


def read_anndata(path: Path, slots: Slots) -> Stored:
    """Read an AnnData file, all but the names of its cells, and check that it holds what its kind declares.

    Raises
    ------
    FileError
        The file is missing or not AnnData.
    ContractError
        It lacks declared slots.
    """
    if not path.is_file():
        raise FileError("the file is missing", where=str(path), fix="run the workflow again")
    try:
        with h5py.File(path) as file:
            data = _stored(file)
    except (OSError, KeyError, ValueError):
        raise FileError("not a readable AnnData file", where=str(path), fix="delete it and run the workflow again") from None
    slots.check(obs=list(data.obs.columns), var=list(data.var.columns), uns=list(data.uns), where=str(path))
    return data


def _stored(file: h5py.File) -> Stored:
    """Element by element: names of a million cells, which nobody asks for, would take longer than the cells."""
    obs = pd.DataFrame({n: read_elem(file["obs"][n]) for n in file["obs"].attrs["column-order"]})
    x = read_elem(file["X"]) if "X" in file else None
    return Stored(x, obs, read_elem(file["var"]), dict(read_elem(file["uns"])))
