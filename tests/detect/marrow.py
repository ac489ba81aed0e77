"""A crude marrow for the detectors: five normal populations in four channels, and a leukaemia."""

import numpy as np
import torch

from mrd.core.settings import Settings

SETTINGS = Settings(components=12, reference_cells=20_000, adapt_cells=20_000, laip_components=10)
CENTRES = np.array([[4.5, 0.2, 0.2, 0.2], [3.6, 3.0, 0.3, 0.4], [4.0, 4.4, 0.3, 2.0], [3.2, 3.0, 4.0, 0.5], [2.6, 0.5, 1.5, 0.3]])
SHARES = np.array([0.2, 0.5, 0.2, 0.01, 0.09])
LEUKAEMIA = np.array([3.0, 1.0, 4.4, 3.6])


def normal(n, rng, *, shift=0.0, progenitors=1.0):
    shares = SHARES * [1, 1, 1, progenitors, 1] * rng.lognormal(0, 0.2, 5)
    kinds = rng.choice(5, n, p=shares / shares.sum())
    own = rng.normal(0, 0.08, (5, 4))
    noise = rng.normal(0, 0.4, (n, 4)) / np.sqrt(rng.chisquare(8, (n, 1)) / 8)
    return CENTRES[kinds] + own[kinds] + noise + shift


def leukaemic(n, rng, *, shift=0.0, centre=LEUKAEMIA):
    return centre + rng.normal(0, 0.4, (n, 4)) + shift


def tensor(values):
    return torch.tensor(values, dtype=torch.float32)


def controls(count=6, n=12_000, seed=1):
    rng = np.random.default_rng(seed)
    return [tensor(normal(n, rng, shift=rng.normal(0, 0.08, 4), progenitors=1 + 2 * (i % 2))) for i in range(count)]


def mixed(n, burden, seed, *, shift=0.0, centre=LEUKAEMIA):
    """Cells of a tube and which are leukaemic."""
    rng = np.random.default_rng(seed)
    k = round(n * burden)
    cells = np.concatenate([normal(n - k, rng, shift=shift), leukaemic(k, rng, shift=shift, centre=centre)])
    order = rng.permutation(n)
    return tensor(cells[order]), (np.arange(n) >= n - k)[order]
