"""Islands of a low-dimensional map that a tube fills and the controls do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN

from benchmarks.accuracy.cells import Flags, Floats, Tube

CELLS = 4_000
"""Candidates of the tube on its map, beside as many of the controls."""
LEAST = 10
TIMES = 10.0
EPOCHS = 200
"""UMAP's own number above 10,000 cells; its 500 below took twice the time on a tube, for 46 cells found instead of 47."""
Embed = Callable[[Floats, int], Floats]


def umap_embed(cells: Floats, seed: int) -> Floats:
    """A three-dimensional map (the only step that needs the optional package)."""
    import umap

    mapper = umap.UMAP(n_components=3, min_dist=0.0, n_epochs=EPOCHS, random_state=seed, n_jobs=1)
    return np.asarray(mapper.fit_transform(cells))


def judge_islands(
    tube: Tube, controls: Sequence[Tube], rng: np.random.Generator, *, embed: Embed = umap_embed
) -> tuple[Flags, float]:
    """Which of the tube's cells lie on islands of its own, and the share of its candidates that was looked at."""
    rows = rng.permutation(np.flatnonzero(tube.candidates))[:CELLS]
    each = -(-len(rows) // len(controls))
    others = np.concatenate([c.values[rng.permutation(np.flatnonzero(c.candidates))[:each]] for c in controls])
    found = np.zeros(len(tube.values), bool)
    if len(rows) < 2 * LEAST:
        return found, 1.0
    found[rows[find_islands(tube.values[rows], others, int(rng.integers(2**31)), embed=embed)]] = True
    return found, len(rows) / int(tube.candidates.sum())


def find_islands(cells: Floats, others: Floats, seed: int, *, embed: Embed = umap_embed) -> Flags:
    """Which cells lie on islands of the map of both that the others hardly share."""
    place = embed(np.concatenate([cells, others]), seed)
    return own_islands(HDBSCAN(min_cluster_size=LEAST, copy=True).fit_predict(place), len(cells))


def own_islands(island: NDArray[np.int_], n: int) -> Flags:
    """Which of the first n cells, the tube's, lie where it has `TIMES` the controls' share or more; noise is nobody's."""
    mine, theirs = island[:n], island[n:]
    number = int(island.max()) + 2
    own = np.bincount(mine + 1, minlength=number) / n
    other = (np.bincount(theirs + 1, minlength=number) + 0.5) / max(len(theirs), 1)
    filled = own >= TIMES * other
    filled[0] = False
    return np.asarray(filled[mine + 1])
