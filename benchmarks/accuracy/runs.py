"""Calls of every method on a cohort, in the words that the scorer reads: ours, each of our arms alone, and each peer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.accuracy.cells import Lesson, Tube, follow_ups
from benchmarks.accuracy.cohorts import Cohort
from benchmarks.accuracy.peers import PEERS, Judge, Peer, Seen
from mrd.core import words
from mrd.core.settings import Settings, check_settings
from mrd.files.settings import read_mapping
from mrd.quantify.blanks import Blanks
from mrd.quantify.burden import Recall
from mrd.quantify.decide import Finding, decide
from mrd.quantify.limits import tube_limits

OURS = "flowmrd"
CALLED = ["subject", "visit", "n_leukocytes", "mrd_fraction", "ci_low", "ci_high", "lob", "lod", "below_threshold"]
DECIDE = ("threshold", "min_cluster", "quantifiable_cells", "dfn_below")
"""Settings that decide on one arm; the others of a run may be of another version."""
FULL = Recall(1.0, 0.0)
"""Recall of a method that corrects for none."""


def our_calls(cohort: Cohort) -> dict[str, pd.DataFrame]:
    """Our calls, and those each arm would make by itself under the decision table."""
    told = read_mapping(cohort.results / "settings.yaml", what="settings")
    settings = check_settings({name: told[name] for name in DECIDE if name in told})
    arms = pd.read_csv(cohort.results / "arms.tsv", sep="\t")
    arms = arms[arms["outcome"].eq("ok") & arms["visit"].str.startswith("FU")]
    calls = pd.read_csv(cohort.results / "calls.tsv", sep="\t")
    alone = {f"{OURS}, {arm} alone": arm_calls(arms[arms["arm"].eq(arm)], settings) for arm in words.ARMS}
    return {OURS: calls[CALLED], **alone}


def arm_calls(arm: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """What one arm alone says: of several tubes the highest estimate, "below" only where every tube can tell it."""
    highest = arm.sort_values("mrd_fraction").groupby(["subject", "visit"], as_index=False).tail(1)
    every = arm["adequate"].eq("Y").groupby([arm["subject"], arm["visit"]]).transform("all")
    below = [arm_below(r, settings, adequate=bool(every[i])) for i, r in highest.iterrows()]
    return highest.assign(below_threshold=below)[CALLED].reset_index(drop=True)


def arm_below(row: pd.Series, settings: Settings, *, adequate: bool) -> str:
    """Y, N or empty: the decision table on one arm's estimate; what differs from normal tells no "below" by default."""
    ends = (float(row["ci_low"]), float(row["ci_high"]))
    limits = {n: float(row[n]) for n in ("lob", "lod", "lloq")}
    finding = Finding(float(row["mrd_fraction"]), **limits, found=int(row["n_found"]), interval=ends, adequate=adequate)
    below = decide(finding, settings).below
    return "" if below == "Y" and row["arm"] == "dfn" and not settings.dfn_below else below


def peer_calls(cohort: Cohort, lesson: Lesson | None, name: str, out: Path) -> dict[str, pd.DataFrame]:
    """A peer's calls by setting: those written before for the same cells and code, else judged now."""
    path = peer_path(cohort, name, out)
    if not path.is_file():
        if lesson is None:
            raise ValueError(f"{path} is not there and no lesson was given")
        path.parent.mkdir(parents=True, exist_ok=True)
        judge_cohort(cohort, lesson, PEERS[name]).to_csv(path, sep="\t", index=False)
    told = pd.read_csv(path, sep="\t", keep_default_na=False, na_values=[""])
    return {method: told[told["method"].eq(method)][CALLED].reset_index(drop=True) for method in PEERS[name].settings}


def peer_path(cohort: Cohort, name: str, out: Path) -> Path:
    """Where a peer's calls are kept: the name holds a digest of the prepared cells and of the code behind the peer."""
    here = Path(__file__).parent
    sources = [here / n for n in ("cells.py", "peers.py", "runs.py", *(["islands.py"] if name == "islands" else []))]
    tables = [p for p in sorted((cohort.results / "prepare").glob("*.tsv")) if not p.name.endswith(".qc.tsv")]
    digest = hashlib.sha256(b"".join(p.read_bytes() for p in [*sources, *tables])).hexdigest()[:12]
    return out / cohort.name / f"{name}-{digest}.tsv"


def judge_cohort(cohort: Cohort, lesson: Lesson, peer: Peer) -> pd.DataFrame:
    """One row per setting and follow-up; none where the peer needs diagnosis tubes and there are none."""
    columns = ["method", *CALLED]
    if peer.needs_diagnosis and not lesson.diagnosis:
        return pd.DataFrame(columns=columns)
    judge = peer.fit(lesson, np.random.default_rng(cohort.seed))
    settings = Settings(min_leukocytes=100_000)
    subjects = sorted({t.subject for t in lesson.diagnosis}) if peer.personal else [""]
    blanks = {s: judged_blanks(judge, lesson, s) for s in subjects}
    rows = []
    for tube in follow_ups(cohort.results):
        subject = tube.subject if peer.personal else ""
        if subject in blanks:
            seen = judge(tube, subject)
            rows += [{"method": m, **call(tube, s, blanks[subject][m], settings)} for m, s in seen.items()]
    return pd.DataFrame(rows, columns=columns)


def judged_blanks(judge: Judge, lesson: Lesson, subject: str) -> Mapping[str, Blanks]:
    """What a peer finds in the controls, by setting."""
    seen = [judge(t, subject) for t in lesson.controls]
    kinds = tuple(t.kind for t in lesson.controls)

    def blanks(method: str) -> Blanks:
        found = np.array([int(s[method].found.sum()) for s in seen])
        return Blanks(found, np.array([looked(t, s[method]) for t, s in zip(lesson.controls, seen, strict=True)]), kinds)

    return {method: blanks(method) for method in seen[0]}


def looked(tube: Tube, seen: Seen) -> int:
    """Leukocytes that what was looked at stands for."""
    return max(round(tube.n_leukocytes * seen.share), 1)


def call(tube: Tube, seen: Seen, blanks: Blanks, settings: Settings) -> dict[str, Any]:
    """A peer's call: the share it sees, told whatever it is, with its exact Poisson interval.

    Peers state no limits. LoB and LoD are those that our own limits stage derives from their counts in the controls, put
    on the scale of their estimate, which subtracts no background.
    """
    found, n = int(seen.found.sum()), looked(tube, seen)
    limits = tube_limits(n, blanks, FULL, settings)
    low = float(stats.chi2.ppf(0.025, 2 * found)) / 2 / n if found else 0.0
    return {
        "subject": tube.subject,
        "visit": tube.visit,
        "n_leukocytes": tube.n_leukocytes,
        "mrd_fraction": found / n,
        "ci_low": low,
        "ci_high": float(stats.chi2.ppf(0.975, 2 * found + 2)) / 2 / n,
        "lob": limits.background + limits.lob * (1 - limits.background),
        "lod": limits.background + limits.lod * (1 - limits.background),
        "below_threshold": "Y" if found < settings.threshold * n else "N",
    }
