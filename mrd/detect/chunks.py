"""Cells in chunks: memory stays bounded, sums always come out the same, and chunks may be worked on beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import torch
from torch import Tensor

CHUNK = 1 << 12
"""Cells at a time on a CPU: features and densities of so many stay in its cache."""
DEVICE_CHUNK = 1 << 16
"""On a GPU, which is idle between small chunks."""
Part = Callable[[slice], Tensor]
X = TypeVar("X")
Y = TypeVar("Y")


def chunks(n: int, size: int = CHUNK) -> list[slice]:
    """Fixed slices over n cells."""
    return [slice(a, min(a + size, n)) for a in range(0, n, size)]


@dataclass(frozen=True)
class Chunks:
    """How cells are worked on: so many at a time, by so many threads. The number of threads changes no bit of a result."""

    size: int = CHUNK
    threads: int = 1

    def join(self, part: Part, n: int, empty: Tensor) -> Tensor:
        """What `part` gives for each slice of n cells, in order, as one tensor; `empty` is one of no cells."""
        return torch.cat([empty, *self.each(part, chunks(n, self.size))])

    def each(self, part: Callable[[X], Y], items: Sequence[X]) -> Iterable[Y]:
        """What `part` gives for each item, in order."""
        if self.threads == 1 or len(items) < 2:
            return map(part, items)
        return list(pool_of(self.threads).map(part, items))


@cache
def pool_of(threads: int) -> ThreadPoolExecutor:
    """Threads that live as long as the process: new ones for every pass cost more than they save."""
    return workers(threads)


def workers(threads: int) -> ThreadPoolExecutor:
    """Threads of which each works alone, as the first one does: a product split among cores comes out in other bits."""
    return ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))


BY_CHUNK = Chunks()


@dataclass(frozen=True)
class Way:
    """A device, and how cells are scored there."""

    device: torch.device
    chunks: Chunks


def chunk_on(device: torch.device) -> int:
    """Cells at a time on a device that has memory enough."""
    return DEVICE_CHUNK if device.type == "cuda" else CHUNK


def ways(device: torch.device, threads: int = 1) -> list[Way]:
    """How to look at a tube, each to be tried where memory did not suffice for the one before: less at a time, then the CPU."""
    here = [Way(device, Chunks(chunk_on(device) >> halved, threads)) for halved in range(HALVED)]
    return here if device.type == "cpu" else [*here, Way(torch.device("cpu"), Chunks(CHUNK, threads))]


HALVED = 4


def whole_ways(device: torch.device, threads: int = 1) -> list[Way]:
    """How to do what takes all cells at once: on the device, then on the CPU."""
    return [Way(d, Chunks(chunk_on(d), threads)) for d in dict.fromkeys([device, torch.device("cpu")])]
