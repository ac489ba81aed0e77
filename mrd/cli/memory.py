"""Work that fits the memory there is: what a device has no room for is done in another way, in the end on the CPU."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from mrd.detect.chunks import Way

log = logging.getLogger(__name__)
X = TypeVar("X")


def within_memory(what: str, tries: Sequence[Way], work: Callable[[Way], X]) -> X:
    """Do a piece of work in the first way for which memory suffices; the log says which did not."""
    *before, last = tries
    for way in before:
        try:
            return work(way)
        except torch.OutOfMemoryError:
            log.warning("%s: out of memory on %s, %d cells at a time", what, way.device, way.chunks.size)
        torch.cuda.empty_cache()
    return work(last)
