"""From cells to what a cytometer records: time, spillover, gain, sag, counting and electronic noise, the range's end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrd.simulate.cells import Cells
from mrd.simulate.features import Floats
from mrd.simulate.instruments import RANGE, Instrument

RATE = 900.0
"""Events a second."""
TIMESTEP = 0.01
ELECTRONIC = 25.0
"""Electronic noise, sd in channels."""
PER_ELECTRON = 4.0
"""Channels one photoelectron is worth: the counting noise of a signal s is sqrt(4 s)."""
SCATTER_GAIN = 0.3
"""How much of the gain shift scatter detectors, which are set against beads every day, take."""


@dataclass(frozen=True)
class Tuning:
    """How the instrument stands on the day: factors on the three scatter channels and on each detector."""

    scatter: Floats
    gain: Floats


def draw_tuning(instrument: Instrument, size: float, rng: np.random.Generator) -> Tuning:
    """Gains off by `size` (log, sd), drawn for one tube."""
    forward, side = np.exp(rng.normal(0, SCATTER_GAIN * size, 2))
    return Tuning(np.array([forward, forward, side]), np.exp(rng.normal(0, size, len(instrument.detectors))))


def declare_spill(instrument: Instrument, tuning: Tuning) -> Floats:
    """Matrix that single stains of the day would give: the leaks of each dye as the gains make them, 1 on its own."""
    return instrument.spill * tuning.gain[None, :] / tuning.gain[:, None]


def draw_time(n: int, rng: np.random.Generator) -> Floats:
    """Seconds at which events pass, ascending: Poisson at a rate that wanders by a tenth."""
    wave = 1 + 0.1 * np.sin(np.linspace(0, 9, n) + rng.uniform(0, 6))
    return np.cumsum(rng.exponential(1 / RATE, n) / wave)


def draw_sag(time: Floats, depth: float, rng: np.random.Generator) -> Floats:
    """Factor on every signal, (n,): one stretch, about a sixth of the run, sags to 1 - depth and recovers."""
    centre, half = rng.uniform(0.3, 0.7), rng.uniform(0.07, 0.11)
    if depth == 0 or len(time) == 0:
        return np.ones(len(time))
    distance = np.abs(time / time[-1] - centre) / half
    return np.asarray(1 - depth * np.clip(1.5 * (1 - distance), 0, 1))


def record(
    cells: Cells, instrument: Instrument, tuning: Tuning, *, time: Floats, sag: Floats, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Events as the file holds them, (n, channels of the instrument), whole channels."""
    scatter = np.column_stack([cells.size, cells.height, cells.side]) * tuning.scatter * sag[:, None]
    light = detect_light(cells, instrument) * tuning.gain * sag[:, None]
    noisy = light + rng.standard_normal(light.shape) * np.sqrt(ELECTRONIC**2 + PER_ELECTRON * light)
    ticks = np.floor(time / TIMESTEP)
    events = np.column_stack([np.rint(scatter), np.rint(noisy), ticks])
    return np.asarray(np.minimum(events, RANGE - 1), dtype=np.float32)


def detect_light(cells: Cells, instrument: Instrument) -> Floats:
    """Light on each detector before gain and noise: every dye over all of them, and the cell's own glow, (n, detectors)."""
    dyes = cells.signal[:, instrument.places] * np.array([d.bright for d in instrument.detectors])
    return np.asarray(dyes @ instrument.spill + cells.glow[:, None] * np.array([d.glow for d in instrument.detectors]))
