"""`mrd detect`: every tube of a batch under every arm, and what each found counted."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mrd.cli.arms import ARMS, Look, Sight, align, arms_of
from mrd.cli.bank import Bank, Banks, reference_record
from mrd.cli.drawn import KIND as DRAWN, VERSION as DRAWN_VERSION, DrawnGate, asked_of
from mrd.cli.memory import within_memory
from mrd.cli.run_options import Run, add_run_options, add_threads, start_run
from mrd.cli.searches import find_search, is_led, may_search_beside, read_search, searched_beside
from mrd.cli.tubes import gather_tubes, made_of, places_of, shuffled
from mrd.core.contracts import BURDENS, CLUSTERS, LAIPS, LIMITS
from mrd.core.digest import digest_json
from mrd.core.errors import FileError
from mrd.core.progress import follow
from mrd.core.provenance import provenance
from mrd.core.settings import stage_settings
from mrd.core.slots import SCORES
from mrd.core.tables import records
from mrd.core.words import COMPOSITION, FAILED, FOLLOWED, HOLDRINET, MARROW, OK, SHIFTED, STAIN_LOST, join_flags, split_flags
from mrd.detect.chunks import Chunks, Way, ways
from mrd.detect.device import choose_device, tensor
from mrd.detect.far import Far, furthest
from mrd.detect.frozen import classifier_from, laip_from
from mrd.detect.laip import Laip
from mrd.detect.learned import Classifier
from mrd.detect.lost import Carried, carried_by, lost_stains
from mrd.files.anndata_io import write_anndata
from mrd.files.cells import TubeCells, read_cells
from mrd.files.layout import cells_path, detect_tables, find_drawn, find_laip, reference_folder, scores_path, search_path
from mrd.files.ledger import remember, remembered
from mrd.files.models import LAIP_MODEL, read_model
from mrd.files.sheet import COUNTS
from mrd.files.tables import read_table, write_table
from mrd.quantify.purity import Made, purity_by_counts, purity_by_shares

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """What a job read once: references with their controls by panel and device, and what the controls carry."""

    banks: Banks
    carried: dict[tuple[str, str], Carried]


@dataclass(frozen=True)
class Job:
    """One tube to look at: its row, the rows of what its subject's diagnosis taught by arm, the run, threads to score with.

    together : whether it was to be searched beside the subject's other visits
    search : where that is kept, if it was
    """

    run: Run
    tube: dict[str, Any]
    taught: dict[str, dict[str, Any]]
    threads: int = 1
    together: bool = False
    search: Path | None = None

    @property
    def path(self) -> Path:
        """Where the scores go."""
        return scores_path(self.run.results, self.tube["tube_id"])

    @property
    def reference(self) -> Path:
        """Folder of the references."""
        return reference_folder(self.run.results, self.run.settings.reference)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_run_options(parser, batch=True)
    parser.add_argument("--tubes", type=Path, required=True, help="table of the batch's prepared tubes")
    parser.add_argument("--laips", type=Path, required=True, help="table of the batch's LAIPs")
    add_threads(parser, "look at cells")


def run(options: argparse.Namespace) -> None:
    """Look at every tube of the batch whose cells, LAIP, reference, code or settings changed."""
    job = start_run(options)
    tubes = gather_tubes([options.tubes], patients=True)
    laips = records(read_table(options.laips, LAIPS))
    known = Known(Banks(reference_folder(job.results, job.settings.reference)), {})
    visits = dict(zip(tubes["tube_id"], tubes["visit"], strict=True))
    subjects = [records(mine) for _, mine in tubes[tubes["role"].ne("diagnosis")].groupby(["subject", "panel"])]
    together = {t["tube_id"] for mine in subjects for t in searched_beside(job, mine, known.banks)}
    told = []
    for tube in follow(records(tubes), "detect"):
        taught = {r["arm"]: r for r in laips if teaches(r, tube, visits)}
        told.append(sight_record(Job(job, tube, taught, options.threads, tube["tube_id"] in together), known))
    burdens, limits, clusters = detect_tables(job.results, options.batch)
    rows = [{**row, "inputs": r["inputs"], "artefact": r["artefact"]} for r in told for row in r["rows"]]
    write_table(limits, LIMITS.frame([x for r in told for x in r["limits"]]), LIMITS)
    write_table(clusters, CLUSTERS.frame([x for r in told for x in r["clusters"]]), CLUSTERS)
    write_table(burdens, BURDENS.frame(rows), BURDENS)


def teaches(laip: dict[str, Any], tube: dict[str, Any], visits: Mapping[str, str]) -> bool:
    """Whether a LAIP is for a tube: its subject's of its panel, but that of a follow-up not for the visit that taught it."""
    own = FOLLOWED in split_flags(laip["flags"]) and visits.get(laip["tube_id"]) == tube["visit"]
    return (laip["subject"], laip["panel"]) == (tube["subject"], tube["panel"]) and not own


