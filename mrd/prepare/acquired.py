"""What a file says was subtracted at acquisition: $COMP of FCS 3.0 and $DFCmTOn of FCS 2.0."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from mrd.core.errors import FileError
from mrd.prepare.compensate import GIVE_MATRIX, MOST_DETECTORS, Spill, check_spill, read_values

LIGHTLESS = re.compile(r"(FSC?|SSC?|FORWARD|SIDE|TIME|WIDTH|HDR|EVENT|CS)\b|FSC|SSC|TIME", re.IGNORECASE)
"""Parameters that are no fluorescence."""


def says_compensated(acquired: Mapping[str, str]) -> bool:
    """Whether anything was subtracted: an entry other than nought, or 1 on the diagonal of $COMP."""
    percents = [v for k, v in acquired.items() if k.startswith("$DFC")]
    if any(_number(v) not in (0.0, None) for v in percents):
        return True
    parts = re.split(r"[,\s]+", acquired.get("$COMP", "").strip())
    values = read_values([p for p in parts[1:] if p])
    if values is None or not len(values) or round(len(values) ** 0.5) ** 2 != len(values):
        return False
    n = round(len(values) ** 0.5)
    return bool(values.reshape(n, n)[~np.eye(n, dtype=bool)].any())


def parse_acquired(acquired: Mapping[str, str], pnn: Sequence[str], *, where: str) -> Spill:
    """The matrix of what was subtracted, as a spillover matrix, for files whose events still hold it.

    $COMP element (i, j) is minus the percentage of parameter j that was subtracted from parameter i (FCS 3.0, section
    3.2.20); $DFCmTOn is the percentage of fluorescence m that was subtracted from n (FCS 2.0). The standard's parameters
    are all of the file's, or its fluorescences in order.

    Raises
    ------
    FileError
        The file says nothing of the kind, or what it says is broken.
    """
    named = dict(acquired)
    spill = parse_comp(named["$COMP"], pnn, where=where) if "$COMP" in named else parse_dfc(named, pnn, where=where)
    return check_spill(spill, where=where)


def parse_comp(text: str, pnn: Sequence[str], *, where: str) -> Spill:
    """The matrix of a $COMP keyword.

    Raises
    ------
    FileError
        It is not n and n x n numbers, or n is not that of the file.
    """
    parts = [p for p in re.split(r"[,\s]+", text.strip()) if p]
    n = int(parts[0]) if parts and re.fullmatch(r"\d{1,3}", parts[0]) else 0
    values = read_values(parts[1:])
    names = list(pnn) if n == len(pnn) else lights(pnn)
    if values is None or not 1 <= n <= MOST_DETECTORS or len(values) != n * n or len(names) != n:
        raise FileError("its $COMP keyword is broken", where=where, fix=GIVE_MATRIX)
    matrix = -values.reshape(n, n).T / 100.0
    np.fill_diagonal(matrix, 1.0)
    return Spill(tuple(names), matrix)


def parse_dfc(acquired: Mapping[str, str], pnn: Sequence[str], *, where: str) -> Spill:
    """The matrix of $DFCmTOn keywords, on the parameters named FLm where there are such, else on the m-th fluorescence.

    Raises
    ------
    FileError
        There are none, or one is no percentage, or of a fluorescence that the file lacks.
    """
    names = dict(enumerate(lights(pnn), start=1))
    names |= {int(m[1]): n for n in reversed(pnn) if (m := re.match(r"FL(\d{1,2})(?!\d)", n, re.IGNORECASE))}
    used = sorted(set(names.values()), key=list(pnn).index)
    matrix = np.eye(len(used))
    told = {k: _number(v) for k, v in acquired.items() if k.startswith("$DFC")}
    if not told:
        raise FileError("it says of no compensation at acquisition", where=where, fix=GIVE_MATRIX)
    for key, percent in told.items():
        source, target = (int(d) for d in re.findall(r"\d+", key))
        if percent == 0 or source == target:
            continue
        if percent is None or source not in names or target not in names:
            raise FileError("its $DFCmTOn keywords are broken", where=where, fix=GIVE_MATRIX)
        matrix[used.index(names[source]), used.index(names[target])] = percent / 100.0
    return Spill(tuple(used), matrix)


def lights(pnn: Sequence[str]) -> list[str]:
    """Channels that measure fluorescence."""
    return [n for n in pnn if not LIGHTLESS.match(n)]


def _number(text: str) -> float | None:
    values = read_values([text])
    return float(values[0]) if values is not None and np.isfinite(values).all() else None
