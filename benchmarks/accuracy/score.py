"""The scorer's figures of every method on the same visits, with intervals from resampling subjects."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

WORDS = (
    "accuracy_far",
    "false_below",
    "false_above",
    "found_high",
    "found_mid",
    "rmse_found",
    "detected_over_lod",
    "blank_over_lob",
    "ci_coverage",
    "evaluable",
    "poor_below",
)
Score = Callable[[pd.DataFrame], Mapping[str, float]]


@dataclass(frozen=True)
class Figures:
    """Figures of the methods: on all visits, and on each resample of the subjects, by method (resamples, words)."""

    told: pd.DataFrame
    resampled: Mapping[str, pd.DataFrame]


def load_scorer(shared: Path) -> ModuleType:
    """The scorer, which lies outside the project, as a module."""
    path = shared / "bench" / "score_cohort.py"
    spec = importlib.util.spec_from_file_location("score_cohort", path)
    if spec is None or spec.loader is None:
        raise ImportError(str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def join_truth(scorer: ModuleType, truth: Path, calls: pd.DataFrame, cohort: str) -> pd.DataFrame:
    """Calls beside the truth of their visits, with the subject as one to resample; visits without a call stay empty."""
    samples = pd.read_csv(truth, sep="\t")["sample"]
    wanted = samples[samples.str.contains("_FU")].str.split("_", n=1, expand=True).set_axis(["subject", "visit"], axis=1)
    whole = wanted.merge(calls, how="left", on=["subject", "visit"], validate="one_to_one")
    joined = scorer.joined(truth, io.StringIO(whole.to_csv(sep="\t", index=False))).reset_index()
    return joined.assign(cluster=cohort + " " + joined["subject"])


def figures(
    visits: Mapping[str, pd.DataFrame], score: Score, *, resamples: int, seed: int, subjects: int | None = None
) -> Figures:
    """Figures of every method, and on resampled subjects, the same ones for every method.

    Parameters
    ----------
    visits : of each method, the same visits in the same order · subjects : in a resample; None as many as there are
    """
    rng = np.random.default_rng(seed)
    clusters = next(iter(visits.values()))["cluster"]
    rows = {c: np.flatnonzero(clusters.eq(c)) for c in clusters.unique()}
    names, size = list(rows), subjects or len(rows)
    draws = [np.concatenate([rows[names[i]] for i in rng.integers(len(names), size=size)]) for _ in range(resamples)]
    resampled = {m: pd.DataFrame([score(v.iloc[d].reset_index(drop=True)) for d in draws]) for m, v in visits.items()}
    return Figures(pd.DataFrame({m: score(v) for m, v in visits.items()}).T, resampled)


def interval(values: pd.Series) -> tuple[float, float]:
    """The middle 95 % of resampled figures; of those that exist."""
    kept = values.dropna().to_numpy()
    if not len(kept):
        return float("nan"), float("nan")
    low, high = np.percentile(kept, [2.5, 97.5])
    return float(low), float(high)
