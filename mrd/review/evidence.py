"""What a run tells of each visit: its call, its arms, its clusters, and a digest that changes when any of them does."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from mrd.core.contracts import ARMS_TABLE, CALLS_TABLE, CLUSTERS, LIMITS, QC, TUBES
from mrd.core.digest import digest_json
from mrd.core.errors import FileError
from mrd.core.settings import Settings
from mrd.core.tables import Table, records
from mrd.files.layout import result_table
from mrd.files.settings import read_settings
from mrd.files.tables import read_table

Row = dict[str, Any]
Key = tuple[str, str]
NOT_EVIDENCE = ("version",)
"""Columns of calls that may change without any change of the evidence."""


@dataclass(frozen=True)
class Evidence:
    """One visit as a run tells it."""

    call: Row
    arms: list[Row] = field(default_factory=list)
    clusters: list[Row] = field(default_factory=list)

    @property
    def told(self) -> Row:
        """All of it as plain values."""
        return {"call": self.call, "arms": self.arms, "clusters": self.clusters}

    @property
    def digest(self) -> str:
        """Changes when, and only when, something a reviewer judges by does."""
        call = {n: v for n, v in self.call.items() if n not in NOT_EVIDENCE}
        return digest_json({**self.told, "call": call})

    @property
    def threshold(self) -> float:
        """The threshold the call was made at."""
        return float(self.call["threshold"])


@dataclass(frozen=True)
class Visit:
    """What a visit's page shows beside its evidence: tubes, gate counts and controls; None where the run has no such table."""

    tubes: list[Row]
    nodes: list[Row]
    limits: list[Row]


@dataclass(frozen=True)
class RunTables:
    """The tables of a finished run, by visit."""

    visits: dict[Key, Evidence]
    settings: Settings
    tubes: dict[Key, list[Row]]
    nodes: dict[str, list[Row]]
    limits: dict[str, list[Row]]

    def visit(self, key: Key) -> Visit:
        """What the page of a visit shows beside its evidence."""
        tubes = self.tubes.get(key, [])
        nodes = [n for t in tubes for n in self.nodes.get(str(t["tube_id"]), [])]
        return Visit(tubes, nodes, self.limits.get(key[0], []))


def evidence_of(told: Mapping[str, Any]) -> Evidence:
    """Evidence as it was kept."""
    return Evidence(told["call"], told["arms"], told["clusters"])


def read_run(results: Path) -> RunTables:
    """Read what a finished run tells of its subjects' visits.

    Raises
    ------
    FileError
        The folder holds no finished run.
    ContractError
        A table is not what its declaration promises.
    """
    if not result_table(results, "calls").is_file():
        raise FileError("there are no calls", where=str(results), fix="give the results folder of a finished run")
    calls = [c for c in _rows(results, "calls", CALLS_TABLE) if c["role"] != "control"]
    arms, clusters = _by_visit(_rows(results, "arms", ARMS_TABLE)), _by_visit(_rows(results, "clusters", CLUSTERS))
    visits = {_key(c): Evidence(c, arms.get(_key(c), []), clusters.get(_key(c), [])) for c in calls}
    settings = results / "settings.yaml"
    return RunTables(
        visits=visits,
        settings=read_settings(settings) if settings.is_file() else Settings(),
        tubes=_by_visit(t for p in sorted((results / "prepare").glob("s[0-9]*.tsv")) for t in _tubes(p)),
        nodes=_by(_rows(results, "qc", QC), "tube_id"),
        limits=_by(_rows(results, "limits", LIMITS), "subject"),
    )


def _rows(results: Path, name: str, table: Table) -> list[Row]:
    path = result_table(results, name)
    return [_plain(r) for r in records(read_table(path, table))] if path.is_file() else []


def _tubes(path: Path) -> list[Row]:
    if path.name.endswith(".qc.tsv"):
        return []
    return [_plain(r) for r in records(read_table(path, TUBES))]


def _plain(row: Mapping[str, Any]) -> Row:
    return {str(n): _value(v) for n, v in row.items()}


def _value(value: Any) -> Any:
    """A cell as JSON knows it; what is missing is None."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return value.item() if hasattr(value, "item") else value


def _key(row: Mapping[str, Any]) -> Key:
    return str(row["subject"]), str(row["visit"])


def _by_visit(rows: Iterable[Row]) -> dict[Key, list[Row]]:
    out: dict[Key, list[Row]] = {}
    for row in rows:
        out.setdefault(_key(row), []).append(row)
    return out


def _by(rows: Iterable[Row], column: str) -> dict[str, list[Row]]:
    out: dict[str, list[Row]] = {}
    for row in rows:
        out.setdefault(str(row[column]), []).append(row)
    return out


def find_differences(before: Evidence, after: Evidence) -> list[tuple[str, Any, Any]]:
    """Find what a new run tells otherwise: name, before, after; arms and clusters are named by their own keys."""
    old, new = _flat(before), _flat(after)
    names = list(dict.fromkeys([*old, *new]))
    return [(n, old.get(n), new.get(n)) for n in names if old.get(n) != new.get(n)]


def _flat(evidence: Evidence) -> Row:
    out = {n: v for n, v in evidence.call.items() if n not in NOT_EVIDENCE}
    for arm in evidence.arms:
        out.update({f"arm {arm['arm']} ({arm['tubes']}): {n}": v for n, v in arm.items() if n not in ("subject", "visit")})
    for cluster in evidence.clusters:
        place = f"cluster {cluster['cluster']} ({cluster['arm']}, {cluster['tube_id']})"
        out.update({f"{place}: {n}": v for n, v in cluster.items() if n not in ("subject", "visit")})
    return out
