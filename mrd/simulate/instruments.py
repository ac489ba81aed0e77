"""The instruments that are simulated: what each detector sees, and how much of each dye leaks where.

Ranges, names and noise are of the kind an 18-bit digital cytometer shows; spillovers are set by hand from the overlap of
the dyes' emission with the filters, fitted to no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mrd.simulate.features import MARKERS, Floats

RANGE = 262144.0


@dataclass(frozen=True)
class Detector:
    """A fluorescence detector: $PnN, the marker on it ($PnS), how bright its dye is, a lymphocyte's glow in it."""

    name: str
    marker: str
    bright: float
    glow: float


@dataclass(frozen=True)
class Instrument:
    """A panel on a cytometer; `leaks` holds the spillovers that are not nothing."""

    panel: str
    cytometer: str
    detectors: tuple[Detector, ...]
    leaks: Mapping[tuple[str, str], float]

    @property
    def markers(self) -> tuple[str, ...]:
        """Markers in the order of the detectors."""
        return tuple(d.marker for d in self.detectors)

    @property
    def places(self) -> list[int]:
        """Where the markers stand among all antigens."""
        return [MARKERS.index(m) for m in self.markers]

    @property
    def spill(self) -> Floats:
        """Row i: the signal of dye i over all detectors, 1 on its own."""
        names = [d.name for d in self.detectors]
        matrix = np.eye(len(names))
        for (dye, detector), share in self.leaks.items():
            matrix[names.index(dye), names.index(detector)] = share
        return matrix

    @property
    def pnn(self) -> tuple[str, ...]:
        """$PnN of every channel."""
        return ("FSC-A", "FSC-H", "SSC-A", *(d.name for d in self.detectors), "Time")

    @property
    def pns(self) -> tuple[str, ...]:
        """$PnS of every channel."""
        return ("", "", "", *self.markers, "")


LYRIC = Instrument(
    panel="aml-lyric-9",
    cytometer="synthetic, in the manner of a BD FACSLyric",
    detectors=(
        Detector("FITC-A", "CD38", 1.0, 70),
        Detector("PE-A", "CD13", 1.0, 35),
        Detector("PerCP-Cy5.5-A", "CD34", 1.0, 25),
        Detector("PE-Cy7-A", "CD117", 1.0, 15),
        Detector("APC-A", "CD33", 1.0, 10),
        Detector("APC-R700-A", "CD56", 1.0, 12),
        Detector("APC-Cy7-A", "CD19", 1.0, 12),
        Detector("V450-A", "HLA-DR", 1.0, 60),
        Detector("V500-C-A", "CD45", 1.0, 90),
    ),
    leaks={
        ("FITC-A", "PE-A"): 0.12,
        ("FITC-A", "PerCP-Cy5.5-A"): 0.015,
        ("FITC-A", "V500-C-A"): 0.03,
        ("PE-A", "FITC-A"): 0.012,
        ("PE-A", "PerCP-Cy5.5-A"): 0.14,
        ("PE-A", "PE-Cy7-A"): 0.02,
        ("PerCP-Cy5.5-A", "PE-Cy7-A"): 0.16,
        ("PerCP-Cy5.5-A", "APC-A"): 0.02,
        ("PerCP-Cy5.5-A", "APC-R700-A"): 0.13,
        ("PerCP-Cy5.5-A", "APC-Cy7-A"): 0.03,
        ("PE-Cy7-A", "PE-A"): 0.012,
        ("PE-Cy7-A", "PerCP-Cy5.5-A"): 0.01,
        ("PE-Cy7-A", "APC-Cy7-A"): 0.05,
        ("APC-A", "APC-R700-A"): 0.16,
        ("APC-A", "APC-Cy7-A"): 0.05,
        ("APC-A", "PerCP-Cy5.5-A"): 0.008,
        ("APC-R700-A", "APC-A"): 0.015,
        ("APC-R700-A", "APC-Cy7-A"): 0.22,
        ("APC-R700-A", "PerCP-Cy5.5-A"): 0.02,
        ("APC-Cy7-A", "APC-A"): 0.03,
        ("APC-Cy7-A", "APC-R700-A"): 0.04,
        ("APC-Cy7-A", "PE-Cy7-A"): 0.03,
        ("V450-A", "V500-C-A"): 0.22,
        ("V500-C-A", "V450-A"): 0.06,
        ("V500-C-A", "FITC-A"): 0.02,
    },
)

CANTO = Instrument(
    panel="eln-core-8",
    cytometer="synthetic, in the manner of a BD FACSCanto II",
    detectors=(
        Detector("FITC-A", "CD7", 0.8, 80),
        Detector("PE-A", "CD13", 1.1, 40),
        Detector("PerCP-Cy5-5-A", "CD34", 0.9, 30),
        Detector("PE-Cy7-A", "CD117", 1.1, 18),
        Detector("APC-A", "CD33", 1.0, 12),
        Detector("APC-Cy7-A", "HLA-DR", 0.9, 15),
        Detector("Pacific Blue-A", "CD56", 0.9, 55),
        Detector("AmCyan-A", "CD45", 1.0, 90),
    ),
    leaks={
        ("FITC-A", "PE-A"): 0.16,
        ("FITC-A", "PerCP-Cy5-5-A"): 0.02,
        ("FITC-A", "AmCyan-A"): 0.04,
        ("PE-A", "FITC-A"): 0.012,
        ("PE-A", "PerCP-Cy5-5-A"): 0.20,
        ("PE-A", "PE-Cy7-A"): 0.02,
        ("PerCP-Cy5-5-A", "PE-Cy7-A"): 0.22,
        ("PerCP-Cy5-5-A", "APC-A"): 0.03,
        ("PerCP-Cy5-5-A", "APC-Cy7-A"): 0.06,
        ("PE-Cy7-A", "PE-A"): 0.015,
        ("PE-Cy7-A", "APC-Cy7-A"): 0.06,
        ("APC-A", "APC-Cy7-A"): 0.08,
        ("APC-A", "PerCP-Cy5-5-A"): 0.01,
        ("APC-Cy7-A", "APC-A"): 0.03,
        ("APC-Cy7-A", "PE-Cy7-A"): 0.05,
        ("Pacific Blue-A", "AmCyan-A"): 0.26,
        ("AmCyan-A", "Pacific Blue-A"): 0.05,
        ("AmCyan-A", "FITC-A"): 0.03,
    },
)

INSTRUMENTS = {instrument.panel: instrument for instrument in (LYRIC, CANTO)}
"""The instrument of each panel that can be simulated."""
