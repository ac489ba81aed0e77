"""AnnData files: write with declared slots, read back checked."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

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
    """Write an AnnData file whole, with the declared slots."""
    told = {**uns, "kind": slots.name, "slots_version": slots.version, "provenance": json.dumps(provenance, sort_keys=True)}
    slots.check(obs=list(obs.columns), var=list(var.columns), uns=list(told), where=path.name)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Transforming to str index")
        data = ad.AnnData(X=x, obs=obs, var=var, uns=told)
    with whole(path) as temporary:
        try:
            data.write_h5ad(temporary)
        except RuntimeError as error:  # HDF5 tells of a full disk so when it closes the file
            if "errno = " not in str(error):
                raise
            raise OSError(str(error)) from error


def read_anndata(path: Path, slots: Slots) -> ad.AnnData:
    """Read an AnnData file and check that it holds what its kind declares.

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
        data = ad.read_h5ad(path)
    except (OSError, KeyError, ValueError):
        raise FileError("not a readable AnnData file", where=str(path), fix="delete it and run the workflow again") from None
    slots.check(obs=list(data.obs.columns), var=list(data.var.columns), uns=list(data.uns), where=str(path))
    return data
