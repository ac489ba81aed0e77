"""The plan of a synthetic cohort: a sample sheet with what only the simulator reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from mrd.core.contracts import SAMPLES
from mrd.core.errors import SheetError
from mrd.core.tables import Column, Table
from mrd.core.words import MARROW
from mrd.simulate.artefacts import SWITCH, Befallen, artefact_problems, read_artefacts, split_list
from mrd.simulate.instruments import INSTRUMENTS
from mrd.simulate.kinds import KINDS, Kind, find_kind, shows

C = Column
PLAN = Table(
    "plan",
    1,
    "tube to simulate",
    (
        *SAMPLES.columns,
        C("events", "i", "events in the file", required=True, low=1, high=20_000_000),
        C("burden", "f", "expected leukaemic cells per leukocyte of the marrow; empty = 0", "1", low=0, high=1),
        C("laip", "s", "kinds of LAIP of the subject's leukaemia, `;`-separated"),
        C("artefacts", "s", "what befalls the tube, `;`-separated, as name or name=number"),
    ),
    key=SAMPLES.key,
    open=True,
)
"""`panel` is read where it stands; every other column passes through."""
SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]*")
"""What an id may look like: files are named after it."""


@dataclass(frozen=True)
class TubePlan:
    """One row of a plan, read."""

    subject: str
    visit: str
    tube: str
    role: str
    control_kind: str
    blood: bool
    panel: str
    fcs: str
    events: int
    burden: float
    laip: str
    artefacts: str

    @property
    def tube_id(self) -> str:
        """The tube's name in every table."""
        return f"{self.subject}_{self.visit}_{self.tube}"

    @property
    def befallen(self) -> Befallen:
        """The artefacts, read."""
        return read_artefacts(self.artefacts)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The LAIP kinds of this tube's leukaemia: the subject's, or the one its clone switched to."""
        switched = self.befallen.switch
        return (switched,) if switched else tuple(k for k in map(find_kind, split_list(self.laip)) if k)


def read_plan(frame: pd.DataFrame, *, panel: str, where: str) -> list[TubePlan]:
    """Read the tubes of a plan, in its order.

    Parameters
    ----------
    frame : the plan as text · panel : of rows that name none.

    Raises
    ------
    SheetError
        The plan breaks its declaration, or asks for what cannot be simulated; every problem is listed.
    """
    problems = PLAN.problems(frame) or list(_plan_problems(tubes := _read_rows(frame, panel)))
    if problems:
        raise SheetError("; ".join(problems), where=where, fix="correct the plan")
    return tubes


def choose_tubes(tubes: list[TubePlan], ids: list[str] | None) -> list[TubePlan]:
    """Choose the tubes of some ids, all where none are given.

    Raises
    ------
    SheetError
        The plan has no tube of an id.
    """
    absent = sorted(set(ids or []) - {t.tube_id for t in tubes})
    if absent:
        raise SheetError(f"the plan has no tube {', '.join(absent)}", where="--tubes", fix="an id is subject_visit_tube")
    return [t for t in tubes if not ids or t.tube_id in ids]


def _read_rows(frame: pd.DataFrame, panel: str) -> list[TubePlan]:
    names = ("subject", "visit", "tube", "role", "control_kind", "fcs", "laip", "artefacts")
    rows = frame.fillna("").to_dict("records")
    return [
        TubePlan(
            **{n: str(row[n]) for n in names},
            blood=row["specimen_type"] != MARROW,
            panel=str(row.get("panel") or panel),
            events=int(row["events"]),
            burden=float(row["burden"] or 0),
        )
        for row in rows
    ]


def _plan_problems(tubes: list[TubePlan]) -> Iterator[str]:
    for tube in tubes:
        yield from (f"{tube.tube_id}: {problem}" for problem in _tube_problems(tube))
    if all(not list(_tube_problems(t)) for t in tubes):
        yield from _kind_problems(tubes)
    for told in ([t.fcs for t in tubes], [t.tube_id for t in tubes]):
        yield from (f"{name} stands for more than one tube" for name in sorted({n for n in told if told.count(n) > 1}))


def _tube_problems(tube: TubePlan) -> Iterator[str]:
    if not all(SAFE.fullmatch(word) for word in (tube.subject, tube.visit, tube.tube)):
        yield "subject, visit and tube may hold only letters, digits, dots, dashes and underscores"
    if tube.panel not in INSTRUMENTS:
        yield f"panel {tube.panel} cannot be simulated; there are {', '.join(INSTRUMENTS)}"
    for name in split_list(tube.laip):
        if find_kind(name) is None:
            yield f"{name} is no LAIP kind; there are {', '.join(KINDS)}"
    yield from artefact_problems(tube.artefacts)
    if tube.burden > 0 and not tube.laip and f"{SWITCH}=" not in tube.artefacts:
        yield "a burden without a LAIP kind"


def _kind_problems(tubes: list[TubePlan]) -> Iterator[str]:
    for subject in dict.fromkeys(t.subject for t in tubes):
        told = {t.laip for t in tubes if t.subject == subject and t.laip}
        if len(told) > 1:
            yield f"{subject} has LAIPs {' and '.join(sorted(told))}; a subject has one, a new clone is artefact {SWITCH}=KIND"
    for subject, visit in dict.fromkeys((t.subject, t.visit) for t in tubes):
        together = [t for t in tubes if (t.subject, t.visit) == (subject, visit)]
        markers = [INSTRUMENTS[t.panel].markers for t in together]
        for kind in {k.name: k for t in together for k in t.kinds}.values():
            if not any(shows(kind, m) for m in markers):
                needs = " and ".join(kind.levels)
                yield f"{subject} {visit}: no tube shows LAIP {kind.name}, which takes {needs}; {_panels_with(kind)}"


def _panels_with(kind: Kind) -> str:
    able = [name for name, instrument in INSTRUMENTS.items() if shows(kind, instrument.markers)]
    return f"add a tube of {' or '.join(able)}" if able else "no panel that can be simulated has it"
