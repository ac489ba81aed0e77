"""Mutations of a file: of its bytes, of the numbers and words in it, and of its parts with those of another."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

NUMBERS = [
    *(b"0", b"1", b"-1", b"7", b"58", b"65536", b"99999999", b"4294967296", b"18446744073709551616"),
    *(b"1e308", b"nan", b"inf", b"", b"1e-400", b"0x10", b"1_0", b"9" * 400),
    *(b"1,2,3,4", b"4,3,2,1", b"3,4,1,2", b"*", "١".encode()),
]
WORDS = [
    *(b"/", b"//", b"\x00", b"\n", b"\t", b",", b'"', b"'", b"{", b"[", b"none", b"../../../x", b"2024-13-45"),
    *(b"$PAR", b"$TOT", b"$NEXTDATA", b"$DATATYPE", b"F", b"D", b"I", b"FCS3.0    "),
    *(b"&a", b"*a", b"!!python/object:x", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b"]]>"),
    *("é".encode(), b"\xff", b"\xef\xbb\xbf", b"\xe2\x80\xae"),
]
Mutation = Callable[[bytes, random.Random, list[bytes]], bytes]


def flip(raw: bytes, rng: random.Random, _: list[bytes]) -> bytes:
    """Some bytes changed, more often near the start, where what matters stands."""
    out = bytearray(raw)
    for _n in range(rng.choice([1, 1, 1, 2, 4, 16])):
        if out:
            out[_place(len(out), rng)] = rng.randrange(256)
    return bytes(out)


def cut(raw: bytes, rng: random.Random, _: list[bytes]) -> bytes:
    """The end, or a piece, taken away."""
    a, b = sorted((_place(len(raw), rng), rng.randrange(len(raw) + 1)))
    return raw[:a] if rng.random() < 0.5 else raw[:a] + raw[b:]


def grow(raw: bytes, rng: random.Random, _: list[bytes]) -> bytes:
    """A word, noise, or a piece of itself put in."""
    at = _place(len(raw), rng)
    piece = rng.choice([rng.choice(WORDS), rng.randbytes(rng.choice([1, 8, 200])), raw[at : at + rng.choice([4, 40, 400])] * 2])
    return raw[:at] + piece + raw[at:]


def renumber(raw: bytes, rng: random.Random, _: list[bytes]) -> bytes:
    """A number changed: to one that borders on something, or by a little."""
    found = list(re.finditer(rb"-?\d+(\.\d+)?", raw[:20_000]))
    if not found:
        return grow(raw, rng, _)
    m = rng.choice(found)
    near = str(int(float(m[0])) + rng.choice([-2, -1, 1, 2, 8])).encode() if len(m[0]) < 15 else b"0"
    new = rng.choice([rng.choice(NUMBERS), near, near])
    new = new.rjust(len(m[0]), rng.choice([b"0", b" "])) if rng.random() < 0.7 else new
    return raw[: m.start()] + new + raw[m.end() :]


def reword(raw: bytes, rng: random.Random, _: list[bytes]) -> bytes:
    """A word replaced by another of the file, or by one that means something somewhere."""
    found = list(re.finditer(rb"[$A-Za-z_.\-]{1,40}", raw[:20_000]))
    if not found:
        return grow(raw, rng, _)
    m, other = rng.choice(found), rng.choice(found)
    return raw[: m.start()] + rng.choice([other[0], rng.choice(WORDS)]) + raw[m.end() :]


def splice(raw: bytes, rng: random.Random, corpus: list[bytes]) -> bytes:
    """The start of one file and the end of another."""
    other = rng.choice(corpus)
    return raw[: _place(len(raw), rng)] + other[_place(len(other), rng) :]


MUTATIONS: list[Mutation] = [flip, cut, grow, renumber, renumber, renumber, reword, splice]


def mutate(corpus: list[bytes], rng: random.Random) -> bytes:
    """A file of the corpus after one to four mutations."""
    raw = rng.choice(corpus)
    for _ in range(rng.choice([1, 1, 2, 4])):
        raw = rng.choice(MUTATIONS)(raw, rng, corpus)
    return raw[:400_000]


def _place(size: int, rng: random.Random) -> int:
    return min(int(size * rng.random() ** rng.choice([1, 3, 6])), max(size - 1, 0))
