"""Residuals with skew and heavy tails, of no mixture's family."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mrd.simulate.features import Floats

TAIL = 0.82
"""Below 1: tails heavier than normal."""


def draw_skewed(rng: np.random.Generator, size: tuple[int, ...], skew: ArrayLike, *, tail: float = TAIL) -> Floats:
    """Sinh-arcsinh deviates with median 0 and the width of a standard normal's central 68 %.

    Jones and Pewsey, Biometrika 2009;96:761: sinh((asinh z + skew) / tail), moved and scaled by its own values at
    z = -1, 0, 1.
    """
    lean = np.asarray(skew, dtype=np.float64)
    low, middle, high = (np.sinh((np.arcsinh(z) + lean) / tail) for z in (-1.0, 0.0, 1.0))
    drawn = np.sinh((np.arcsinh(rng.standard_normal(size)) + lean) / tail)
    return np.asarray((drawn - middle) / ((high - low) / 2))
