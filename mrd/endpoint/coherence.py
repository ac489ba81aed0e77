"""What calls and clinical tables must agree on before an endpoint is derived from them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date

from mrd.core.errors import ContractError, SheetError
from mrd.core.orders import find_disorder, find_undosed
from mrd.core.words import ABOVE, BELOW, MARROW
from mrd.endpoint.clinical import Record, Row
from mrd.endpoint.facts import RECORDED, Facts


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


def check_clinical(tables: Mapping[str, Collection[Row]], facts: Mapping[str, Facts], clashes: Collection[str]) -> None:
    """Pass only where the clinical table knows every subject, its dates agree, and nothing came after death.

    Parameters
    ----------
    tables : rows of the calls and of every clinical table · facts : of each subject · clashes : dates told differently.

    Raises
    ------
    SheetError
        Tables do not fit each other; all problems are listed.
    """
    found = [
        f"subject {name} of the {table} has no row"
        for table, rows in tables.items()
        for name in sorted({str(r["subject"]) for r in rows} - set(facts))
    ]
    found += clashes
    for subject, known in facts.items():
        found += _misplaced(subject, known)
    found += [told for table, rows in tables.items() for row in rows for told in _after_death(table, row, facts)]
    found += [told for row in tables.get("review", ()) for told in _unknown_call(row, tables["calls"])]
    if found:
        raise SheetError("; ".join(found), where="table subjects", fix="correct the clinical table or the sample sheet")


def _misplaced(subject: str, facts: Facts) -> Iterator[str]:
    """Yield dates that cannot both be right, where at least one of them does not come from subjects, which was read so."""
    if all(fact.source.domain == "SUBJECTS" for fact in facts.values()):
        return
    days = {name: fact.day.isoformat() for name, fact in facts.items()}
    yield from (f"subject {subject}: {told}" for told in (*find_disorder(days), *find_undosed(days)))


def _after_death(table: str, row: Row, facts: Mapping[str, Facts]) -> Iterator[str]:
    death = facts.get(str(row["subject"]), {}).get("death")
    text = row[RECORDED[table]] if table in RECORDED else None
    if death is None or text is None or len(text) < 10 or date.fromisoformat(text) <= death.day:
        return
    if table == "calls":
        yield f"subject {row['subject']} died on {death.day}, and {row['visit']} was collected on {text}"
    else:
        yield f"subject {row['subject']} died on {death.day}, and {row.place} is of {text}"


def _unknown_call(row: Row, calls: Collection[Row]) -> Iterator[str]:
    if (row["subject"], row["visit"]) not in {(c["subject"], c["visit"]) for c in calls}:
        yield f"{row.place}: there is no call of {row['subject']} {row['visit']}"


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
