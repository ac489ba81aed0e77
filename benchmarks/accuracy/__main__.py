"""`python -m benchmarks.accuracy`: flowmrd, each of its arms and the field's methods on the same cells, against the truth.

Cohorts are made with make_cohort.py of the shared folder and results with the workflow, unless they are there already
(FOLDER/<kind><seed> of --cohorts and --results). Figures are the scorer's, pooled over seeds.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pandas as pd
import torch
from threadpoolctl import threadpool_limits

from benchmarks.accuracy.anchors import SUBJECTS, reproduced
from benchmarks.accuracy.cells import read_lesson
from benchmarks.accuracy.cohorts import MAKER, ROOT, Cohort, check_shared, ensure_cohort, ensure_results, labels_path
from benchmarks.accuracy.nilsson import SPLITS, nilsson_table
from benchmarks.accuracy.peers import PEERS
from benchmarks.accuracy.runs import our_calls, peer_calls, peer_path
from benchmarks.accuracy.score import Figures, Score, figures, join_truth, load_scorer
from benchmarks.accuracy.table import anchor_table, difference_table, score_table, write_parts
from mrd import __version__
from mrd.core.errors import MrdError

LIBRARIES = ("numpy", "pandas", "scikit-learn", "torch", "umap-learn")


@dataclass(frozen=True)
class Compared:
    """Figures on the cohorts of one kind; of cohorts of eight subjects, resampled and each seed's first, for the anchors."""

    figures: Figures
    eight: Figures
    single: list[pd.DataFrame]


def main() -> int:
    """Compare, print, and rewrite the page where one is named; 2 where something is missing."""
    options = parse()
    try:
        torch.set_num_threads(options.cores)
        with threadpool_limits(options.cores):
            parts = compared_parts(options) | nilsson_parts(options)
        if options.write:
            write_parts(options.write, parts)
    except MrdError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def parse() -> argparse.Namespace:
    """Options of the comparison."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--cohort", nargs="+", default=[], choices=list(MAKER), help="kinds of cohort")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1], help="a cohort of each kind for every seed, pooled")
    parser.add_argument("--nilsson", action="store_true", help="F1 on the rare population of the Nilsson file")
    parser.add_argument("--splits", type=int, default=SPLITS, help="of the Nilsson file into halves")
    parser.add_argument("--out", type=Path, default=Path("build/accuracy"), help="what is made and judged is kept here")
    parser.add_argument("--cohorts", type=Path, help="folder of cohorts, <kind><seed> each; default OUT/cohorts")
    parser.add_argument("--results", type=Path, help="folder of our results, <kind><seed> each; default OUT/results")
    parser.add_argument("--commit", default="", help="commit that made the results, where it is not the one checked out")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="folder with bench/ and data/")
    parser.add_argument("--peers", nargs="+", default=available(), choices=list(PEERS), help="methods to compare with")
    parser.add_argument("--peers-only", action="store_true", help="leave ours out: the workflow stops at the prepared cells")
    parser.add_argument("--ours-only", action="store_true", help="no peers: our table alone, under a mark of its own")
    parser.add_argument("--part", default="", help="word that follows the kind in the marks of the page's part")
    parser.add_argument("--resamples", type=int, default=1000, help="of the subjects, for the intervals")
    parser.add_argument("--cores", type=int, default=1, help="of the workflow and of the numerical libraries")
    parser.add_argument("--write", type=Path, help="page whose marked parts are rewritten")
    options = parser.parse_args()
    if options.ours_only:
        options.peers, options.part = [], options.part or "ours"
    return options


def available() -> list[str]:
    """The methods whose libraries are installed."""
    return [name for name in PEERS if name != "islands" or importlib.util.find_spec("umap")]


def compared_parts(options: argparse.Namespace) -> dict[str, str]:
    """The tables of every kind of cohort asked for, printed as they come."""
    if not options.cohort:
        return {}
    scorer, parts = load_scorer(check_shared(options.shared)), {}
    missing = [name for name in PEERS if name not in options.peers]
    for kind in options.cohort:
        got = compare(kind, options, scorer)
        note = f"\n\nNot compared: {', '.join(missing)}." if missing else ""
        less = [] if options.peers_only or options.ours_only else [difference_table(got.figures, scorer.LOW)]
        drawn = f"seeds {', '.join(map(str, options.seeds))}; {options.resamples} resamples"
        tables = [about(options, drawn), score_table(got.figures), *less]
        if options.part:
            name = f"{kind} {options.part}"
            parts[name] = "\n\n".join(tables)
            print(f"\n## {name}\n\n{parts[name]}", flush=True)
            continue
        parts[kind] = "\n\n".join(tables) + note
        parts[f"{kind} anchors"] = anchor_table(reproduced(kind, got.eight, got.single))
        print(f"\n## {kind}\n\n{parts[kind]}\n\n{parts[f'{kind} anchors']}", flush=True)
    return parts


def compare(kind: str, options: argparse.Namespace, scorer: ModuleType) -> Compared:
    """All methods on the cohorts of one kind, pooled."""
    cohorts = options.cohorts or options.out / "cohorts"
    results = options.results or options.out / "results"
    visits: dict[str, list[pd.DataFrame]] = {}
    for seed in options.seeds:
        name = f"{kind}{seed}"
        cohort = Cohort(kind, seed, (cohorts / name).resolve(), (results / name).resolve())
        for method, calls in all_calls(cohort, options).items():
            if len(calls):
                visits.setdefault(method, []).append(join_truth(scorer, cohort.folder / "truth.tsv", calls, name))
    pooled = {m: pd.concat(v, ignore_index=True) for m, v in visits.items()}
    n, score = options.resamples, scorer.score
    return Compared(
        figures(pooled, score, resamples=n, seed=1),
        figures(pooled, score, resamples=n, seed=2, subjects=SUBJECTS),
        [first_eight({m: v[i] for m, v in visits.items()}, score) for i in range(len(options.seeds))],
    )


def first_eight(visits: Mapping[str, pd.DataFrame], score: Score) -> pd.DataFrame:
    """Figures of one cohort's first eight subjects."""
    few = {m: v[v["cluster"].isin(sorted(v["cluster"].unique())[:SUBJECTS])].reset_index(drop=True) for m, v in visits.items()}
    return pd.DataFrame({m: score(v) for m, v in few.items()}).T


