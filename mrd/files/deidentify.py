"""Clean an FCS file: the same events under the few keywords that may leave the lab."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mrd.core.errors import FileError
from mrd.core.keywords import kept_keywords
from mrd.files.atomic import whole
from mrd.files.fcs_write import HEADER_MOST, TEXT_BEGIN

TEXT_MOST = 64 * 2**20
CHUNK = 1 << 22
OFFSETS = ("$BEGINDATA", "$ENDDATA", "$BEGINANALYSIS", "$ENDANALYSIS", "$BEGINSTEXT", "$ENDSTEXT", "$NEXTDATA")
REQUIRED = ("$PAR", "$TOT", "$DATATYPE", "$BYTEORD")
FIX = "export it again from the cytometer, then clean it"


@dataclass(frozen=True)
class DataSet:
    """One data set of a file: where its events lie, and its keywords."""

    version: str
    start: int
    first: int
    last: int
    keywords: dict[str, str]


@dataclass(frozen=True)
class Cleaned:
    """What was done: keywords kept and removed over all data sets, and how many of these there are."""

    kept: tuple[str, ...]
    removed: tuple[str, ...]
    data_sets: int


def clean_fcs(source: Path, target: Path, *, where: str) -> Cleaned:
    """Write a copy of an FCS file without any keyword that is not on the whitelist, whole or not at all.

    Events keep their bytes; supplemental TEXT is taken in, ANALYSIS and whatever lies between the segments is left out.

    Raises
    ------
    FileError
        The file is not FCS, or lacks keywords without which its events have no shape.
    """
    sets = list(data_sets(source, where=where))
    kept = [kept_keywords(s.keywords) for s in sets]
    for told in kept:
        absent = [k for k in (*REQUIRED, *channel_needs(told)) if k not in told]
        if absent:
            raise FileError(f"keywords {', '.join(absent[:5])} are missing or no such thing", where=where, fix=FIX)
    with whole(target) as temporary, source.open("rb") as old, temporary.open("wb") as new:
        for i, (one, told) in enumerate(zip(sets, kept, strict=True)):
            new.write(cleaned_head(one, told, is_last=i == len(sets) - 1))
            old.seek(one.first)
            for at in range(one.first, one.last + 1, CHUNK):
                new.write(old.read(min(CHUNK, one.last + 1 - at)))
        new.write(b"0" * 8)  # the check sum: none was computed (FCS 3.1, section 3.6)
    gone = {k.upper() for s, told in zip(sets, kept, strict=True) for k in s.keywords if k.upper() not in told}
    return Cleaned(tuple(sorted({k for told in kept for k in told})), tuple(sorted(gone)), len(sets))


def channel_needs(told: dict[str, str]) -> Iterator[str]:
    """Keywords each channel needs."""
    channels = int(told.get("$PAR", "0"))
    for i in range(1, min(channels, 10_000) + 1):
        yield from (f"$P{i}B", f"$P{i}N", f"$P{i}R")


def cleaned_head(one: DataSet, told: dict[str, str], *, is_last: bool) -> bytes:
    """HEADER and TEXT of a cleaned data set; offsets have a fixed width, so that they do not move what they point at."""
    length = one.last - one.first + 1
    body = {k: v.strip() for k, v in told.items() if k not in OFFSETS}
    blank = dict.fromkeys(OFFSETS, "0" * 12)
    begin = TEXT_BEGIN + len(encode({**blank, **body}))
    end = begin + length - 1
    tail = "0" if is_last else f"{end + 1}"
    text = encode({**blank, **body, "$BEGINDATA": f"{begin:012d}", "$ENDDATA": f"{end:012d}", "$NEXTDATA": tail.zfill(12)})
    data = (begin, end) if end <= HEADER_MOST else (0, 0)
    offsets = (TEXT_BEGIN, begin - 1, *data, 0, 0)
    return f"{one.version:<10}".encode("ascii") + "".join(f"{o:>8d}" for o in offsets).encode("ascii") + text


def encode(pairs: dict[str, str]) -> bytes:
    """TEXT with a delimiter that no kept value can hold."""
    return ("|" + "|".join(w for pair in pairs.items() for w in pair) + "|").encode("utf-8")


def data_sets(path: Path, *, where: str) -> Iterator[DataSet]:
    """The data sets of a file in turn.

    Raises
    ------
    FileError
        One has no FCS header or no keywords that can be read.
    """
    if not path.is_file():
        raise FileError("the file is missing", where=where, fix="check the path")
    size = path.stat().st_size
    start, seen = 0, set[int]()
    with path.open("rb") as handle:
        while start not in seen:
            seen.add(start)
            handle.seek(start)
            head = handle.read(TEXT_BEGIN)
            match = re.match(rb"FCS[23]\.\d", head)
            if match is None or len(head) < TEXT_BEGIN:
                raise FileError("not an FCS file", where=where, fix=FIX)
            text = segment(handle, start, *_offsets(head, 0), size=size, where=where)
            pairs = split_text(text, where=where)
            first, last = data_range(pairs, head, start, size)
            extra = [_number(pairs, k) for k in ("$BEGINSTEXT", "$ENDSTEXT")]
            if extra[0] and extra[1] > extra[0] and extra[0] != _offsets(head, 0)[0]:
                pairs = {**split_text(segment(handle, start, *extra, size=size, where=where), where=where), **pairs}
            yield DataSet(match[0].decode(), start, first, last, pairs)
            step = _number(pairs, "$NEXTDATA")
            if not step or start + step >= size:
                return
            start += step


def segment(file: BinaryIO, start: int, begin: int, end: int, *, size: int, where: str) -> bytes:
    """Bytes of a TEXT segment, its size checked first.

    Raises
    ------
    FileError
        Its place is outside the file, or it is too large.
    """
    if not (TEXT_BEGIN <= begin <= end and start + end < size and end - begin < TEXT_MOST):
        raise FileError("its header does not tell where its keywords are", where=where, fix=FIX)
    file.seek(start + begin)
    return file.read(end - begin + 1)


def split_text(data: bytes, *, where: str) -> dict[str, str]:
    """Keywords of a TEXT segment; a doubled delimiter stands for itself (FCS 3.1, section 3.2.5).

    Raises
    ------
    FileError
        It holds no keywords.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    delimiter, body = text[:1], text[1:].rstrip(" \0\r\n")
    body = body.removesuffix(delimiter)
    parts = [p.replace("\0\0", delimiter) for p in body.replace(delimiter * 2, "\0\0").split(delimiter)]
    if len(parts) % 2 or not delimiter:
        parts = body.split(delimiter) if delimiter else []  # empty values, which the standard forbids
    pairs = {k.strip().upper(): v for k, v in zip(parts[::2], parts[1::2], strict=False)}
    if not pairs:
        raise FileError("its keywords cannot be read", where=where, fix=FIX)
    return pairs


def data_range(pairs: dict[str, str], head: bytes, start: int, size: int) -> tuple[int, int]:
    """First and last byte of the events in the file: as TEXT says, else as HEADER does; never beyond the file."""
    told = _number(pairs, "$BEGINDATA"), _number(pairs, "$ENDDATA")
    begin, end = told if told[0] and told[1] >= told[0] else _offsets(head, 1)
    return start + begin, min(start + end, size - 1)


def _offsets(head: bytes, which: int) -> tuple[int, int]:
    fields = [head[10 + 8 * i : 18 + 8 * i].strip() for i in (2 * which, 2 * which + 1)]
    begin, end = (int(f) if f.isdigit() else 0 for f in fields)
    return begin, end


def _number(pairs: dict[str, str], key: str) -> int:
    told = pairs.get(key, "").strip()
    return int(told) if told.isdigit() and len(told) < 19 else 0
