"""Response of each assessment by a criteria set, and the best one of a subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from mrd.core.estimand import ResponseEstimand
from mrd.endpoint.clinical import Row
from mrd.endpoint.facts import FIRST_DOSE, REMISSIONS, Facts


@dataclass(frozen=True)
class Criteria:
    """A criteria set of response (Doehner et al., Blood 2022;140:1345, table 8).

    blasts : marrow blasts (%) under which a marrow is free of leukaemia
    anc, platelets : counts (10^9/L) of a full recovery
    partial : counts of a partial recovery (CRh), where the trial uses it
    partial_blasts, fall : the most blasts (%) of a partial remission, and the least fall from baseline
    cells, cellularity : a marrow with this many counted cells, or this cellularity (%), is not merely aplastic
    """

    name: str
    blasts: float = 5.0
    anc: float = 1.0
    platelets: float = 100.0
    partial: tuple[float, float] | None = None
    partial_blasts: float = 25.0
    fall: float = 0.5
    cells: int = 200
    cellularity: float = 10.0


CRITERIA = {
    "ELN 2022": Criteria("ELN 2022"),
    "ELN 2022 with CRh": Criteria("ELN 2022 with CRh", partial=(0.5, 50.0)),
}
RANK = ("CR", "CRh", "CRi", "MLFS", "PR", "NR", "RELAPSE", "NE")
"""Responses, the best first."""
Judged = tuple[str, str]
"""A response and the sentence that decided it."""


@dataclass(frozen=True)
class Assessment:
    """One row of responses: the response by the criteria with its reason, and the investigator's where there is one."""

    row: Row
    day: date
    response: str
    reason: str
    told: str | None

    def judged(self, by: str) -> str:
        """The response as the criteria or as the investigator has it; NE where the investigator gave none."""
        return self.response if by == "criteria" else self.told or "NE"


def classify_response(row: Row, criteria: Criteria, *, baseline: float | None, remission: bool) -> Judged:
    """Classify one assessment; what cannot be told is NE, never a guess.

    Parameters
    ----------
    baseline : marrow blasts (%) before treatment; None where they are not known.
    remission : whether a CR, CRh or CRi came before.
    """
    blasts, outside = row["marrow_blasts"], "Y" in (row["circulating"], row["extramedullary"])
    if remission and (outside or (blasts is not None and blasts >= criteria.blasts)):
        return "RELAPSE", "disease again after remission"
    if blasts is None:
        return "NE", "no marrow blasts"
    if outside:
        return "NR", "blasts in the blood or disease outside the marrow"
    if blasts >= criteria.blasts:
        return _classify_blasts(row, criteria, baseline)
    if None in (row["circulating"], row["extramedullary"]):
        return "NE", "blood blasts or disease outside the marrow not told"
    return _classify_recovery(row, criteria)


def _recovered(row: Row, criteria: Criteria) -> tuple[bool | None, bool | None]:
    anc, platelets = row["anc"], row["platelets"]
    return None if anc is None else anc >= criteria.anc, None if platelets is None else platelets >= criteria.platelets


def _classify_blasts(row: Row, criteria: Criteria, baseline: float | None) -> Judged:
    blasts, counts = row["marrow_blasts"], _recovered(row, criteria)
    if blasts > criteria.partial_blasts:
        return "NR", "blasts over those of a partial remission"
    if False in counts:
        return "NR", "blasts not cleared and counts not recovered"
    if baseline is not None and blasts > (1 - criteria.fall) * baseline:
        return "NR", "blasts fell too little"
    if baseline is None or None in counts:
        return "NE", "baseline blasts or counts not told"
    return "PR", "blasts halved, counts recovered"


def _classify_recovery(row: Row, criteria: Criteria) -> Judged:
    counts = _recovered(row, criteria)
    if None in counts:
        return "NE", "marrow cleared, counts not told"
    if all(counts):
        return "CR", "marrow cleared, both counts recovered"
    if criteria.partial and row["anc"] >= criteria.partial[0] and row["platelets"] >= criteria.partial[1]:
        return "CRh", "marrow cleared, both counts partly recovered"
    if any(counts):
        return "CRi", "marrow cleared, one count recovered"
    return _classify_marrow(row, criteria)


def _classify_marrow(row: Row, criteria: Criteria) -> Judged:
    """Tell a marrow without leukaemia from one that is merely aplastic."""
    cells, cellularity = row["cells_counted"], row["cellularity"]
    if (cells is not None and cells >= criteria.cells) or (cellularity is not None and cellularity >= criteria.cellularity):
        return "MLFS", "marrow cleared, no count recovered"
    if cells is None and cellularity is None:
        return "NE", "no count recovered, cells of the marrow not told"
    return "NE", "no count recovered, aplastic marrow"


def assess(rows: Sequence[Row], facts: Facts, criteria: Criteria) -> tuple[Assessment, ...]:
    """Classify the assessments of one subject in the order of time."""
    start, stated = facts.get(FIRST_DOSE), facts.get("cr_date")
    baseline = _baseline(rows, None if start is None else start.day)
    remission, out = False, []
    for row in sorted(rows, key=lambda r: str(r["assessed"])):
        day = date.fromisoformat(row["assessed"])
        after = start is not None and day > start.day
        known = remission or (stated is not None and day > stated.day)
        response, reason = classify_response(row, criteria, baseline=baseline, remission=after and known)
        remission = after and (remission or response in REMISSIONS)
        out.append(Assessment(row, day, response, reason, row["response"]))
    return tuple(out)


def _baseline(rows: Sequence[Row], start: date | None) -> float | None:
    before = [
        (str(r["assessed"]), float(r["marrow_blasts"]))
        for r in rows
        if r["marrow_blasts"] is not None and (start is None or date.fromisoformat(r["assessed"]) <= start)
    ]
    return max(before)[1] if before else None


def find_response_end(estimand: ResponseEstimand, facts: Facts, exposure: Sequence[Row]) -> date | None:
    """Find the last day of the cycles a response may be reached in.

    The next cycle's start closes them (that day counts: a marrow is drawn before the dose); where no later cycle is told,
    the last told one lasts its nominal days. None without a first dose.
    """
    start = facts.get(FIRST_DOSE)
    if start is None:
        return None
    days = sorted({start.day, *(date.fromisoformat(r["start"]) for r in exposure if r["treatment"] == "induction")})
    days = [d for d in days if d >= start.day]
    if len(days) > estimand.cycles:
        return days[estimand.cycles]
    return days[-1] + timedelta(days=estimand.cycle_days * (estimand.cycles - len(days) + 1))


def find_closing(estimand: ResponseEstimand, facts: Facts) -> date | None:
    """Find the first event after which an assessment does not count any more."""
    days = [facts[n].day for n, strategy in estimand.events.items() if strategy != "treatment-policy" and n in facts]
    return min(days, default=None)


def find_best(assessments: Sequence[Assessment], by: str) -> Assessment | None:
    """Find the best assessment, the first of equals; None where there is none."""
    return min(assessments, key=lambda a: (RANK.index(a.judged(by)), a.day), default=None)


def choose_counting(
    assessments: Sequence[Assessment], estimand: ResponseEstimand, facts: Facts, *, end: date | None
) -> tuple[Assessment, ...]:
    """Choose the assessments that count: after the first dose, up to `end`, before the first closing event."""
    start, closing, death = facts.get(FIRST_DOSE), find_closing(estimand, facts), facts.get("death")
    if start is None:
        return ()
    return tuple(
        a
        for a in assessments
        if a.day > start.day
        and (end is None or a.day <= end)
        and (closing is None or a.day < closing or (death is not None and a.day == closing == death.day))
    )
