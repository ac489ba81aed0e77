"""The field's methods, re-implemented from their papers, behind one interface.

A peer learns from a lesson (controls, diagnosis tubes, expert labels) and gives a judge; the judge says for a tube, under each
of the peer's settings, which cells are leukaemic. None has an estimate, limits or interval beyond the share of such cells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.mixture import GaussianMixture

from benchmarks.accuracy.cells import Flags, Floats, Labelled, Lesson, Tube, drawn, roles
from benchmarks.accuracy.islands import judge_islands


@dataclass(frozen=True)
class Seen:
    """Which cells a method holds to be leukaemic (n,), and the share of the cells in question that it looked at."""

    found: Flags
    share: float = 1.0

    @property
    def count(self) -> float:
        """Leukaemic cells in the tube, by what was looked at."""
        return float(self.found.sum()) / self.share


Judge = Callable[[Tube, str], Mapping[str, Seen]]
"""(tube, subject it is judged for) -> what each setting of the method sees."""


@dataclass(frozen=True)
class Peer:
    """A method: how it learns, its settings by name, and what it needs.

    personal : what it looks for is each subject's own, so that controls are judged once for every subject
    """

    fit: Callable[[Lesson, np.random.Generator], Judge]
    settings: tuple[str, ...]
    personal: bool = False
    needs_diagnosis: bool = False


FOREST = ("random forest p > 0.5", "random forest p > 0.9")
TREES = 100


def fit_forest(lesson: Lesson, rng: np.random.Generator) -> Judge:
    """A random forest on expert-labelled events of the instrument."""
    forest = RandomForestClassifier(TREES, random_state=int(rng.integers(2**31)))
    forest.fit(lesson.labels.values, lesson.labels.leukaemic)

    def judge(tube: Tube, _: str) -> Mapping[str, Seen]:
        chance = forest.predict_proba(tube.values)[:, 1]
        return {FOREST[0]: Seen(chance > 0.5), FOREST[1]: Seen(chance > 0.9)}

    return judge


BOOSTING = ("boosting p > 0.5", "boosting, 1e-4 of control cells")
PASSING = 1e-4
"""Share of control cells over the stricter cut, which is found on controls that taught nothing."""


def fit_boosting(lesson: Lesson, rng: np.random.Generator) -> Judge:
    """Gradient boosting on the cohort's own library: expert-gated blasts of the diagnosis tubes against all other cells.

    After MAGIC-DR (cyto.b.22168), whose trees are XGBoost's; its human check of the result is left out.
    """
    own = [gated(t, 20_000, rng) for t in lesson.diagnosis]
    normal = drawn(lesson.controls[::2], 20_000, rng)
    cells = np.concatenate([normal, *(v for v, _ in own)])
    labels = np.concatenate([np.zeros(len(normal), bool), *(g for _, g in own)])
    trees = HistGradientBoostingClassifier(random_state=int(rng.integers(2**31))).fit(cells, labels)
    held_out = drawn(lesson.controls[1::2], 40_000, rng)
    cut = float(np.quantile(trees.predict_proba(held_out)[:, 1], 1 - PASSING))

    def judge(tube: Tube, _: str) -> Mapping[str, Seen]:
        chance = trees.predict_proba(tube.values)[:, 1]
        return {BOOSTING[0]: Seen(chance > 0.5), BOOSTING[1]: Seen(chance > cut)}

    return judge


def gated(tube: Tube, most: int, rng: np.random.Generator) -> tuple[Floats, Flags]:
    """At most so many cells of a diagnosis tube, and which of them an expert gated."""
    if tube.leukaemic is None:
        raise ValueError(f"{tube.sample} has no expert's gate")
    rows = rng.permutation(len(tube.values))[:most]
    return tube.values[rows], tube.leukaemic[rows]


NOVELTY = {"cMRD novelty 0.1 percentile": 0.1, "cMRD novelty 1 percentile": 1.0}
COMPARTMENT = (("SSC-A", "CD45"), 8), (("CD34", "CD117"), 4)
"""Channels and components of the two mixtures that gate blasts."""
KEPT = 0.85
"""With it the compartment holds a tenth or so of a control, and the figures of the anchors come out on plain."""


def fit_novelty(lesson: Lesson, rng: np.random.Generator) -> Judge:
    """Blasts that are unlikely under a mixture of regenerating blasts, after cMRD (s43856-024-00700-x).

    Two mixtures gate blasts, by SSC and CD45, then by CD34 and CD117; of each the components are taken that an expert's
    labels say. Novel is what lies under a percentile of the regenerating blasts' own densities.
    """
    regenerating = [t for t in lesson.controls if t.kind == "regenerating"] or lesson.controls
    gate = fit_compartment(lesson, rng)
    blasts = np.concatenate([t.values[gate(t.values)] for t in regenerating])
    blasts = blasts[rng.permutation(len(blasts))[:60_000]]
    normal = GaussianMixture(20, random_state=int(rng.integers(2**31)), reg_covar=1e-3).fit(blasts)
    cuts = dict(zip(NOVELTY, np.percentile(normal.score_samples(blasts), list(NOVELTY.values())), strict=True))

    def judge(tube: Tube, _: str) -> Mapping[str, Seen]:
        rows = np.flatnonzero(gate(tube.values))
        likely = normal.score_samples(tube.values[rows]) if len(rows) else np.empty(0)
        return {name: Seen(marked(len(tube.values), rows[likely < cut])) for name, cut in cuts.items()}

    return judge


def fit_compartment(lesson: Lesson, rng: np.random.Generator) -> Callable[[Floats], Flags]:
    """The blast gate: cells that fall in a blast component of every mixture."""
    cells = drawn([*lesson.controls, *lesson.diagnosis], 4_000, rng)
    steps = []
    for names, components in COMPARTMENT:
        columns = roles(lesson.controls[0].channels, names)
        mixture = GaussianMixture(components, random_state=int(rng.integers(2**31))).fit(cells[:, columns])
        chosen = blast_components(mixture, columns, lesson.labels)
        cells = cells[chosen[mixture.predict(cells[:, columns])]]
        steps.append((mixture, columns, chosen))

    def gate(values: Floats) -> Flags:
        inside = np.ones(len(values), bool)
        for mixture, columns, chosen in steps:
            inside[inside] = chosen[mixture.predict(values[inside][:, columns])]
        return inside

    return gate


def blast_components(mixture: GaussianMixture, columns: list[int], labels: Labelled) -> Flags:
    """The fewest components that together hold `KEPT` of the labelled blasts, those that hold them purest first."""
    nearest = mixture.predict(labels.values[:, columns])
    blasts, others = (np.bincount(nearest[m], minlength=mixture.n_components) / m.sum() for m in (labels.blasts, ~labels.blasts))
    order = np.argsort(others / (blasts + 1e-9))
    enough = int(np.searchsorted(np.cumsum(blasts[order]), KEPT)) + 1
    return np.isin(np.arange(mixture.n_components), order[:enough])


NODES = ("400 SOM nodes",)
ENRICHED = 100.0
"""Times the highest share in any control; the smallest round ratio with which the anchors' figure comes out on plain."""


