"""XML from outside, looked through before anything is built from it: no entities, no outside references, bounded size."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from mrd.core.errors import FileError

MOST_BYTES = 256 * 2**20
MOST_ELEMENTS = 4_000_000
MOST_DEPTH = 150
MOST_CHARACTERS = 1_000_000
"""Of the attributes or the text of one element."""


class UnsafeError(ValueError):
    """XML that is larger or deeper than any gating file is."""


class _Surveyor:
    """Counts elements and depth while the parser runs; keeps nothing."""

    def __init__(self) -> None:
        self.root = ""
        self.elements = self.depth = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Open an element.

        Raises
        ------
        UnsafeError
            There are too many, too deep, or their attributes are too long.
        """
        self.root = self.root or tag
        self.elements += 1
        self.depth += 1
        if self.elements > MOST_ELEMENTS or self.depth > MOST_DEPTH:
            raise UnsafeError
        if sum(map(len, attributes.values())) > MOST_CHARACTERS:
            raise UnsafeError

    def end(self, tag: str) -> None:
        """Close an element."""
        self.depth -= 1

    def data(self, text: str) -> None:
        """Text between elements."""

    def close(self) -> str:
        """Tag of the root."""
        return self.root


def read_xml(path: Path, *, where: str) -> tuple[bytes, str]:
    """Bytes of an XML file that is well formed and safe to parse, and the tag of its root.

    Parameters
    ----------
    where : what to call the file in messages.

    Raises
    ------
    FileError
        It is missing, too large, not well formed, or declares a document type or entities.
    """
    fix = "export it again from the software it was made with"
    if not path.is_file():
        raise FileError("the file is missing", where=where, fix="check the path")
    if path.stat().st_size > MOST_BYTES:
        raise FileError(f"larger than {MOST_BYTES // 2**20} MB", where=where, fix="export fewer samples to a file")
    data = path.read_bytes()
    try:
        parser = DefusedXMLParser(target=_Surveyor(), forbid_dtd=True)
        parser.feed(data)
        return data, str(parser.close())
    except DefusedXmlException:
        raise FileError("it declares a document type or entities, which gating files never need", where=where, fix=fix) from None
    except UnsafeError:
        raise FileError("it is nested deeper or longer than any gating file", where=where, fix=fix) from None
    except (ParseError, ValueError, LookupError) as error:
        raise FileError(f"not well-formed XML{_place(error)}", where=where, fix=fix) from None


def _place(error: Exception) -> str:
    line = getattr(error, "position", (0, 0))[0]
    return f" (line {line})" if line else ""


def local(element: Element) -> str:
    """Tag of an element without its namespace."""
    return element.tag.rpartition("}")[2]
