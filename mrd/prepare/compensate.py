"""Undo spectral overlap with the file's own or the lab's matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrd.core.digest import digest_bytes
from mrd.core.errors import FileError

WORST_CONDITION = 1e4


@dataclass(frozen=True)
class Spill:
    """A spillover matrix: row i is the signal of dye i over all detectors, 1 on its own."""

    detectors: tuple[str, ...]
    matrix: NDArray[np.float64]

    @property
    def digest(self) -> str:
        """What tells this matrix from another."""
        return digest_bytes("\n".join(self.detectors).encode(), self.matrix.tobytes())


def parse_spill(text: str, *, where: str) -> Spill:
    """Read the $SPILLOVER keyword: n, n names, n x n values row by row (FCS 3.1, section 3.2.20).

    Raises
    ------
    FileError
        The keyword does not hold what its count promises.
    """
    parts = [p.strip() for p in text.replace("\n", ",").split(",")]
    try:
        n = int(parts[0])
        values = np.array([float(v) for v in parts[1 + n :]])
        matrix = values.reshape(n, n)
    except ValueError:
        raise FileError(
            "its spillover keyword is broken", where=where, fix="give a matrix in the sheet's compensation column"
        ) from None
    return check_spill(Spill(tuple(parts[1 : 1 + n]), matrix), where=where)


def check_spill(spill: Spill, *, where: str) -> Spill:
    """Return the matrix, or refuse one that cannot be a spillover matrix.

    Raises
    ------
    FileError
        It holds non-numbers, its diagonal is not 1, or it is (nearly) singular.
    """
    m = spill.matrix
    if not np.isfinite(m).all() or len(set(spill.detectors)) != len(spill.detectors):
        raise FileError("its spillover matrix holds non-numbers or a detector twice", where=where, fix="export the matrix again")
    if not np.allclose(np.diag(m), 1.0, atol=1e-6):
        raise FileError(
            "its spillover matrix has a diagonal other than 1", where=where, fix="divide each row by its own detector"
        )
    if np.linalg.cond(m) > WORST_CONDITION:
        raise FileError("its spillover matrix is singular", where=where, fix="recompute it from single stains")
    return spill


def compensate(events: NDArray[np.float64], pnn: Sequence[str], spill: Spill, *, where: str) -> NDArray[np.float64]:
    """Events with the overlap undone on the matrix's detectors; other channels unchanged.

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
    columns = [list(pnn).index(d) for d in spill.detectors]
    out = events.copy()
    out[:, columns] = np.linalg.solve(spill.matrix.T, events[:, columns].T).T
    return out
