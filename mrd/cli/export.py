"""`mrd export`: each tube's gates as GatingML 2.0, and its events as FCS with score, arm labels and gate bits."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from flowkit import Dimension, GatingStrategy, gates
from scipy import stats

from mrd.cli.manifest import renew_stage
from mrd.cli.prepare import Job, Linear, input_digests, measure_tube
from mrd.cli.run_options import Run, add_run_options, start_run
from mrd.core.contracts import EXPORTS
from mrd.core.digest import digest_file, digest_json
from mrd.core.errors import ContractError, SettingsError
from mrd.core.provenance import provenance
from mrd.core.settings import stage_settings
from mrd.core.slots import SCORES
from mrd.core.tables import records
from mrd.files.anndata_io import Stored, read_anndata
from mrd.files.cells import TubeCells, read_cells
from mrd.files.events import Marked, everywhere, write_events
from mrd.files.gates_write import write_gatingml
from mrd.files.layout import cells_path, export_paths, find_laip, scores_path
from mrd.files.ledger import recorded
from mrd.files.models import LAIP_MODEL, read_model
from mrd.files.panels import read_panel
from mrd.files.tables import write_table
from mrd.prepare.outline import Region, add_regions, outline_gates, xml_name
from mrd.prepare.tube import GatedTube, gate_tube

log = logging.getLogger(__name__)
HOLDS = 0.9
"""Share of a LAIP component's cells that its ellipsoid holds."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_run_options(parser)
    parser.add_argument("--tubes", nargs="+", metavar="ID", help="export only these tubes (subject_visit_tube)")
    parser.add_argument("--out", type=Path, help="folder to write to; by default `export` in the results folder")


def run(options: argparse.Namespace) -> None:
    """Export every tube that has cells, and list the files."""
    job = start_run(options)
    out = options.out or job.results / "export"
    rows = [export_tube(job, row, out) for row in chosen(job, options.tubes)]
    write_table(out / "exports.tsv", EXPORTS.frame(rows), EXPORTS)
    renew_stage(job.results, job.settings, "export")


def chosen(job: Run, names: Sequence[str] | None) -> list[dict[str, Any]]:
    """Rows of the sheet of the tubes to export: those asked for, or all with cells.

    Raises
    ------
    SettingsError
        A tube that was asked for is not in the sheet, or has no cells.
    """
    ready = [r for r in records(job.samples) if recorded_cells(job, r["tube_id"])]
    absent = sorted(set(names or ()) - {r["tube_id"] for r in ready})
    if absent:
        raise SettingsError(f"no cells of {', '.join(absent)}", where="--tubes", fix="name prepared tubes, or run the workflow")
    return [r for r in ready if not names or r["tube_id"] in names]


def recorded_cells(job: Run, tube: str) -> bool:
    """Whether a tube's cells lie there as prepare left them."""
    path = cells_path(job.results, tube)
    return path.is_file() and recorded(path) is not None


def export_tube(job: Run, row: dict[str, Any], out: Path) -> dict[str, Any]:
    """Write one tube's gates, events and the gates of its scores; returns its row of the exports table."""
    tube = row["tube_id"]
    log.info("export %s", tube)
    panel = read_panel(row["panel"])
    work = Job(row, panel, job)
    read = measure_tube(work)
    done = gate_tube(read.measured, job.settings)
    cells = same_cells(read_cells(cells_path(job.results, tube)), done, panel.cells, tube)
    scores = read_scores(job, tube)
    paths = export_paths(out, tube)
    told = provenance("export", inputs=input_digests(work), settings=stage_settings(job.settings, "prepare"))
    strategy = outline_gates(read.measured, done, read.pnn, read.spill)
    add_regions(strategy, laip_regions(job, row), read.measured, read.pnn, read.spill)
    write_gatingml(paths.gates, strategy)
    marked = mark_events(read, done, cells, scores)
    write_events(paths.events, marked, keywords_of(tube, told))
    write_gatingml(paths.found, found_gates(marked, panel.cells, cut_of(job, row)))
    n_found = {n: int(np.sum(v)) for n, v in marked.labels.items() if n.startswith("ARM_")}
    return {
        "tube_id": tube,
        "gates": digest_file(paths.gates),
        "events": digest_file(paths.events),
        "found": digest_file(paths.found),
        "n_events": len(marked.events),
        "n_cells": len(cells.events),
        "n_found": ";".join(f"{n}={c}" for n, c in sorted(n_found.items())),
        "inputs": digest_json(told),
    }


