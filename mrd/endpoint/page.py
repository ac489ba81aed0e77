"""The page of a trial: estimands, results, figures, and the records behind every cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
import pandas as pd

from mrd.core.estimand import STRATEGIES, Estimands
from mrd.core.settings import Settings
from mrd.endpoint.analyses import Analyses
from mrd.endpoint.clinical import to_records
from mrd.endpoint.derive import Trial
from mrd.endpoint.figures import ENCODERS, Picture, inline_svg, plot_survival, plot_swimmer, plot_waterfall, settle, styled
from mrd.endpoint.times import AT_LANDMARK, ORIGINS, STATUS

Line = dict[str, Any]
LINKED = ("cell", "primary")
"""Columns of a table that are not shown as text."""


@dataclass(frozen=True)
class Drawn:
    """The page, and its figures by file name."""

    page: str
    figures: Mapping[str, bytes]


def draw_trial(trial: Trial, analyses: Analyses, settings: Settings, estimands: Estimands) -> Drawn:
    """Draw the figures and the page of a trial."""
    with styled():
        pictures = {name: settle(p) for name, p in _plot(trial, analyses, settings).items()}
        figures = {f"{name}.{kind}": encode(p) for name, p in pictures.items() for kind, encode in ENCODERS.items()}
    inline = {name: inline_svg(figures[f"{name}.svg"], name, p.alt) for name, p in pictures.items()}
    return Drawn(_render(trial, analyses, settings, estimands, inline), figures)


def _plot(trial: Trial, analyses: Analyses, settings: Settings) -> dict[str, Picture]:
    curves = analyses.tables["curves"]
    landmark = f"day {settings.landmark_days} after the first dose"
    out = {"waterfall": plot_waterfall(trial.admrd), "swimmer": plot_swimmer(trial.adam["adsl"], trial.admrd)}
    for code in AT_LANDMARK:
        out[f"{code.lower()}"] = plot_survival(curves, code, ["all"], origin=ORIGINS[code])
        out[f"{code.lower()}_landmark"] = plot_survival(curves, code, STATUS, origin=landmark)
    return out


def _render(trial: Trial, analyses: Analyses, settings: Settings, estimands: Estimands, figures: Mapping[str, str]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mrd.endpoint"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["told"] = tell
    return environment.get_template("trial.html").render(
        settings=settings,
        tables={name: show_table(frame) for name, frame in analyses.tables.items() if name != "curves"},
        primary=[row for row in to_records(analyses.tables["rates"]) if row["primary"] == "Y"],
        estimands=show_estimands(estimands, settings),
        strategies=STRATEGIES,
        figures=figures,
        cells=group_cells(analyses.cells),
        subjects=list_subjects(trial.adam),
        run=next(iter(trial.admrd["RUNID"]), ""),
        version=next(iter(trial.admrd["PIPEVER"]), ""),
    )


def tell(value: Any) -> str:
    """A value of a table as a reader takes it in."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) >= 100 else f"{value:.4g}"
    return str(value)


def show_table(frame: pd.DataFrame) -> Line:
    """A table as names and rows; a row knows its cell and whether it is primary."""
    names = [n for n in frame.columns if n not in LINKED]
    return {"names": names, "rows": [{n: row.get(n) for n in (*names, *LINKED)} for row in to_records(frame)]}


def show_estimands(estimands: Estimands, settings: Settings) -> list[Line]:
    """The estimands as lines of a page, from the very config that drove the derivation."""
    told = estimands.model_dump(mode="json")
    rules: dict[str, dict[str, Any]] = {
        "conversion": {
            "rule": settings.conversion_rule,
            "window": f"{settings.window_days} days",
            "marrow blasts that show disease": f"{settings.blast_percent:g} % and more, within {settings.blast_days} days",
        },
        "response": {"criteria": settings.criteria},
    }
    return [
        {
            "name": name.replace("_", "-"),
            "events": _events(part.pop("events")),
            "parts": {n.replace("_", " "): _plain(v) for n, v in {**part, **rules.get(name, {})}.items()},
        }
        for name, part in told.items()
    ]


def _events(events: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (event.replace("_", " "), told["strategy"], "a marrow of that day counts" if told["day_counts"] else "")
        if isinstance(told, dict)
        else (event.replace("_", " "), told, "")
        for event, told in events.items()
    ]


def _plain(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def group_cells(cells: pd.DataFrame) -> list[Line]:
    """The records behind each cell: those counted, and the others of its total."""
    out: dict[str, Line] = {}
    for row in to_records(cells):
        told = out.setdefault(row["cell"], {"cell": row["cell"], "table": row["table"], "Y": [], "N": []})
        told[row["counted"]].append((row["subject"], f"{row['dataset'].upper()} {row['row']}"))
    return list(out.values())


def list_subjects(adam: Mapping[str, pd.DataFrame]) -> list[Line]:
    """Every subject with its records of each dataset and the source of each."""
    out: dict[str, Line] = {}
    for name, frame in adam.items():
        for number, row in enumerate(to_records(frame), 1):
            short = row["USUBJID"].removeprefix(f"{row['STUDYID']}-")
            own = out.setdefault(row["USUBJID"], {"id": short, "name": row["USUBJID"], "records": []})
            own["records"] += _told_records(name, number, row)
    return list(out.values())


SHOWN: Mapping[str, Sequence[str]] = {
    "adsl": ("DISENTRY", "TRTSDT", "CRDT", "RELDT", "DTHDT", "LSTALVDT"),
    "admrd": ("PARAMCD", "AVISIT", "ADT", "AVAL", "AVALC"),
    "adrs": ("PARAMCD", "ADT", "AVALC", "REASON"),
    "adtte": ("PARAMCD", "STARTDT", "ADT", "AVAL", "EVNTDESC"),
    "adae": ("AEDECOD", "AETOXGR", "ASTDT", "TRTEMFL"),
}
"""Variables that tell what a record says, by dataset."""
LISTED = ("MRDPCT", "MRDCLS", "MRDCLSRV", "MRDPCTRV", "MRDCONV", "MRDCONVR", "MRDNEGCR")


def _told_records(name: str, number: int, row: Line) -> Iterable[Line]:
    if name == "admrd" and row["PARAMCD"] not in LISTED:
        return
    told = [tell(row[n]) for n in SHOWN[name] if row[n] is not None]
    source = f"{row['SRCDOM']} {row['SRCSEQ']} ({row['SRCVAR']})"
    yield {"id": f"{name}-{number}", "record": f"{name.upper()} {number}", "told": " · ".join(told), "source": source}
