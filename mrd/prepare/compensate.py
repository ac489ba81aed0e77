"""Undo spectral overlap with the file's own or the lab's matrix."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrd.core.digest import digest_bytes
from mrd.core.errors import FileError
from mrd.core.matching import alike, bare_detector

WORST_CONDITION = 1e4
MOST_DETECTORS = 256
MOST_SPILL, LEAST_SPILL = 2.0, -0.5
"""A dye seen better elsewhere than on its own detector happens; twice as well, or taken away by half, does not."""
GIVE_MATRIX = "give a matrix in the sheet's compensation column, or write none there"


@dataclass(frozen=True)
class Spill:
    """A spillover matrix: row i is the signal of dye i over all detectors, 1 on its own."""

    detectors: tuple[str, ...]
    matrix: NDArray[np.float64]

    @property
    def digest(self) -> str:
        """What tells this matrix from another."""
        return digest_bytes("\n".join(self.detectors).encode(), self.matrix.tobytes())

    @property
    def identity(self) -> bool:
        """Whether it changes nothing."""
        return bool(np.array_equal(self.matrix, np.eye(len(self.detectors))))


def parse_spill(text: str, *, where: str) -> Spill:
    """Read the $SPILLOVER keyword: n, n names, n x n values row by row (FCS 3.1, section 3.2.20), or SPILL of FCS 3.0 files.

    Raises
    ------
    FileError
        The keyword does not hold what its count promises.
    """
    parts = [p.strip() for p in re.split(r"[,;\t\n]", text.strip().rstrip(",;"))]
    n = int(parts[0]) if re.fullmatch(r"\d{1,3}", parts[0]) else 0
    if 1 <= n <= MOST_DETECTORS and len(parts) == 1 + n:
        raise FileError("its spillover keyword names detectors and holds no values", where=where, fix=GIVE_MATRIX)
    values = read_values(parts[1 + n :])
    if not 1 <= n <= MOST_DETECTORS or values is None or len(values) != n * n:
        raise FileError("its spillover keyword is broken", where=where, fix=GIVE_MATRIX)
    return check_spill(Spill(tuple(parts[1 : 1 + n]), values.reshape(n, n)), where=where)


def read_values(parts: Sequence[str]) -> NDArray[np.float64] | None:
    """Numbers of a matrix; None where one of them is something else."""
    try:
        return None if any("_" in p for p in parts) else np.array([float(p) for p in parts], dtype=np.float64)
    except ValueError:
        return None


def check_spill(spill: Spill, *, where: str) -> Spill:
    """Return the matrix, or refuse one that cannot be a spillover matrix.

    Raises
    ------
    FileError
        It holds non-numbers or a detector twice, its diagonal is not 1, an entry is one no dye has, or it is (nearly) singular.
    """
    m = spill.matrix
    problem = _problem(m) if len(set(spill.detectors)) == len(spill.detectors) else ("holds a detector twice", "export it again")
    if problem:
        raise FileError(f"its spillover matrix {problem[0]}", where=where, fix=problem[1])
    return spill


def _problem(m: NDArray[np.float64]) -> tuple[str, str] | None:
    if not np.isfinite(m).all():
        return "holds non-numbers", "export the matrix again"
    if (np.diag(m) < 0).any():
        return "has a negative diagonal", "recompute it from single stains"
    if not np.allclose(np.diag(m), 1.0, atol=1e-6):
        return "has a diagonal other than 1", "divide each row by its own detector"
    others = m[~np.eye(len(m), dtype=bool)]
    if others.max(initial=0.0) > MOST_SPILL or others.min(initial=0.0) < LEAST_SPILL:
        return f"holds entries off its diagonal outside {LEAST_SPILL:g} to {MOST_SPILL:g}", "recompute it from single stains"
    if np.linalg.cond(m) > WORST_CONDITION:
        return "is singular", "recompute it from single stains"
    return None


def fit_spill(spill: Spill, pnn: Sequence[str], pns: Sequence[str], *, where: str) -> Spill:
    """The matrix under the file's own $PnN.

    Each name is looked for as it stands, then whatever its `Comp-` prefix, case and blanks, then among the $PnS; names
    that are all numbers are those of parameters.

    Raises
    ------
    FileError
        A name is not in the file or stands for two channels, or the file's channels are compensated already.
    """
    if compensated_names(spill, pnn):
        raise FileError("its channels are compensated already", where=where, fix="write none in the sheet's compensation column")
    found = {d: find_detector(d, pnn, pns) for d in spill.detectors}
    if all(not hits and re.fullmatch(r"\d{1,4}", d) for d, hits in found.items()):
        found = {d: [int(d) - 1] if 1 <= int(d) <= len(pnn) else [] for d in spill.detectors}
    problems = [d for d, hits in found.items() if len(hits) != 1]
    if problems:
        some = any(found[d] for d in problems)
        told = "which the file has more than once" if some and all(found[d] for d in problems) else "which the file lacks"
        fix = f"give a matrix whose names are the file's $PnN: {', '.join(pnn)}"
        raise FileError(f"its spillover matrix names {', '.join(problems)}, {told}", where=where, fix=fix)
    names = tuple(pnn[found[d][0]] for d in spill.detectors)
    return check_spill(Spill(names, spill.matrix), where=where)


def compensated_names(spill: Spill, pnn: Sequence[str]) -> bool:
    """Whether the matrix's detectors are in the file only under a `Comp-` prefix that they lack themselves.

    What such channels hold went through the matrix before.
    """
    bare = {alike(bare_detector(n)) for n in pnn if bare_detector(n) != n}
    plain = {alike(n) for n in pnn if bare_detector(n) == n}
    own = [alike(d) for d in spill.detectors if bare_detector(d) == d]
    return any(d in bare and d not in plain for d in own)


def find_detector(detector: str, pnn: Sequence[str], pns: Sequence[str]) -> list[int]:
    """Channels that a name in a matrix means: the exact $PnN, else the one alike, else the $PnS."""
    want = alike(bare_detector(detector))
    ways = (
        [i for i, n in enumerate(pnn) if n == detector],
        [i for i, n in enumerate(pnn) if n == bare_detector(detector)],
        [i for i, n in enumerate(pnn) if want and alike(bare_detector(n)) == want],
        [i for i, s in enumerate(pns) if want and alike(s) == want],
    )
    return next((hits for hits in ways if hits), [])


@dataclass(frozen=True)
class Compensated:
    """Events with the overlap undone, worked out for the stretch that is asked for: a tube of millions is not held twice.

    events : (n, c) as measured · columns : places of the matrix's detectors among the channels
    """

    events: NDArray[np.float64]
    columns: list[int]
    spill: Spill

    def __len__(self) -> int:
        """Number of events."""
        return len(self.events)

    def __getitem__(self, rows: slice) -> NDArray[np.float64]:
        """A stretch of events."""
        out = self.events[rows].copy()
        out[:, self.columns] = np.linalg.solve(self.spill.matrix.T, out[:, self.columns].T).T
        return out


def compensate(events: NDArray[np.float64], pnn: Sequence[str], spill: Spill, *, where: str) -> NDArray[np.float64]:
    """Events with the overlap undone on the matrix's detectors; other channels unchanged.

    Raises
    ------
    FileError
        The matrix names a detector that the file lacks.
    """
    return compensated(events, pnn, spill, where=where)[:]


def compensated(events: NDArray[np.float64], pnn: Sequence[str], spill: Spill, *, where: str) -> Compensated:
    """As `compensate`, a stretch at a time.

    Raises
    ------
    FileError
        The matrix names a detector that the file lacks.
    """
    absent = [d for d in spill.detectors if d not in pnn]
    if absent:
        raise FileError(
            f"its spillover matrix names {', '.join(absent)}, which the file lacks",
            where=where,
            fix="give a matrix whose names are the file's $PnN",
        )
    return Compensated(events, [list(pnn).index(d) for d in spill.detectors], spill)
