"""Frozen models: tensors with their description in one safetensors file. No pickle anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from mrd.core.errors import ContractError, FileError
from mrd.files.atomic import whole

Arrays = dict[str, NDArray[Any]]
REFERENCE_MODEL, LAIP_MODEL, SEARCH_MODEL = ("reference", 2), ("laip", 2), ("search", 1)
"""Kind and version of a panel's reference, of a subject's frozen LAIP, and of what the search found in a tube."""


def write_model(path: Path, kind: str, version: int, arrays: Arrays, about: dict[str, Any]) -> None:
    """Write arrays and what they are; the same content gives the same bytes (one metadata key: their order is not kept).

    Raises
    ------
    OSError
        The disk is full or refuses.
    """
    told = {"flowmrd": json.dumps({"kind": kind, "version": version, "about": about}, sort_keys=True)}
    with whole(path) as temporary:
        try:
            save_file({k: np.ascontiguousarray(arrays[k]) for k in sorted(arrays)}, temporary, metadata=told)
        except SafetensorError as error:
            raise OSError(str(error)) from error  # what it says of a full disk has no type of its own


def read_model(path: Path, kind: str, version: int) -> tuple[Arrays, dict[str, Any]]:
    """Arrays and description of a model.

    Raises
    ------
    FileError
        The file is missing or broken.
    ContractError
        It is another kind of model, or another version.
    """
    if not path.is_file():
        raise FileError(f"the {kind} is missing", where=str(path), fix="run the workflow again or correct the folder")
    try:
        with safe_open(path, framework="np") as handle:
            told = json.loads((handle.metadata() or {}).get("flowmrd", "{}"))
            arrays = {k: handle.get_tensor(k) for k in handle.keys()}  # noqa: SIM118  not a mapping
    except (SafetensorError, OSError):
        raise FileError(f"not a readable {kind}", where=str(path), fix="delete it and run the workflow again") from None
    if (told.get("kind"), told.get("version")) != (kind, version):
        has = f"{told.get('kind')} version {told.get('version')}"
        raise ContractError(f"it holds {has}, {kind} version {version} is needed", where=str(path), fix="run the workflow again")
    return arrays, dict(told["about"])