def fit_nodes(lesson: Lesson, rng: np.random.Generator) -> Judge:
    """400 nodes over controls and diagnosis; a subject's nodes are those that its diagnosis fills over any control.

    k-means nodes stand for those of a self-organising map, whose grid is not used.
    """
    cells = drawn([*lesson.controls, *lesson.diagnosis], 8_000, rng)
    nodes = MiniBatchKMeans(400, random_state=int(rng.integers(2**31)), n_init=1, batch_size=8192).fit(cells)
    normal = {t.sample: nodes.predict(t.values) for t in lesson.controls}
    highest = np.stack([node_shares(at) for at in normal.values()]).max(axis=0)
    own = {t.subject: node_shares(nodes.predict(t.values)) > ENRICHED * (highest + 1e-5) for t in lesson.diagnosis}

    def judge(tube: Tube, subject: str) -> Mapping[str, Seen]:
        at = normal[tube.sample] if tube.sample in normal else nodes.predict(tube.values)
        return {NODES[0]: Seen(own[subject][at])}

    return judge


def node_shares(at: NDArray[np.int32]) -> NDArray[np.float64]:
    """Share of a tube's cells in each node."""
    return np.bincount(at, minlength=400) / len(at)


ISLANDS = ("UMAP + HDBSCAN",)


def fit_islands(lesson: Lesson, rng: np.random.Generator) -> Judge:
    """Islands of a tube's map that controls do not share, after UmapFlow (Cancers 2022;14:898)."""

    def judge(tube: Tube, _: str) -> Mapping[str, Seen]:
        others = [c for c in lesson.controls if c.sample != tube.sample]
        return {ISLANDS[0]: Seen(*judge_islands(tube, others, rng))}

    return judge


def marked(n: int, rows: NDArray[np.intp]) -> Flags:
    """True at some of n places."""
    out = np.zeros(n, bool)
    out[rows] = True
    return out


PEERS = {
    "forest": Peer(fit_forest, FOREST),
    "novelty": Peer(fit_novelty, tuple(NOVELTY)),
    "nodes": Peer(fit_nodes, NODES, personal=True, needs_diagnosis=True),
    "boosting": Peer(fit_boosting, BOOSTING, needs_diagnosis=True),
    "islands": Peer(fit_islands, ISLANDS),
}
