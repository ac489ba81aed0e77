"""Read one FCS file into linear events and the few keywords that are not about a person."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import flowio
import numpy as np
from flowio.exceptions import FlowIOException
from numpy.typing import NDArray

from mrd.core.errors import FileError

SPILL_KEYS = ("spillover", "spill", "comp", "$spillover", "$spill", "$comp")
BROKEN = (FlowIOException, EOFError, ValueError, KeyError, IndexError, TypeError, OverflowError, struct.error, MemoryError)
"""What FlowIO raises on files that are not what they say they are."""


@dataclass(frozen=True)
class FcsData:
    """Events of one FCS file on the linear scale: gain, log amplification and time step already applied.

    events : (n, c) float64 · pnn, pns : c names · ranges : (c,) largest value of each channel, linear
    spill : the file's own spillover text, empty where it has none
    """

    events: NDArray[np.float64]
    pnn: tuple[str, ...]
    pns: tuple[str, ...]
    ranges: NDArray[np.float64]
    spill: str
    version: str


def read_fcs(path: Path, *, where: str) -> FcsData:
    """Read an FCS file with FlowIO.

    Parameters
    ----------
    where : what to call the file in messages (a tube id: file names may hold a patient's name).

    Raises
    ------
    FileError
        The file is missing, cut short, or not FCS.
    """
    if not path.is_file():
        raise FileError("the FCS file is missing", where=where, fix="correct the fcs column of the sample sheet")
    if path.stat().st_size < 58:
        raise FileError("the file is empty or too short to be FCS", where=where, fix="export it again")
    try:
        with path.open("rb") as handle:
            data = flowio.FlowData(handle)
        events = data.as_array(preprocess=True)
    except BROKEN as error:
        raise FileError(
            f"not a readable FCS file ({_plain(error)})", where=where, fix="export it again from the cytometer"
        ) from None
    return FcsData(
        events=events,
        pnn=tuple(data.pnn_labels),
        pns=tuple(data.pns_labels),
        ranges=_linear_ranges(data),
        spill=next((data.text[k] for k in SPILL_KEYS if data.text.get(k)), ""),
        version=str(data.version),
    )


def _linear_ranges(data: flowio.FlowData) -> NDArray[np.float64]:
    top = np.array(data.pnr_values, dtype=np.float64)
    for i, channel in data.channels.items():
        decades, log0 = channel["pne"]
        gain = channel["png"]
        top[i - 1] = 10**decades * log0 if decades > 0 else top[i - 1]
        top[i - 1] /= gain if gain not in (0, 1.0) else 1.0
    return top


def _plain(error: BaseException) -> str:
    """What went wrong, without anything the file says: its words may name a patient."""
    return {
        "MultipleDataSetsError": "it holds several data sets",
        "DataOffsetDiscrepancyError": "its header and text disagree on where the events are",
        "FCSParsingError": "its events are cut off or its header is wrong",
    }.get(type(error).__name__, "its header is wrong")
