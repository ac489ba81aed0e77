"""Events a stretch at a time: what is worked on stays in the cache."""

from __future__ import annotations

STRETCH = 1 << 15


def stretches(count: int) -> list[slice]:
    """Fixed slices over so many events."""
    return [slice(first, min(first + STRETCH, count)) for first in range(0, count, STRETCH)]
