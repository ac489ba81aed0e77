"""`mrd call`: what was counted to one call per subject and visit, with every arm, limit and gate count beside it."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mrd import __version__
from mrd.cli.run_options import add_run_options, start_run
from mrd.core import words
from mrd.core.contracts import ARMS_TABLE, BURDENS, CALLS_TABLE, CLUSTERS, LAIPS, LIMITS, QC, SHARED, SPECIMENS, TUBES
from mrd.core.settings import Settings
from mrd.core.tables import records
from mrd.files.layout import reference_folder, reference_path, shared_path
from mrd.files.ledger import record_path
from mrd.files.lock import lock_folder
from mrd.files.tables import read_table, read_together, write_table
from mrd.quantify.blanks import Blanks
from mrd.quantify.burden import Recall
from mrd.quantify.combine import combine, combined_flags, heard, reaching
from mrd.quantify.shared import CHANGED, Shared, all_shared, levels, shared_populations
from mrd.quantify.visit import (
    Counted,
    Judged,
    arm_row,
    call_row,
    decision_columns,
    doubt,
    judge_visit,
    not_evaluable,
    pool,
    unasked,
    visit_flags,
    withhold,
)

log = logging.getLogger(__name__)
Whose = tuple[str, str, str]
SIZES = ["n_events", "n_cells", "n_leukocytes", "n_blast", "panel"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_run_options(parser)
    for name, meaning in (
        ("tubes", "prepared tubes"),
        ("qc", "gate counts"),
        ("laips", "LAIPs"),
        ("limits", "controls counted"),
        ("burdens", "counts"),
        ("clusters", "populations found"),
    ):
        parser.add_argument(f"--{name}", type=Path, nargs="+", required=True, help=f"tables of {meaning}")


@dataclass(frozen=True)
class Evidence:
    """All tables that calls are made from.

    shared : populations that most subjects share · of_others : they are those of another run, which came with its reference
    set_aside : by tube, the followed cells that lie in such a one
    """

    tubes: pd.DataFrame
    laips: pd.DataFrame
    limits: pd.DataFrame
    burdens: pd.DataFrame
    clusters: pd.DataFrame
    shared: Sequence[Shared] = ()
    of_others: bool = False
    set_aside: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def limits_of(self) -> dict[Whose, pd.DataFrame]:
        """Rows of `limits` by subject, panel and arm."""
        return {(str(s), str(p), str(a)): mine for (s, p, a), mine in self.limits.groupby(["subject", "panel", "arm"])}

    @cached_property
    def laip_of(self) -> dict[Whose, dict[str, Any]]:
        """The row of `laips` by subject, panel and arm."""
        return {(r["subject"], r["panel"], r["arm"]): r for r in records(self.laips)}


def run(options: argparse.Namespace) -> None:
    """Write calls, arms, limits and qc tables."""
    job = start_run(options)
    named = {"tubes": TUBES, "laips": LAIPS, "limits": LIMITS, "burdens": BURDENS, "clusters": CLUSTERS}
    qc = read_together(options.qc, QC)
    found = {n: read_together(getattr(options, n), t) for n, t in named.items()}
    patients = found["tubes"][found["tubes"]["role"] != "control"]
    folder = reference_folder(job.results, job.settings.reference)
    shared = frozen_shared(folder) if job.settings.reference else shared_by_most(found["clusters"], patients)
    found["clusters"], set_aside = part_shared(found["clusters"], shared)
    others = bool(job.settings.reference) and not is_own(job.results, folder)
    evidence = Evidence(**found, shared=shared, of_others=others, set_aside=set_aside)
    judged = [call_visit(visit, evidence, job.settings) for _, visit in patients.groupby(["subject", "visit"], sort=True)]
    calls = [{**row, "reference": _reference(folder, row.get("panel"))} for row, _ in judged]
    write_table(job.results / "arms.tsv", ARMS_TABLE.frame([a for _, arms in judged for a in arms]), ARMS_TABLE)
    write_table(job.results / "limits.tsv", evidence.limits, LIMITS)
    write_table(job.results / "clusters.tsv", evidence.clusters, CLUSTERS)
    write_table(job.results / "shared.tsv", SHARED.frame([asdict(s) for s in shared]), SHARED)
    write_table(job.results / "qc.tsv", qc, QC)
    write_table(job.results / "specimens.tsv", SPECIMENS.frame(calls), SPECIMENS)
    write_table(job.results / "calls.tsv", CALLS_TABLE.frame(calls), CALLS_TABLE)


def frozen_shared(folder: Path) -> list[Shared]:
    """What most subjects shared when the reference was frozen: with it no call hangs on other subjects of this run."""
    path = shared_path(folder)
    if not path.is_file():
        log.warning("call: no table of what most subjects share beside the reference (%s): nothing is taken for shared", path)
        return []
    return [Shared(**r) for r in records(read_table(path, SHARED))]


def is_own(results: Path, folder: Path) -> bool:
    """Whether a reference is this run's own, or that of its lock."""
    own = (results / "reference", lock_folder(results) / "reference")
    return folder.resolve() in [p.resolve() for p in own]


