"""`mrd reference`: the controls of a panel to a frozen reference and the bank of control cells behind every limit."""

from __future__ import annotations

import argparse
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from mrd.cli.memory import within_memory
from mrd.cli.run_options import Run, add_run_options, add_threads, start_run
from mrd.cli.tubes import gather_tubes, made_of, places_of, shuffled
from mrd.core.digest import digest_file, digest_json
from mrd.core.errors import EvidenceError
from mrd.core.panel import Panel
from mrd.core.provenance import provenance
from mrd.core.seeds import generator
from mrd.core.settings import stage_settings
from mrd.core.slots import CONTROLS
from mrd.core.words import FAILED, OK
from mrd.detect.chunks import Way, whole_ways
from mrd.detect.device import choose_device, tensor
from mrd.detect.frozen import reference_arrays
from mrd.detect.reference import Learned, learn_reference
from mrd.detect.rehearse import Rehearsal, rehearse
from mrd.files.anndata_io import write_anndata
from mrd.files.cells import TubeCells, read_cells
from mrd.files.layout import cells_path, reference_path
from mrd.files.ledger import remember, remembered
from mrd.files.models import REFERENCE_MODEL, write_model
from mrd.files.panels import read_panel

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_run_options(parser)
    parser.add_argument("--panel", required=True, help="panel whose controls to learn from")
    parser.add_argument("--tubes", type=Path, nargs="+", required=True, help="tables of prepared tubes")
    add_threads(parser, "look at controls")


def run(options: argparse.Namespace) -> None:
    """Fit the panel's reference unless its controls, code and settings are unchanged."""
    job = start_run(options)
    tubes = gather_tubes(options.tubes, role="control", panel=options.panel).sort_values(["control_kind", "tube_id"])
    path = reference_path(job.results / "reference", options.panel)
    inputs = dict(zip(tubes["tube_id"], tubes["artefact"], strict=True))
    kinds = dict(zip(tubes["tube_id"], tubes["control_kind"], strict=True))
    told = provenance("reference", inputs=inputs, settings=stage_settings(job.settings, "reference"))
    if remembered(path, digest_json([told, kinds])) is None:
        log.info("reference %s: %d controls", options.panel, len(tubes))
        remember(path, digest_json([told, kinds]), reference_record(job, options.panel, tubes, told, threads=options.threads))


def reference_record(job: Run, name: str, tubes: pd.DataFrame, told: dict[str, Any], *, threads: int) -> dict[str, Any]:
    """The record of a panel's reference; too little to learn from is an outcome, so that other panels go on."""
    path = reference_path(job.results / "reference", name)
    tries = whole_ways(choose_device(job.settings.device), threads)
    try:
        return within_memory(f"reference {name}", tries, lambda way: make_reference(job, name, tubes, told, way))
    except EvidenceError as error:
        log.warning("reference %s", error)
        path.unlink(missing_ok=True)
        return {"panel": name, "outcome": FAILED, "reason": str(error)}


def make_reference(job: Run, name: str, tubes: pd.DataFrame, told: dict[str, Any], way: Way) -> dict[str, Any]:
    """Learn and write the reference; returns its record."""
    panel, path = read_panel(name), reference_path(job.results / "reference", name)
    told = {**told, "device": str(way.device)}
    seed, most = job.settings.seed, job.settings.control_cells
    cells = [shuffled(read_cells(cells_path(job.results, t)), seed, t, most) for t in tubes["tube_id"]]
    values = [tensor(c.values, way.device) for c in cells]
    rng = generator(seed, "reference", panel.name)
    learned = learn_reference(values, job.settings, rng, where=f"panel {panel.name}", by=way.chunks)
    controls = describe_controls(tubes, cells, learned, panel)
    rehearsal = rehearse_search(job, panel, [(values[i], cells[i]) for i in learned.kept], learned, threads=way.chunks.threads)
    excluded = [str(tubes["tube_id"].iloc[i]) for i in learned.excluded]
    for tube in excluded:
        log.warning("reference %s: %s carries a population no other control shows; it was left out", panel.name, tube)
    bank = path.with_name("controls.h5ad")
    write_bank(
        bank,
        [cells[i] for i in learned.kept],
        learned.normal,
        controls,
        {**told, "panel": panel.name, "leukocytes": panel.leukocytes},
    )
    about = {
        "panel": panel.name,
        "channels": panel.model_channels,
        "controls": controls,
        "excluded": excluded,
        "bank": digest_file(bank),
        "rehearsal": {**asdict(rehearsal), "cells": rehearsal.cells if np.isfinite(rehearsal.cells) else None},
    }
    write_model(path, *REFERENCE_MODEL, reference_arrays(learned.reference, learned.adapted), {**about, "provenance": told})
    return {"panel": panel.name, "outcome": OK, "controls": controls, "excluded": excluded}


def rehearse_search(job: Run, panel: Panel, kept: list[tuple[Tensor, TubeCells]], learned: Learned, *, threads: int) -> Rehearsal:
    """What the search for what differs from normal finds in the controls themselves, and from how many cells on."""
    places = [places_of(c, panel, x.device) for x, c in kept]
    movable = [i for i, n in enumerate(panel.model_channels) if panel.channels[n].role == "marker" and n != "CD45"]
    rng = generator(job.settings.seed, "rehearsal", panel.name)
    cells = [x for x, _ in kept]
    return rehearse(cells, places, learned, movable=movable, settings=job.settings, rng=rng, threads=threads)


def describe_controls(tubes: pd.DataFrame, cells: list[TubeCells], learned: Learned, panel: Panel) -> list[dict[str, Any]]:
    """Id, kind and what each control that was kept is made of."""
    made = {i: made_of(cells[i], panel) for i in learned.kept}
    return [
        {
            "control": str(tubes["tube_id"].iloc[i]),
            "kind": str(tubes["control_kind"].iloc[i]),
            "n_leukocytes": m.leukocytes,
            "n_erythroid": m.erythroid,
            "n_lymphocytes": m.lymphocytes,
        }
        for i, m in made.items()
    ]


def write_bank(
    path: Path, cells: list[TubeCells], normal: list[Tensor], controls: list[dict[str, Any]], told: dict[str, Any]
) -> None:
    """All control cells in one AnnData file, each with its log density under a reference that did not see it."""
    names = [c["control"] for c in controls]
    owner = np.repeat(names, [len(c.events) for c in cells])
    obs = pd.DataFrame(
        {
            "control": pd.Categorical(owner, categories=names),
            "leukocyte": np.concatenate([c.gates[told["leukocytes"]] for c in cells]),
            "normal": np.concatenate([n.cpu().numpy() for n in normal]),
        },
    )
    var = pd.DataFrame(index=list(cells[0].channels))
    values = np.concatenate([c.values for c in cells])
    write_anndata(path, CONTROLS, obs=obs, var=var, uns={"panel": told["panel"]}, provenance=told, x=values)
