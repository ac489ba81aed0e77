"""Gating steps of a visit side by side: diagnosis, this visit and controls; each picture is in the page once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mrd.report.acquired import acquired_plots
from mrd.report.drawn import Drawn
from mrd.report.evidence import Row, SubjectEvidence
from mrd.report.plots import View, control_name, plots_of, step_alt, tubes_drawn
from mrd.report.scatter import Plot
from mrd.report.vector import shown, symbol


@dataclass(frozen=True)
class Column:
    """One tube beside others: its heading, a line below it, and its pictures in the order of the view's steps."""

    title: str
    about: str
    pictures: tuple[str, ...]


@dataclass(frozen=True)
class Wall:
    """The columns of a tube's steps, and the titles of the rows."""

    rows: tuple[str, ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Gallery:
    """All pictures of a page: `symbols` to be put in once, and where each is used.

    shown : by tube or control, the gating steps · acquired : by tube, the way from events to cells
    """

    symbols: tuple[str, ...]
    shown: dict[str, tuple[str, ...]]
    acquired: dict[str, tuple[str, ...]]


def hang(evidence: SubjectEvidence, views: dict[str, View]) -> Gallery:
    """Draw every tube and control once."""
    symbols: list[str] = []
    places: dict[str, tuple[str, ...]] = {}
    for number, (key, drawn, view, what) in enumerate(_drawn(evidence, views)):
        mine = []
        for i, (step, plot) in enumerate(plots_of(drawn, view, view.steps)):
            name = f"plot-{number}-{i}"
            symbols.append(symbol(plot, name))
            mine.append(shown(name, step_alt(drawn, step, what)))
        places[key] = tuple(mine)
    acquired = {}
    for number, (tube, told) in enumerate(_acquired(evidence, views)):
        names = [f"events-{number}-{i}" for i in range(len(told))]
        symbols += [symbol(plot, name) for name, (_, plot) in zip(names, told, strict=True)]
        acquired[tube] = tuple(shown(name, f"{title} of {tube}.") for name, (title, _) in zip(names, told, strict=True))
    return Gallery(tuple(symbols), places, acquired)


def _acquired(evidence: SubjectEvidence, views: dict[str, View]) -> Iterator[tuple[str, list[tuple[str, Plot]]]]:
    """Yield each tube whose events are known with its plots."""
    for panel, view in views.items():
        for row, _ in tubes_drawn(evidence, panel):
            events = evidence.looks[row["tube_id"]].acquired
            if events is not None:
                yield row["tube_id"], list(acquired_plots(events, view.panel))


def _drawn(evidence: SubjectEvidence, views: dict[str, View]) -> Iterator[tuple[str, Drawn, View, str]]:
    """Yield key, cells, view and name of everything that is drawn."""
    for panel, view in views.items():
        for row, drawn in tubes_drawn(evidence, panel):
            yield row["tube_id"], drawn, view, f"{row['visit']}, tube {row['tube']}"
        for look in evidence.controls.get(panel, ()):
            yield control_key(panel, look.name), look.drawn, view, control_name(look)


def control_key(panel: str, name: str) -> str:
    """What tells a control of a panel from a tube and from the same control of another panel."""
    return f"{panel}\n{name}"


def wall_of(tube: Row, evidence: SubjectEvidence, views: dict[str, View], gallery: Gallery) -> Wall | None:
    """The steps of a tube beside its diagnosis tube and the controls; None where it has no cells."""
    if tube["tube_id"] not in gallery.shown:
        return None
    panel = str(tube["panel"])
    rows = [r for r, _ in tubes_drawn(evidence, panel)]
    first = [r for r in rows if r["role"] == "diagnosis" and r["visit"] != tube["visit"]]
    columns = [_column(r, evidence, gallery, "Diagnosis") for r in _nearest(first, tube)]
    columns.append(_column(tube, evidence, gallery, "This visit"))
    for look in evidence.controls.get(panel, ()):
        about = f"{look.name}: {found_line(look.drawn)}"
        columns.append(Column(f"{look.kind.capitalize()} control", about, gallery.shown[control_key(panel, look.name)]))
    return Wall(tuple(s.title for s in views[panel].steps), tuple(columns))


def _nearest(rows: Sequence[Row], tube: Row) -> list[Row]:
    """The diagnosis tube of the same name where there is one, else the first."""
    return [r for r in rows if r["tube"] == tube["tube"]][:1] or list(rows[:1])


def _column(row: Row, evidence: SubjectEvidence, gallery: Gallery, title: str) -> Column:
    drawn = evidence.looks[row["tube_id"]].drawn
    return Column(title, f"{row['visit']}, {row['tube']}: {found_line(drawn)}", gallery.shown[row["tube_id"]])


def found_line(drawn: Drawn) -> str:
    """How many cells were found."""
    if drawn.found is None:
        return "no arm looked"
    share = f", {100 * drawn.n_found_blast / drawn.n_found:.0f} % in the blast gate" if drawn.n_found else ""
    return f"{drawn.n_found:,} found{share}"
