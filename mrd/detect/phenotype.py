"""Name a population the way a cytometrist does."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mrd.detect.mixture import Mixture

LEVELS = ((1.3, "-"), (2.3, "lo"), (3.3, "mid"), (5.0, "+"))
"""Upper ends on the asinh(x / 150) scale; brighter is `hi`."""
SIDE_LEVELS = ((3.9, "lo"), (4.5, "mid"))
FIRST = ("CD45", "SSC-A", "CD34", "CD117")


def phenotype(mixture: Mixture, channels: Sequence[str], roles: Sequence[str]) -> str:
    """Phenotype string in CDISC's grammar, such as CD45loSSCloCD34+CD117+CD7+/CD45+.

    Levels are those of the components' common mean on the panel's common scale.
    """
    middle: Tensor = mixture.weights @ mixture.means
    told = dict(zip(channels, middle.tolist(), strict=True))
    kinds = dict(zip(channels, roles, strict=True))
    named = [n for n in FIRST if n in told] + [n for n in channels if n not in FIRST]
    parts = [_part(n, told[n], kinds[n]) for n in named if kinds[n] in ("side", "marker")]
    return "".join(parts) + ("/CD45+" if "CD45" in told else "")


def _part(name: str, value: float, role: str) -> str:
    if role == "side":
        return "SSC" + next((w for top, w in SIDE_LEVELS if value < top), "hi")
    return name.replace("-", "") + next((w for top, w in LEVELS if value < top), "hi")


def differences(mixture: Mixture, normal: Mixture, channels: Sequence[str], roles: Sequence[str]) -> str:
    """What sets a population apart from the nearest normal one, such as `CD56+1.3 CD33-1.8`, the largest first.

    Nearest by the distance between means in the normal population's own spread.
    """
    middle = mixture.weights @ mixture.means
    apart = middle - normal.means
    distance = (apart[:, None, :] @ torch.linalg.solve(normal.spreads, apart[:, :, None]))[:, 0, 0]
    told = apart[int(distance.argmin())].tolist()
    moved = [(n, v) for n, r, v in zip(channels, roles, told, strict=True) if r in ("side", "marker") and abs(v) >= DIFFERS]
    return " ".join(f"{n}{v:+.1f}" for n, v in sorted(moved, key=lambda m: -abs(m[1])))


DIFFERS = 0.5
