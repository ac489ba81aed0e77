"""How far a long step is: a bar on a terminal, plain lines in a log, with an estimate of the time left."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
log = logging.getLogger(__name__)
EVERY = 5.0
"""Seconds between two lines in a log; a loop that is over sooner is silent."""
AT_ONCE = 0.1
"""Seconds under which an item was only remembered: it says nothing of how long the others take."""


def follow(items: Iterable[Item], what: str) -> Iterator[Item]:
    """Yield the items, telling on the way how many are done."""
    known = list(items)
    return bar(known, what) if sys.stderr.isatty() else lines(known, what)


def bar(items: list[Item], what: str) -> Iterator[Item]:
    """The items behind a bar that shows itself where they take more than a moment; log lines stay above it."""
    from tqdm import tqdm
    from tqdm.contrib.logging import logging_redirect_tqdm

    with logging_redirect_tqdm():
        yield from tqdm(items, desc=what, file=sys.stderr, leave=False, delay=1, dynamic_ncols=True)


def lines(items: list[Item], what: str, clock: Callable[[], float] = time.monotonic) -> Iterator[Item]:
    """The items, with a line of the log every few seconds and one at the end where there was any."""
    begun = told = before = clock()
    worked = list[float]()
    for done, item in enumerate(items, start=1):
        yield item
        now = clock()
        worked += [now - before] if now - before >= AT_ONCE else []
        before, last = now, done == len(items)
        if now - told >= EVERY or (last and now - begun >= EVERY):
            told = now
            log.info("%s: %s", what, progress_text(done, len(items), now - begun, worked))


def progress_text(done: int, total: int, gone: float, worked: list[float]) -> str:
    """`3 of 12, 0:42 gone, about 2:06 left`; the rest is taken to go on as what was worked on so far."""
    told = f"{done} of {total}, {minutes_text(gone)} gone"
    if done == total or not worked:
        return told
    return f"{told}, about {minutes_text((total - done) * sum(worked) / len(worked))} left"


def minutes_text(seconds: float) -> str:
    """Seconds as `2:06`, or `1:02:06` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
