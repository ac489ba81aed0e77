"""What this machine can do at best, and how long each step would take if it did nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

CHANNELS, MARKERS, COMPONENTS, GATES = 13, 11, 80, 14
"""Channels of the file and of the mixture, its components, and the gates, of the panel and settings that are timed."""
FEATURES = 1 + MARKERS + MARKERS * (MARKERS + 1) // 2
SCORING = 2 * FEATURES * COMPONENTS
NETWORK = 2 * (MARKERS * 48 + 48 * 48 + 48)
FIXED = 4 * 80_000 * SCORING * 5 / 4
"""Flops of an adaptation, whatever the size of the tube: five rounds on a quarter of the 80,000 cells, five on all."""


class Machine(NamedTuple):
    """Bytes copied and float32 operations done in a second."""

    bandwidth: float
    flops: float


def measure(device: str, threads: int, *, side: int = 2048, turns: int = 5) -> Machine:
    """The best of several copies of a large array, and of several products of two large matrices."""
    torch.set_num_threads(threads)
    source = torch.ones(side * side * 8, device=device)
    target, square = torch.empty_like(source), torch.ones(side, side, device=device)
    copied = best(lambda: target.copy_(source), device, turns)
    multiplied = best(lambda: square @ square, device, turns)
    return Machine(2 * source.nbytes / copied, 2 * side**3 / multiplied)


def best(work: Callable[[], object], device: str, turns: int) -> float:
    """The fewest seconds of several turns."""
    told = []
    for _ in range(turns):
        start = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        told.append(time.perf_counter() - start)
    return float(np.min(told))


def least_seconds(step: str, events: int, machine: Machine) -> float:
    """The bytes that a step must move at the machine's bandwidth, or the flops it must do at its speed."""
    cells = 4 * MARKERS + GATES
    moved = {
        "read FCS": 4 * CHANNELS + 8 * CHANNELS,
        "compensate, transform, gate": 8 * CHANNELS + cells,
        "write cells": 2 * cells,
        "read cells": 2 * cells,
        "shuffle": 2 * cells,
        "write scores": 2 * 24,
    }
    worked = {"score: LAIP": SCORING, "score: classifier": NETWORK, "different from normal": SCORING}
    if step == "align":
        return FIXED / machine.flops
    return events * (moved.get(step, 0) / machine.bandwidth + worked.get(step, 0) / machine.flops)
