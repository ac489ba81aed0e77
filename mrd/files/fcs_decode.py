"""Bytes of the DATA segment to linear values, block by block, so that memory stays at what comes out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from mrd.core.errors import FileError
from mrd.core.stretches import stretches
from mrd.files.fcs_layout import Layout, Parameter
from mrd.files.fcs_text import AGAIN

BLOCK = 1 << 21
"""Bytes decoded at a time."""
LARGEST = 1e12
"""No cytometer measures more: such values, and what is no number at all, come of damage."""
ABOVE = 0.01
Raw = NDArray[np.float64]
Decoder = Callable[[bytes, int], Raw]


def decode_events(handle: BinaryIO, begin: int, events: int, layout: Layout) -> tuple[Raw, int]:
    """Events from a byte of the file on: masked, amplified, divided by gain, and how many hold what is no measurement.

    Those events are set to 0 in every channel, which no cell has: they leave with the margins and keep their number.

    Returns
    -------
    events : (n, c) float64 · broken : events set to 0

    Raises
    ------
    FileError
        The byte order does not fit the widths, or the file ends first.
    """
    decoder = choose_decoder(layout)
    floats = [i for i, p in enumerate(layout.parameters) if p.kind != "I"]
    out = np.empty((events, len(layout.parameters)))
    broken = 0
    for first, rows, raw in blocks(handle, begin, events, layout):
        block = out[first : first + rows]
        with np.errstate(invalid="ignore", over="ignore"):
            block[:] = decoder(raw, rows)
            broken += clean(linearize(block, layout.parameters), floats)
    return out, broken


def blocks(handle: BinaryIO, begin: int, events: int, layout: Layout) -> Iterator[tuple[int, int, bytes]]:
    """First event, events and bytes of each block; a block starts on a whole byte.

    Raises
    ------
    FileError
        The file ends first.
    """
    size = BLOCK if layout.bits % 8 == 0 else BLOCK // 8
    rows = max(8, size * 8 // layout.bits // 8 * 8)
    handle.seek(begin)
    for first in range(0, events, rows):
        here = min(rows, events - first)
        raw = handle.read(layout.size(here))
        if len(raw) < layout.size(here):
            raise FileError("its events are cut off", fix=AGAIN)
        yield first, here, raw


def linearize(block: Raw, parameters: tuple[Parameter, ...]) -> Raw:
    """Channel numbers to linear values, in place (FCS 3.1, section 3.2.20, $PnE and $PnG; Gating-ML 2.0, section 5.1)."""
    for i, p in enumerate(parameters):
        column = block[:, i]
        if p.decades:
            np.power(10.0, p.decades * column / p.top, out=column)
            column *= p.zero
        if p.gain != 1.0:
            column /= p.gain
        if p.step != 1.0:
            column *= p.step
    return block


def clean(block: Raw, floats: list[int]) -> int:
    """Set events whose floating-point channels hold no measurement to 0, in place; returns how many there are."""
    told = block if len(floats) == block.shape[1] else block[:, floats]
    good = np.abs(told).max(axis=1, initial=0.0) <= LARGEST
    if good.all():
        return 0
    block[~good] = 0.0
    return int((~good).sum())


def find_ceilings(events: Raw, parameters: tuple[Parameter, ...]) -> NDArray[np.float64]:
    """One above the largest value each channel can hold, (c,).

    The range of floating-point data is that of its display (FCS 3.1, section 3.2.20, $PnR): where more than one value in a
    hundred lies above, it is no ceiling, and the largest value that was recorded is taken.
    """
    tops = np.array([p.ceiling for p in parameters])
    measured = np.array([p.kind != "I" for p in parameters])
    if not len(events) or not measured.any():
        return tops
    over = sum((events[rows] > tops).sum(axis=0) for rows in stretches(len(events)))
    for i in np.flatnonzero(measured & (over / len(events) > ABOVE)):
        tops[i] = events[:, i].max() + 1
    return tops


def choose_decoder(layout: Layout) -> Decoder:
    """The fastest way to read a layout.

    Raises
    ------
    FileError
        The byte order does not fit the widths.
    """
    widths, kinds = {p.bits for p in layout.parameters}, {p.kind for p in layout.parameters}
    if any(w % 8 for w in widths):
        return packed(layout)
    if len(widths) == len(kinds) == 1 and widths <= {8, 16, 32, 64} and direction(layout.order, max(widths) // 8):
        return uniform(layout)
    return mixed(layout)


def direction(order: tuple[int, ...], count: int) -> str:
    """`<` or `>` where words of so many bytes stand in one direction, else empty.

    Of a longer order the part of a word of its own counts: 3,4,1,2 has the low byte of 16 bits first.
    """
    part = order[:count]
    if count == 1 or list(part) == sorted(part):
        return "<"
    return ">" if list(part) == sorted(part, reverse=True) else ""


def uniform(layout: Layout) -> Decoder:
    """All parameters of one kind and width: the bytes are the array."""
    first, columns = layout.parameters[0], len(layout.parameters)
    kind = np.dtype(f"{direction(layout.order, first.bits // 8)}{'u' if first.kind == 'I' else 'f'}{first.bits // 8}")
    masks = [p.mask for p in layout.parameters]
    full = 2**first.bits - 1
    mask = (
        np.array([full if m is None else m for m in masks], dtype=f"u{first.bits // 8}")
        if any(m is not None for m in masks)
        else None
    )

    def decode(raw: bytes, rows: int) -> Raw:
        values = np.frombuffer(raw, kind).reshape(rows, columns)
        return np.asarray(values if mask is None else values & mask)

    return decode


def mixed(layout: Layout) -> Decoder:
    """Parameters of several kinds or widths, each in whole bytes."""
    width = layout.bits // 8
    starts = np.cumsum([0, *(p.bits // 8 for p in layout.parameters)])
    orders = [byte_ranks(layout.order, p.bits // 8) for p in layout.parameters]

    def decode(raw: bytes, rows: int) -> Raw:
        table = np.frombuffer(raw, np.uint8).reshape(rows, width)
        out = np.empty((rows, len(orders)))
        for i, (p, ranks) in enumerate(zip(layout.parameters, orders, strict=True)):
            out[:, i] = column_values(table[:, starts[i] : starts[i + 1]], ranks, p)
        return out

    return decode


def byte_ranks(order: tuple[int, ...], count: int) -> list[int]:
    """Place, from the least significant, of each byte of a word of `count` bytes.

    Raises
    ------
    FileError
        The file's byte order does not say.
    """
    way = direction(order, count) if len(order) != count else ""
    if len(order) == count:
        return [o - 1 for o in order]
    if way and (count <= len(order) or direction(order, len(order))):
        return list(range(count)) if way == "<" else list(range(count))[::-1]
    raise FileError("its byte order does not fit the width of its parameters", fix=AGAIN)


def column_values(part: NDArray[np.uint8], ranks: list[int], p: Parameter) -> NDArray[np.float64] | NDArray[np.uint64]:
    """Values of one parameter from the bytes it has in each event, (n, bytes)."""
    if p.kind != "I":
        ordered = np.ascontiguousarray(part[:, np.argsort(ranks)])
        return np.asarray(ordered.view(f"<f{len(ranks)}")[:, 0])
    value = np.zeros(len(part), dtype=np.uint64)
    for k, rank in enumerate(ranks):
        value |= part[:, k].astype(np.uint64) << np.uint64(8 * rank)
    return value if p.mask is None else value & np.uint64(p.mask)


def packed(layout: Layout) -> Decoder:
    """Parameters of any number of bits, one after the other (FCS 3.0, section 3.2.20, $PnB).

    Most significant bit first where the most significant byte is, else least significant first.

    Raises
    ------
    FileError
        The byte order has no direction.
    """
    way = direction(layout.order, len(layout.order))
    if not way or any(p.kind != "I" for p in layout.parameters):
        raise FileError("its byte order does not fit the width of its parameters", fix=AGAIN)
    ends = np.cumsum([0, *(p.bits for p in layout.parameters)])

    def decode(raw: bytes, rows: int) -> Raw:
        bits = np.unpackbits(np.frombuffer(raw, np.uint8), count=rows * layout.bits, bitorder="big" if way == ">" else "little")
        table = bits.reshape(rows, layout.bits)
        out = np.empty((rows, len(layout.parameters)))
        for i, p in enumerate(layout.parameters):
            part = table[:, ends[i] : ends[i + 1]]
            out[:, i] = bit_values(part if way == "<" else part[:, ::-1], p.mask)
        return out

    return decode


def bit_values(part: NDArray[np.uint8], mask: int | None) -> NDArray[np.uint64]:
    """Numbers from bits, least significant first, (n, bits)."""
    value = np.zeros(len(part), dtype=np.uint64)
    for k in range(part.shape[1]):
        value |= part[:, k].astype(np.uint64) << np.uint64(k)
    return value if mask is None else value & np.uint64(mask)


def share_sensible(handle: BinaryIO, begin: int, events: int, layout: Layout) -> float:
    """Share of values that a measurement could have, before masks: within the range, or of a size that floats have there.

    Bytes read from one place too far look like noise; where the parameters use all their bits nothing can be said: 1.
    """
    told = Layout(tuple(_unmasked(p) for p in layout.parameters), layout.order)
    decoder = choose_decoder(told)
    rows = min(events, 512 // 8 * 8)
    handle.seek(begin)
    raw = handle.read(told.size(rows))
    if not rows or len(raw) < told.size(rows):
        return 0.0
    tops = np.array([2.0 ** (p.mask.bit_length()) if p.mask is not None else math.inf for p in layout.parameters])
    low = np.array([1e-9 if p.kind != "I" else 0.0 for p in layout.parameters])
    high = np.array([1e9 if p.kind != "I" else t - 0.5 for p, t in zip(layout.parameters, tops, strict=True)])
    with np.errstate(invalid="ignore"):
        values = np.abs(np.asarray(decoder(raw, rows), dtype=np.float64))
        return float(((values == 0) | ((values >= low) & (values <= high))).mean())


def _unmasked(p: Parameter) -> Parameter:
    return Parameter(p.name, p.label, p.bits, p.kind, float(2**p.bits) if p.kind == "I" else p.top)
