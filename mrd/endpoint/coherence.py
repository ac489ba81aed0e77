"""What calls and clinical tables must agree on before an endpoint is derived from them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pandas as pd

from mrd.core.errors import ContractError, SheetError
from mrd.core.words import ABOVE, BELOW, MARROW

Record = Mapping[str, Any]


def to_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn rows into plain mappings; a missing value is None."""
    return [{str(k): None if pd.isna(v) else v for k, v in row.items()} for row in frame.to_dict("records")]


def check_calls(calls: Collection[Record]) -> None:
    """Pass only where no row contradicts itself; every one that does is named.

    Raises
    ------
    ContractError
        A decision does not follow from its own row, or the rows were decided at different thresholds.
    """
    found = [f"{row['subject']} {row['visit']}: {told}" for row in calls for told in _contradictions(row)]
    thresholds = sorted({row["threshold"] for row in calls})
    if len(thresholds) > 1:
        found.append(f"thresholds {', '.join(f'{t:g}' for t in thresholds)} stand side by side")
    if found:
        raise ContractError("; ".join(found), where="table calls", fix="make the calls again with `mrd call`")


def check_subjects(calls: Collection[Record], subjects: Collection[Record], responses: Collection[Record]) -> None:
    """Pass only where the clinical table knows every subject and nothing was drawn after death.

    Raises
    ------
    SheetError
        Subjects are unknown, or a marrow is younger than its subject's death; all are listed.
    """
    deaths = {row["subject"]: row["death"] for row in subjects}
    found = [f"subject {s} of the calls has no row" for s in sorted({r["subject"] for r in calls} - set(deaths))]
    found += [f"subject {s} of the responses has no row" for s in sorted({r["subject"] for r in responses} - set(deaths))]
    found += [
        f"subject {r['subject']} died on {deaths[r['subject']]}, and {r['visit']} was collected on {r['collected']}"
        for r in calls
        if deaths.get(r["subject"]) and r["collected"] > deaths[r["subject"]]
    ]
    if found:
        raise SheetError("; ".join(found), where="table subjects", fix="correct the clinical table or the sample sheet")


def _contradictions(row: Record) -> Iterator[str]:
    below, value = row["below_threshold"], row[row["decide_on"]]
    expected = "Y" if row["call"] in BELOW else "N" if row["call"] in ABOVE else None
    if below != expected:
        yield f"call {row['call']} with below_threshold {below or 'empty'}"
    if below == "Y" and row["specimen_type"] != MARROW:
        yield f"{row['specimen_type']} called below"
    if below and value is None:
        yield f"below_threshold {below} without {row['decide_on']}"
    elif below and (value < row["threshold"]) != (below == "Y"):
        yield f"below_threshold {below} with {row['decide_on']} {value:g} at threshold {row['threshold']:g}"
    if _counted_wrongly(row):
        yield f"laip_below {row['laip_below']} with {row['n_laip']} of {row['n_leukocytes']}"


def _counted_wrongly(row: Record) -> bool:
    """Tell whether laip_below is not `1000 n < N`, in integers; told only at the threshold it was declared for."""
    counts = (row["laip_below"], row["n_laip"], row["n_leukocytes"])
    if row["threshold"] != 1e-3 or None in counts:
        return False
    return bool((1000 * row["n_laip"] < row["n_leukocytes"]) != (row["laip_below"] == "Y"))