def shared_by_most(clusters: pd.DataFrame, patients: pd.DataFrame) -> list[Shared]:
    """Populations that most subjects of the run share, of those with a follow-up that could be looked at."""
    searched = patients[patients["role"].ne("diagnosis") & patients["outcome"].eq(words.OK)]
    return shared_populations(different(clusters, patients), int(searched["subject"].nunique()))


def different(clusters: pd.DataFrame, tubes: pd.DataFrame) -> list[tuple[str, str]]:
    """Subject and phenotype of every population that the search found; what was followed is known from it already.

    At diagnosis it is the leukaemia that differs, and leukaemias may be alike. So it is with what has changed between visits:
    what a person has for normal marrow is there at every one.
    """
    diagnosis = tubes.loc[tubes["role"].eq("diagnosis"), "tube_id"]
    mine = clusters[clusters["arm"].eq("dfn") & ~clusters["tube_id"].isin(diagnosis) & ~clusters["change"].ge(CHANGED)]
    return list(zip(mine["subject"], mine["phenotype"], strict=True))


def part_shared(clusters: pd.DataFrame, shared: Sequence[Shared]) -> tuple[pd.DataFrame, dict[str, int]]:
    """The populations without those of followed LAIPs that most subjects share, and by tube the cells of these: not counted."""
    aside = clusters["arm"].eq("laip") & clusters["phenotype"].map(lambda p: all_shared([p], shared)).astype(bool)
    cells = clusters[aside].groupby("tube_id")["n_cells"].sum()
    return clusters[~aside], {str(tube): int(n) for tube, n in cells.items()}


