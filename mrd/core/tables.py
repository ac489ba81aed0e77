"""A table is declared once: its columns, their kinds and units, and the row it holds one of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mrd.core.errors import ContractError

KINDS = {"s": "string", "i": "integer", "f": "number", "b": "boolean", "d": "date", "p": "partial date", "h": "digest"}
DIGEST = "sha256:"
"""Stands before a digest in a file: one by itself may read as a number (3e845...), which crashes pandas up to 2.3."""
PARTIAL = r"\d{4}(-\d{2}(-\d{2})?)?"


@dataclass(frozen=True)
class Column:
    """One column: name, kind (s i f b d p h), meaning, and what its values may be.

    `codes` are the values a string may have; `required` forbids an empty cell; `optional` lets the whole column be absent.
    `short` is its name in a transport file, where `name` is longer than 8 letters. A variable of a submitted dataset also has
    a `label` (where `meaning` is longer than 40 letters), a `length` in bytes, an `origin` and a `derivation`.
    """

    name: str
    kind: str
    meaning: str
    unit: str = ""
    required: bool = False
    codes: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    optional: bool = False
    short: str = ""
    label: str = ""
    length: int = 0
    origin: str = ""
    derivation: str = ""

    @property
    def title(self) -> str:
        """The label of a submitted variable."""
        return self.label or self.meaning

    @property
    def width(self) -> int:
        """Bytes a value of a submitted variable may take: 8 for a number, else as declared or as its longest code."""
        if self.kind in "ifb":
            return 8
        if self.kind in "dp":
            return 10
        return self.length or max((len(code) for code in self.codes), default=200)


@dataclass(frozen=True)
class Table:
    """A named, versioned list of columns; `row` says what one row is, `key` what tells rows apart."""

    name: str
    version: int
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    open: bool = False
    """Whether further columns may pass through (a sample sheet) or not (what we write)."""
    label: str = ""
    """Label of a submitted dataset."""
    structure: str = ""
    """Class of a submitted dataset in Define-XML."""

    @property
    def names(self) -> list[str]:
        """Column names in their declared order."""
        return [c.name for c in self.columns]

    def column(self, name: str) -> Column:
        """The declaration of one column."""
        return next(c for c in self.columns if c.name == name)

    def empty(self) -> pd.DataFrame:
        """A frame with the declared columns and no rows."""
        return pd.DataFrame({c.name: pd.Series(dtype=_dtype(c)) for c in self.columns})

    def frame(self, rows: list[dict[str, Any]]) -> pd.DataFrame:
        """Rows as a frame with the declared columns, order and dtypes; absent values are missing."""
        if not rows:
            return self.empty()
        frame = pd.DataFrame(rows).reindex(columns=self.names)
        return frame.astype({c.name: _dtype(c) for c in self.columns})

    def problems(self, frame: pd.DataFrame) -> list[str]:
        """Every way in which a frame breaks the declaration, with row and column."""
        absent = [c.name for c in self.columns if c.name not in frame.columns]
        missing = [name for name in absent if not self.column(name).optional]
        extra = [] if self.open else [str(c) for c in frame.columns if c not in self.names]
        found = [f"column {c} is missing" for c in missing] + [f"column {c} is not declared" for c in extra]
        for column in self.columns:
            if column.name not in absent:
                found.extend(_column_problems(column, frame[column.name]))
        if self.key and not set(self.key) & set(absent):
            found.extend(_key_problems(self.key, frame))
        return found

    def check(self, frame: pd.DataFrame, *, where: str = "") -> pd.DataFrame:
        """Return the frame unchanged, or raise with the full list of its problems.

        Raises
        ------
        ContractError
            The frame breaks the declaration; every problem is listed.
        """
        found = self.problems(frame)
        if found:
            raise ContractError("; ".join(found), where=where or f"table {self.name}")
        return frame


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain mappings."""
    return [{str(n): v for n, v in row.items()} for row in frame.to_dict("records")]


def _dtype(column: Column) -> str:
    return {"s": "string", "i": "Int64", "f": "float64", "b": "boolean", "d": "string", "p": "string", "h": "string"}[column.kind]


