"""What the cytometer is fed besides intact single cells: debris, dead cells, doublets, cells off the scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from mrd.simulate.artefacts import Befallen
from mrd.simulate.cells import Cells, draw_cells, join_cells
from mrd.simulate.composition import Part
from mrd.simulate.features import Floats
from mrd.simulate.lymphoid import DEBRIS as DEBRIS_POPULATION
from mrd.simulate.population import lineage_of
from mrd.simulate.truth import CODE, DEAD, DEBRIS, DOUBLET, MARGIN

SPOILT = (DEBRIS, DEAD, DOUBLET, MARGIN)
THRESHOLD = 5000.0
"""Forward scatter under which the cytometer records nothing."""
ABREAST = 0.08
"""Share of doublets that pass side by side, with the pulse of one large cell."""


def draw_specimen(
    parts: Sequence[Part],
    offsets: Mapping[str, Floats],
    n: int,
    befallen: Befallen,
    rng: np.random.Generator,
    *,
    regeneration: float,
) -> Cells:
    """Draw the events of one tube in the order they pass: intact single cells and everything else."""
    rates = [befallen[name] for name in ("debris", "dead", "doublets", "margin")]
    scale = min(1.0, 0.95 / max(sum(rates), 1e-9))
    shares = [rate * scale for rate in rates]
    debris, dead, doublets, margin, single = rng.multinomial(n, [*shares, 1 - sum(shares)])
    cells = draw_cells(parts, offsets, int(single + dead + margin + 2 * doublets), rng, regeneration=regeneration)
    groups = np.split(np.arange(len(cells)), np.cumsum([single, dead, margin, doublets]))
    whole, dying, far, first, second = (cells.take(g) for g in groups)
    events = [whole, kill_cells(dying, rng), push_cells(far, rng), pair_cells(first, second, rng), draw_debris(int(debris), rng)]
    return join_cells(events).take(rng.permutation(n))


def draw_debris(n: int, rng: np.random.Generator) -> Cells:
    """Debris large enough to be recorded."""
    part = Part(lineage_of(DEBRIS_POPULATION), 1.0, DEBRIS_POPULATION.stage)
    cells = draw_cells([part], {}, n, rng, regeneration=0.0)
    return replace(_mark(cells, DEBRIS), size=np.maximum(cells.size, THRESHOLD * (1 + 0.05 * rng.random(n))))


def kill_cells(cells: Cells, rng: np.random.Generator) -> Cells:
    """Dead cells: shrunken, more granular, glowing, antibody stuck to them whatever its antigen."""
    n = len(cells)
    shrunk = rng.uniform(0.35, 0.75, n)
    stuck = 220 * np.exp(0.5 * rng.standard_normal((n, 1)) + 0.3 * rng.standard_normal(cells.signal.shape))
    signal = cells.signal * rng.uniform(0.3, 0.9, (n, 1)) + stuck
    return _mark(
        replace(
            cells,
            size=cells.size * shrunk,
            height=cells.height * shrunk,
            side=cells.side * 1.4,
            glow=cells.glow * 3,
            signal=signal,
        ),
        DEAD,
    )


def push_cells(cells: Cells, rng: np.random.Generator) -> Cells:
    """Events off the scatter scale: clumps and large cells, some in forward scatter, some in side scatter."""
    forward = rng.random(len(cells)) < 0.6
    far = rng.uniform(5, 9, len(cells))
    size, height = (np.where(forward, v * far, v) for v in (cells.size, cells.height))
    return _mark(
        replace(cells, size=size, height=height, side=np.where(forward, cells.side * 1.5, cells.side + far * 60e3)), MARGIN
    )


def pair_cells(first: Cells, second: Cells, rng: np.random.Generator) -> Cells:
    """Two cells in one pulse: light adds up, height is that of the taller one unless they pass abreast."""
    abreast = rng.random(len(first)) < ABREAST
    behind = np.maximum(first.height, second.height) * rng.uniform(1.0, 1.12, len(first))
    total = {name: getattr(first, name) + getattr(second, name) for name in ("size", "side", "glow", "signal")}
    height = np.where(abreast, 0.97 * (first.height + second.height), behind)
    return _mark(replace(first, height=height, **total), DOUBLET)


def _mark(cells: Cells, name: str) -> Cells:
    return replace(cells, code=np.full(len(cells), CODE[name], dtype=np.uint8))
