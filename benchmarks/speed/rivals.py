"""Others on the same cells: `python rivals.py NAME CELLS.h5ad` prints the seconds one takes. It imports nothing of ours.

FlowSOM_Python is GPL and never a dependency: an environment of its own is enough, told by `--flowsom-python`.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import anndata as ad
import numpy as np

FITTED = 200_000


def mix(data: Any) -> None:
    """A full-covariance Gaussian mixture of 25 components, fitted on 200,000 cells, that scores all."""
    from sklearn.mixture import GaussianMixture

    GaussianMixture(25, random_state=1, max_iter=40).fit(data.X[:FITTED]).score_samples(data.X)


def mean(data: Any) -> None:
    """Mini-batch k-means with 100 means on all cells."""
    from sklearn.cluster import MiniBatchKMeans

    MiniBatchKMeans(100, random_state=1, n_init=1, batch_size=4096).fit_predict(data.X)


def organize(data: Any) -> None:
    """A self-organizing map of 10 x 10 nodes in 10 metaclusters."""
    import flowsom

    flowsom.FlowSOM(data, cols_to_use=list(range(data.n_vars)), xdim=10, ydim=10, n_clusters=10, seed=1)


RIVALS: dict[str, Callable[[Any], None]] = {"gmm-25": mix, "minibatch-kmeans-100": mean, "flowsom": organize}


def main() -> int:
    """Time one; exit code 3 where it is not installed."""
    name, path = sys.argv[1:]
    warnings.simplefilter("ignore")
    data = ad.read_h5ad(path)
    data = ad.AnnData(np.asarray(data.X, dtype=np.float32), var=data.var)
    start = time.perf_counter(), time.process_time()
    try:
        RIVALS[name](data)
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    sys.stdout.write(f"{time.perf_counter() - start[0]:.3f} {time.process_time() - start[1]:.3f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