def call_visit(visit: pd.DataFrame, evidence: Evidence, settings: Settings) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The calls row of one visit, and its arms rows."""
    head = visit_head(visit, settings)
    who = {"subject": head["subject"], "visit": head["visit"]}
    counted, idle = count_visit(visit, evidence)
    failed = visit[visit["outcome"] != words.OK]
    flags = [f for text in visit["flags"].dropna() for f in words.split_flags(text)]
    flags += ["tube-failed"] if len(failed) else []
    flags += ["in-sample"] if is_in_sample(visit, evidence) else []
    purity = purity_of(visit, evidence)
    head |= {**purity, "storage_days": storage_days(visit), "stains_lost": stains_lost(visit, evidence)}
    flags += specimen_flags(head, settings)
    judged = judge_visit(pool(counted), settings, marrow=head["specimen_type"] == words.MARROW)
    shared = [j for j in judged if j.counted.arm == "dfn" and found_shared(j, evidence)]
    asked = heard(judged, shared, settings, of_others=evidence.of_others)
    combined = combine(asked, settings)
    flags += [f for r in idle for f in words.split_flags(r["flags"])]
    if combined is None:
        row = unjudged(visit, failed, idle)
        arms = [{**who, **arm_row(j, decided=False, decision=None, settings=settings)} for j in judged]
        return {**head, **row, "flags": words.join_flags(flags)}, [*arms, *({**who, **_idle(r)} for r in idle)]
    deciding, decision = combined[0], withhold(combined[1], uncounted(visit, judged, evidence))
    decision = unasked(doubt(decision, shared=deciding in shared), shared=any(j not in asked for j in shared))
    flags += ["shared-population"] if shared else []
    arms = [{**who, **arm_row(j, decided=j is deciding, decision=decision, settings=settings)} for j in judged] + [
        {**who, **_idle(r)} for r in idle
    ]
    shown = reaching(asked, deciding, decision, settings)
    row = {**call_row(*shown, settings), "laip": _laip_of(deciding, head["subject"], evidence)}
    told = [*visit_flags(*shown, settings), *combined_flags(judged, deciding, decision, settings)]
    return {**head, **row, "flags": words.join_flags(flags, told)}, arms


def is_in_sample(visit: pd.DataFrame, evidence: Evidence) -> bool:
    """Whether a tube of the visit taught the LAIP that is counted in it; one of a follow-up is not counted where it was found."""
    taught = evidence.laips[evidence.laips["outcome"].eq(words.OK)]
    return bool(visit["role"].eq("diagnosis").any() and visit["tube_id"].isin(taught["tube_id"]).any())


def found_shared(judged: Judged, evidence: Evidence) -> bool:
    """Whether the search found, in the tubes that were judged, only what most subjects share; what has changed is not."""
    mine = evidence.clusters["tube_id"].isin(judged.counted.tubes) & evidence.clusters["arm"].eq("dfn")
    found = evidence.clusters[mine]
    return not found["change"].ge(CHANGED).any() and all_shared(list(found["phenotype"]), evidence.shared)


def visit_head(visit: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    """What a calls row says of its visit whatever was found."""
    first = visit.iloc[0]
    return {
        **{n: first[n] for n in ("subject", "visit", "role", "specimen", "specimen_type", "collected")},
        "n_tubes": int(visit["outcome"].eq(words.OK).sum()),
        "decide_on": settings.decide_on,
        "threshold": settings.threshold,
        "guideline": settings.guideline,
        "version": __version__,
    }


def purity_of(visit: pd.DataFrame, evidence: Evidence) -> dict[str, Any]:
    """The least marrow share of the visit's tubes, by blood counts where they tell any, and how it was told."""
    mine = evidence.burdens[evidence.burdens["tube_id"].isin(visit["tube_id"])]
    told = mine.reindex(columns=["purity", "purity_method"]).dropna()
    counted = told[told["purity_method"].eq(words.HOLDRINET)]
    rows = records((counted if len(counted) else told).sort_values("purity").head(1))
    return rows[0] if rows else {"purity": None, "purity_method": None}


def storage_days(visit: pd.DataFrame) -> int | None:
    """Days from the draw to receipt of the latest tube; None where no receipt is told."""
    if "received" not in visit or visit["received"].isna().all():
        return None
    days = pd.to_datetime(visit["received"]) - pd.to_datetime(visit["collected"])
    return int(days.max().days)


def stains_lost(visit: pd.DataFrame, evidence: Evidence) -> str | None:
    """Markers whose stain may have failed in any of the visit's tubes."""
    mine = evidence.burdens[evidence.burdens["tube_id"].isin(visit["tube_id"])].reindex(columns=["lost"])["lost"].dropna()
    return ";".join(sorted({marker for text in mine for marker in text.split(";")})) or None


def specimen_flags(head: dict[str, Any], settings: Settings) -> list[str]:
    """What purity and age of the specimen say."""
    diluted = head["purity"] is not None and head["purity"] < settings.purity_least
    old = head["storage_days"] is not None and head["storage_days"] > settings.old_days
    return (["hemodiluted"] if diluted else []) + (["old-specimen"] if old else [])


def count_visit(visit: pd.DataFrame, evidence: Evidence) -> tuple[list[Counted], list[dict[str, Any]]]:
    """What each arm counted in the visit's tubes, and the arms that did not apply."""
    rows = records(visit.merge(evidence.burdens, on="tube_id", suffixes=("", "_arm")))
    counted = [counted_of(r, evidence) for r in rows if r["outcome_arm"] == words.OK]
    idle = [{**r, "reason": r["reason_arm"], "flags": r["flags_arm"]} for r in rows if r["outcome_arm"] != words.OK]
    return counted, idle


