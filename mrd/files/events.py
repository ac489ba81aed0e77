"""Events out: an FCS file with scores, arm labels and gate bits as further parameters, for any cytometry software."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrd.files.fcs_write import FcsImage, write_fcs

NAME_MOST = 40


@dataclass(frozen=True)
class Marked:
    """Events of one tube with what was found out about each.

    events : (n, c) linear, before compensation · pnn : detectors · pns : the panel's names, empty where it has none
    ranges : (c,) · spill : detectors and matrix that was applied · scores, labels : (n,) each, by parameter name
    """

    events: NDArray[np.float64]
    pnn: Sequence[str]
    pns: Sequence[str]
    ranges: NDArray[np.float64]
    spill: tuple[Sequence[str], NDArray[np.float64]] | None
    scores: Mapping[str, NDArray[np.floating]]
    labels: Mapping[str, NDArray[np.bool_]]


def write_events(path: Path, marked: Marked, about: Mapping[str, str]) -> None:
    """Write an FCS 3.1 file of 32-bit floats: the measured channels, then a parameter for each score, arm and gate.

    Parameters
    ----------
    about : our own keywords; nothing else of the original's text is taken over.
    """
    extra = {**marked.scores, **marked.labels}
    columns = [marked.events.astype(np.float32), *(np.asarray(v, dtype=np.float32)[:, None] for v in extra.values())]
    tops = [*np.ceil(marked.ranges), *(top_of(v) for v in marked.scores.values()), *(2 for _ in marked.labels)]
    image = FcsImage(
        events=np.hstack(columns),
        pnn=[*map(plain_label, marked.pnn), *extra],
        pns=[*marked.pns, *("" for _ in extra)],
        ranges=[int(max(t, 1)) for t in tops],
        spill=None if marked.spill is None else ([plain_label(n) for n in marked.spill[0]], marked.spill[1]),
        keywords=dict(about),
    )
    write_fcs(path, image)


def plain_label(text: str) -> str:
    """A channel's name as every reader takes it: printable, without commas, which would break $SPILLOVER."""
    return re.sub(r"[^A-Za-z0-9 ._/+()\-]", "_", text)[:NAME_MOST]


def top_of(values: NDArray[np.floating]) -> int:
    """$PnR of a score: above its largest value."""
    return int(np.ceil(np.max(values, initial=0.0))) + 1


def everywhere(values: NDArray[np.floating], at: NDArray[np.uint32], total: int) -> NDArray[np.float32]:
    """Scores of cells (k,) spread over all events (n,); events that are no cells get one less than the lowest score."""
    floor = np.floor(np.min(values, initial=0.0)) - 1
    out = np.full(total, floor, dtype=np.float32)
    out[at] = values
    return out
