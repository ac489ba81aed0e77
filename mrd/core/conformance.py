"""What a submitted dataset must keep to (SAS transport version 5): checked before anything is written, never truncated."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from mrd.core.errors import ContractError
from mrd.core.tables import Column, Table

NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,7}")
LABEL_LENGTH, TEXT_LENGTH = 40, 200


def check_submission(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return the frame unchanged where declaration and values fit a transport file.

    Raises
    ------
    ContractError
        A name, label, length or value does not fit; every problem is listed, with row and column.
    """
    found = [*find_misfits(table), *(told for c in table.columns for told in _value_problems(c, frame[c.name]))]
    if found:
        raise ContractError("; ".join(found), where=f"dataset {table.name}", fix="shorten or respell it: nothing is truncated")
    table.check(frame)
    return frame


def find_misfits(table: Table) -> Iterator[str]:
    """Yield every way in which a declaration does not fit a transport file."""
    if not NAME.fullmatch(table.name.upper()):
        yield f"name {table.name} is not 1 to 8 letters, digits or underscores"
    if not _fits(table.label, LABEL_LENGTH):
        yield f"label '{table.label}' is not 1 to {LABEL_LENGTH} ASCII characters"
    for column in table.columns:
        if not NAME.fullmatch(column.name):
            yield f"column {column.name}: its name is not 1 to 8 capital letters, digits or underscores"
        if not _fits(column.title, LABEL_LENGTH):
            yield f"column {column.name}: label '{column.title}' is not 1 to {LABEL_LENGTH} ASCII characters"
        if column.width > TEXT_LENGTH:
            yield f"column {column.name}: length {column.width} is over {TEXT_LENGTH} bytes"
        if not column.origin or not column.derivation:
            yield f"column {column.name}: no origin or derivation is declared"


def _fits(text: str, most: int) -> bool:
    return 0 < len(text) <= most and text.isascii() and text.isprintable()


def _value_problems(column: Column, values: pd.Series) -> Iterator[str]:
    if column.kind not in "sp":
        return
    told = values.dropna().astype(str)
    for index, text in told[[not (t.isascii() and t.isprintable()) for t in told]].items():
        yield f"column {column.name} has '{text}' in row {_row(index)}, which is not printable ASCII"
    for index, text in told[told.str.len() > column.width].items():
        yield f"column {column.name} has {len(text)} bytes in row {_row(index)}; it takes {column.width}"


def _row(index: object) -> int:
    return int(str(index)) + 1
