"""Stains that failed on a marker few cells carry: no population moves with them, so that alignment does not tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

OUTER = (0.05, 0.995)
"""Quantiles of a marker over the controls between which "carries it" begins halfway: even NK cells are over the upper one."""
SAMPLE = 20_000
LEAST_CARRIERS = 50
"""Carriers to expect of a tube under which their absence says nothing."""
LOST_UNDER = 0.1
"""Of the share that the control with the fewest carriers shows. Tubes as they are lie at 1 and more, lost stains under 0.01."""


@dataclass(frozen=True)
class Carried:
    """Of every channel the value from which on a cell carries it, and the least share of a control's cells that do, (d,)."""

    level: Tensor
    least: Tensor


def carried_by(controls: Sequence[Tensor]) -> Carried:
    """What the controls' cells carry, all in the reference's frame."""
    sample = torch.cat([c[:SAMPLE] for c in controls])
    low, high = (sample.sort(dim=0).values[int(q * (len(sample) - 1))] for q in OUTER)
    level = (low + high) / 2
    return Carried(level, torch.stack([(c > level).float().mean(dim=0) for c in controls]).min(dim=0).values)


def lost_stains(cells: Tensor, normal_share: float, carried: Carried, channels: Sequence[str], roles: Sequence[str]) -> list[str]:
    """Markers that next to no cell of a tube carries, while cells of every control do.

    Parameters
    ----------
    cells : (n, d) in the reference's frame · normal_share : of them, which are not leukaemic and so comparable
    """
    expected = carried.least * normal_share
    share = (cells > carried.level).float().mean(dim=0)
    lost = (share < LOST_UNDER * expected) & (expected * len(cells) >= LEAST_CARRIERS)
    return [n for n, role, gone in zip(channels, roles, lost.tolist(), strict=True) if gone and role == "marker"]