def same_cells(cells: TubeCells, done: GatedTube, gate: str, tube: str) -> TubeCells:
    """The prepared cells, if the FCS file still gives the same ones.

    Raises
    ------
    ContractError
        File, settings or code are no longer those the results were made with.
    """
    if not np.array_equal(cells.events, np.flatnonzero(done.gated.inside[gate])):
        what = "its FCS file, settings or code are no longer those of the results"
        raise ContractError(what, where=f"tube {tube}", fix="run the workflow again, then export")
    return cells


def read_scores(job: Run, tube: str) -> Stored | None:
    """Scores of a tube, where an arm applied."""
    path = scores_path(job.results, tube)
    return read_anndata(path, SCORES) if path.is_file() else None


def mark_events(read: Linear, done: GatedTube, cells: TubeCells, scores: Stored | None) -> Marked:
    """All events with every score, arm label and gate bit there is."""
    total = len(done.inner)
    values, labels = {}, {}
    obs = pd.DataFrame() if scores is None else scores.obs
    for name in obs.columns:
        column, at = obs[name].to_numpy(), obs["event"].to_numpy(dtype=np.uint32)
        if column.dtype == bool:
            labels[f"ARM_{name}"] = np.isin(np.arange(total), at[column])
        elif name.endswith("_score") and not np.isnan(column).all():
            values["MRD_SCORE" if name == "laip_score" else name.upper()] = everywhere(column, at, total)
    bits = {"margins": done.inner, "time": done.inner & done.steady, **done.gated.inside}
    labels |= {f"GATE_{n}": m for n, m in bits.items() if n != "events"}
    measured, spill = read.measured, read.spill
    names = {i: n for n, i in measured.index.items()}
    return Marked(
        events=measured.raw,
        pnn=read.pnn,
        pns=[names.get(i, "") for i in range(len(read.pnn))],
        ranges=measured.ranges,
        spill=None if spill is None else (spill.detectors, spill.matrix),
        scores=values,
        labels=labels,
    )


def found_gates(marked: Marked, cells: str, cut: float | None) -> GatingStrategy:
    """Gates on the further parameters of the exported file: one per arm and gate bit, and the LAIP's cut of the score."""
    strategy = GatingStrategy()
    for name in marked.labels:
        strategy.add_gate(gates.RectangleGate(xml_name(name), [Dimension(name, range_min=0.5)]), ("root",))
    if cut is not None and "MRD_SCORE" in marked.scores:
        above = Dimension("MRD_SCORE", range_min=float(np.nextafter(cut, np.inf)))
        strategy.add_gate(gates.RectangleGate("laip", [above]), ("root", xml_name(f"GATE_{cells}")))
    return strategy


def cut_of(job: Run, row: dict[str, Any]) -> float | None:
    """Score above which a cell counts, where the subject has a LAIP with one."""
    path = find_laip(job.results, job.settings.laip_folder, row["subject"], row["panel"])
    if row["role"] == "control" or not path.is_file():
        return None
    told = read_model(path, *LAIP_MODEL)[1].get("arms", [])
    return next((float(r["cut"]) for r in told if r["arm"] == "laip"), None)


def laip_regions(job: Run, row: dict[str, Any]) -> list[Region]:
    """Ellipsoids that hold nine tenths of each component of the subject's LAIP, in the frame of the reference."""
    path = find_laip(job.results, job.settings.laip_folder, row["subject"], row["panel"])
    if row["role"] == "control" or not path.is_file():
        return []
    arrays, _ = read_model(path, *LAIP_MODEL)
    means, spreads, tails = arrays["means"], arrays["spreads"], float(arrays["tails"][0])
    border = border_of(means.shape[1], tails)
    return [
        Region(f"laip-{i}", m.astype(np.float64), s.astype(np.float64), border)
        for i, (m, s) in enumerate(zip(means, spreads, strict=True), start=1)
    ]


def border_of(dimensions: int, tails: float) -> float:
    """Squared distance within which a t component holds `HOLDS` of its cells: d F(d, tails)."""
    return float(dimensions * stats.f.ppf(HOLDS, dimensions, tails))


def keywords_of(tube: str, told: dict[str, Any]) -> dict[str, str]:
    """Our own keywords: nothing of the original file's text but what a panel names."""
    own = {"VERSION": str(told["version"]), "TUBE": tube, "INPUTS": digest_json(told), "FCS_SHA256": str(told["inputs"]["fcs"])}
    return {"$FIL": f"{tube}.fcs", **{f"FLOWMRD_{n}": v for n, v in own.items()}}
