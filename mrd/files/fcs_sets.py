"""The data sets of an FCS file: their HEADERs, their keywords, and the chain that $NEXTDATA makes of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO

from mrd.core.errors import FileError
from mrd.files.fcs_text import AGAIN, TEXT_MOST, Keywords, parse_text

HEADER = 58
VERSIONS = ("2.0", "3.0", "3.1", "3.2")
SETS_MOST = 1000
UNTOLD_WITHIN = 4096
"""Bytes behind a data set in which the next one is looked for where no pointer leads to it."""
START = re.compile(rb"FCS[1-9]\.[0-9]\s")
Span = tuple[int | None, int | None]


@dataclass(frozen=True)
class Header:
    """What the first 58 bytes of a data set say: version, and where TEXT and DATA are (FCS 3.1, section 3.1)."""

    version: str
    text: Span
    data: Span


@dataclass(frozen=True)
class DataSet:
    """One data set: where it starts in the file, how many bytes it may take, its HEADER and keywords, what was put right."""

    start: int
    room: int
    header: Header
    keywords: Keywords
    repairs: tuple[str, ...]


def parse_header(raw: bytes) -> Header:
    """The HEADER of a data set; an offset that is no number is None.

    Raises
    ------
    FileError
        It is not the HEADER of an FCS file of a version that can be read.
    """
    if len(raw) < HEADER or not START.match(raw):
        raise FileError("not a readable FCS file (it does not start as one)", fix=AGAIN)
    version = raw[3:6].decode("ascii")
    if version not in VERSIONS:
        raise FileError(f"it is FCS {version}, {', '.join(VERSIONS)} can be read", fix="export it as FCS 3.1")
    fields = [raw[i : i + 8].strip(b" \0") for i in range(10, HEADER, 8)]
    begin, end, data_begin, data_end, *_ = (int(f) if re.fullmatch(rb"\d{1,8}", f) else None for f in fields)
    return Header(version, (begin, end), (data_begin, data_end))


def read_sets(handle: BinaryIO, size: int) -> list[DataSet]:
    """Every data set of a file, in order.

    Raises
    ------
    FileError
        The first one cannot be read; a later one that cannot ends the chain, and is told as a repair.
    """
    sets = [read_set(handle, 0, size)]
    while len(sets) < SETS_MOST:
        last = sets[-1]
        step = last.keywords.whole("$NEXTDATA") or find_untold(handle, last)
        if not step:
            break
        begin = last.start + step
        try:
            found = read_set(handle, begin, size) if step >= HEADER and begin + HEADER <= size else None
        except FileError:
            found = None
        if found is None and not last.keywords.whole("$NEXTDATA"):
            break
        if found is None:
            sets[-1] = _repaired(last, last.room, "$NEXTDATA points at no data set: taken as the last one")
            break
        sets[-1] = _repaired(last, step)
        sets.append(found)
    return sets


def find_untold(handle: BinaryIO, one: DataSet) -> int:
    """Where another data set starts behind the last segment although $NEXTDATA is 0, from the start of this one; else 0.

    Files are joined without their pointers being set; to take the first part for the whole would lose the rest in silence.
    """
    told = [*one.header.text, *one.header.data, *(one.keywords.whole(k) for k in ("$ENDDATA", "$ENDSTEXT", "$ENDANALYSIS"))]
    behind = max((t for t in told if t is not None and t < one.room), default=0)
    found = re.search(START.pattern + rb" {3}", read_bytes(handle, one.start + behind, UNTOLD_WITHIN))
    return behind + found.start() if found else 0


def _repaired(one: DataSet, room: int, *repairs: str) -> DataSet:
    return DataSet(one.start, room, one.header, one.keywords, (*one.repairs, *repairs))


def read_set(handle: BinaryIO, start: int, size: int) -> DataSet:
    """The data set that starts at a byte of the file.

    Raises
    ------
    FileError
        Its HEADER or TEXT is not readable.
    """
    room = size - start
    header = parse_header(read_bytes(handle, start, HEADER))
    begin, end = header.text
    if begin is None or end is None or not HEADER - 8 <= begin < end:
        raise FileError("not a readable FCS file (its HEADER does not say where TEXT is)", fix=AGAIN)
    if end >= room + 1:
        raise FileError("its TEXT is cut off", fix=AGAIN)
    raw, repairs = read_text(handle, start, begin, end)
    keywords = parse_text(raw)
    repairs += ["TEXT ends in a keyword without a value: left out"] if keywords.cut else []
    if header.version != "2.0":
        more, told = read_supplement(handle, DataSet(start, room, header, keywords, ()), raw[:1])
        keywords, repairs = keywords.under(more), repairs + told
    return DataSet(start, room, header, keywords, tuple(repairs))


def read_text(handle: BinaryIO, start: int, begin: int, end: int) -> tuple[bytes, list[str]]:
    """Bytes of TEXT, its begin put right where it is one byte off.

    Raises
    ------
    FileError
        It is too large.
    """
    if end - begin >= TEXT_MOST:
        raise FileError(f"not a readable FCS file (its TEXT is larger than {TEXT_MOST} bytes)", fix=AGAIN)
    raw = read_bytes(handle, start + begin - 1, end - begin + 2)
    before, inside = raw[:1], raw[1:]
    if inside[:1] == b"$" and before and not before.isalnum():
        return raw, ["TEXT begins one byte earlier than the HEADER says"]
    if inside[1:3] and inside[1:2] != b"$" and inside[2:3] == b"$" and inside[1:2] in inside[-2:]:
        return inside[1:], ["TEXT begins one byte later than the HEADER says"]
    return inside, []


def read_supplement(handle: BinaryIO, one: DataSet, delimiter: bytes) -> tuple[Keywords, list[str]]:
    """Keywords of the supplemental TEXT (FCS 3.0, section 3.2.2); none where there is none, or something else lies there."""
    begin, end = one.keywords.whole("$BEGINSTEXT") or 0, one.keywords.whole("$ENDSTEXT") or 0
    if not HEADER <= begin < end or (begin, end) == one.header.text:
        return Keywords({}), []
    if end > one.room:
        return Keywords({}), ["the supplemental TEXT lies outside the file: left out"]
    if end - begin >= TEXT_MOST or read_bytes(handle, one.start + begin, 1) != delimiter:
        return Keywords({}), []
    try:
        return parse_text(read_bytes(handle, one.start + begin, end - begin + 1)), []
    except FileError:
        return Keywords({}), []


def read_bytes(handle: BinaryIO, begin: int, count: int) -> bytes:
    """Bytes of the file from one place; fewer where it ends."""
    handle.seek(max(begin, 0))
    return handle.read(count)
