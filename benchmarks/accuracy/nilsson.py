"""F1 on a rare population: 251 stem cells among 30,899 cells of one healthy marrow (Nilsson).

Half of the cells teach, half are judged, stratified, for several splits. What a diagnosis tube is to a method on a cohort,
the labelled cells of the teaching half are here; what controls are, its other cells. A method that gives a score is cut, ours
as any other, where F1 was highest on a quarter of the teaching half while the rest taught; then the whole half teaches.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.metrics import f1_score, precision_recall_curve
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import train_test_split

from benchmarks.accuracy.cells import Flags, Floats
from benchmarks.accuracy.islands import find_islands
from benchmarks.accuracy.peers import ENRICHED, NOVELTY, TREES, node_shares
from benchmarks.accuracy.table import markdown
from mrd.core.settings import Settings
from mrd.detect.fit import fit_mixture, start_mixture
from mrd.detect.laip import Witness
from mrd.detect.learned import learn_classifier, score_learned
from mrd.detect.mixture import Mixture, log_density
from mrd.files.fcs import read_fcs

NO_FEATURES = ("Time", "label")
SPLITS = 5
Score = Callable[[Floats], NDArray[np.floating]]
Learn = Callable[[Floats, Flags, int], Score]
"""(cells, which are of the rare population, seed) -> score of other cells."""
Find = Callable[[Floats, Flags, Floats, int], Mapping[str, Flags]]
"""(teaching cells, labels, cells to judge, seed) -> what each setting finds."""


def read_nilsson(path: Path) -> tuple[Floats, Flags, list[str]]:
    """Markers and scatter that vary (this file's scatter does not), which cells are stem cells, and the channels.

    The file's values stand on a logarithmic scale already.
    """
    data = read_fcs(path, where=path.name)
    varies = [i for i, name in enumerate(data.pnn) if name not in NO_FEATURES and np.ptp(data.events[:, i]) > 0]
    cells = data.events[:, varies].astype(np.float32)
    return cells, data.events[:, data.pnn.index("label")] == 1, [data.pnn[i] for i in varies]


def learn_mixtures(cells: Floats, rare: Flags, seed: int) -> Score:
    """Our reference and LAIP as a detector: a mixture of all other cells, one of the rare ones, and their log ratio."""
    settings, rng = Settings(), np.random.default_rng(seed)
    normal = fitted(cells[~rare], settings.components, settings, rng)
    own = fitted(cells[rare], max(min(settings.laip_components, int(rare.sum()) // 100), 2), settings, rng)
    return lambda x: (log_density(torch.from_numpy(x), own) - log_density(torch.from_numpy(x), normal)).numpy()


def fitted(cells: Floats, components: int, settings: Settings, rng: np.random.Generator) -> Mixture:
    """A mixture as our reference and LAIP are fitted."""
    x = torch.from_numpy(cells)
    return fit_mixture(x, start_mixture(x, components, settings.tails, rng))


def learn_network(cells: Floats, rare: Flags, seed: int) -> Score:
    """Our learned arm's classifier."""
    x = torch.from_numpy(cells)
    witness = Witness(x[torch.from_numpy(rare)], torch.ones(int(rare.sum())))
    classifier = learn_classifier(witness, [x[torch.from_numpy(~rare)]], np.random.default_rng(seed))
    return lambda other: score_learned(torch.from_numpy(other), classifier).numpy()


def learn_forest(cells: Floats, rare: Flags, seed: int) -> Score:
    """Random forest on the labels."""
    forest = RandomForestClassifier(TREES, random_state=seed).fit(cells, rare)
    return lambda x: forest.predict_proba(x)[:, 1]


def learn_boosting(cells: Floats, rare: Flags, seed: int) -> Score:
    """Gradient boosting on the labels."""
    trees = HistGradientBoostingClassifier(random_state=seed).fit(cells, rare)
    return lambda x: trees.predict_proba(x)[:, 1]


def find_novel(cells: Floats, rare: Flags, judged: Floats, seed: int) -> Mapping[str, Flags]:
    """Cells unlikely under a mixture of the other cells, after cMRD; there is no blast compartment to gate."""
    normal = GaussianMixture(20, random_state=seed, reg_covar=1e-3).fit(cells[~rare])
    known, likely = normal.score_samples(cells[~rare]), normal.score_samples(judged)
    return {name: likely < np.percentile(known, at) for name, at in NOVELTY.items()}


def find_nodes(cells: Floats, rare: Flags, judged: Floats, seed: int) -> Mapping[str, Flags]:
    """Nodes that the rare population fills over the others."""
    nodes = MiniBatchKMeans(400, random_state=seed, n_init=1, batch_size=8192).fit(cells)
    own, other = (node_shares(nodes.predict(cells[m])) for m in (rare, ~rare))
    return {"400 SOM nodes": (own > ENRICHED * (other + 1e-5))[nodes.predict(judged)]}


def find_on_map(cells: Floats, rare: Flags, judged: Floats, seed: int) -> Mapping[str, Flags]:
    """Islands that the judged cells fill and the other cells do not."""
    return {"UMAP + HDBSCAN": find_islands(judged, cells[~rare], seed)}


LEARN: Mapping[str, tuple[str, Learn]] = {
    "flowmrd, reference and LAIP mixtures": ("ours", learn_mixtures),
    "flowmrd, learned classifier": ("ours", learn_network),
    "random forest": ("forest", learn_forest),
    "boosting": ("boosting", learn_boosting),
}
"""Methods with a score: the peer they belong to, and how they learn."""
PAPERS_CUTS = {"random forest": (0.5, 0.9), "boosting": (0.5,)}
FIND: Mapping[str, Find] = {"novelty": find_novel, "nodes": find_nodes, "islands": find_on_map}


def best_cut(scores: NDArray[np.floating], rare: Flags) -> float:
    """The cut with the highest F1; cells at it count as found."""
    precision, recall, cuts = precision_recall_curve(rare, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(cuts[np.argmax(f1[:-1])])


def split_f1(cells: Floats, rare: Flags, peers: Sequence[str], seed: int) -> dict[str, float]:
    """F1 of every method on one split."""
    teach, judge = train_test_split(np.arange(len(cells)), test_size=0.5, stratify=rare, random_state=seed)
    most, rest = train_test_split(teach, test_size=0.25, stratify=rare[teach], random_state=seed)
    found: dict[str, Flags] = {}
    for name, (peer, learn) in LEARN.items():
        if peer in ("ours", *peers):
            cut = best_cut(learn(cells[most], rare[most], seed)(cells[rest]), rare[rest])
            scores = learn(cells[teach], rare[teach], seed)(cells[judge])
            found[name] = scores >= cut
            found |= {f"{name} p > {p}": scores > p for p in PAPERS_CUTS.get(name, ())}
    for peer in peers:
        if peer in FIND:
            found |= FIND[peer](cells[teach], rare[teach], cells[judge], seed)
    return {name: float(f1_score(rare[judge], f)) for name, f in found.items()}


def nilsson_table(shared: Path, peers: Sequence[str], *, splits: int = SPLITS) -> str:
    """F1 of every method: mean over the splits, lowest and highest, and ours less it on the same splits."""
    cells, rare, channels = read_nilsson(shared / "data" / "nilsson" / "Nilsson_rare_TRAIN.fcs")
    told = []
    for seed in range(1, splits + 1):
        told.append(split_f1(cells, rare, peers, seed))
        print(f"nilsson: split {seed}", file=sys.stderr, flush=True)
    head = f"{len(cells)} cells, {int(rare.sum())} of them rare, {splits} splits; features: {', '.join(channels)}."
    return f"{head}\n\n{f1_table(told)}"


def f1_table(told: Sequence[Mapping[str, float]]) -> str:
    """F1 by method over the splits, and our best one's less it."""
    scores = {name: np.array([t[name] for t in told]) for name in told[0]}
    best = max((n for n in scores if n.startswith("flowmrd")), key=lambda n: scores[n].mean())
    rows = [[n, range_of(s), range_of(scores[best] - s)] for n, s in scores.items()]
    return markdown(["method", "F1, mean (lowest to highest)", f"{best}, less it"], rows)


def range_of(values: NDArray[np.float64]) -> str:
    """Mean, lowest and highest."""
    return f"{values.mean():.3f} ({values.min():.3f} to {values.max():.3f})"
