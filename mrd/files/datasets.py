"""Write declared tables as comma-separated text and Parquet, and open the Parquet again."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mrd.core.errors import ContractError, FileError
from mrd.core.tables import Column, Table, json_schema
from mrd.files.atomic import whole, write_text
from mrd.files.tables import NUMBER

ARROW = {
    "s": pa.string(),
    "i": pa.int64(),
    "f": pa.float64(),
    "b": pa.bool_(),
    "d": pa.date32(),
    "p": pa.string(),
    "h": pa.string(),
}


def write_csv(path: Path, frame: pd.DataFrame, table: Table) -> None:
    """Write a frame that keeps its declaration as comma-separated text, and the declaration beside it.

    Raises
    ------
    ContractError
        The frame breaks the declaration.
    """
    table.check(frame)
    write_text(path, frame[table.names].to_csv(index=False, float_format=NUMBER, lineterminator="\n"))
    write_text(path.with_suffix(".schema.json"), json.dumps(json_schema(table), indent=1) + "\n")


def write_parquet(path: Path, frame: pd.DataFrame, table: Table) -> None:
    """Write a frame that keeps its declaration as Parquet; name, version and meanings stand in its metadata.

    Raises
    ------
    ContractError
        The frame breaks the declaration.
    """
    table.check(frame)
    schema = arrow_schema(table)
    columns = [_arrow(frame[c.name], c) for c in table.columns]
    with whole(path) as temporary:
        pq.write_table(pa.table(columns, schema=schema), temporary, compression="zstd")


def read_parquet(path: Path, table: Table) -> pd.DataFrame:
    """Read a declared table as `write_parquet` left it.

    Raises
    ------
    FileError
        The file is missing or not Parquet.
    ContractError
        It is another table or version, or breaks the declaration.
    """
    try:
        read = pq.read_table(path)
    except (OSError, pa.ArrowInvalid):
        raise FileError("not a readable Parquet file", where=str(path), fix="check the path or run the workflow again") from None
    stated = {k.decode(): v.decode() for k, v in (read.schema.metadata or {}).items()}
    if (stated.get("name"), stated.get("version")) != (table.name, str(table.version)):
        raise ContractError(f"not version {table.version} of table {table.name}", where=str(path), fix="run the workflow again")
    return table.check(table.frame([_texts(row) for row in read.to_pylist()]), where=str(path))


def arrow_schema(table: Table) -> pa.Schema:
    """Build the Arrow schema of a declared table."""
    fields = [pa.field(c.name, ARROW[c.kind], metadata={"meaning": c.meaning, "unit": c.unit}) for c in table.columns]
    return pa.schema(fields, metadata={"name": table.name, "version": str(table.version), "row": table.row})


def _arrow(values: pd.Series, column: Column) -> pa.Array:
    told = [None if pd.isna(v) else v for v in values]
    if column.kind == "d":
        told = [None if v is None else date.fromisoformat(v) for v in told]
    return pa.array(told, type=ARROW[column.kind])


def _texts(row: dict[str, object]) -> dict[str, object]:
    return {name: v.isoformat() if isinstance(v, date) else v for name, v in row.items()}
