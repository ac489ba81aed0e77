"""Pages and laboratory reports of a batch of subjects; its own module, since what draws cells takes seconds to load."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mrd.cli.looks import controls_of, look_at, panel_of
from mrd.cli.run_options import Run
from mrd.core.contracts import ARMS_TABLE, BURDENS, CLUSTERS, LAIPS, LIMITS, PAGES, QC, TUBES
from mrd.core.digest import digest_file, digest_json
from mrd.core.progress import follow
from mrd.core.provenance import provenance
from mrd.core.settings import stage_settings
from mrd.core.tables import records
from mrd.files.atomic import write_bytes, write_text
from mrd.files.calls import read_calls
from mrd.files.clinical import read_subjects
from mrd.files.layout import (
    detect_tables,
    lab_report_path,
    laip_tables,
    pages_table,
    prepare_tables,
    reference_folder,
    reference_path,
    result_table,
    subject_page_path,
)
from mrd.files.ledger import recorded, remember, remembered
from mrd.files.tables import read_table, write_table
from mrd.report.evidence import SubjectEvidence
from mrd.report.pages import templates_digest
from mrd.report.subject_pages import render_lab, render_subject

log = logging.getLogger(__name__)
STAGES = ("prepare", "call", "endpoint", "report")
"""Stages whose settings a subject's page depends on."""


@dataclass(frozen=True)
class Told:
    """The tables of a batch, of the run, and the clinical table where there is one."""

    calls: pd.DataFrame
    arms: pd.DataFrame
    limits: pd.DataFrame
    qc: pd.DataFrame
    tubes: pd.DataFrame
    laips: pd.DataFrame
    burdens: pd.DataFrame
    clusters: pd.DataFrame
    clinical: pd.DataFrame | None


def write_pages(job: Run, batch: str) -> None:
    """Write the pages of a batch and their table."""
    subjects = [str(s) for s in job.batch(batch)["subject"].unique()]
    told = gather_batch(job, batch)
    rows = [{"subject": s, **page_record(job, told, s)} for s in follow(subjects, "report")]
    write_table(pages_table(job.results, batch), PAGES.frame(rows), PAGES)


def gather_batch(job: Run, batch: str) -> Told:
    """The tables that the pages of a batch are made from."""
    tubes, qc = prepare_tables(job.results, batch)
    laips, limits = laip_tables(job.results, batch)
    burdens, _, clusters = detect_tables(job.results, batch)
    return Told(
        calls=read_calls(result_table(job.results, "calls")),
        arms=read_table(result_table(job.results, "arms"), ARMS_TABLE),
        limits=read_table(limits, LIMITS),
        qc=read_table(qc, QC),
        tubes=read_table(tubes, TUBES),
        laips=read_table(laips, LAIPS),
        burdens=read_table(burdens, BURDENS),
        clusters=read_table(clusters, CLUSTERS),
        clinical=read_subjects(Path(job.settings.subjects)) if job.settings.subjects else None,
    )


def subject_rows(told: Told, subject: str) -> Told:
    """The rows of one subject."""
    tubes = told.tubes[told.tubes["subject"] == subject]
    own = {n: _of(getattr(told, n), "subject", [subject]) for n in ("calls", "arms", "limits", "laips", "clusters")}
    mine = {n: _of(getattr(told, n), "tube_id", list(tubes["tube_id"])) for n in ("qc", "burdens")}
    clinical = None if told.clinical is None else _of(told.clinical, "subject", [subject])
    known = None if clinical is None or clinical.empty else clinical
    return Told(tubes=tubes, clinical=known, **own, **mine)


def _of(frame: pd.DataFrame, column: str, values: list[str]) -> pd.DataFrame:
    return frame[frame[column].isin(values)]


def page_record(job: Run, told: Told, subject: str) -> dict[str, Any]:
    """Digests of a subject's page: remembered where nothing it shows changed, else drawn anew."""
    path, mine = subject_page_path(job.results, subject), subject_rows(told, subject)
    inputs = page_inputs(job, mine, subject)
    record, lab = remembered(path, inputs), lab_report_path(job.results, subject)
    if record is None or not lab.is_file() or record["pdf"] != digest_file(lab):
        log.info("report %s", subject)
        evidence = gather_subject(job, mine, subject)
        write_bytes(lab, render_lab(evidence))
        write_text(path, render_subject(evidence))
        record = remember(path, inputs, {"subject": subject, "pdf": digest_file(lab)})
    return {n: record[n] for n in ("inputs", "artefact")}


def page_inputs(job: Run, mine: Told, subject: str) -> str:
    """Digest of all that a page shows; cells and scores enter by the digests that stand in the tables."""
    frames = {n: frame.to_csv(sep="\t", index=False) for n, frame in vars(mine).items() if frame is not None}
    panels = {str(p): digest_json(panel_of(str(p)).model_dump()) for p in mine.tubes["panel"].unique()}
    settings = {**stage_settings(job.settings, *STAGES), "seed": job.settings.seed}
    received = {"received": digest_json(received_days(job, subject))}
    inputs = {**frames, **panels, **reference_digests(job, list(panels)), **received, "templates": templates_digest()}
    told = provenance("report", inputs=inputs, settings=settings)
    return digest_json(told)


def reference_digests(job: Run, panels: list[str]) -> dict[str, str]:
    """Digest of each panel's reference, with which the control cells lie; `none` where there is none."""
    folder = reference_folder(job.results, job.settings.reference)
    records = {f"reference {p}": recorded(reference_path(folder, p)) for p in panels}
    return {name: str(record["artefact"]) if record else "none" for name, record in records.items()}


def gather_subject(job: Run, mine: Told, subject: str) -> SubjectEvidence:
    """Everything a subject's page shows, its cells among it."""
    clinical = None if mine.clinical is None else records(mine.clinical)[0]
    tables = {n: getattr(mine, n) for n in ("calls", "arms", "limits", "laips", "tubes", "qc", "burdens", "clusters")}
    return SubjectEvidence(
        subject=subject,
        clinical=clinical,
        looks={t["tube_id"]: look_at(job, t, mine.burdens) for t in records(mine.tubes) if pd.notna(t["artefact"])},
        panels={str(p): panel_of(str(p)) for p in mine.tubes["panel"].unique()},
        controls={p: controls_of(job, subject, p, mine.limits, mine.laips) for p in sorted(mine.tubes["panel"].unique())},
        received=received_days(job, subject),
        settings=job.settings,
        **tables,
    )


def received_days(job: Run, subject: str) -> dict[str, str | None]:
    """By tube, the day it was received, where the sheet tells one that is a day."""
    mine = job.samples[job.samples["subject"].eq(subject)]
    days = pd.to_datetime(mine["received"], format="%Y-%m-%d", errors="coerce").dt.strftime("%Y-%m-%d")
    return {str(t): None if pd.isna(d) else str(d) for t, d in zip(mine["tube_id"], days, strict=True)}
