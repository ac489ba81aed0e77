"""A coherent mock trial of 42 subjects: calls, clinical tables, a plan for its tubes, and the known answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd

from mrd.core.contracts import ADVERSE_EVENTS, CALLS_TABLE, DISPOSITION, EXPOSURE, LABS, RESPONSES, SUBJECTS
from mrd.core.seeds import generator
from mrd.core.tables import Column, Table
from mrd.core.words import MARROW
from mrd.simulate.instruments import INSTRUMENTS
from mrd.simulate.kinds import KINDS, shows
from mrd.simulate.plan import PLAN
from mrd.simulate.stories import STORIES, Answers, Story

COPIES = 3
TIMES = ("os", "lfs", "neutdur", "pltdur")
FIRST_DAY = date(2024, 1, 8)
BLOOD = "peripheral blood"
PANEL = "aml-lyric-9"
Row = dict[str, Any]
OUTCOMES = {
    "heavy": ("positive", "N", 0.4, 224_000),
    "below": ("not-detected", "Y", 0.0, 40),
    "low": ("low-quantifiable", "Y", 0.0006, 330),
    "positive": ("positive", "N", 0.05, 28_000),
    "inadequate": ("indeterminate", None, 0.0002, 8),
    "background": ("indeterminate", None, 0.0015, 800),
}
"""Call, below, fraction, LAIP cells of each outcome."""
SHOWN: dict[str, Row] = {
    "CR": {"marrow_blasts": 2.0, "anc": 1.6, "platelets": 140.0},
    "CRi": {"marrow_blasts": 3.0, "anc": 1.3, "platelets": 70.0},
    "MLFS": {"marrow_blasts": 4.0, "anc": 0.4, "platelets": 30.0},
    "PR": {"marrow_blasts": 15.0, "anc": 1.2, "platelets": 110.0},
    "NR": {"marrow_blasts": 45.0, "anc": 0.3, "platelets": 25.0, "circulating": "Y"},
}
"""What an assessment shows; cells are counted, nothing circulates and nothing lies outside the marrow unless it says so."""
ANSWERS = Table(
    "answers",
    1,
    "subject of the mock trial",
    (
        Column("subject", "s", "subject", required=True),
        Column("story", "s", "what happened", required=True),
        *(Column(f"converted_{r}", "s", f"converted by rule {r}", required=True) for r in ("last", "any", "best", "worst")),
        Column("reason", "s", "why, by the primary rule", required=True),
        Column("bor", "s", "best overall response", required=True),
        Column("orr", "s", "responder inside two cycles", required=True),
        *(Column(f"{name}_{what}", "i", f"{what} of {name.upper()}") for name in TIMES for what in ("days", "cnsr")),
    ),
    key=("subject",),
)


@dataclass(frozen=True)
class Member:
    """One subject: its story, which copy of it, its first dose (planned where it was never given) and site."""

    subject: str
    story: Story
    copy: int
    start: date
    site: str

    def day(self, offset: int) -> str:
        """A day of the story as YYYY-MM-DD."""
        return (self.start + timedelta(days=offset)).isoformat()

    @property
    def dates(self) -> dict[str, int]:
        """Dates of the story; the follow-up of later copies is longer."""
        told = self.story.dates
        longer = self.story.stretch * self.copy
        return {name: offset + (longer if name in ("last-alive", "withdrawal") else 0) for name, offset in told.items()}

    @property
    def death(self) -> str | None:
        """Death as it is told: a day, a month, or none."""
        if self.story.death_month is None:
            return self.day(self.dates["death"]) if "death" in self.dates else None
        months = self.start.month - 1 + self.story.death_month
        return f"{self.start.year + months // 12}-{months % 12 + 1:02d}"


def simulate_trial(seed: int) -> dict[str, pd.DataFrame]:
    """Simulate the mock trial; the seed deals out names, sites and starts, and changes no answer but calendar days.

    Returns
    -------
    dict
        Tables calls, subjects, exposure, responses, labs, adverse_events, disposition, plan and answers.
    """
    members = draw_members(seed)
    rows = {name: [row for m in members for row in make(m)] for name, (make, _) in MAKERS.items()}
    rows["plan"] = [*_controls(), *rows["plan"]]
    frames = {name: table.frame(rows[name]) for name, (_, table) in MAKERS.items()}
    sites = pd.DataFrame([{"site": m.site, "age": str(45 + 2 * i % 40), "sex": "FM"[i % 2]} for i, m in enumerate(members)])
    return {**frames, "subjects": pd.concat([frames["subjects"], sites.astype("string")], axis=1)}


def draw_members(seed: int) -> list[Member]:
    """Deal the stories out to subjects P01 to P42."""
    rng = generator(seed, "simulate", "trial")
    dealt = rng.permutation([i for i in range(len(STORIES)) for _ in range(COPIES)])
    copies: dict[int, int] = {}
    members = []
    for number, which in enumerate(map(int, dealt), 1):
        copy = copies[which] = copies.get(which, -1) + 1
        start = FIRST_DAY + timedelta(days=int(rng.integers(0, 240)))
        members.append(Member(f"P{number:02d}", STORIES[which], copy, start, f"S{int(rng.integers(1, 6))}"))
    return members


def _subjects(m: Member) -> Iterator[Row]:
    yield {"subject": m.subject, "disease_at_entry": m.story.entry}


def _exposure(m: Member) -> Iterator[Row]:
    for cycle, start in enumerate(m.story.cycles, 1):
        end = start + 6
        yield {"subject": m.subject, "treatment": "induction", "cycle": cycle, "start": m.day(start), "end": m.day(end)}
    for name in ("consolidation", "transplant", "new-therapy"):
        if name in m.dates:
            yield {"subject": m.subject, "treatment": name, "start": m.day(m.dates[name])}


def _disposition(m: Member) -> Iterator[Row]:
    for name in ("relapse", "refractory", "withdrawal", "last-alive"):
        if name in m.dates:
            yield {"subject": m.subject, "event": name, "date": m.day(m.dates[name])}
    if m.death is not None:
        yield {"subject": m.subject, "event": "death", "date": m.death}


def _responses(m: Member) -> Iterator[Row]:
    head = {"subject": m.subject, "circulating": "N", "extramedullary": "N", "cells_counted": 300}
    yield head | {"assessed": m.day(-3), "marrow_blasts": 60.0, "circulating": "Y", "anc": 0.9, "platelets": 60.0}
    for offset, response in m.story.assessments:
        yield head | {"assessed": m.day(offset), "response": response} | SHOWN[response]


def _labs(m: Member) -> Iterator[Row]:
    for test, series in (("ANC", m.story.anc), ("PLT", m.story.platelets)):
        for offset, value in series:
            yield {"subject": m.subject, "test": test, "collected": m.day(offset), "value": value, "unit": "10^9/L"}
    for offset in m.story.transfusions:
        yield {"subject": m.subject, "test": "PLTTRANS", "collected": m.day(offset)}


def _adverse_events(m: Member) -> Iterator[Row]:
    if not m.story.treated:
        return
    told = [
        ("Nausea", "Gastrointestinal disorders", 1, -5),
        ("Febrile neutropenia", "Blood and lymphatic system disorders", 3, 10),
    ]
    told += [("Nausea", "Gastrointestinal disorders", 2, 3)] if m.copy == 0 else []
    told += [("Sepsis", "Infections and infestations", 5, m.dates["death"])] if m.dates.get("death", 99) < 30 else []
    for number, (term, system, grade, onset) in enumerate(told, 1):
        row = {"subject": m.subject, "sequence": number, "term": term, "system": system, "grade": grade}
        yield row | {"onset": m.day(onset), "serious": "Y" if grade > 3 else "N", "related": "Y"}


def _calls(m: Member) -> Iterator[Row]:
    for offset, outcome, kind in _specimens(m):
        call, below, fraction, found = OUTCOMES[outcome]
        leukocytes = 40_000 if outcome == "inadequate" else 560_000
        told_below = below if kind == MARROW or below == "N" else None
        yield {
            "subject": m.subject,
            "visit": _visit(offset, kind),
            "role": "diagnosis" if offset < 0 else "follow-up",
            "specimen": f"{m.subject}-{_visit(offset, kind)}",
            "specimen_type": kind,
            "collected": m.day(offset),
            "n_tubes": 1,
            "n_leukocytes": leukocytes,
            "n_blast": 60 if outcome == "inadequate" else 1_200,
            "n_laip": found,
            "laip_fraction": found / leukocytes,
            "laip_below": "Y" if 1000 * found < leukocytes else "N",
            "mrd_fraction": fraction,
            "lod": 20 / (0.9 * leukocytes),
            "lloq": 50 / (0.9 * leukocytes),
            "call": call,
            "below_threshold": told_below,
            "reason": "mock trial",
            "decide_on": "mrd_fraction",
            "threshold": 1e-3,
            "guideline": "ELN 2021",
            "panel": PANEL,
            "version": "mock",
        }


def _specimens(m: Member) -> list[tuple[int, str, str]]:
    story = m.story
    return [
        (-3, story.baseline, MARROW),
        *((offset, outcome, MARROW) for offset, outcome in story.marrows),
        *((offset, outcome, BLOOD) for offset, outcome in story.blood),
    ]


def _visit(offset: int, kind: str) -> str:
    return "DX" if offset < 0 else f"D{offset}{'' if kind == MARROW else 'B'}"


def _plan(m: Member) -> Iterator[Row]:
    """Plan a tube for each specimen, so that `mrd simulate --plan` can make the files behind the calls."""
    seen = sorted(n for n, kind in KINDS.items() if shows(kind, INSTRUMENTS[PANEL].markers))
    kind = seen[int(m.subject[1:]) % len(seen)]
    for offset, outcome, specimen in _specimens(m):
        visit = _visit(offset, specimen)
        yield {
            "subject": m.subject,
            "visit": visit,
            "role": "diagnosis" if offset < 0 else "follow-up",
            "tube": "T1",
            "specimen": f"{m.subject}-{visit}",
            "specimen_type": specimen,
            "collected": m.day(offset),
            "fcs": f"fcs/{m.subject}_{visit}_T1.fcs",
            "events": 20_000 if outcome == "inadequate" else 200_000,
            "burden": OUTCOMES[outcome][2],
            "laip": kind,
        }


def _controls() -> Iterator[Row]:
    """Plan the controls that the limits of the trial stand on."""
    for number in range(1, 9):
        name, kind = f"N{number:02d}", "regenerating" if number > 4 else "normal"
        row = {"subject": name, "visit": "V1", "role": "control", "control_kind": kind, "tube": "T1", "specimen": f"{name}-V1"}
        yield row | {
            "specimen_type": MARROW,
            "collected": FIRST_DAY.isoformat(),
            "fcs": f"fcs/{name}_V1_T1.fcs",
            "events": 200_000,
        }


def _answers(m: Member) -> Iterator[Row]:
    told = m.story.answers
    longer = m.story.stretch * m.copy
    times = [(_longer(days, longer if code == 1 and name in ("os", "lfs") else 0), code) for name, (days, code) in _named(told)]
    if m.death is not None and len(m.death) == 7:
        times[0] = ((date.fromisoformat(f"{m.death}-01") - m.start).days + 1, 0)
    rules = dict(zip(("last", "any", "best", "worst"), told.converted, strict=True))
    yield {
        "subject": m.subject,
        "story": m.story.name,
        **{f"converted_{rule}": value for rule, value in rules.items()},
        "reason": told.reason,
        "bor": told.best,
        "orr": told.responder,
        **{
            f"{name}_{what}": value
            for name, pair in zip(TIMES, times, strict=True)
            for what, value in zip(("days", "cnsr"), pair, strict=True)
        },
    }


def _named(told: Answers) -> list[tuple[str, tuple[int | None, int]]]:
    return list(zip(TIMES, told.times, strict=True))


def _longer(days: int | None, more: int) -> int | None:
    return None if days is None else days + more


MAKERS = {
    "calls": (_calls, CALLS_TABLE),
    "subjects": (_subjects, SUBJECTS),
    "exposure": (_exposure, EXPOSURE),
    "responses": (_responses, RESPONSES),
    "labs": (_labs, LABS),
    "adverse_events": (_adverse_events, ADVERSE_EVENTS),
    "disposition": (_disposition, DISPOSITION),
    "plan": (_plan, PLAN),
    "answers": (_answers, ANSWERS),
}
"""How each table is made of a subject, and its declaration."""
