"""The MRD-negativity rate of each analysis set and rule, with its exact interval."""

from __future__ import annotations

from typing import Any

import pandas as pd
from scipy.special import betaincinv

from mrd.core.contracts import SUMMARY

SETS = {"treated": "treated", "evaluable": "evaluable", "cr-cri": "cr_cri"}
"""Analysis set to its column in the line list."""
RULES = ("last", "any", "best", "worst")
CONFIDENCE = 0.95


def estimate_share(count: int, total: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Estimate the exact interval of a binomial share (Clopper & Pearson, Biometrika 1934;26:404).

    Parameters
    ----------
    count : successes, 0 to `total`.
    total : trials, 1 or more.

    Returns
    -------
    tuple of float
        Lower and upper end, each leaving (1 - confidence) / 2 outside; 0 and 1 at the borders.

    Raises
    ------
    ValueError
        `count` is not within 0 and `total`, or `total` is 0.
    """
    if not 0 <= count <= total or total == 0:
        raise ValueError(f"{count} of {total} is not a share")
    tail = (1 - confidence) / 2
    low = float(betaincinv(count, total - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 1 - tail)) if count < total else 1.0
    return low, high


def summarise_conversion(conversion: pd.DataFrame, *, primary: str) -> pd.DataFrame:
    """Summarise a line list, into table SUMMARY.

    Parameters
    ----------
    conversion : table CONVERSION.
    primary : rule of the primary analysis; its set is all treated.
    """
    return SUMMARY.frame([_row(conversion, name, rule, primary) for name in SETS for rule in RULES])


def _row(conversion: pd.DataFrame, name: str, rule: str, primary: str) -> dict[str, Any]:
    members = conversion[conversion[SETS[name]] == "Y"]
    count, total = int((members[f"converted_{rule}"] == "Y").sum()), len(members)
    row = {
        "set": name,
        "rule": rule,
        "primary": "Y" if (name, rule) == ("treated", primary) else "N",
        "n_converted": count,
        "n_subjects": total,
        "confidence": 100 * CONFIDENCE,
    }
    if not total:
        return row
    low, high = estimate_share(count, total)
    return row | {"percent": 100 * count / total, "ci_low": 100 * low, "ci_high": 100 * high}
