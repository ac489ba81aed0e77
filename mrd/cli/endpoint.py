"""`mrd endpoint`: the endpoint dataset from calls and clinical tables."""

from __future__ import annotations

import argparse
import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from mrd import __version__
from mrd.core import words
from mrd.core.conformance import check_submission
from mrd.core.contracts import ADMRD, CELLS, CONVERSION, LAIPS, PIPELINE_TABLES, SUMMARY
from mrd.core.estimand import Estimands
from mrd.core.settings import Settings
from mrd.endpoint.analyses import Analyses, analyse
from mrd.endpoint.clinical import Clinical
from mrd.endpoint.derive import Inputs, Trial, derive_trial
from mrd.endpoint.page import Drawn, draw_trial
from mrd.files.atomic import write_bytes, write_text
from mrd.files.calls import read_calls
from mrd.files.clinical import find_clinical, read_clinical
from mrd.files.datasets import write_csv, write_parquet
from mrd.files.define_xml import write_define
from mrd.files.estimands import read_estimands, write_estimands
from mrd.files.settings import read_settings
from mrd.files.submission import Stamp, write_dataset
from mrd.files.tables import read_table, write_table

LOG = logging.getLogger(__name__)
TABLES = {t.name: t for t in PIPELINE_TABLES}
FOLDERS = ("adam", "sdtm", "tables", "figures")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--calls", type=Path, required=True, help="calls.tsv of a run")
    parser.add_argument("--clinical", default="", help="folder of clinical tables: subjects, exposure, responses, labs, ...")
    parser.add_argument("--subjects", default="", help="table of subjects, instead of the folder's")
    parser.add_argument("--responses", default="", help="table of responses, instead of the folder's")
    parser.add_argument("--review", default="", help="table of reviewers' decisions, instead of the folder's")
    parser.add_argument("--laips", nargs="*", type=Path, default=[], help="laips tables of the run, for the phenotypes in CP")
    parser.add_argument("--settings", default="", help="settings of the run (YAML); without it the defaults")
    parser.add_argument("--estimands", default="", help="estimands (YAML); without it those of the settings, or of the trial")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")


def run(options: argparse.Namespace) -> None:
    """Read the tables, derive the endpoint, write its datasets, tables and page."""
    settings = read_settings(Path(options.settings)) if options.settings else Settings()
    told = options.estimands or settings.estimands
    estimands = read_estimands(Path(told)) if told else Estimands()
    calls, clinical = read_calls(options.calls), read_tables(options, settings)
    trial = derive_trial(Inputs(calls, clinical, estimands, read_markers(options.laips)), settings, version=__version__)
    if clinical is None:
        _write_visits(options.out, trial)
        return
    stamp = Stamp(settings.study, __version__, datetime.now(UTC))
    for name, frame in {**trial.adam, **trial.sdtm}.items():
        check_submission(frame, TABLES[name])
    analyses = analyse(trial, settings, estimands)
    drawn = draw_trial(trial, analyses, settings, estimands)
    _write_trial(options.out, trial, stamp)
    _write_analyses(options.out, analyses, drawn, estimands)


def read_tables(options: argparse.Namespace, settings: Settings) -> Clinical | None:
    """Read the clinical tables that the options name, or the settings where the options name none."""
    alone = {name: Path(text) for name in ("subjects", "responses", "review") if (text := getattr(options, name))}
    folder = options.clinical or ("" if "subjects" in alone else settings.clinical)
    paths = {**(find_clinical(Path(folder)) if folder else {}), **alone}
    return Clinical(read_clinical(paths)) if "subjects" in paths else None


def read_markers(paths: list[Path]) -> dict[tuple[str, str], str]:
    """Read the phenotypes of the LAIPs by subject and panel."""
    frames = [read_table(path, LAIPS) for path in paths]
    rows = pd.concat(frames).dropna(subset=["phenotype"]) if frames else LAIPS.empty()
    rows = rows.sort_values("arm", key=lambda arms: arms.map(words.ARMS.index), ascending=False, kind="stable")
    told = zip(
        rows["subject"], rows["panel"], rows["phenotype"], strict=True
    )  # a later row stands: what was learned over what was drawn
    return {(str(s), str(p)): str(m) for s, p, m in told}


def _write_visits(out: Path, trial: Trial) -> None:
    _write_admrd(out, trial)
    _remove(out / "conversion.tsv", out / "summary.tsv", out / "estimands.yaml", out / "index.html")
    for folder in FOLDERS:
        shutil.rmtree(out / folder, ignore_errors=True)
    LOG.info("no clinical table: ADMRD has visits only; there is no conversion.tsv and no summary.tsv")


def _write_admrd(out: Path, trial: Trial) -> None:
    write_csv(out / "admrd.csv", trial.admrd, ADMRD)
    write_parquet(out / "admrd.parquet", trial.admrd, ADMRD)


def _write_trial(out: Path, trial: Trial, stamp: Stamp) -> None:
    _write_admrd(out, trial)
    if trial.conversion is not None and trial.summary is not None:
        write_table(out / "conversion.tsv", trial.conversion, CONVERSION)
        write_table(out / "summary.tsv", trial.summary, SUMMARY)
    for folder, standard, frames in (("adam", "ADaM", trial.adam), ("sdtm", "SDTM", trial.sdtm)):
        for name, frame in frames.items():
            write_dataset(out / folder, frame, TABLES[name], stamp)
        write_define(out / folder / "define.xml", [TABLES[name] for name in frames], standard, stamp)


def _write_analyses(out: Path, analyses: Analyses, drawn: Drawn, estimands: Estimands) -> None:
    for name, frame in analyses.tables.items():
        write_csv(out / "tables" / f"{name}.csv", frame, TABLES[name])
    write_csv(out / "tables" / "cells.csv", analyses.cells, CELLS)
    for name, image in drawn.figures.items():
        write_bytes(out / "figures" / name, image)
    write_estimands(out / "estimands.yaml", estimands)
    write_text(out / "index.html", drawn.page)


def _remove(*paths: Path) -> None:
    """Leave nothing of an earlier run beside this one's ADMRD."""
    for path in paths:
        path.unlink(missing_ok=True)
        path.with_suffix(".schema.json").unlink(missing_ok=True)
