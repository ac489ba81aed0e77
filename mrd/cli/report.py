"""`mrd report`: one page per subject of a batch, or one for the cohort; nothing but what the stages wrote is shown."""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mrd.cli.run_options import Run, add_run_options, batches_of, start_run
from mrd.core.contracts import ARMS_TABLE, BURDENS, CALLS_TABLE, LAIPS, LIMITS, PAGES, QC, SUMMARY, TUBES
from mrd.core.digest import digest_json
from mrd.core.panel import Panel
from mrd.core.provenance import provenance
from mrd.core.seeds import generator
from mrd.core.settings import stage_settings
from mrd.core.slots import SCORES
from mrd.core.tables import Table, records
from mrd.files.anndata_io import read_anndata
from mrd.files.atomic import write_text
from mrd.files.cells import TubeCells, read_cells
from mrd.files.clinical import read_subjects
from mrd.files.layout import (
    burdens_table,
    cells_path,
    cohort_page_path,
    laip_tables,
    pages_table,
    prepare_tables,
    reference_folder,
    reference_path,
    result_table,
    scores_path,
    subject_page_path,
    summary_table,
)
from mrd.files.ledger import recorded, remember, remembered
from mrd.files.panels import read_panel
from mrd.files.tables import read_table, write_table
from mrd.report.drawn import draw_cells
from mrd.report.evidence import CohortEvidence, SubjectEvidence, TubeLook
from mrd.report.pages import render_cohort, render_subject, templates_digest

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
    clinical: pd.DataFrame | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_run_options(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--batch", help="batch of subjects whose pages to draw")
    what.add_argument("--cohort", action="store_true", help="draw the page of the cohort")


def run(options: argparse.Namespace) -> None:
    """Write the pages of a batch and their table, or the page of the cohort."""
    job = start_run(options)
    if options.cohort:
        write_text(cohort_page_path(job.results), render_cohort(gather_cohort(job)))
        return
    subjects = [str(s) for s in job.batch(options.batch)["subject"].unique()]
    told = gather_batch(job, options.batch)
    rows = [{"subject": s, **page_record(job, told, s)} for s in subjects]
    write_table(pages_table(job.results, options.batch), PAGES.frame(rows), PAGES)


def gather_batch(job: Run, batch: str) -> Told:
    """The tables that the pages of a batch are made from."""
    tubes, qc = prepare_tables(job.results, batch)
    laips, limits = laip_tables(job.results, batch)
    return Told(
        calls=read_table(result_table(job.results, "calls"), CALLS_TABLE),
        arms=read_table(result_table(job.results, "arms"), ARMS_TABLE),
        limits=read_table(limits, LIMITS),
        qc=read_table(qc, QC),
        tubes=read_table(tubes, TUBES),
        laips=read_table(laips, LAIPS),
        burdens=read_table(burdens_table(job.results, batch), BURDENS),
        clinical=read_subjects(Path(job.settings.subjects)) if job.settings.subjects else None,
    )


def subject_rows(told: Told, subject: str) -> Told:
    """The rows of one subject."""
    tubes = told.tubes[told.tubes["subject"] == subject]
    own = {n: _of(getattr(told, n), "subject", [subject]) for n in ("calls", "arms", "limits", "laips")}
    mine = {n: _of(getattr(told, n), "tube_id", list(tubes["tube_id"])) for n in ("qc", "burdens")}
    clinical = None if told.clinical is None else _of(told.clinical, "subject", [subject])
    known = None if clinical is None or clinical.empty else clinical
    return Told(tubes=tubes, clinical=known, **own, **mine)


def _of(frame: pd.DataFrame, column: str, values: list[str]) -> pd.DataFrame:
    return frame[frame[column].isin(values)]


def page_record(job: Run, told: Told, subject: str) -> dict[str, Any]:
    """Digests of a subject's page: remembered where nothing it shows changed, else drawn anew."""
    path, mine = subject_page_path(job.results, subject), subject_rows(told, subject)
    inputs = page_inputs(job, mine)
    record = remembered(path, inputs)
    if record is None:
        log.info("report %s", subject)
        write_text(path, render_subject(gather_subject(job, mine, subject)))
        record = remember(path, inputs, {"subject": subject})
    return {n: record[n] for n in ("inputs", "artefact")}


def page_inputs(job: Run, mine: Told) -> str:
    """Digest of all that a page shows; cells and scores enter by the digests that stand in the tables."""
    frames = {n: frame.to_csv(sep="\t", index=False) for n, frame in vars(mine).items() if frame is not None}
    panels = {str(p): digest_json(_panel(str(p)).model_dump()) for p in mine.tubes["panel"].unique()}
    settings = {**stage_settings(job.settings, *STAGES), "seed": job.settings.seed}
    told = provenance("report", inputs={**frames, **panels, "templates": templates_digest()}, settings=settings)
    return digest_json(told)


def gather_subject(job: Run, mine: Told, subject: str) -> SubjectEvidence:
    """Everything a subject's page shows, its cells among it."""
    clinical = None if mine.clinical is None else records(mine.clinical)[0]
    tables = {n: getattr(mine, n) for n in ("calls", "arms", "limits", "laips", "tubes", "qc", "burdens")}
    return SubjectEvidence(
        subject=subject,
        clinical=clinical,
        looks={t["tube_id"]: look_at(job, t, mine.burdens) for t in records(mine.tubes) if pd.notna(t["artefact"])},
        panels={str(p): _panel(str(p)) for p in mine.tubes["panel"].unique()},
        settings=job.settings,
        **tables,
    )


@cache
def _panel(name: str) -> Panel:
    return read_panel(name)


def look_at(job: Run, tube: dict[str, Any], burdens: pd.DataFrame) -> TubeLook:
    """Cells of a tube to draw, found cells marked where an arm scored it."""
    name, panel = str(tube["tube_id"]), _panel(str(tube["panel"]))
    cells = read_cells(cells_path(job.results, name))
    scored = burdens.loc[burdens["tube_id"].eq(name) & burdens["arm"].eq("laip"), "artefact"].notna().any()
    drawn = draw_cells(
        name,
        cells.values,
        cells.channels,
        leukocytes=cells.gates[panel.leukocytes],
        blasts=cells.gates[panel.blasts],
        found=found_cells(job, name, cells) if scored else None,
        gates=json.loads(cells.uns["gates"]),
        most=job.settings.plot_cells,
        rng=generator(job.settings.seed, "plot", name),
    )
    return TubeLook(drawn, json.loads(cells.uns["provenance"]))


def found_cells(job: Run, tube: str, cells: TubeCells) -> np.ndarray:
    """Which cells of a tube the LAIP arm found, (n,) bool."""
    scores = read_anndata(scores_path(job.results, tube), SCORES).obs
    found = scores.loc[scores["laip"].to_numpy(dtype=bool), "event"].to_numpy(dtype=np.uint32)
    return np.isin(cells.events, found)


def gather_cohort(job: Run) -> CohortEvidence:
    """Everything the cohort's page shows."""
    batches = batches_of(job.samples, job.settings)
    patients = [b for b in batches if b.startswith("s")]
    folder = reference_folder(job.results, job.settings.reference)
    panels = sorted({str(p) for p in job.samples["panel"]})
    references = {p: recorded(reference_path(folder, p)) for p in panels}
    summary = summary_table(job.results)
    return CohortEvidence(
        calls=read_table(result_table(job.results, "calls"), CALLS_TABLE),
        tubes=together([prepare_tables(job.results, b)[0] for b in batches], TUBES),
        qc=read_table(result_table(job.results, "qc"), QC),
        limits=read_table(result_table(job.results, "limits"), LIMITS),
        laips=together([laip_tables(job.results, b)[0] for b in patients], LAIPS),
        references={p: r for p, r in references.items() if r is not None},
        summary=read_table(summary, SUMMARY) if summary.is_file() else None,
        settings=job.settings,
        libraries=provenance("report", inputs={}, settings={})["libraries"],
    )


def together(paths: list[Path], table: Table) -> pd.DataFrame:
    """Several tables as one."""
    frames = [f for f in (read_table(p, table) for p in paths) if len(f)]
    return pd.concat(frames, ignore_index=True) if frames else table.empty()
