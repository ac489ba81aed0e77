"""`python -m benchmarks.fuzz`: mutate files and feed them to everything that reads files from outside, within a time.

A reader may refuse (MrdError) or read; anything else is a crash, and longer than `--slowest` seconds a hang. Either stops
the count of its target, and the file that did it is kept. Every `--sample`-th call is measured for memory: at most
64 MB and four times what was decoded. The FCS reader goes last and takes the time and cases that the others leave.
"""

from __future__ import annotations

import argparse
import faulthandler
import random
import signal
import sys
import tempfile
import time
import tracemalloc
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from benchmarks.fuzz.mutate import mutate
from benchmarks.fuzz.targets import TARGETS, Target
from mrd.core.errors import MrdError

BOUND = 64e6
MEMORY = Path("/dev/shm")  # noqa: S108  a file system in memory, where there is one: millions of small files are written


class HangError(Exception):
    """A call took too long."""


@dataclass
class Count:
    """What was counted of one target."""

    name: str
    cases: int = 0
    refused: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    peak: float = 0.0
    bad: list[str] = field(default_factory=list)


def main() -> int:
    """Run every target for its share of the time; returns 1 where anything but a refusal came out."""
    options = parse()
    faulthandler.enable()
    warnings.simplefilter("error")
    signal.signal(signal.SIGALRM, hang)
    names = sorted(options.targets or TARGETS, key=lambda n: n == "reader")
    shares = {n: 8 if n == "reader" else 1 for n in names}
    counts: list[Count] = []
    for name in names:
        seconds = options.seconds * shares[name] / sum(shares.values())
        left = options.cases - sum(c.cases for c in counts)
        counts.append(fuzz(TARGETS[name], left, seconds, options))
        print(line(counts[-1]), flush=True)
    total = Count("total", *(sum(getattr(c, f) for c in counts) for f in ("cases", "refused", "seconds")))
    total.slowest, total.peak = max(c.slowest for c in counts), max(c.peak for c in counts)
    total.bad = [b for c in counts for b in c.bad]
    print(line(total))
    return 1 if total.bad else 0


def parse() -> argparse.Namespace:
    """Options of the run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--cases", type=int, default=1_000_000, help="mutations in all")
    parser.add_argument("--seconds", type=float, default=1800, help="time in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", type=int, default=200, help="measure the memory of every n-th call")
    parser.add_argument("--slowest", type=int, default=5, help="seconds after which a call hangs")
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="folder for files that crash a reader")
    print(f"{'target':<10} {'cases':>9} {'refused':>9} {'seconds':>8} {'per s':>7} {'slowest ms':>11} {'peak MB':>8}  bad")
    return parser.parse_args()


def hang(_: int, __: FrameType | None) -> None:
    """What the alarm does."""
    raise HangError


def fuzz(target: Target, cases: int, seconds: float, options: argparse.Namespace) -> Count:
    """Feed one reader until its cases or its time are used up, or ten files were bad."""
    rng, corpus, count = random.Random(f"{options.seed} {target.name}"), target.corpus(), Count(target.name)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        path = Path(folder) / f"case{target.suffix}"
        while count.cases < cases and count.seconds < seconds and len(count.bad) < 10:
            raw = mutate(corpus, rng)
            path.write_bytes(raw)
            told = feed(target, path, count, measure=count.cases % options.sample == 0, slowest=options.slowest)
            if told:
                keep(options.keep, target, raw, told, count)
            count.cases += 1
            count.seconds = time.perf_counter() - start
    return count


def feed(target: Target, path: Path, count: Count, *, measure: bool, slowest: int) -> str:
    """One call; what was wrong with it, empty where nothing was."""
    if measure:
        tracemalloc.start()
    begin = time.perf_counter()
    signal.alarm(slowest)
    told = ""
    try:
        target.run(path)
    except MrdError as error:
        count.refused += 1
        told = "a message of several lines" if "\n" in str(error) else ""
    except HangError:
        told = "hang"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        told = f"{type(error).__name__}: {str(error)[:100]}"
    finally:
        signal.alarm(0)
    took = time.perf_counter() - begin
    if measure:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        count.peak = max(count.peak, peak / 1e6)
        told = told or (f"{peak / 1e6:.0f} MB" if peak > BOUND + 4 * 8 * path.stat().st_size else "")
    else:
        count.slowest = max(count.slowest, took * 1e3)
    return told


def keep(folder: Path, target: Target, raw: bytes, told: str, count: Count) -> None:
    """Write a bad file where it can be looked at."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{target.name}-{len(count.bad)}{target.suffix}"
    path.write_bytes(raw)
    count.bad.append(f"{path}: {told}")


def line(count: Count) -> str:
    """A row of the table."""
    rate = count.cases / count.seconds if count.seconds else 0
    bad = "; ".join(count.bad) or "none"
    return (
        f"{count.name:<10} {count.cases:>9} {count.refused:>9} {count.seconds:>8.1f} {rate:>7.0f} "
        f"{count.slowest:>11.1f} {count.peak:>8.1f}  {bad}"
    )


if __name__ == "__main__":
    sys.exit(main())
