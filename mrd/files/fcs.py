"""Read one FCS file into linear events and the few keywords that are not about a person."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from mrd.core.errors import ChoiceError, FileError
from mrd.core.words import CHOOSE, READ, REFUSED, REPAIRED
from mrd.files.fcs_check import check_crc
from mrd.files.fcs_decode import decode_events, find_ceilings
from mrd.files.fcs_layout import read_layout
from mrd.files.fcs_place import place_data
from mrd.files.fcs_sets import HEADER, DataSet, read_sets
from mrd.files.fcs_text import Keywords

SPILL_KEYS = ("$SPILLOVER", "SPILLOVER", "$SPILL", "SPILL", "$COMP", "COMP")
"""Where a file keeps its own matrix, the standard's keyword (FCS 3.1) first."""
ACQUIRED = re.compile(r"\$COMP|\$DFC\d{1,3}TO\d{1,3}")
"""Keywords that say what was subtracted at acquisition (FCS 3.0, section 3.2.20; FCS 2.0)."""


@dataclass(frozen=True)
class FcsData:
    """Events of one data set on the linear scale: gain, log amplification and time step already applied.

    events : (n, c) float64 · pnn, pns : c names · ranges : (c,) one above the largest value of each channel, linear
    spill : the file's own spillover text, empty where it has none · acquired : what it says was subtracted at acquisition
    repairs : what had to be put right, a sentence each · dataset : number of the data set, from 1
    """

    events: NDArray[np.float64]
    pnn: tuple[str, ...]
    pns: tuple[str, ...]
    ranges: NDArray[np.float64]
    spill: str
    version: str
    acquired: dict[str, str]
    repairs: tuple[str, ...]
    dataset: int

    @property
    def outcome(self) -> str:
        """`read`, or `repaired` where something had to be put right."""
        return REPAIRED if self.repairs else READ


@dataclass(frozen=True)
class Verdict:
    """What a reader owes a file: read, repaired, choose or refused; events of the (first) data set; why."""

    outcome: str
    n_events: int | None
    why: str


def read_fcs(path: Path, *, where: str, dataset: str = "") -> FcsData:
    """Read one data set of an FCS file.

    Parameters
    ----------
    where : what to call the file in messages (a tube id: file names may hold a patient's name).
    dataset : number of the data set, from 1; empty for the only one.

    Raises
    ------
    FileError
        The file is missing, cut short, or not FCS.
    ChoiceError
        It holds several data sets and none is named.
    """
    try:
        with open_file(path) as handle:
            size = path.stat().st_size
            sets = read_sets(handle, size)
            chosen = choose_set(handle, sets, dataset)
            return read_data(handle, sets[chosen], chosen + 1)
    except FileError as error:
        raise type(error)(error.what, where=where, fix=error.fix) from None
    except OSError:
        raise FileError("the file cannot be read", where=where, fix="check that it may be opened") from None


@dataclass(frozen=True)
class Channels:
    """$PnN and $PnS of a data set's channels, in order, and the number of its data set."""

    pnn: tuple[str, ...]
    pns: tuple[str, ...]
    dataset: int


def read_channels(path: Path, *, where: str, dataset: str = "") -> Channels:
    """The channels of an FCS file, without its events.

    Raises
    ------
    FileError
        The file is missing or not FCS.
    ChoiceError
        It holds several data sets and none is named.
    """
    try:
        with open_file(path) as handle:
            sets = read_sets(handle, path.stat().st_size)
            chosen = choose_set(handle, sets, dataset)
            layout, _ = read_layout(sets[chosen].keywords, sets[chosen].header.version)
    except FileError as error:
        raise type(error)(error.what, where=where, fix=error.fix) from None
    return Channels(tuple(p.name for p in layout.parameters), tuple(p.label for p in layout.parameters), chosen + 1)


def open_file(path: Path) -> BinaryIO:
    """Open a file that is there and not too short.

    Raises
    ------
    FileError
        It is not.
    """
    if not path.is_file():
        raise FileError("the FCS file is missing", fix="correct the fcs column of the sample sheet")
    if path.stat().st_size < HEADER:
        raise FileError("the file is empty or too short to be FCS", fix="export it again")
    return path.open("rb")


def choose_set(handle: BinaryIO, sets: list[DataSet], dataset: str) -> int:
    """Index of the data set that is named, or of the only one.

    Raises
    ------
    ChoiceError
        There are several and none is named.
    FileError
        The one that is named is not there.
    """
    if dataset:
        number = int(float(dataset)) if re.fullmatch(r"[0-9]{1,4}(\.0+)?", dataset) else 0
        if not 1 <= number <= len(sets):
            fix = f"write a number from 1 to {len(sets)} in the sheet's dataset column"
            raise FileError(f"it has no data set {dataset!r}", fix=fix)
        return number - 1
    if len(sets) > 1:
        counts = " and ".join(str(count_events(handle, one)) for one in sets)
        fix = "name one in the sheet's dataset column"
        raise ChoiceError(f"it holds {len(sets)} data sets, of {counts} events", fix=fix)
    return 0


def count_events(handle: BinaryIO, one: DataSet) -> int | str:
    """Events of a data set; a question mark where it cannot be read."""
    try:
        return place_data(handle, one, read_layout(one.keywords, one.header.version)[0]).events
    except FileError:
        return "?"


def read_data(handle: BinaryIO, one: DataSet, number: int) -> FcsData:
    """Events and names of a data set.

    Raises
    ------
    FileError
        It cannot be read.
    """
    layout, told = read_layout(one.keywords, one.header.version)
    place = place_data(handle, one, layout)
    events, broken = decode_events(handle, one.start + place.begin, place.events, layout)
    lost = [f"{broken} events hold values that are no measurement: set to 0"] if broken else []
    crc = check_crc(handle, one, place.begin + layout.size(place.events))
    return FcsData(
        events=events,
        pnn=tuple(p.name for p in layout.parameters),
        pns=tuple(p.label for p in layout.parameters),
        ranges=find_ceilings(events, layout.parameters),
        spill=find_spill(one.keywords),
        version=one.header.version,
        acquired={k: v for k, v in one.keywords.values.items() if ACQUIRED.fullmatch(k)},
        repairs=(*one.repairs, *told, *place.repairs, *lost, *crc),
        dataset=number,
    )


def find_spill(keywords: Keywords) -> str:
    """The file's own matrix with names; a $COMP without names is what was subtracted at acquisition."""
    told = [keywords.text(k) for k in SPILL_KEYS]
    return next((t for k, t in zip(SPILL_KEYS, told, strict=True) if t and not ("COMP" in k and _numbers_only(t))), "")


def _numbers_only(text: str) -> bool:
    return re.fullmatch(r"[\d\s,.;+\-eE]*", text) is not None


def inspect_fcs(path: Path, *, where: str, dataset: str = "") -> Verdict:
    """What becomes of a file, without raising.

    The number of events of a file whose data set is still to be chosen is that of its first.
    """
    try:
        data = read_fcs(path, where=where, dataset=dataset)
    except ChoiceError as error:
        first = inspect_fcs(path, where=where, dataset="1")
        return Verdict(CHOOSE, first.n_events, f"{error.what}; {error.fix}")
    except FileError as error:
        return Verdict(REFUSED, None, error.what)
    return Verdict(data.outcome, len(data.events), "; ".join(data.repairs) or f"FCS {data.version}")
