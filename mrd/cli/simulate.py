"""`mrd simulate`: make synthetic FCS files with their truth from a plan."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

from mrd.core.errors import SheetError
from mrd.core.progress import follow
from mrd.files.atomic import write_text
from mrd.files.fcs_write import FcsImage, write_codes, write_fcs
from mrd.files.tables import NUMBER, read_table, read_text_table, write_table
from mrd.simulate.cytometer import TIMESTEP
from mrd.simulate.instruments import RANGE
from mrd.simulate.plan import TubePlan, choose_tubes, read_plan
from mrd.simulate.trial import simulate_trial
from mrd.simulate.truth import NAMES, TRUTH, count_truth
from mrd.simulate.tube import SyntheticTube, simulate_tube

LOG = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--trial", action="store_true", help="a mock trial of 42 subjects with known answers, into --out")
    what.add_argument("--plan", type=Path, help="sample sheet with columns events, burden, laip, artefacts")
    parser.add_argument("--seed", type=int, default=1, help="seed of every random choice")
    parser.add_argument("--panel", default="aml-lyric-9", help="panel of rows that name none")
    parser.add_argument("--out", type=Path, help="folder for the FCS files, instead of where the plan's fcs column says")
    parser.add_argument("--truth", type=Path, help="folder for the truth; by default `truth` beside the folder of the FCS files")
    parser.add_argument(
        "--tubes", nargs="+", metavar="ID", help="make only these tubes (subject_visit_tube); the truth keeps its other rows"
    )


def run(options: argparse.Namespace) -> None:
    """Simulate the tubes of a plan and write FCS files and truth, or write the tables of a mock trial."""
    if options.trial:
        write_trial(options)
        return
    frame = read_text_table(options.plan, where=options.plan.name)
    planned = read_plan(frame, panel=options.panel, where=options.plan.name)
    paths = {t.tube_id: place_file(t, options) for t in planned}
    truth = options.truth or place_truth(list(paths.values()))
    made = [make_tube(t, paths[t.tube_id], truth, options.seed) for t in follow(choose_tubes(planned, options.tubes), "simulate")]
    write_truth(truth / "truth.tsv", made, [t.tube_id for t in planned])


def write_trial(options: argparse.Namespace) -> None:
    """Write the mock trial: calls, plan and answers into a folder, the clinical tables into `clinical` in it.

    Raises
    ------
    SheetError
        No folder is given.
    """
    if options.out is None:
        raise SheetError("a mock trial needs a folder", where="--out", fix="give --out FOLDER")
    for name, frame in simulate_trial(options.seed).items():
        beside = name in ("calls", "plan", "answers")
        path = options.out / f"{name}.tsv" if beside else options.out / "clinical" / f"{name}.tsv"
        write_text(path, frame.to_csv(sep="\t", index=False, float_format=NUMBER, lineterminator="\n"))
    LOG.info("mock trial in %s: mrd endpoint --calls %s/calls.tsv --clinical %s/clinical --out ...", *[options.out] * 3)


def place_file(tube: TubePlan, options: argparse.Namespace) -> Path:
    """Where a tube's FCS file goes."""
    told = Path(tube.fcs)
    return options.out / told.name if options.out else Path(options.plan).parent / told


def place_truth(paths: list[Path]) -> Path:
    """Choose the folder of the truth: beside the one folder of the FCS files.

    Raises
    ------
    SheetError
        The files lie in several folders.
    """
    folders = {p.parent.resolve() for p in paths}
    if len(folders) != 1:
        raise SheetError("the FCS files go to several folders, or none", where="--plan", fix="give --truth FOLDER")
    return folders.pop().parent / "truth"


def make_tube(plan: TubePlan, path: Path, truth: Path, seed: int) -> dict[str, Any]:
    """Simulate one tube, write its files, and return its row of the truth."""
    tube = simulate_tube(plan, seed)
    write_fcs(path, fcs_image(tube))
    write_codes(truth / f"{plan.tube_id}.npz", tube.code, NAMES)
    counts = count_truth(tube.code)
    LOG.info("%s: %d events, %d leukocytes, %d leukaemic", plan.tube_id, *list(counts.values())[:3])
    laip = ";".join(k.name for k in plan.kinds)
    return {"tube_id": plan.tube_id, **counts, "burden": plan.burden, "laip": laip, "artefacts": plan.artefacts}


def fcs_image(tube: SyntheticTube) -> FcsImage:
    """Lay a synthetic tube out as an FCS file holds it."""
    instrument = tube.instrument
    keywords = {"$CYT": instrument.cytometer, "$TIMESTEP": f"{TIMESTEP:g}"}
    spill = ([d.name for d in instrument.detectors], tube.spill)
    return FcsImage(tube.events, instrument.pnn, instrument.pns, [int(RANGE)] * len(instrument.pnn), spill, keywords)


def write_truth(path: Path, made: list[dict[str, Any]], order: list[str]) -> None:
    """Write the truth in the plan's order, keeping rows of tubes that were not made now."""
    kept: list[dict[Any, Any]] = read_table(path, TRUTH).to_dict("records") if path.is_file() else []
    rows = {row["tube_id"]: row for row in [*kept, *made]}
    write_table(path, TRUTH.frame([rows[i] for i in order if i in rows]), TRUTH)
