"""What an event of an FCS file looks like: the bits of each parameter, their order, and how they become a linear value."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property

from mrd.core.errors import FileError
from mrd.files.fcs_text import AGAIN, Keywords, read_number

PARAMETERS_MOST = 4096
KINDS = {"F": 32, "D": 64}
"""Bits of a floating-point parameter; those of an integer are its own."""
DECADES_MOST = 20.0
GAINS = (1e-9, 1e9)


@dataclass(frozen=True)
class Parameter:
    """One parameter: names, bits, kind (I, F or D), $PnR, log amplification (decades, value of channel 0), gain, time step."""

    name: str
    label: str
    bits: int
    kind: str
    top: float
    decades: float = 0.0
    zero: float = 1.0
    gain: float = 1.0
    step: float = 1.0

    @property
    def mask(self) -> int | None:
        """Bits that count: those below the next power of two of the range (FCS 3.1, section 3.2.20, $PnR); None for all."""
        if self.kind != "I" or not 1 <= self.top < 2**self.bits:
            return None
        return int((1 << (math.ceil(self.top) - 1).bit_length()) - 1)

    @property
    def ceiling(self) -> float:
        """One above the largest linear value the parameter can hold: an event at its top is at least this less one."""
        if self.kind != "I":
            return self.top / self.gain * self.step
        last = self.top - 1
        linear = self.zero * 10 ** (self.decades * last / self.top) * (1 - 1e-9) if self.decades else last / self.gain
        return linear * self.step + 1


@dataclass(frozen=True)
class Layout:
    """How the events of a data set are written: parameters in order, and the significance of each byte of a word."""

    parameters: tuple[Parameter, ...]
    order: tuple[int, ...]

    @cached_property
    def bits(self) -> int:
        """Bits of one event; nothing stands between parameters or events (FCS 3.0, section 3.2.20, $DATATYPE)."""
        return sum(p.bits for p in self.parameters)

    def size(self, events: int) -> int:
        """Bytes of so many events."""
        return -(-events * self.bits // 8)


def read_layout(keywords: Keywords, version: str) -> tuple[Layout, list[str]]:
    """The layout that the keywords of a data set declare, and what had to be put right.

    Raises
    ------
    FileError
        A required keyword is absent or wrong, or the data are of a kind that cannot be read.
    """
    count, mode = keywords.whole("$PAR"), keywords.text("$MODE").upper()
    if mode not in ("L", "") or (mode == "" and version != "3.2"):
        told = "histograms" if mode in ("C", "U") else "data of no known $MODE"
        raise FileError(f"it holds {told}, not a list of events", fix="export list-mode data")
    if not count or count > PARAMETERS_MOST or f"$P{count}B" not in keywords.values:
        raise FileError("not a readable FCS file (its parameters are not all declared)", fix=AGAIN)
    found = [read_parameter(keywords, n, version) for n in range(1, count + 1)]
    parameters = tuple(p for p, _ in found)
    layout = Layout(parameters, read_order(keywords.text("$BYTEORD"), [p.bits for p in parameters]))
    _check_names(parameters)
    return layout, [told for _, repairs in found for told in repairs]


def read_order(text: str, widths: list[int]) -> tuple[int, ...]:
    """$BYTEORD as the significance of each byte of a word, least first.

    Raises
    ------
    FileError
        It is not an order of bytes.
    """
    order = (
        tuple(int(p) for p in text.replace(" ", "").split(",")) if re.fullmatch(r"[\d, ]{1,40}", text) and _listed(text) else ()
    )
    if sorted(order) != list(range(1, len(order) + 1)) or len(order) not in (1, 2, 4, 8):
        if text == "" and all(w == 8 for w in widths):
            return (1,)
        raise FileError("it does not say in which order its bytes stand", fix=AGAIN)
    return order


def _listed(text: str) -> bool:
    return all(p.strip().isdigit() for p in text.split(","))


def read_parameter(keywords: Keywords, n: int, version: str) -> tuple[Parameter, list[str]]:
    """Parameter n as its keywords declare it, and what had to be put right.

    Raises
    ------
    FileError
        Its kind or bits cannot be read.
    """
    kind = (keywords.text(f"$P{n}DATATYPE") if version == "3.2" else "").upper() or keywords.text("$DATATYPE").upper()
    if kind not in ("I", "F", "D"):
        told = "text" if kind == "A" else "of no known $DATATYPE"
        raise FileError(f"its events are {told}, which is not read", fix="export it as integers or floating point")
    name = keywords.text(f"$P{n}N") or f"P{n}"
    lacking = [] if keywords.text(f"$P{n}N") or version == "2.0" else [f"parameter {n} has no name: called P{n}"]
    bits, wide = read_bits(keywords, n, kind)
    top, open_ended = read_top(keywords, n, kind, bits)
    time = name.upper() == "TIME" or keywords.text(f"$P{n}TYPE").upper() == "TIME"
    scale, odd = ((0.0, 1.0, 1.0), []) if time else read_scale(keywords, n, kind)
    step = keywords.number("$TIMESTEP") if time else None
    step = step if step is not None and step > 0 else 1.0
    label = keywords.text(f"$P{n}S")
    return Parameter(name, label, bits, kind, top, *scale, step), [*lacking, *wide, *open_ended, *odd]


def read_bits(keywords: Keywords, n: int, kind: str) -> tuple[int, list[str]]:
    """Bits of parameter n: 32 and 64 for floating point whatever $PnB says, 1 to 64 for integers.

    Raises
    ------
    FileError
        $PnB is no number of bits.
    """
    told = keywords.whole(f"$P{n}B")
    if kind in KINDS:
        odd = told != KINDS[kind]
        return KINDS[kind], [f"$P{n}B is not {KINDS[kind]} as $DATATYPE {kind} has it: ignored"] if odd else []
    if told is None or not 1 <= told <= 64:
        raise FileError(f"not a readable FCS file ($P{n}B is no number of bits from 1 to 64)", fix=AGAIN)
    return told, []


def read_top(keywords: Keywords, n: int, kind: str, bits: int) -> tuple[float, list[str]]:
    """$PnR; where it is no range, the whole width for integers and no end for floating point."""
    whole = keywords.whole(f"$P{n}R")
    top = float(whole) if whole is not None else keywords.number(f"$P{n}R")
    if top is not None and top > 0:
        return top, []
    if kind == "I":
        return float(2**bits), [f"$P{n}R is no range: all {bits} bits count"]
    return math.inf, []


def read_scale(keywords: Keywords, n: int, kind: str) -> tuple[tuple[float, float, float], list[str]]:
    """Decades, value of channel 0, and gain of parameter n (FCS 3.1, section 3.2.20, $PnE and $PnG).

    Floating-point data are linear whatever $PnE says; `f1,0` means `f1,1`; a log amplifier has no linear gain.

    Raises
    ------
    FileError
        The amplification is none that an instrument has.
    """
    text, repairs = keywords.text(f"$P{n}E"), []
    pair = [read_number(p) for p in text.split(",")] if text else [0.0, 0.0]
    if len(pair) != 2 or pair[0] is None or pair[1] is None or not 0 <= pair[0] <= DECADES_MOST or not 0 <= pair[1] <= 1e9:
        raise FileError(f"not a readable FCS file ($P{n}E is no amplification)", fix=AGAIN)
    decades, zero = pair[0], pair[1] or 1.0
    if decades and kind != "I":
        decades, repairs = 0.0, [f"$P{n}E is logarithmic for floating-point data, which are linear: ignored"]
    told = keywords.number(f"$P{n}G")
    gain = told if told is not None and GAINS[0] <= told <= GAINS[1] else 1.0
    if told is not None and told not in (gain, 0):
        repairs.append(f"$P{n}G is no gain: ignored")
    if decades and gain != 1.0:
        gain, repairs = 1.0, [*repairs, f"$P{n}G is a linear gain on a logarithmic amplifier: ignored"]
    return (decades, zero if decades else 1.0, gain), repairs


def _check_names(parameters: tuple[Parameter, ...]) -> None:
    names = [p.name for p in parameters]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise FileError(f"two detectors share the name {', '.join(twice)}", fix="export it again with a name for each detector")
