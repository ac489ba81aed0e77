"""Read a plain table of any of the formats a trial hands in, as text."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from mrd.core.errors import FileError
from mrd.core.tables import Table
from mrd.files.tables import read_text_table

FORMATS = (".tsv", ".txt", ".csv", ".parquet", ".xpt", ".json")


def read_any(path: Path, table: Table) -> pd.DataFrame:
    """Read a table as text under its declared names, empty cells missing; further columns keep theirs.

    Names are compared without case; a name of more than 8 letters may stand as the short one of its declaration.

    Raises
    ------
    FileError
        The file is missing, not of a known format, or names a column twice.
    """
    if not path.is_file():
        raise FileError("the table is missing", where=str(path), fix="check the path")
    read = READERS.get(path.suffix.lower())
    if read is None:
        raise FileError("not a known format", where=str(path), fix=f"use one of {', '.join(FORMATS)}")
    return _named(read(path), table, path)


def _named(frame: pd.DataFrame, table: Table, path: Path) -> pd.DataFrame:
    known = {n.upper(): c.name for c in table.columns for n in (c.name, c.short) if n}
    names = [known.get(str(n).upper(), str(n)) for n in frame.columns]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise FileError(f"column {', '.join(twice)} stands twice", where=str(path), fix="keep one of them")
    return frame.set_axis(names, axis=1)


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_csv(path, dtype="string", keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError):
        raise FileError("not a comma-separated UTF-8 table", where=str(path), fix="save it as comma-separated text") from None
    return _texts(frame)


def _read_tsv(path: Path) -> pd.DataFrame:
    return read_text_table(path, where=str(path))


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path)
    except (OSError, pa.ArrowInvalid):
        raise FileError("not a readable Parquet file", where=str(path), fix="check the file") from None
    return _texts(pd.DataFrame({name: pd.Series(rows[name].to_pylist(), dtype=object) for name in rows.column_names}))


def _read_xpt(path: Path) -> pd.DataFrame:
    import pyreadstat

    try:
        frame, _ = pyreadstat.read_xport(path)
    except (pyreadstat.ReadstatError, UnicodeDecodeError):
        raise FileError("not a SAS transport file", where=str(path), fix="write it as XPORT version 5") from None
    return _texts(frame.astype(object))


def _read_dataset_json(path: Path) -> pd.DataFrame:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        names = [column["name"] for column in told["columns"]]
        columns = zip(*told.get("rows", []), strict=True)  # rows of different length end here
        values = list(columns) or [()] * len(names)
        frame = pd.DataFrame({n: pd.Series(v, dtype=object) for n, v in zip(names, values, strict=True)})
    except (ValueError, KeyError, TypeError):
        raise FileError("not a Dataset-JSON file", where=str(path), fix="write it as Dataset-JSON 1.1 with rows") from None
    return _texts(frame)


READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".tsv": _read_tsv,
    ".txt": _read_tsv,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".xpt": _read_xpt,
    ".json": _read_dataset_json,
}


def _texts(frame: pd.DataFrame) -> pd.DataFrame:
    columns = {str(n).strip(): pd.Series([_text(v) for v in values], dtype="string") for n, values in frame.items()}
    return pd.DataFrame(columns, index=range(len(frame)))


def _text(value: Any) -> str | None:
    """A cell as text: a date in ISO form, a whole number without its point, an empty text missing."""
    if value is None or value is pd.NaT or value is pd.NA or value != value:  # noqa: PLR0124
        return None
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == value.time().min else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value).strip() or None
