"""How far a tube lies from the controls, marker by marker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Far:
    """The marker that lies furthest from where the controls show it, and by how much (asinh units, signed)."""

    marker: str
    move: float

    @property
    def distance(self) -> float:
        """How far, whichever way."""
        return abs(self.move)


def furthest(shift: Tensor, controls: Sequence[Tensor], channels: Sequence[str], roles: Sequence[str]) -> Far:
    """The marker whose shift lies furthest from the controls' median shift.

    The largest and not a mean: one antibody that failed must not hide behind eight that did not. Size and side scatter,
    which no antibody moves, are left to the gates.

    Parameters
    ----------
    shift : of the tube, (d,) · controls : of each control, (d,)
    """
    moves = (shift - torch.stack(list(controls)).median(dim=0).values).tolist()
    told = [Far(name, move) for name, role, move in zip(channels, roles, moves, strict=True) if role == "marker"]
    return max(told, key=lambda f: f.distance)