def counted_of(row: dict[str, Any], evidence: Evidence) -> Counted:
    """One arm's count in one tube, with the blanks and recall behind it."""
    mine = evidence.limits_of.get((row["subject"], row["panel"], row["arm"]), evidence.limits.head(0))
    mine = mine[mine["tube_id"].isna() | mine["tube_id"].eq(row["tube_id"])]
    blanks = Blanks(
        mine["n_found"].to_numpy(dtype=np.int64), mine["n_leukocytes"].to_numpy(dtype=np.int64), tuple(mine["control_kind"])
    )
    laip = evidence.laip_of.get((row["subject"], row["panel"], row["arm"]))
    aside = evidence.set_aside.get(row["tube_id"], 0) if row["arm"] == "laip" else 0
    told = ["shared-population"] if aside else []
    return Counted(
        tubes=(row["tube_id"],),
        panel=row["panel"],
        arm=row["arm"],
        n_events=int(row["n_events"]),
        n_cells=int(row["n_cells"]),
        n_leukocytes=int(row["n_leukocytes_arm"]),
        n_blast=int(row["n_blast"]),
        found=max(int(row["n_found"]) - aside, 0),
        recall=Recall(float(row["recall"]), float(row["recall_se"])),
        blanks=blanks,
        flags=tuple(words.split_flags(row["flags_arm"]) + (words.split_flags(laip["flags"]) if laip else []) + told),
        least_lod=0.0 if pd.isna(row["least_lod"]) else float(row["least_lod"]),
        own=bool(mine["tube_id"].notna().any()),
        blind=laip is not None and shows_by(laip["phenotype"], row.get("lost")),
    )


def shows_by(laip: str | None, lost: str | None) -> bool:
    """Whether a LAIP's phenotype shows a marker whose stain may have failed: its cells then look normal."""
    if pd.isna(laip) or pd.isna(lost):
        return False
    told = levels(str(laip))
    return any(told.get(marker.replace("-", ""), 0) > 0 for marker in str(lost).split(";"))


def uncounted(visit: pd.DataFrame, judged: Sequence[Judged], evidence: Evidence) -> list[str]:
    """Panels of the visit that carry a LAIP of the subject and in which it could not be counted."""
    known = evidence.laips[evidence.laips["subject"].eq(visit["subject"].iloc[0]) & evidence.laips["outcome"].eq(words.OK)]
    carry = known[known["arm"].isin(["laip", "drawn"]) & known["panel"].isin(visit["panel"])]
    counted = {j.counted.panel for j in judged if j.counted.arm in ("laip", "drawn")}
    return sorted(set(carry["panel"]) - counted)


def unjudged(visit: pd.DataFrame, failed: pd.DataFrame, idle: list[dict[str, Any]]) -> dict[str, Any]:
    """The columns of a visit in which nothing could be counted, with the first reason there is."""
    reasons = [*failed["reason"].dropna(), *(r["reason"] for r in idle)]
    sizes = records(visit[visit["n_leukocytes"].notna()].sort_values("n_leukocytes").tail(1)[SIZES])
    return {**(sizes[0] if sizes else {}), **decision_columns(not_evaluable(str(reasons[0]) if reasons else "no arm applies"))}


def _idle(row: dict[str, Any]) -> dict[str, Any]:
    return {"tubes": row["tube_id"], "panel": row["panel"], "arm": row["arm"], "outcome": words.FAILED, "reason": row["reason"]}


def _laip_of(judged: Judged, subject: str, evidence: Evidence) -> str | None:
    told = evidence.laip_of.get((subject, judged.counted.panel, judged.counted.arm))
    return str(told["artefact"]) if told else None


def _reference(folder: Path, panel: str | None) -> str | None:
    if panel is None or pd.isna(panel):
        return None
    path = record_path(reference_path(folder, panel))
    return str(json.loads(path.read_text())["artefact"]) if path.is_file() else None
