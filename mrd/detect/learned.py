"""A classifier of single cells: this subject's leukaemia at diagnosis against the controls.

A small network sees diagnosis cells, each weighted by its probability of being leukaemic, and control cells, all in the
reference's frame. Cells and whole batches are jittered while it learns, the leukaemic ones more, so that it does not
hang on what moves between days, people and relapses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from mrd.detect.chunks import BY_CHUNK, Chunks
from mrd.detect.laip import Witness

WIDTH = 48
BATCH = 4096
STEPS = 240
RATE = 4e-3
DECAY = 1e-4
CELL_NOISE = 0.12
BATCH_NOISE = 0.08
LEUKAEMIC_NOISE = 0.3
"""Standard deviations of the jitter (asinh units): of each cell, of all normal and of all leukaemic cells of a batch."""
NEGATIVES = 120_000


@dataclass(frozen=True)
class Classifier:
    """Layers of the network, (weights, offsets) from input to output, and the scaling of its input (d,) each."""

    middle: Tensor
    spread: Tensor
    layers: tuple[tuple[Tensor, Tensor], ...]


def learn_classifier(witness: Witness, controls: Sequence[Tensor], rng: np.random.Generator) -> Classifier:
    """Train on diagnosis cells and control cells.

    Parameters
    ----------
    witness : diagnosis cells with their probability of being leukaemic · controls : cells of each control
    Both in the reference's frame; the cells that judge the recall must not be among the former.
    """
    device = witness.cells.device
    each = NEGATIVES // len(controls)
    normal = torch.cat([c[:each] for c in controls])
    middle, spread = normal.mean(dim=0), normal.std(dim=0)
    seeds = torch.Generator().manual_seed(int(rng.integers(2**31)))
    start = [_layer(a, b, seeds, device) for a, b in ((normal.shape[1], WIDTH), (WIDTH, WIDTH), (WIDTH, 1))]
    now = Classifier(middle, spread, tuple(start))
    free = [t for layer in now.layers for t in layer]
    optimiser = torch.optim.AdamW(free, lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    chance = witness.leukaemic.clamp_min(0) / witness.leukaemic.sum().clamp_min(1e-9)
    for _ in range(STEPS):
        loss = _loss(now, _drawn(witness.cells, chance, seeds, LEUKAEMIC_NOISE), _drawn(normal, None, seeds, BATCH_NOISE))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return Classifier(middle, spread, tuple((w.detach(), b.detach()) for w, b in now.layers))


def _layer(inputs: int, outputs: int, seeds: torch.Generator, device: torch.device) -> tuple[Tensor, Tensor]:
    weights = torch.randn(inputs, outputs, generator=seeds) * (2 / inputs) ** 0.5
    return weights.to(device).requires_grad_(True), torch.zeros(outputs, device=device).requires_grad_(True)


def _drawn(cells: Tensor, chance: Tensor | None, seeds: torch.Generator, moved: float) -> Tensor:
    """A batch of cells, each jittered, all moved together; drawn on the CPU so that every device sees the same."""
    if chance is None:
        rows = torch.randint(len(cells), (BATCH,), generator=seeds)
    else:
        rows = torch.multinomial(chance.cpu(), BATCH, replacement=True, generator=seeds)
    noise = torch.randn(BATCH, cells.shape[1], generator=seeds) * CELL_NOISE
    noise = noise + torch.randn(1, cells.shape[1], generator=seeds) * moved
    return cells[rows.to(cells.device)] + noise.to(cells.device)


def _loss(classifier: Classifier, leukaemic: Tensor, normal: Tensor) -> Tensor:
    scores = _forward(classifier, torch.cat([leukaemic, normal]))
    truth = torch.cat([torch.ones(len(leukaemic)), torch.zeros(len(normal))]).to(scores.device)
    return functional.binary_cross_entropy_with_logits(scores, truth)


def _forward(classifier: Classifier, cells: Tensor) -> Tensor:
    x = (cells - classifier.middle) / classifier.spread
    *hidden, (weights, offsets) = classifier.layers
    for w, b in hidden:
        x = functional.silu(x @ w + b)
    return (x @ weights + offsets)[:, 0]


def score_learned(cells: Tensor, classifier: Classifier, shift: Tensor | None = None, by: Chunks = BY_CHUNK) -> Tensor:
    """Log odds of each cell being leukaemic, at even prior odds, (n,).

    Parameters
    ----------
    cells : (n, d) in the reference's frame, or in that of a tube with its `shift` (d,)
    """

    def part(piece: slice) -> Tensor:
        with torch.no_grad():
            return _forward(classifier, cells[piece] if shift is None else cells[piece] - shift)

    return by.join(part, len(cells), cells.new_empty(0))
