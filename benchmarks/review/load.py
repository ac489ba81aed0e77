"""Fifty people on a work list of 500 visits: latency of its pages, and of saving, on SQLite or PostgreSQL.

    python benchmarks/review/load.py [--postgres] [--clients 50] [--rounds 20] [--think 1.0]

Run from the root of the checkout. Every client is signed in, opens pages of the work list one after the other and waits
`think` seconds in between; every tenth request opens a visit. The server is a process of its own, with real passwords.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx2

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.review import postgres
from tests.review.cases import Clinic, open_clinic, told, write_results
from tests.review.served import free_port, server, signed_in

CALLS = ("positive", "low-quantifiable", "not-detected", "indeterminate")


def make_review(folder: Path, visits: int) -> Clinic:
    """A review of so many visits, all seats given."""
    rows = [
        told(f"P{i // 5:03d}", f"FU{i % 5}", CALLS[i % 4], (0.01, 4e-4, 1e-5, 1.1e-3)[i % 4], flags="few-controls;near-threshold")
        for i in range(visits)
    ]
    clinic = open_clinic(write_results(folder, rows), os.environ.get("MRD_REVIEW_DATABASE", ""))
    clinic.assign_all()
    return clinic


async def browse(client: httpx2.AsyncClient, number: int, options: argparse.Namespace) -> list[tuple[str, float]]:
    """What one person does, with the seconds each page took."""
    took = []
    await asyncio.sleep(options.think * number / options.clients)
    for turn in range(options.rounds):
        path = f"/visits/{1 + (number * 7 + turn) % options.visits}" if turn % 10 == 9 else f"/?show=all&at={1 + turn % 10}"
        start = time.perf_counter()
        answer = await client.get(path)
        took.append((path[:8], time.perf_counter() - start))
        answer.raise_for_status()
        await asyncio.sleep(options.think)
    return took


async def crowd(port: int, options: argparse.Namespace) -> list[tuple[str, float]]:
    """Everybody at once."""
    cookies = []
    for i in range(options.clients):
        with contextlib.closing(signed_in(port, ("rita", "rolf")[i % 2])) as client:
            cookies.append(dict(client.cookies))
    async with contextlib.AsyncExitStack() as stack:
        base, limits = f"http://127.0.0.1:{port}", httpx2.Limits(max_connections=1)
        clients = [
            await stack.enter_async_context(httpx2.AsyncClient(base_url=base, cookies=c, limits=limits, timeout=60))
            for c in cookies
        ]
        told_ = await asyncio.gather(*(browse(c, i, options) for i, c in enumerate(clients)))
    return [t for person in told_ for t in person]


def report(took: list[tuple[str, float]]) -> None:
    """Print latency by kind of page."""
    for name, chosen in (("work list", "/?"), ("visit", "/v")):
        values = sorted(t for path, t in took if path.startswith(chosen))
        p95, p99 = values[int(0.95 * len(values))], values[int(0.99 * len(values))]
        told_ = f"median {1000 * statistics.median(values):.0f} ms, p95 {1000 * p95:.0f} ms, p99 {1000 * p99:.0f} ms"
        print(f"{name}: {len(values)} requests, {told_}")


def main() -> None:
    """Make the review, serve it, send everybody."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--visits", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--think", type=float, default=1.0)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        if options.postgres:
            os.environ["MRD_REVIEW_DATABASE"] = stack.enter_context(postgres.cluster())
        results, port = Path(stack.enter_context(tempfile.TemporaryDirectory())), free_port()
        make_review(results, options.visits).store.engine.dispose()
        stack.enter_context(server(results, port))
        print(f"{options.clients} clients, {options.visits} visits, {options.think:g} s between pages, {os.cpu_count()} cores")
        report(asyncio.run(crowd(port, options)))


if __name__ == "__main__":
    main()
