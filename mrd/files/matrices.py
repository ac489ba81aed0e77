"""Spillover matrices of a lab: CSV tables, FlowJo .mtx files, and those that a FlowJo workspace holds for a sample."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote
from xml.etree.ElementTree import ParseError

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser
from numpy.typing import NDArray

from mrd.core.errors import FileError

TABLE_MOST = 8_000_000
XML_MOST = 256_000_000
ENTRIES_MOST = 256 * 256
DEPTH_MOST = 200
MATRICES_MOST = 5000
Matrix = tuple[tuple[str, ...], NDArray[np.float64]]
READERS_XML = (".mtx", ".wsp", ".xml")


def read_matrix(path: Path, *, where: str, sample: str = "") -> Matrix:
    """Detectors and values of a spillover matrix: row i is the signal of dye i over all detectors.

    Parameters
    ----------
    where : what to call the tube in messages.
    sample : file name of the FCS file, by which a workspace with several matrices is searched.

    Raises
    ------
    FileError
        The file is missing, or is not a square matrix with the same names on both sides, or does not tell which one to take.
    """
    if not path.is_file():
        raise FileError("its compensation file is missing", where=where, fix="correct the compensation column")
    if path.suffix.lower() in READERS_XML and starts_as_xml(path):
        return choose_matrix(read_xml_matrices(path, where=where), sample, where=where)
    return read_csv_matrix(path, where=where)


def starts_as_xml(path: Path) -> bool:
    """Whether a file starts with a tag; FlowJo's oldest .mtx files are tables."""
    with path.open("rb") as handle:
        start = handle.read(64).lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")
    return start[:1] == b"<" or path.suffix.lower() != ".mtx"


def read_csv_matrix(path: Path, *, where: str) -> Matrix:
    """A matrix from a table: detectors across the top and, in any order, down the side; or none down the side, in that order.

    Separated by commas, tabs or semicolons (then with decimal commas too). Lines above the detectors, as FlowJo's old text
    files have them, are passed over.

    Raises
    ------
    FileError
        It is something else.
    """
    fix = "write detectors in the first row and column, 1 on the diagonal"
    if path.stat().st_size > TABLE_MOST:
        raise FileError("its compensation file is too large to be a matrix", where=where, fix=fix)
    try:
        table = read_cells(path.read_text(encoding="utf-8-sig"))
    except (csv.Error, UnicodeDecodeError):
        raise FileError("its compensation file is not a CSV matrix", where=where, fix=fix) from None
    names, rows_of, values = table_parts(table)
    if not names:
        raise FileError("its compensation file is not a CSV matrix", where=where, fix=fix)
    if sorted(names) != sorted(rows_of) or len(set(names)) != len(names):
        raise FileError("its compensation file names different detectors in rows and columns", where=where, fix=fix)
    return tuple(names), np.array([values[rows_of.index(n)] for n in names], dtype=np.float64)


def read_cells(text: str) -> list[list[str]]:
    """Cells of a table, blank lines left out.

    Raises
    ------
    csv.Error
        Quotes are not closed.
    """
    delimiter = max("\t;,", key=lambda d: (sum(d in line for line in text.splitlines()[:50]), d != ","))
    rows = csv.reader(text.splitlines(), delimiter=delimiter, strict=True)
    cells = [[c.strip().replace(",", ".") if delimiter == ";" and _is_decimal(c) else c.strip() for c in row] for row in rows]
    return [row for row in cells if any(row)]


def _is_decimal(cell: str) -> bool:
    return re.fullmatch(r"\s*-?\d+,\d+\s*", cell) is not None


def table_parts(table: list[list[str]]) -> tuple[list[str], list[str], list[list[float]]]:
    """Detectors across, detectors down, and values of the square table that ends a file; empty where there is none."""
    for i, row in enumerate(table[:10]):
        below = table[i + 1 :]
        for across, named in ((row[1:], True), (row, False), (row, True)):
            values = [[_number(c) for c in (r[1:] if named else r)] for r in below]
            whole = [[v for v in line if v is not None] for line in values]
            if across and whole == values and [len(v) for v in whole] == [len(across)] * len(across):
                return across, [r[0] for r in below] if named else across, whole
    return [], [], []


def _number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


class Found(NamedTuple):
    """A matrix of an XML file: the sample it stands under (file name), its own name, and its entries (row, column, value)."""

    sample: str
    name: str
    entries: list[tuple[str, str, float]]


