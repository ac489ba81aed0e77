"""The gating hierarchy as plots: which two channels, of which cells, with which gates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mrd.core.panel import Panel
from mrd.report.pairs import Pair

OF = ("cells", "leukocytes", "blasts")
"""What a step draws beside the found cells."""


@dataclass(frozen=True)
class Step:
    """One plot of the hierarchy: its title, two channels, which cells (`OF`), and the parents whose gates are outlined."""

    title: str
    pair: Pair
    of: str
    parents: tuple[str, ...]


@dataclass(frozen=True)
class Box:
    """A gate as seen on two channels: its name and its ends (None = open), x then y."""

    name: str
    x: tuple[float | None, float | None]
    y: tuple[float | None, float | None]


def gating_steps(panel: Panel, pairs: Sequence[Pair]) -> list[Step]:
    """Size, CD45 against side scatter, progenitors in the blast compartment, then the pairs that show the LAIP."""
    tree = {g.name: {"parent": g.parent} for g in panel.gates}
    area, side = panel.role("area"), panel.role("side")
    steps = [Step("Cells", (area, side), "cells", ancestors(tree, panel.cells))] if area and side else []
    parents = (*ancestors(tree, panel.leukocytes), panel.leukocytes)
    steps.append(Step("Leukocytes and their populations", lead_pair(panel), "cells", parents))
    if {"CD34", "CD117"} <= set(panel.markers):
        steps.append(Step("Blast compartment", ("CD34", "CD117"), "blasts", (panel.blasts,)))
    return steps + [Step(f"LAIP: {a} and {b}", (a, b), "leukocytes", ()) for a, b in pairs]


def lead_pair(panel: Panel) -> Pair:
    """The plot every reader starts from: CD45 against side scatter."""
    across = "CD45" if "CD45" in panel.markers else panel.markers[0]
    return across, panel.role("side") or panel.role("area") or panel.markers[-1]


def gate_boxes(gates: Mapping[str, Mapping[str, Any]], step: Step) -> Iterator[Box]:
    """Yield the gates of the step's parents that are drawn on its two channels and on no other."""
    for name, gate in gates.items():
        spans = gate["spans"]
        if spans and set(spans) <= set(step.pair) and gate["parent"] in step.parents:
            x, y = (tuple(spans.get(c, (None, None))) for c in step.pair)
            yield Box(name, x, y)


def ancestors(gates: Mapping[str, Mapping[str, Any]], name: str) -> tuple[str, ...]:
    """The gates a gate lies in, nearest first."""
    found: list[str] = []
    while name in gates:
        name = gates[name]["parent"]
        found.append(name)
    return tuple(found)
