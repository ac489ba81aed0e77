"""Read and write declared tables as tab-separated text, each with the schema it keeps beside it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mrd.core.errors import ContractError, FileError
from mrd.core.tables import DIGEST, Table, json_schema
from mrd.files.atomic import write_text

NUMBER = "%.9g"
BYTES_MOST = 64_000_000


def read_text_table(path: Path, *, where: str) -> pd.DataFrame:
    """A tab-separated file as text columns, empty cells missing.

    Raises
    ------
    FileError
        The file is missing or not tab-separated text.
    """
    if not path.is_file():
        raise FileError("the table is missing", where=where, fix="check the path")
    if path.stat().st_size > BYTES_MOST:
        raise FileError("larger than any table of tubes or subjects", where=where, fix="check the path")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a row longer than the header would lose cells
            frame = pd.read_csv(
                path, sep="\t", dtype="string", keep_default_na=False, na_values=[""], encoding="utf-8", index_col=False
            )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pd.errors.ParserWarning, UnicodeDecodeError):
        raise FileError("not a tab-separated UTF-8 table", where=where, fix="save it as tab-separated text") from None
    frame.columns = [str(c).strip() for c in frame.columns]
    return pd.DataFrame({name: column.str.strip() for name, column in frame.items()})


def read_table(path: Path, table: Table) -> pd.DataFrame:
    """A declared table as it was written.

    Raises
    ------
    ContractError
        It was written by another version of the declaration, or does not keep it.
    """
    schema = path.with_suffix(".schema.json")
    if schema.is_file() and json.loads(schema.read_text())["version"] != table.version:
        raise ContractError(
            f"{path.name} is not version {table.version} of table {table.name}", where=str(path), fix="run the workflow again"
        )
    frame = table.check(read_text_table(path, where=str(path)), where=str(path))
    return typed(frame, table)


def read_together(paths: Sequence[Path], table: Table) -> pd.DataFrame:
    """The tables of several batches as one.

    Raises
    ------
    ContractError
        One of them cannot be read, or two tell the same thing, as when a file is named twice.
    """
    frames = [f for f in (read_table(p, table) for p in paths) if len(f)]
    if not frames:
        return table.empty()
    both = pd.concat(frames, ignore_index=True)
    twice = both[both.duplicated(list(table.key))]
    if len(twice):
        names = ", ".join(f"{n} {v}" for n, v in twice.iloc[0][list(table.key)].dropna().items())
        raise ContractError(f"two files tell of {names}", where=f"table {table.name}", fix="name every batch's file once")
    return both


def typed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Text columns as the declared kinds; columns that pass through stay text."""
    out = frame.copy()
    for column in table.columns:
        if column.kind in "if" and column.name in out:
            number = pd.to_numeric(out[column.name])
            out[column.name] = number.astype("Int64" if column.kind == "i" else "float64")
        if column.kind == "h" and column.name in out:
            out[column.name] = out[column.name].str.removeprefix(DIGEST)
    return out


def write_table(path: Path, frame: pd.DataFrame, table: Table) -> None:
    """Write a frame that keeps its declaration, and the declaration beside it."""
    table.check(frame)
    write_text(path, table_text(frame, table))
    write_text(path.with_suffix(".schema.json"), json.dumps(json_schema(table), indent=1) + "\n")


def table_text(frame: pd.DataFrame, table: Table) -> str:
    """A declared table as the text that is written."""
    digests = {
        c.name: frame[c.name].astype("string").str.replace("^(?=.)", DIGEST, regex=True) for c in table.columns if c.kind == "h"
    }
    return frame[table.names].assign(**digests).to_csv(sep="\t", index=False, float_format=NUMBER, lineterminator="\n")
