"""FCS files written out byte by byte for tests, right or wrong in any way a test asks for; shares nothing with the reader."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any


def pack_bits(rows: Sequence[Sequence[int]], widths: Sequence[int], *, big: bool) -> bytes:
    """Unsigned integers of any width one after the other: most significant bit first, or least."""
    if big:
        text = "".join(f"{v:0{w}b}" for row in rows for v, w in zip(row, widths, strict=True))
        text += "0" * (-len(text) % 8)
        return bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))
    total = shift = 0
    for row in rows:
        for v, w in zip(row, widths, strict=True):
            total |= v << shift
            shift += w
    return total.to_bytes(-(-shift // 8), "little")


def pack_floats(rows: Sequence[Sequence[float]], *, kind: str = "f", big: bool = False) -> bytes:
    """IEEE numbers of 32 (f) or 64 (d) bits."""
    return b"".join(struct.pack((">" if big else "<") + kind, v) for row in rows for v in row)


def keywords_of(
    names: Sequence[str], *, kind: str = "F", bits: Sequence[int] | int = 32, top: Sequence[Any] | Any = 1024
) -> dict[str, str]:
    """Keywords of the parameters of a little-endian list, `$TOT` and offsets still to come."""
    out = {"$DATATYPE": kind, "$MODE": "L", "$BYTEORD": "1,2,3,4", "$NEXTDATA": "0", "$PAR": str(len(names))}
    for i, name in enumerate(names, start=1):
        width = bits if isinstance(bits, int) else bits[i - 1]
        range_ = top[i - 1] if isinstance(top, (list, tuple)) else top
        out |= {f"$P{i}N": name, f"$P{i}B": str(width), f"$P{i}R": str(range_), f"$P{i}E": "0,0"}
    return out


def fcs_bytes(
    keywords: dict[str, str | None],
    data: bytes,
    *,
    version: str = "3.1",
    delimiter: str = "/",
    encoding: str = "utf-8",
    header: tuple[Any, Any] | None = None,
    begin_shift: int = 0,
    end_shift: int = 0,
    gap: int = 0,
    tail: bytes = b"",
    raw_text: bytes = b"",
) -> bytes:
    """A data set: HEADER, TEXT, DATA and what follows.

    header : DATA offsets to write there instead of the right ones · begin_shift, end_shift : added to the offsets told everywhere
    gap : bytes between TEXT and DATA · raw_text : appended to TEXT as it is · a keyword of None is left out
    """
    told: dict[str, str | None] = {"$BEGINDATA": "", "$ENDDATA": "", **keywords}
    text = b""
    first = last = 0
    for _ in range(3):
        if version != "2.0":
            told = {**told, "$BEGINDATA": f"{first + begin_shift:08d}", "$ENDDATA": f"{last + end_shift:08d}"}
            told |= {k: keywords[k] for k in ("$BEGINDATA", "$ENDDATA") if k in keywords}
        else:
            told = {k: v for k, v in told.items() if k not in ("$BEGINDATA", "$ENDDATA")}
        parts = [p.replace(delimiter, delimiter * 2) for k, v in told.items() if v is not None for p in (k, v)]
        text = (delimiter + delimiter.join(parts) + delimiter).encode(encoding) + raw_text
        first = 58 + len(text) + gap
        last = first + len(data) - 1
    offsets = header if header is not None else (first + begin_shift, last + end_shift)
    fields = [58, 57 + len(text), *offsets, 0, 0]
    head = f"FCS{version}    ".encode() + "".join(f"{f:>8}" for f in fields).encode()
    return head + text + b" " * gap + data + tail
