"""The MRD-negativity rate of each analysis set and rule, with its exact interval."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mrd.core.contracts import SUMMARY
from mrd.endpoint.intervals import CONFIDENCE, estimate_share

SETS = {"treated": "treated", "evaluable": "evaluable", "cr-cri": "cr_cri"}
"""Analysis set to its column in the line list."""
RULES = ("last", "any", "best", "worst")


def summarise_conversion(conversion: pd.DataFrame, *, primary: str, population: str = "treated") -> pd.DataFrame:
    """Summarise a line list, into table SUMMARY.

    Parameters
    ----------
    conversion : table CONVERSION.
    primary, population : rule and set of the primary analysis.
    """
    return SUMMARY.frame([_row(conversion, name, rule, primary=(population, primary)) for name in SETS for rule in RULES])


def _row(conversion: pd.DataFrame, name: str, rule: str, *, primary: tuple[str, str]) -> dict[str, Any]:
    members = conversion[conversion[SETS[name]] == "Y"]
    count, total = int((members[f"converted_{rule}"] == "Y").sum()), len(members)
    row = {
        "set": name,
        "rule": rule,
        "primary": "Y" if (name, rule) == primary else "N",
        "n_converted": count,
        "n_subjects": total,
        "confidence": 100 * CONFIDENCE,
    }
    if not total:
        return row
    low, high = estimate_share(count, total)
    return row | {"percent": 100 * count / total, "ci_low": 100 * low, "ci_high": 100 * high}
