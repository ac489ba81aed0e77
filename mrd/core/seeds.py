"""Random generators that depend on the run's seed and on what they are for, and on nothing else."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(seed: int, *purpose: str) -> np.random.Generator:
    """A generator for one purpose: the same words give the same numbers, in any order of work."""
    words = hashlib.sha256("\x1f".join(purpose).encode()).digest()
    return np.random.default_rng([seed, *np.frombuffer(words, dtype=np.uint32).tolist()])