class Collector:
    """Takes matrices out of XML as it streams by and keeps nothing else.

    FlowJo's .mtx of version 5 to 9 has CompensationMatrix, Channel, ChannelValue; later ones, workspaces and Gating-ML 2.0
    have spilloverMatrix, spillover, coefficient.
    """

    def __init__(self) -> None:
        self.found: list[Found] = []
        self.sample = self.row = ""
        self.depth = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Open an element.

        Raises
        ------
        ParseError
            It is nested too deep, or one matrix too many, or a spectral one.
        """
        told = {_local(k): v for k, v in attributes.items()}
        kind, self.depth = _local(tag), self.depth + 1
        if self.depth > DEPTH_MOST:
            raise ParseError
        if kind == "DataSet":
            self.sample = re.split(r"[/\\]", unquote(told.get("uri", "")))[-1]
        elif kind in ("spilloverMatrix", "CompensationMatrix"):
            if len(self.found) >= MATRICES_MOST or told.get("spectral") == "1":
                raise ParseError
            self.found.append(Found(self.sample, told.get("name") or told.get("id", ""), []))
        elif kind in ("spillover", "Channel"):
            self.row = told.get("parameter") or told.get("name", "")
        elif kind in ("coefficient", "ChannelValue") and self.found:
            self._keep(told.get("parameter") or told.get("name", ""), told.get("value", ""))

    def _keep(self, column: str, value: str) -> None:
        number = _number(value)
        if len(self.found[-1].entries) >= ENTRIES_MOST:
            raise ParseError
        self.found[-1].entries.append((self.row, column, math.nan if number is None else number))

    def end(self, tag: str) -> None:
        """Close an element; what stands outside a sample's own element belongs to none."""
        self.depth -= 1
        if _local(tag) == "Sample":
            self.sample = ""

    def data(self, text: str) -> None:
        """Text between elements."""

    def close(self) -> list[Found]:
        """What was found."""
        return [f for f in self.found if f.entries]


def _local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1].rsplit(":", 1)[-1]


def read_xml_matrices(path: Path, *, where: str) -> list[Found]:
    """Every matrix of an XML file, read without entities and without fetching anything.

    Raises
    ------
    FileError
        It is no XML, or holds what a matrix file has no use for.
    """
    fix = "export the matrix from FlowJo again, or give it as CSV"
    if path.stat().st_size > XML_MOST:
        raise FileError("its compensation file is too large", where=where, fix=fix)
    collector = Collector()
    parser = DefusedXMLParser(target=collector, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    try:
        with path.open("rb") as handle:
            while block := handle.read(1 << 16):
                parser.feed(block)
        parser.close()
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise FileError("its compensation file is not XML that can be read safely", where=where, fix=fix) from None
    return collector.close()


def choose_matrix(found: list[Found], sample: str, *, where: str) -> Matrix:
    """The matrix of a sample: the one under its name, else the only one there is.

    Raises
    ------
    FileError
        There is none, or there are several that differ.
    """
    fix = "export the tube's own matrix as .mtx or CSV"
    own = [f for f in found if f.sample and f.sample == sample] or found
    matrices = [square(f, where=where) for f in own]
    if not matrices:
        raise FileError("its compensation file holds no matrix", where=where, fix=fix)
    first = matrices[0]
    if any(m[0] != first[0] or not np.array_equal(m[1], first[1], equal_nan=True) for m in matrices[1:]):
        raise FileError(f"its compensation file holds {len(matrices)} different matrices", where=where, fix=fix)
    return first


def square(found: Found, *, where: str) -> Matrix:
    """Entries as a matrix; those that are not given are 0, 1 on the diagonal.

    Raises
    ------
    FileError
        A column has no row, or an entry stands there twice.
    """
    names = list(dict.fromkeys(r for r, _, _ in found.entries))
    columns = {c for _, c, _ in found.entries}
    cells = {(r, c): v for r, c, v in found.entries}
    if not columns <= set(names) or len(cells) != len(found.entries) or len(names) > 256:
        fix = "export the matrix from FlowJo again, or give it as CSV"
        raise FileError("its compensation file names different detectors in rows and columns", where=where, fix=fix)
    matrix = np.eye(len(names))
    for (r, c), v in cells.items():
        matrix[names.index(r), names.index(c)] = v
    return tuple(names), matrix