def sight_record(job: Job, known: Known) -> dict[str, Any]:
    """The record of a tube: remembered where nothing changed, a reason where there is no reference, else looked at."""
    name, settings = job.tube["panel"], job.run.settings
    reference = reference_record(job.reference, name)
    behind = {a: r["inputs"] for a, r in job.taught.items()}
    kept = kept_for(job, reference) if may_search_beside(job.run, name, known.banks) else None
    searched = {} if kept is None else {"search": kept[1]["artefact"]}
    inputs = {"cells": job.tube["artefact"], "reference": reference["artefact"], **counts_digest(job), **searched}
    told = provenance(
        "detect",
        inputs={**inputs, **behind},
        settings=stage_settings(settings, "reference", "laip", "detect"),
        reference=reference["artefact"],
    )
    record = remembered(job.path, digest_json(told))
    if record is not None:
        return record
    if reference["outcome"] == FAILED:
        job.path.unlink(missing_ok=True)
        return remember(job.path, digest_json(told), without_reference(job, reference["reason"]))
    log.info("detect %s", job.tube["tube_id"])
    found = job if kept is None else replace(job, search=kept[0])
    return remember(job.path, digest_json(told), sights_within(found, known, told))


def sights_within(job: Job, known: Known, told: dict[str, Any]) -> dict[str, Any]:
    """Look at a tube within the memory there is: where a device's does not suffice, less at a time, in the end on the CPU."""
    tries = ways(choose_device(job.run.settings.device), job.threads)
    return within_memory(
        f"detect {job.tube['tube_id']}", tries, lambda way: make_sights(job, bank_on(job, way, known), known, told, way.chunks)
    )


def bank_on(job: Job, way: Way, known: Known) -> Bank:
    """The reference and its controls on a device, read once."""
    name = job.tube["panel"]
    at, bank = (name, str(way.device)), known.banks.on(name, way.device)
    if at not in known.carried:
        if not bank.made:
            log.warning("detect: the reference of panel %s does not tell what its controls hold: no purity by composition", name)
        known.carried[at] = carried_by([c - a.shift for c, a in zip(bank.cells, bank.adapted, strict=True)])
    return bank


def without_reference(job: Job, reason: str) -> dict[str, Any]:
    """The record of a tube whose panel has no reference."""
    why = {"outcome": FAILED, "reason": f"no reference: {reason}", "flags": join_flags(["no-reference"])}
    return {
        "rows": [{"tube_id": job.tube["tube_id"], "arm": a, **why} for a in arms_of(job.run.settings)],
        "limits": [],
        "clusters": [],
    }


def make_sights(job: Job, bank: Bank, known: Known, told: dict[str, Any], by: Chunks) -> dict[str, Any]:
    """Look at one tube with every arm, write the scores, and return its rows."""
    tube, settings = job.tube, job.run.settings
    cells = shuffled(read_cells(cells_path(job.run.results, tube["tube_id"])), settings.seed, tube["tube_id"])
    laip, classifier = taught_models(job, bank)
    values = tensor(cells.values, bank.device)
    look = Look(
        tube=tube,
        values=values,
        places=places_of(cells, bank.panel, bank.device),
        leukocytes=cells.gates[bank.panel.leukocytes],
        laip=laip,
        classifier=classifier,
        drawn=drawn_gate(job, cells, bank),
        kept=None if job.search is None else read_search(job.search, values, settings, by),
        taught=job.taught,
        bank=bank,
        settings=settings,
        by=by,
    )
    adapted = align(look)
    far = furthest(adapted.shift, [a.shift for a in bank.adapted], bank.panel.model_channels, bank.panel.model_roles)
    if far.distance > settings.far_limit:
        return too_far(job, far)
    carried = known.carried[tube["panel"], str(bank.device)]
    lost = lost_stains(look.values, adapted, carried, bank.panel.model_channels, bank.panel.model_roles)
    if lost:
        log.warning("detect %s: next to no cell carries %s, while cells of every control do", tube["tube_id"], ", ".join(lost))
    sights = {arm: ARMS[arm](look, adapted) for arm in arms_of(settings)}
    purity = purity_columns(job, made_of(cells, bank.panel), bank.made)
    write_scores(job, cells, sights, {**told, "device": str(bank.device)})
    return {
        "rows": [{**burden_row(job, arm, s, far, lost), **purity} for arm, s in sights.items()],
        "limits": [x for s in sights.values() for x in s.limits],
        "clusters": [x for s in sights.values() for x in s.clusters],
    }


def taught_models(job: Job, bank: Bank) -> tuple[Laip | None, Classifier | None]:
    """The LAIP and the classifier that the subject's diagnosis taught, where it taught any."""
    told = job.taught.get("laip")
    if told is None or told["outcome"] != OK:
        return None, None
    path = find_laip(job.run.results, job.run.settings.laip_folder, told["subject"], told["panel"])
    arrays, _ = read_model(path, *LAIP_MODEL)
    return laip_from(arrays, bank.device), classifier_from(arrays, bank.device)


