"""`mrd report`: pages and laboratory reports of a batch of subjects, or the page of the cohort, from what the stages wrote."""

from __future__ import annotations

import argparse
from importlib import import_module

from mrd.cli.run_options import Run, add_run_options, batches_of, start_run
from mrd.core.contracts import LAIPS, LIMITS, QC, SUMMARY, TUBES
from mrd.core.provenance import provenance
from mrd.files.atomic import write_text
from mrd.files.calls import read_calls
from mrd.files.layout import (
    cohort_page_path,
    laip_tables,
    prepare_tables,
    reference_folder,
    reference_path,
    result_table,
    summary_table,
)
from mrd.files.ledger import recorded
from mrd.files.tables import read_table, read_together
from mrd.report.evidence import CohortEvidence
from mrd.report.pages import render_cohort


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
    else:
        import_module("mrd.cli.subject_pages").write_pages(job, options.batch)


def gather_cohort(job: Run) -> CohortEvidence:
    """Everything the cohort's page shows."""
    batches = batches_of(job.samples, job.settings)
    patients = [b for b in batches if b.startswith("s")]
    folder = reference_folder(job.results, job.settings.reference)
    panels = sorted({str(p) for p in job.samples["panel"]})
    references = {p: recorded(reference_path(folder, p)) for p in panels}
    summary = summary_table(job.results)
    return CohortEvidence(
        calls=read_calls(result_table(job.results, "calls")),
        tubes=read_together([prepare_tables(job.results, b)[0] for b in batches], TUBES),
        qc=read_table(result_table(job.results, "qc"), QC),
        limits=read_table(result_table(job.results, "limits"), LIMITS),
        laips=read_together([laip_tables(job.results, b)[0] for b in patients], LAIPS),
        references={p: r for p, r in references.items() if r is not None},
        summary=read_table(summary, SUMMARY) if summary.is_file() else None,
        settings=job.settings,
        libraries=provenance("report", inputs={}, settings={})["libraries"],
    )
