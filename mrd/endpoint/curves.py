"""Kaplan-Meier curves and their medians."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

TOLERANCE = 1e-8
"""Two shares closer than this are one: sums of floats do not meet one half exactly."""


def estimate_curve(times: Sequence[float], events: Sequence[bool]) -> pd.DataFrame:
    """Estimate the Kaplan-Meier curve with its 95 % interval on the log-log scale (Greenwood).

    Parameters
    ----------
    times : days, one per subject, over 0 · events : whether the time ended in the event.

    Returns
    -------
    pandas.DataFrame
        One row per distinct time, and time 0: time, at_risk, events, censored, survival, ci_low, ci_high.
    """
    from lifelines import KaplanMeierFitter

    with (
        warnings.catch_warnings()
    ):  # a curve of subjects who all had the event ends at 0, where a log-log interval is not defined
        warnings.simplefilter("ignore", RuntimeWarning)
        fitted = KaplanMeierFitter(alpha=0.05).fit(list(times), event_observed=[bool(e) for e in events])
        interval = fitted.confidence_interval_survival_function_
    table, survival = fitted.event_table, fitted.survival_function_.iloc[:, 0]
    low, high = (interval.iloc[:, i].to_numpy(dtype=float) for i in (0, 1))
    told = survival.to_numpy(dtype=float)
    defined = (told > TOLERANCE) & (told < 1 - TOLERANCE)
    return pd.DataFrame(
        {
            "time": survival.index.to_numpy(dtype=float),
            "at_risk": table["at_risk"].to_numpy(dtype=int),
            "events": table["observed"].to_numpy(dtype=int),
            "censored": table["censored"].to_numpy(dtype=int),
            "survival": told,
            "ci_low": np.where(defined, low, np.where(told >= 1 - TOLERANCE, 1.0, np.nan)),
            "ci_high": np.where(defined, high, np.where(told >= 1 - TOLERANCE, 1.0, np.nan)),
        }
    )


def find_crossing(curve: pd.DataFrame, column: str, level: float = 0.5) -> float | None:
    """Find when a curve first lies at or under a level; None where it never does.

    Where it lies on the level exactly, the middle of that step, as R's survfit has it (Brookmeyer & Crowley, Biometrics 1982;
    38:29, for the ends of an interval).
    """
    told = curve[curve[column].notna()]
    under = told[told[column] < level + TOLERANCE]
    if under.empty:
        return None
    first, time = under[column].iloc[0], float(under["time"].iloc[0])
    later = under[under[column] < first - TOLERANCE]
    if abs(first - level) < TOLERANCE and not later.empty:
        return (time + float(later["time"].iloc[0])) / 2
    return time


def estimate_median(curve: pd.DataFrame) -> dict[str, Any]:
    """Estimate the median and its 95 % interval; an end that is not reached is None."""
    return {name: find_crossing(curve, column) for name, column in _MEDIAN.items()}


_MEDIAN = {"median": "survival", "ci_low": "ci_low", "ci_high": "ci_high"}
