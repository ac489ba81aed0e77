"""Put channels on the common scale: one scale for the whole cohort, never one fitted per tube."""

from __future__ import annotations

import math

import numpy as np
from flowutils import transforms
from numpy.typing import NDArray

from mrd.core.panel import Panel, Scale


def apply_scale(values: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Linear values on a channel's common scale.

    asinh(x / cofactor), or logicle (Parks 2006; Moore and Parks 2012) times m ln 10 so that a decade is ln 10 on both.
    """
    if scale.kind == "asinh":
        return np.arcsinh(values / scale.cofactor)
    column = transforms.logicle(values.reshape(-1, 1), None, t=scale.t, m=scale.m, w=scale.w, a=scale.a)
    return np.asarray(column, dtype=np.float64).reshape(-1) * scale.m * math.log(10)


def transform(events: NDArray[np.float64], index: dict[str, int], panel: Panel) -> dict[str, NDArray[np.float64]]:
    """Each of the panel's channels on its common scale, time left as it is."""
    out = {}
    for name, column in index.items():
        channel = panel.channels[name]
        out[name] = events[:, column] if channel.role == "time" else apply_scale(events[:, column], channel.scale)
    return out
