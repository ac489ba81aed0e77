"""Where tensors live, and how they get there."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from mrd.core.errors import SettingsError


def choose_device(name: str) -> torch.device:
    """The device a run's settings name; `auto` takes CUDA where there is one.

    One CPU thread per job: sums come out the same whatever the number of cores, and jobs run beside each other.

    Raises
    ------
    SettingsError
        CUDA was asked for and there is none.
    """
    torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = False
    if name == "cuda" and not torch.cuda.is_available():
        raise SettingsError("there is no CUDA device", where="device = cuda", fix="use device=auto or device=cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def tensor(values: NDArray[Any], device: torch.device) -> Tensor:
    """An array as a float32 tensor on the device."""
    return torch.from_numpy(values).to(device=device, dtype=torch.float32)
