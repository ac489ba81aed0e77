"""What a job needs of a machine, by the size of its tubes: for schedulers that have to be told before it starts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from pathlib import Path


@dataclass(frozen=True)
class Need:
    """Memory (MB) and time (minutes) of a stage's job.

    rest : MB with the smallest tube · tube : MB per MB of its largest FCS file · bank : MB per MB of all the controls' files
    minutes : with the smallest tube · pace : minutes per 100 MB of its FCS files
    """

    rest: int
    tube: float = 0.0
    bank: float = 0.0
    minutes: int = 10
    pace: float = 0.0


NEEDS = {
    "simulate": Need(1500, minutes=60),
    "prepare": Need(600, tube=12, minutes=10, pace=5),
    "reference": Need(2000, bank=4, minutes=30, pace=15),
    "laip": Need(1200, tube=9, bank=3, minutes=15, pace=30),
    "detect": Need(1200, tube=9, bank=3, minutes=15, pace=30),
    "report": Need(1000, tube=12, bank=1, minutes=15, pace=10),
    "whole": Need(1500, minutes=30, pace=0.2),
}
"""Of each stage; `whole` are the steps that read tables only. About half as much again as was measured, see docs/cluster.md."""
MB = 1_000_000


def file_sizes(paths: Iterable[str | Path]) -> list[float]:
    """Megabytes of each file; 0 for one that is not made yet."""
    return [p.stat().st_size / MB if p.is_file() else 0.0 for p in map(Path, paths)]


def memory_mb(stage: str, *, tubes: Iterable[str | Path], controls: Iterable[str | Path] = (), attempt: int = 1) -> int:
    """Megabytes to ask for; half as much again with every further attempt."""
    need = NEEDS[stage]
    once = need.rest + need.tube * max(file_sizes(tubes), default=0.0) + need.bank * sum(file_sizes(controls))
    return ceil(once * (1 + attempt) / 2 / 100) * 100


def minutes(stage: str, *, tubes: Iterable[str | Path], attempt: int = 1) -> int:
    """Minutes to ask for; as much again with every further attempt."""
    need = NEEDS[stage]
    return ceil((need.minutes + need.pace * sum(file_sizes(tubes)) / 100) * attempt)
