"""Put channels on the common scale: one scale for the whole cohort, never one fitted per tube."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
from flowutils import transforms
from numpy.typing import NDArray

from mrd.core.panel import Panel, Scale
from mrd.core.stretches import stretches


def apply_scale(values: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Linear values on a channel's common scale.

    asinh(x / cofactor), or logicle (Parks 2006; Moore and Parks 2012) times m ln 10 so that a decade is ln 10 on both.
    """
    if scale.kind == "asinh":
        return np.arcsinh(values / scale.cofactor)
    column = transforms.logicle(values.reshape(-1, 1), None, t=scale.t, m=scale.m, w=scale.w, a=scale.a)
    return np.asarray(column, dtype=np.float64).reshape(-1) * scale.m * math.log(10)


class Rows(Protocol):
    """Events that can be had a stretch at a time: an array (n, c), or one that is worked out as it is asked for."""

    def __len__(self) -> int:
        """Number of events."""
        ...

    def __getitem__(self, rows: slice, /) -> NDArray[np.float64]:
        """A stretch of events."""
        ...


def transform(events: Rows, index: dict[str, int], panel: Panel, threads: int = 1) -> dict[str, NDArray[np.float64]]:
    """Each of the panel's channels on its common scale, time left as it is; stretches are shared among the threads."""
    out = {name: np.empty(len(events)) for name in index}

    def fill(rows: slice) -> None:
        part = events[rows]
        for name, column in index.items():
            channel = panel.channels[name]
            out[name][rows] = part[:, column] if channel.role == "time" else apply_scale(part[:, column], channel.scale)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(fill, stretches(len(events))))
    return out
