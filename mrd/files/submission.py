"""Write a dataset in the formats of a submission: SAS transport version 5 and Dataset-JSON 1.1, from its one declaration."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from mrd.core.conformance import check_submission
from mrd.core.tables import Column, Table
from mrd.files.atomic import whole, write_text
from mrd.files.datasets import write_csv, write_parquet

DATE_FORMAT = "DATE9."
SAS_EPOCH = date(1960, 1, 1)
"""Dates of analysis datasets are days since then: a column without any date stays a number."""
TABULATIONS = ("FINDINGS",)
"""Classes of SDTM, where dates are text; in analysis datasets they are numbers with a date format."""
JSON_TYPES = {"s": "string", "i": "integer", "f": "double", "b": "boolean", "d": "date", "p": "string", "h": "string"}


@dataclass(frozen=True)
class Stamp:
    """Whose files these are and when they are made: study, software version, UTC."""

    study: str
    version: str
    created: datetime

    @property
    def text(self) -> str:
        """The time as ISO 8601."""
        return self.created.strftime("%Y-%m-%dT%H:%M:%S")


def has_text_dates(table: Table) -> bool:
    """Tell whether a dataset's dates are text."""
    return table.structure in TABULATIONS


def write_dataset(folder: Path, frame: pd.DataFrame, table: Table, stamp: Stamp) -> None:
    """Write a dataset in every format, or in none where it does not fit one.

    Raises
    ------
    ContractError
        The frame breaks its declaration, or does not fit a transport file.
    """
    check_submission(frame, table)
    write_csv(folder / f"{table.name}.csv", frame, table)
    write_parquet(folder / f"{table.name}.parquet", frame, table)
    write_xpt(folder / f"{table.name}.xpt", frame, table)
    write_dataset_json(folder / f"{table.name}.json", frame, table, stamp)


def write_xpt(path: Path, frame: pd.DataFrame, table: Table) -> None:
    """Write a SAS transport file, version 5. Its header carries the time it was written.

    Raises
    ------
    ContractError
        A name, label, length or value does not fit; nothing is truncated.
    """
    import pyreadstat

    check_submission(frame, table)
    columns = {c.name: _xpt_values(frame[c.name], c, text_dates=has_text_dates(table)) for c in table.columns}
    dated = {} if has_text_dates(table) else {c.name: DATE_FORMAT for c in table.columns if c.kind == "d"}
    with whole(path) as temporary:
        pyreadstat.write_xport(
            pd.DataFrame(columns),
            temporary,
            file_label=table.label,
            column_labels={c.name: c.title for c in table.columns},
            table_name=table.name.upper(),
            file_format_version=5,
            variable_format=dated,
        )


def _xpt_values(values: pd.Series, column: Column, *, text_dates: bool) -> pd.Series:
    if column.kind == "d" and not text_dates:
        days = [math.nan if pd.isna(v) else float((date.fromisoformat(v) - SAS_EPOCH).days) for v in values]
        return pd.Series(days, dtype="float64")
    if column.kind in "sdp":
        return values.fillna("").astype(object).reset_index(drop=True)
    return values.astype("float64").reset_index(drop=True)


def write_dataset_json(path: Path, frame: pd.DataFrame, table: Table, stamp: Stamp) -> None:
    """Write Dataset-JSON 1.1: one dataset per file, missing values null, dates in ISO form.

    Raises
    ------
    ContractError
        The frame breaks its declaration, or does not fit a transport file.
    """
    check_submission(frame, table)
    kind = "SDTM" if has_text_dates(table) else "ADaM"
    told = {
        "datasetJSONCreationDateTime": stamp.text,
        "datasetJSONVersion": "1.1.0",
        "fileOID": f"{stamp.study}.{kind}.{table.name.upper()}",
        "originator": "flowmrd",
        "sourceSystem": {"name": "flowmrd", "version": stamp.version},
        "studyOID": f"ST.{stamp.study}",
        "metaDataVersionOID": f"MDV.{stamp.study}.{kind}",
        "metaDataRef": "define.xml",
        "itemGroupOID": f"IG.{table.name.upper()}",
        "records": len(frame),
        "name": table.name.upper(),
        "label": table.label,
        "columns": [_json_column(c, table) for c in table.columns],
        "rows": [[_json_value(row[c.name], c) for c in table.columns] for row in frame.to_dict("records")],
    }
    write_text(path, json.dumps(told, allow_nan=False) + "\n")


def _json_column(column: Column, table: Table) -> dict[str, Any]:
    out: dict[str, Any] = {
        "itemOID": f"IT.{table.name.upper()}.{column.name}",
        "name": column.name,
        "label": column.title,
        "dataType": JSON_TYPES[column.kind],
        "length": column.width,
    }
    if column.kind == "d" and not has_text_dates(table):
        out |= {"targetDataType": "integer", "displayFormat": DATE_FORMAT}
    if column.name in table.key:
        out["keySequence"] = table.key.index(column.name) + 1
    return out


def _json_value(value: Any, column: Column) -> Any:
    if pd.isna(value):
        return None
    return {"i": int, "f": float, "b": bool}.get(column.kind, str)(value)
