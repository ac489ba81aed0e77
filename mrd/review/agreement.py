"""How well two readers agree, beyond what chance would give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mrd.core.words import ABOVE, BELOW


@dataclass(frozen=True)
class Agreement:
    """Visits both readers signed, how many alike, and Cohen's kappa (None where chance alone would agree always)."""

    n: int
    alike: int
    kappa: float | None


def cohen_kappa(pairs: Sequence[tuple[str, str]]) -> Agreement:
    """Cohen's kappa (Educ Psychol Meas 1960;20:37): (observed - expected) / (1 - expected) agreement.

    Parameters
    ----------
    pairs : what the first and the second reader said of each visit
    """
    n = len(pairs)
    if not n:
        return Agreement(0, 0, None)
    alike = sum(a == b for a, b in pairs)
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    expected = sum(first[c] * second[c] for c in first) / n**2
    return Agreement(n, alike, None if expected == 1 else (alike / n - expected) / (1 - expected))


def side_of(call: str) -> str:
    """A call as the endpoint reads it: below, above, or it cannot be told."""
    return "below" if call in BELOW else "above" if call in ABOVE else "cannot tell"
