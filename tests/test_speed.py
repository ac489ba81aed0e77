"""The speed benchmark: its tables hold every step of the real commands."""

import math

import pytest

from benchmarks.speed.__main__ import print_sizes, print_steps
from benchmarks.speed.floor import Machine, least_seconds, measure
from benchmarks.speed.kit import make_kit, make_tube
from benchmarks.speed.steps import ALL, ONCE, STEPS, TUBE, time_tube
from mrd.files.fcs import read_fcs
from tests.cohort import SMALL


def test_every_step_of_a_tube_is_timed_and_the_commands_are_left_as_they_were(tmp_path, capsys):
    before = [getattr(module, name) for module, name in STEPS.values()]
    kit = make_kit(tmp_path / "kit", events=3_000, settings=SMALL)
    fcs = make_tube(tmp_path / "tube.fcs", 6_000)
    assert len(read_fcs(fcs, where="t").events) == 6_000
    told = time_tube(kit, fcs, tmp_path / "run", "cpu", 2)
    assert [getattr(module, name) for module, name in STEPS.values()] == before
    assert set(STEPS) < set(told["steps"])
    assert all(told["steps"][step][0] > 0 for step in STEPS)
    wall = {step: seconds[0] for step, seconds in told["steps"].items()}
    once, whole = wall.pop(ONCE), wall.pop(ALL)
    tube = wall.pop(TUBE)
    assert sum(wall.values()) == pytest.approx(tube)
    assert tube + once == pytest.approx(whole)
    assert min(once, wall["the rest"]) > 0
    print_steps(6_000, told, measure("cpu", 1, side=64, turns=1))
    print_sizes({6_000: told})
    printed = capsys.readouterr().out
    assert all(step in printed for step in STEPS)


def test_the_floor_is_the_bytes_and_flops_of_a_step_by_hand():
    machine = Machine(bandwidth=1e9, flops=1e9)
    assert least_seconds("read FCS", 1000, machine) == pytest.approx(1000 * (13 * 4 + 13 * 8) / 1e9)
    assert least_seconds("score: LAIP", 1000, machine) == pytest.approx(1000 * 2 * 78 * 80 / 1e9)
    assert math.isclose(least_seconds("shuffle", 0, machine), 0.0)
