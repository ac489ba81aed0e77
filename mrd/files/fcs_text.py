"""The TEXT segment of an FCS file: bytes to keywords, whatever the delimiter, the encoding, and what stands doubled or empty."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mrd.core.errors import FileError

TEXT_MOST = 4_000_000
"""Bytes of a TEXT segment; real ones hold some 100 kB. Larger ones are refused before they are read."""
PAIRS_MOST = 50_000
AGAIN = "export it again from the cytometer"


@dataclass(frozen=True)
class Keywords:
    """Keywords of a data set in upper case, `$` kept; `twice` are those that stand there with two different values."""

    values: dict[str, str]
    twice: frozenset[str] = frozenset()
    cut: bool = False
    """Whether the segment ends in a keyword without a value."""

    def text(self, name: str) -> str:
        """A keyword without surrounding blanks, empty where it is absent.

        Raises
        ------
        FileError
            It stands there twice and says two things.
        """
        if name in self.twice:
            raise FileError(f"it states {name} twice, differently", fix=AGAIN)
        return self.values.get(name, "").strip(" \t\r\n\0")

    def whole(self, name: str) -> int | None:
        """A keyword as a whole number from 0; None where it is absent or something else."""
        return read_whole(self.text(name))

    def number(self, name: str) -> float | None:
        """A keyword as a finite number; None where it is absent or something else."""
        return read_number(self.text(name))

    def under(self, other: Keywords) -> Keywords:
        """These keywords with those of a supplement where they say nothing themselves (FCS 3.0, section 3.2.2)."""
        return Keywords({**other.values, **self.values}, self.twice, self.cut)


def read_number(text: str) -> float | None:
    """A finite decimal number; None where the text is something else."""
    told = text.strip()
    if not re.fullmatch(r"[+-]?(\d{1,40}\.?\d{0,40}|\.\d{1,40})([eE][+-]?\d{1,3})?", told, re.ASCII):
        return None
    value = float(told)
    return value if abs(value) < 1e300 else None


def read_whole(text: str) -> int | None:
    """A whole number from 0, also written as 262144.0; None where the text is something else."""
    told = text.strip()
    if re.fullmatch(r"\+?\d{1,20}", told, re.ASCII):
        return int(told)
    value = read_number(told)
    return int(value) if value is not None and value >= 0 and value.is_integer() and value < 2**64 else None


def parse_text(raw: bytes) -> Keywords:
    """Keywords of a TEXT segment.

    The first byte is the delimiter; doubled inside a value it stands for itself (FCS 3.1, section 3.2.9). A keyword directly
    followed by two delimiters has an empty value: the standard forbids those, files have them, and no keyword holds a delimiter.

    Raises
    ------
    FileError
        The segment has no delimiter, or holds too many keywords to be one.
    """
    delimiter = raw[:1]
    if not delimiter or delimiter.isalnum() or delimiter == b"$":
        raise FileError("not a readable FCS file (its TEXT does not start with a delimiter)", fix=AGAIN)
    if raw.count(delimiter) > 2 * PAIRS_MOST:
        raise FileError("not a readable FCS file (its TEXT holds too many keywords)", fix=AGAIN)
    parts, encoding = raw[1:].split(delimiter), find_encoding(raw)
    if not parts[-1].strip(b" \t\r\n\0"):
        parts.pop()
    values: dict[str, str] = {}
    twice: set[str] = set()
    i, cut = 0, False
    while i < len(parts):
        key, i = parts[i].decode(encoding, "replace").strip().upper(), i + 1
        if i >= len(parts):
            cut = key.startswith("$")
            break
        value, i = take_value(parts, i, delimiter)
        told = value.decode(encoding, "replace")
        if values.setdefault(key, told).strip() != told.strip():
            twice.add(key)
    return Keywords(values, frozenset(twice), cut)


def find_encoding(raw: bytes) -> str:
    """UTF-8 as FCS 3.1 has it where the bytes are that, else Latin-1, which takes any."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def take_value(parts: list[bytes], i: int, delimiter: bytes) -> tuple[bytes, int]:
    """The value that starts at part i, its doubled delimiters single, and where the next keyword stands."""
    pieces = [parts[i]]
    while i + 2 < len(parts) and parts[i + 1] == b"":
        pieces.append(parts[i + 2])
        i += 2
    return delimiter.join(pieces), i + 1