def drawn_gate(job: Job, cells: TubeCells, bank: Bank) -> Callable[[NDArray[np.float32]], NDArray[np.bool_]] | None:
    """Which cells lie inside the LAIPs that the lab drew, given the tube's shift; None where there is none to count by."""
    told, settings = job.taught.get("drawn"), job.run.settings
    if told is None or told["outcome"] != OK:
        return None
    subject, panel = job.tube["subject"], job.tube["panel"]
    asked = asked_of(settings, job.run.samples, subject, panel)
    if asked is None:
        return None
    arrays, about = read_model(find_drawn(job.run.results, settings.laip_folder, subject, panel), DRAWN, DRAWN_VERSION)
    gate = DrawnGate(asked, bank.panel, about["detectors"], arrays["shift"], f"tube {job.tube['tube_id']}")
    return partial(gate.inside, cells.values, gates=cells.gates)


def counts_of(job: Job) -> dict[str, float]:
    """The blood counts that the sheet tells of a tube; none without."""
    row = job.run.samples.loc[job.run.samples["tube_id"].eq(job.tube["tube_id"]), list(COUNTS)].iloc[0]
    return {n: float(row[n]) for n in COUNTS} if row.notna().all() else {}


def counts_digest(job: Job) -> dict[str, str]:
    """Digest of the blood counts, where there are any."""
    counts = counts_of(job)
    return {"counts": digest_json(counts)} if counts else {}


def kept_for(job: Job, reference: Mapping[str, Any]) -> tuple[Path, dict[str, Any]] | None:
    """What the search of this tube beside the subject's other visits found, with its record; None where it is searched alone.

    Raises
    ------
    FileError
        There should be one, and it is missing or of other cells, or beside another LAIP.
    """
    told = job.taught.get("laip")
    kept = find_search(job.run, job.tube, reference, laip=told["artefact"] if told is not None and is_led(told) else "")
    if kept is None and job.together:
        fix = "run the workflow again with --forcerun laip"
        path = search_path(job.run.results / "laip", job.tube["tube_id"])
        raise FileError("what was found beside the subject's other visits is missing or of other cells", where=str(path), fix=fix)
    return kept


def purity_columns(job: Job, tube: Made, controls: Sequence[Made]) -> dict[str, Any]:
    """Marrow share of the leukocytes and how it was told: by blood counts, else by composition; blood itself is not assessed."""
    counts = counts_of(job)
    if job.tube["specimen_type"] != MARROW:
        return {}
    if counts:
        return {"purity": purity_by_counts(**counts), "purity_method": HOLDRINET}
    share = purity_by_shares(tube, controls)
    return {} if share is None else {"purity": share, "purity_method": COMPOSITION}


def too_far(job: Job, far: Far) -> dict[str, Any]:
    """The record of a tube in which a marker lies where no control has it: every arm would judge by the wrong frame."""
    limit = job.run.settings.far_limit
    job.path.unlink(missing_ok=True)
    reason = (
        f"too far from the reference: {far.marker} lies {far.move:+.1f} from where the controls show it, the limit is {limit:g} "
        "(asinh units); check its antibody, voltage and compensation"
    )
    why = {"outcome": FAILED, "reason": reason, "distance": far.distance, "flags": join_flags(["far-from-reference"])}
    rows = [{"tube_id": job.tube["tube_id"], "arm": a, **why} for a in arms_of(job.run.settings)]
    return {"rows": rows, "limits": [], "clusters": []}


def burden_row(job: Job, arm: str, sight: Sight, far: Far, lost: Sequence[str]) -> dict[str, Any]:
    """A burdens row: what an arm saw, where the tube lies, which stains seem lost, and flags of all."""
    told = ([SHIFTED] if far.distance > job.run.settings.far_flag else []) + ([STAIN_LOST] if lost else [])
    flags = join_flags(split_flags(sight.row.get("flags")), told)
    where = {"distance": far.distance, "lost": ";".join(lost) or None}
    return {"tube_id": job.tube["tube_id"], "arm": arm, **sight.row, **where, "flags": flags}


def write_scores(job: Job, cells: TubeCells, sights: dict[str, Sight], told: dict[str, Any]) -> None:
    """Scores and verdicts of every arm as AnnData, in the order of the file's events."""
    order, n = np.argsort(cells.events), len(cells.events)
    columns: dict[str, Any] = {"event": cells.events}
    for arm, sight in sights.items():
        if arm == "drawn":
            columns |= {} if sight.found is None else {arm: sight.found}
            continue
        columns[f"{arm}_score"] = np.full(n, np.nan, np.float32) if sight.scores is None else sight.scores
        columns[arm] = np.zeros(n, bool) if sight.found is None else sight.found
    numbered = [s.cluster for s in (sights["dfn"], sights["laip"]) if s.cluster is not None]
    columns["cluster"] = reduce(lambda own, other: np.where(own > 0, own, other), numbered, np.zeros(n, np.int16))
    obs = pd.DataFrame({c: v[order] for c, v in columns.items()})
    write_anndata(job.path, SCORES, obs=obs, var=pd.DataFrame(index=[]), uns={"tube_id": job.tube["tube_id"]}, provenance=told)