def all_calls(cohort: Cohort, options: argparse.Namespace) -> dict[str, pd.DataFrame]:
    """Calls of all methods on one cohort, made where they are not there."""
    ensure_cohort(cohort, options.shared)
    ensure_results(cohort, cores=options.cores, cells_only=options.peers_only)
    lesson = None
    if not all(peer_path(cohort, p, options.out).is_file() for p in options.peers):
        lesson = read_lesson(cohort.results, cohort.folder, labels_path(options.shared))
    calls = {} if options.peers_only else our_calls(cohort)
    for peer in options.peers:
        print(f"{cohort.name}: {peer}", file=sys.stderr, flush=True)
        calls |= peer_calls(cohort, lesson, peer, options.out)
    return calls


def nilsson_parts(options: argparse.Namespace) -> dict[str, str]:
    """The table of the rare population, where it is asked for."""
    if not options.nilsson:
        return {}
    table = nilsson_table(check_shared(options.shared), options.peers, splits=options.splits)
    body = f"{about(options, f'{options.splits} splits')}\n\n{table}"
    print(f"\n## nilsson\n\n{body}", flush=True)
    return {"nilsson": body}


def about(options: argparse.Namespace, drawn: str) -> str:
    """Date, versions, and what was drawn."""
    libraries = ", ".join(f"{n} {version(n)}" for n in LIBRARIES if n != "umap-learn" or "islands" in options.peers)
    return (
        f"{datetime.now(tz=UTC):%Y-%m-%d}; flowmrd {__version__}, commit {options.commit or head()}; {drawn};"
        f" Python {platform.python_version()}, {libraries}."
    )


def head() -> str:
    """The commit that is checked out, short."""
    command: Sequence[str] = ["git", "rev-parse", "--short", "HEAD"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
