"""The tables of the analysis: rates, MRD by visit, times, adverse events, missing data, each cell with its records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mrd.core.contracts_tables import CELLS, MISSING, NOTES, RATES, VISITS
from mrd.core.estimand import Estimands
from mrd.core.settings import Settings
from mrd.core.words import ABOVE, BELOW
from mrd.endpoint.cells import Line, Record, list_records, read_records, tell_share
from mrd.endpoint.clinical import to_records
from mrd.endpoint.derive import Trial
from mrd.endpoint.emergent import summarise_events
from mrd.endpoint.summary import RULES, SETS
from mrd.endpoint.times import group_times, summarise_times
from mrd.endpoint.window import declare_conversion

Told = tuple[pd.DataFrame, list[Line]]


@dataclass(frozen=True)
class Analyses:
    """Tables of the analysis by name, and the records behind their cells."""

    tables: Mapping[str, pd.DataFrame]
    cells: pd.DataFrame


def analyse(trial: Trial, settings: Settings, estimands: Estimands) -> Analyses:
    """Derive every table of the analysis of a trial that has a clinical table."""
    endpoint = declare_conversion(settings, estimands.conversion)
    times, curves, behind = summarise_times(group_times(trial.adam["adtte"], trial.persons, endpoint, settings))
    told: dict[str, Told] = {
        "rates": summarise_rates(trial, settings, estimands),
        "visits": summarise_visits(trial.admrd),
        "times": (times, behind),
        "curves": (curves, []),
        "events": summarise_events(trial.adam["adae"], trial.adam["adsl"], trial.persons, settings),
        "missing": summarise_missing(trial),
        "notes": (trial.notes if trial.notes is not None else NOTES.empty(), []),
    }
    cells = CELLS.frame([line for _, lines in told.values() for line in lines])
    return Analyses({name: frame for name, (frame, _) in told.items()}, cells)


def summarise_rates(trial: Trial, settings: Settings, estimands: Estimands) -> Told:
    """Summarise MRD negativity by every set and rule, and the response rate, into table RATES."""
    rows: list[Line] = []
    cells: list[Line] = []
    primary = (estimands.conversion.population, settings.conversion_rule)
    reviewed = estimands.conversion.calls == "reviewed" and trial.reviewed is not None
    for name, lines, code, first in (
        ("MRD negativity", trial.conversion, "MRDCONV", primary if not reviewed else None),
        ("MRD negativity as reviewed", trial.reviewed, "MRDCONVR", primary if reviewed else None),
    ):
        plain = trial.plain if code == "MRDCONV" else lines
        if plain is not None:
            told, behind = _conversion_rates(name, plain, read_records("admrd", trial.admrd, PARAMCD=code), first)
            rows, cells = rows + told, cells + behind
    told, behind = _response_rates(trial.adam["adrs"], estimands)
    return RATES.frame(rows + told), cells + behind


def _conversion_rates(
    name: str, conversion: pd.DataFrame, records: Sequence[Record], primary: tuple[str, str] | None
) -> tuple[list[Line], list[Line]]:
    lines = to_records(conversion)
    rows, cells = [], []
    for group, column in SETS.items():
        for rule in RULES:
            members = [(r, line) for r, line in zip(records, lines, strict=True) if line[column] == "Y"]
            counted = {r.row for r, line in members if line[f"converted_{rule}"] == "Y"}
            key = (name, group, rule)
            rows.append(_rate(key, (len(counted), len(members)), primary=primary == (group, rule)))
            cells += list_records("rates", _cell(key), [r for r, _ in members], lambda r, c=counted: r.row in c)  # type: ignore[misc]
    return rows, cells


def _rate(key: tuple[str, str, str], share: tuple[int, int], *, primary: bool) -> Line:
    told = dict(zip(("endpoint", "set", "rule"), key, strict=True))
    return told | {"primary": "Y" if primary else "N", "cell": _cell(key)} | tell_share(*share)


def _cell(key: tuple[str, str, str]) -> str:
    return "-".join(key).replace(" ", "-").lower()


def _response_rates(adrs: pd.DataFrame, estimands: Estimands) -> tuple[list[Line], list[Line]]:
    """Summarise the response rate, and the share of each response as the best one."""
    responders = [r for r in read_records("adrs", adrs, PARAMCD="ORR") if r["FASFL"] == "Y"]
    known = {
        r.subject for r in read_records("adrs", adrs, ANL02FL="Y") if r["PARAMCD"] == _code(estimands) and r["AVALC"] != "NE"
    }
    best = [r for r in read_records("adrs", adrs, PARAMCD="BOR") if r["FASFL"] == "Y"]
    rows, cells = [], []
    for name, group, rule, members, is_counted in (
        ("ORR", "treated", "first cycles", responders, lambda r: r["AVALC"] == "Y"),
        ("ORR", "evaluable", "first cycles", [r for r in responders if r.subject in known], lambda r: r["AVALC"] == "Y"),
        ("ORR", "treated", "best", responders, lambda r: r["AVALC"] == "Y" or r.subject not in known),
        *(
            (f"BOR {code}", "treated", "best response", best, _is(code))
            for code in ("CR", "CRh", "CRi", "MLFS", "PR", "NR", "RELAPSE", "NE")
        ),
    ):
        key = (name, group, rule)
        first = key == ("ORR", estimands.response.population, "first cycles")
        rows.append(_rate(key, (sum(map(is_counted, members)), len(members)), primary=first))
        cells += list_records("rates", _cell(key), members, is_counted)
    return rows, cells


def _code(estimands: Estimands) -> str:
    return "OVR" if estimands.response.judged_by == "criteria" else "OVRINV"


def _is(code: str) -> Callable[[Record], bool]:
    return lambda r: bool(r["AVALC"] == code)


def summarise_visits(admrd: pd.DataFrame) -> Told:
    """Summarise the marrows of each visit, into table VISITS."""
    records = read_records("admrd", admrd, PARAMCD="MRDPCT", CPSPEC="BONE MARROW")
    calls = {(r.subject, r["AVISIT"]): r["AVALC"] for r in read_records("admrd", admrd, PARAMCD="MRDCLS")}
    names = sorted({(r["AVISITN"], r["AVISIT"]) for r in records})
    rows, cells = [], []
    for _, name in names:
        own = [r for r in records if r["AVISIT"] == name]
        sides = [_side(str(calls[r.subject, name])) for r in own]
        values = pd.Series([r["AVAL"] for r in own], dtype="float64")
        counts = {side: sides.count(side) for side in ("below", "above", "untold")}
        spread = {"median": values.median(), "lowest": values.min(), "highest": values.max()}
        rows.append({"visit": name, "marrows": len(own), **counts, **spread, "cell": f"visit-{name}"})
        below = {r.row for r, side in zip(own, sides, strict=True) if side == "below"}
        cells += list_records("visits", f"visit-{name}", own, lambda r, b=below: r.row in b)  # type: ignore[misc]
    return VISITS.frame(rows), cells


def _side(call: str) -> str:
    return "below" if call in BELOW else "above" if call in ABOVE else "untold"


def summarise_missing(trial: Trial) -> Told:
    """Summarise what treated subjects lack, into table MISSING."""
    records = [r for r in read_records("adsl", trial.adam["adsl"]) if r["FASFL"] == "Y"]
    lacking = _find_lacking(trial)
    rows, cells = [], []
    for number, (item, subjects) in enumerate(lacking.items(), 1):
        count = sum(r.subject in subjects for r in records)
        share = {k: v for k, v in tell_share(count, len(records)).items() if not k.startswith("ci_")}
        rows.append({"item": item, "cell": f"missing-{number}", **share})
        cells += list_records("missing", f"missing-{number}", records, lambda r, s=subjects: r.subject in s)  # type: ignore[misc]
    return MISSING.frame(rows), cells


def _find_lacking(trial: Trial) -> dict[str, set[str]]:
    """Find the subjects without each item."""
    lines = [] if trial.conversion is None else to_records(trial.conversion)
    ids = {p.subject: str(r["USUBJID"]) for p, r in zip(trial.persons, to_records(trial.adam["adsl"]), strict=True)}

    def where(test: Callable[[Line], Any]) -> set[str]:
        return {ids[line["subject"]] for line in lines if test(line)}

    def lacks(test: Callable[[Any], Any]) -> set[str]:
        return {ids[p.subject] for p in trial.persons if not test(p)}

    return {
        "known disease by flow at baseline": where(lambda line: line["disease"] not in ("flow", "flow-blood")),
        "marrow in the window": where(lambda line: line["n_marrows"] == 0),
        "marrow in the window that could be told": where(lambda line: line["n_told"] == 0),
        "verdict on every marrow of the window": where(lambda line: line["n_told"] < line["n_marrows"]),
        "response assessment that counts": {
            r.subject for r in read_records("adrs", trial.adam["adrs"], PARAMCD="BOR", REASON="no assessment that counts")
        },
        "best response that could be told": {
            r.subject for r in read_records("adrs", trial.adam["adrs"], PARAMCD="BOR", AVALC="NE")
        },
        "neutrophil counts": lacks(lambda p: [r for r in p.rows("labs") if r["test"] == "ANC"]),
        "platelet counts": lacks(lambda p: [r for r in p.rows("labs") if r["test"] == "PLT"]),
        "day last known alive after the first dose": lacks(lambda p: "alive" in p.facts and p.facts["alive"].day != p.first_dose),
        "whole dates (one or more imputed)": lacks(lambda p: not any(f.flag for f in p.facts.values())),
    }
