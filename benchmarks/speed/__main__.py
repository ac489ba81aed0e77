"""`python -m benchmarks.speed`: one tube of 0.1 to 10 million events from FCS to call, step by step, beside others.

Run from the root of the checkout. Every size runs in a process of its own, warmed by a small tube; tubes and what they
are scored with are kept in `build/speed`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks.speed.floor import Machine, least_seconds, measure
from benchmarks.speed.kit import make_kit, make_tube
from benchmarks.speed.rivals import RIVALS
from benchmarks.speed.steps import TUBE, time_tube

SCRIPT = Path(__file__).with_name("rivals.py")
Told = dict[str, Any]


def parse(words: list[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(prog="benchmarks.speed", description=__doc__)
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.1, 1, 3, 10], help="millions of events")
    parser.add_argument("--compare-at", type=float, default=1.0, help="size of the tube that others cluster; 0: none do")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="threads of prepare and detect")
    parser.add_argument("--folder", type=Path, default=Path("build/speed"))
    parser.add_argument("--control-events", type=int, default=40_000, help="events of each control the tubes are scored with")
    parser.add_argument("--settings", type=json.loads, default={}, help="settings other than the defaults, as JSON")
    flowsom = os.environ.get("FLOWSOM_PYTHON", sys.executable)
    parser.add_argument(
        "--flowsom-python", default=flowsom, help="interpreter with FlowSOM_Python, which is GPL; $FLOWSOM_PYTHON"
    )
    parser.add_argument("--one", nargs=2, metavar=("EVENTS", "DEVICE"), help=argparse.SUPPRESS)
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    """Print a table per device and size, then those of the others."""
    options = parse(words)
    kit = make_kit(options.folder / "kit", events=options.control_events, settings=options.settings)
    if options.one:
        events, device = int(options.one[0]), options.one[1]
        fcs = options.folder / f"tube-{events}.fcs"
        told = time_tube(kit, fcs, options.folder / f"run-{events}-{device}", device, options.threads)
        sys.stdout.write(json.dumps(told) + "\n")
        return 0
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, torch {torch.__version__}")
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        machine = measure(device, options.threads if device == "cpu" else 1)
        print(f"\n{device}: copies {machine.bandwidth / 1e9:.1f} GB/s, multiplies {machine.flops / 1e9:.0f} Gflop/s (float32)")
        told = {e: time_apart(options, e, device) for e in (round(s * 1e6) for s in options.sizes)}
        for events, one in told.items():
            print_steps(events, one, machine)
        print_sizes(told)
    if (compared := round(options.compare_at * 1e6)) in told:
        print_rivals(options, told[compared])
    return 0


def time_apart(options: argparse.Namespace, events: int, device: str) -> Told:
    """One size in a process of its own."""
    make_tube(options.folder / f"tube-{events}.fcs", events)
    given = ["--folder", str(options.folder), "--threads", str(options.threads), "--one", str(events), device]
    done = subprocess.run([sys.executable, "-m", "benchmarks.speed", *given], stdout=subprocess.PIPE, check=True)
    told: Told = json.loads(done.stdout.splitlines()[-1])
    return told


def print_steps(events: int, told: Told, machine: Machine) -> None:
    """Seconds, events a second, and how many times the floor each step takes."""
    print(f"\n{events / 1e6:g} M events, {told['gigabytes']:.2f} GB resident at most, call {told['call']}")
    print(f"{'step':30}{'wall s':>9}{'CPU s':>9}{'events/s':>12}{'floor s':>9}{'x floor':>9}")
    for step, (wall, cpu) in told["steps"].items():
        least = least_seconds(step, events, machine)
        ratio = f"{wall / least:9.1f}" if least else ""
        print(f"{step:30}{wall:9.2f}{cpu:9.2f}{events / max(wall, 1e-9):12.3g}{least:9.3f}{ratio}")


def print_sizes(told: dict[int, Told]) -> None:
    """Whether time and memory grow with the events."""
    print(f"\n{'events':>12}{'wall s':>9}{'CPU s':>9}{'CPU us/event':>14}{'GB':>7}")
    for events, one in told.items():
        wall, cpu = one["steps"][TUBE]
        print(f"{events:12d}{wall:9.2f}{cpu:9.2f}{1e6 * cpu / events:14.2f}{one['gigabytes']:7.2f}")


def print_rivals(options: argparse.Namespace, told: Told) -> None:
    """Others on the cells of one tube."""
    print(f"\n{'the same cells':30}{'wall s':>9}{'CPU s':>9}")
    print(f"{TUBE:30}{told['steps'][TUBE][0]:9.2f}{told['steps'][TUBE][1]:9.2f}")
    for name in RIVALS:
        python = options.flowsom_python if name == "flowsom" else sys.executable
        done = subprocess.run([python, str(SCRIPT), name, told["cells"]], capture_output=True, text=True, check=False)
        wall, cpu = map(float, done.stdout.split()) if done.returncode == 0 else (float("nan"), float("nan"))
        print(f"{name:30}{wall:9.2f}{cpu:9.2f}  {done.stderr.strip().splitlines()[-1] if done.returncode else ''}")


if __name__ == "__main__":
    sys.exit(main())