def _column_problems(column: Column, values: pd.Series) -> Iterator[str]:
    blank = values.isna()
    if not pd.api.types.is_numeric_dtype(values):
        blank |= pd.Series([isinstance(v, str) and not v.strip() for v in values], index=values.index, dtype=bool)
    if column.required and blank.any():
        yield f"column {column.name} is empty in row {_rows(blank)}"
    if blank.all():
        return
    told = values[~blank]
    bad = ~_fits(column, told)
    if bad.any():
        yield f"column {column.name} has '{told[bad].iloc[0]}' in row {_rows(bad)}; it takes {_takes(column)}"


def _fits(column: Column, told: pd.Series) -> pd.Series:
    if column.kind in "sh":
        return told.isin(column.codes) if column.codes else told.notna()
    if column.kind == "d":
        text = told.astype("string")
        return (
            text.str.fullmatch(r"\d{4}-\d{2}-\d{2}").fillna(False)
            & pd.to_datetime(text, format="%Y-%m-%d", errors="coerce").notna()
        )
    if column.kind == "p":
        return _fits_partial(told.astype("string"))
    if column.kind == "b":
        return told.isin([True, False, "Y", "N", "true", "false", "True", "False"])
    number = pd.to_numeric(told, errors="coerce")
    good = number.notna() & (column.kind == "f" or (number == number.round()))
    good &= True if column.low is None else number >= column.low
    return good & (True if column.high is None else number <= column.high)


def _fits_partial(text: pd.Series) -> pd.Series:
    """A year, a month or a day; each exists in the calendar."""
    whole = text + text.str.len().map({4: "-01-01", 7: "-01", 10: ""}).fillna("x")
    return text.str.fullmatch(PARTIAL).fillna(False) & pd.to_datetime(whole, format="%Y-%m-%d", errors="coerce").notna()


def _takes(column: Column) -> str:
    if column.codes:
        return "one of " + ", ".join(column.codes)
    span = f" from {column.low:g}" if column.low is not None else ""
    span += f" to {column.high:g}" if column.high is not None else ""
    return {
        "d": "a date YYYY-MM-DD",
        "p": "a date YYYY-MM-DD, YYYY-MM or YYYY",
        "b": "Y or N",
        "i": f"a whole number{span}",
        "f": f"a number{span}",
        "s": "text",
        "h": "a digest",
    }[column.kind]


def _key_problems(key: tuple[str, ...], frame: pd.DataFrame) -> Iterator[str]:
    twice = frame.duplicated(list(key), keep=False)
    for value, rows in frame[twice].groupby(list(key), sort=False, dropna=False):
        yield f"{' + '.join(key)} {' '.join(str(v) for v in value)} stands in rows {', '.join(str(i + 2) for i in rows.index)}"


def _rows(mask: pd.Series) -> str:
    """Row numbers as a spreadsheet shows them: the header is row 1."""
    rows = [str(int(i) + 2) for i in mask.index[mask.to_numpy()]]
    return ", ".join(rows[:5]) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")


def json_schema(table: Table) -> dict[str, Any]:
    """The JSON schema of one row, generated from the declaration."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": table.name,
        "version": table.version,
        "description": f"one row per {table.row}",
        "type": "object",
        "properties": {c.name: _property(c) for c in table.columns},
        "required": [c.name for c in table.columns if c.required],
        "primaryKey": list(table.key),
    }


def _property(column: Column) -> dict[str, Any]:
    kind = "string" if column.kind in "dph" else KINDS[column.kind]
    out: dict[str, Any] = {"type": kind if column.required else [kind, "null"], "description": column.meaning}
    if column.kind == "d":
        out["format"] = "date"
    if column.kind == "h":
        out["pattern"] = f"^{DIGEST}[0-9a-f]{{64}}$"
    if column.unit:
        out["unit"] = column.unit
    if column.codes:
        out["enum"] = list(column.codes) + ([] if column.required else [None])
    return out


def dictionary(tables: list[Table]) -> str:
    """The data dictionary of several tables, as Markdown."""
    parts = ["# Data dictionary\n\nGenerated from the declarations by `mrd dictionary`; do not edit.\n"]
    for t in tables:
        head = f"\n## {t.name} (version {t.version})\n\nOne row per {t.row}; key: {', '.join(t.key)}.\n\n"
        parts.append(head + "| column | kind | unit | meaning |\n|---|---|---|---|\n")
        for c in t.columns:
            codes = f" ({', '.join(c.codes)})" if c.codes else ""
            parts.append(f"| {c.name} | {KINDS[c.kind]} | {c.unit} | {c.meaning}{codes} |\n")
    return "".join(parts)
