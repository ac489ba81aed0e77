"""Stains that failed on a marker few cells carry: no population moves with them, so that alignment does not tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mrd.detect.align import Adapted

OUTER = (0.05, 0.995)
"""Quantiles of a marker over the controls between which "carries it" begins halfway: even NK cells are over the upper one."""
SAMPLE = 20_000
MOST = 250_000
"""Cells of a tube that are looked at."""
LEAST_CARRIERS = 50
"""Carriers to expect of a tube under which their absence says nothing."""
LOST_UNDER = 0.1
"""Of the share that the control with the fewest carriers shows: tubes as they are lie over 0.95, lost stains under 0.01."""


@dataclass(frozen=True)
class Carried:
    """Of every channel the value from which on a cell carries it, and the least share of a control's cells that do, (d,)."""

    level: Tensor
    least: Tensor


def carried_by(controls: Sequence[Tensor]) -> Carried:
    """What the controls' cells carry, all in the reference's frame."""
    ordered = torch.cat([c[:SAMPLE] for c in controls]).sort(dim=0).values
    low, high = (ordered[int(q * (len(ordered) - 1))] for q in OUTER)
    level = (low + high) / 2
    return Carried(level, torch.stack([share_over(c, level) for c in controls]).min(dim=0).values)


def share_over(cells: Tensor, level: Tensor) -> Tensor:
    """Share of the cells over a level in each channel, (d,)."""
    return (cells > level).sum(dim=0) / max(len(cells), 1)


def lost_stains(cells: Tensor, own: Adapted, carried: Carried, channels: Sequence[str], roles: Sequence[str]) -> list[str]:
    """Markers that next to no cell of a tube carries, while cells of every control do.

    Parameters
    ----------
    cells : (n, d) in random order · own : the tube's normal marrow: where it lies, and that only it is comparable
    """
    few, expected = cells[:MOST], carried.least * (1 - own.share)
    lost = (share_over(few, carried.level + own.shift) < LOST_UNDER * expected) & (expected * len(few) >= LEAST_CARRIERS)
    return [n for n, role, gone in zip(channels, roles, lost.tolist(), strict=True) if gone and role == "marker"]
