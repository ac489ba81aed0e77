"""`mrd laip`: diagnosis tubes of a batch to frozen LAIPs and classifiers, each with its cut, recall and honest blanks.

Follow-ups are searched beside each other, and teach a LAIP (and no classifier) where no diagnosis taught one. With a frozen
reference each is searched beside earlier ones alone, and none teaches.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mrd.cli.bank import Bank, Banks, reference_record
from mrd.cli.calibrate import calibrate, laip_columns, laip_scorer, learned_scorer
from mrd.cli.drawn import asked_of
from mrd.cli.drawn_record import drawn_record, first_tube
from mrd.cli.followed import followed_record
from mrd.cli.memory import within_memory
from mrd.cli.run_options import Run, add_run_options, start_run
from mrd.cli.searches import follows, frozen_record, is_led
from mrd.cli.together import search_follow_ups
from mrd.cli.tubes import gather_tubes, places_of, shuffled
from mrd.core.contracts import LAIPS, LIMITS
from mrd.core.digest import digest_json
from mrd.core.progress import follow
from mrd.core.provenance import provenance
from mrd.core.seeds import generator
from mrd.core.settings import stage_settings
from mrd.core.tables import records
from mrd.core.words import FAILED, OK, OTHER_REFERENCE, join_flags, split_flags
from mrd.detect.chunks import Chunks, whole_ways
from mrd.detect.device import choose_device, tensor
from mrd.detect.frozen import classifier_arrays, laip_arrays
from mrd.detect.laip import learn_laip
from mrd.detect.learned import learn_classifier
from mrd.files.cells import read_cells
from mrd.files.layout import cells_path, laip_path, laip_tables, reference_folder, taught_nothing_path
from mrd.files.ledger import record_path, remember, remembered
from mrd.files.models import LAIP_MODEL, read_model, write_model
from mrd.files.tables import write_table

log = logging.getLogger(__name__)
LEARNERS = ("laip", "learned")
"""Arms that a diagnosis tube teaches."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_run_options(parser, batch=True)
    parser.add_argument("--tubes", type=Path, required=True, help="table of the batch's prepared tubes")


def run(options: argparse.Namespace) -> None:
    """Take frozen LAIPs as they are; learn those whose diagnosis tube, reference, code or settings changed."""
    job = start_run(options)
    tubes = gather_tubes([options.tubes], patients=True)
    diagnosis = tubes[tubes["role"].eq("diagnosis")].sort_values(["n_leukocytes", "tube_id"])
    largest = {(r["subject"], r["panel"]): r for r in records(diagnosis)}
    banks = Banks(reference_folder(job.results, job.settings.reference))
    told = []
    for subject, panel in follow(sorted({(r["subject"], r["panel"]) for r in records(tubes)}), "laip"):
        mine = tubes[tubes["subject"].eq(subject) & tubes["panel"].eq(panel)]
        frozen = frozen_record(job, subject, panel)
        if frozen is None:
            told += taught_by(job, mine, largest.get((subject, panel)), banks)
        else:
            told.append(beside_reference(job, frozen, subject, panel, banks))
            led = any(is_led(row) for row in frozen["rows"])
            search_follow_ups(job, records(mine[mine["role"] != "diagnosis"]), banks, frozen if led else None)
        asked = asked_of(job.settings, job.samples, subject, panel)
        if asked is not None:
            told.append(drawn_record(job, asked, first_tube(mine), banks))
    laips, limits = laip_tables(job.results, options.batch)
    rows = [{**row, "inputs": r["inputs"], "artefact": r["artefact"]} for r in told for row in r["rows"]]
    write_table(limits, LIMITS.frame([x for r in told for x in r["limits"]]), LIMITS)
    write_table(laips, LAIPS.frame(rows), LAIPS)


def beside_reference(job: Run, record: dict[str, Any], subject: str, panel: str, banks: Banks) -> dict[str, Any]:
    """A frozen record; flagged where another reference than the run's taught it: its components lie in that one's frame."""
    path, reference = laip_path(Path(job.settings.laip_folder), subject, panel), reference_record(banks.folder, panel)
    taught = read_model(path, *LAIP_MODEL)[1]["provenance"]["inputs"].get("reference")
    if reference["outcome"] == FAILED or taught == reference["artefact"]:
        return record
    log.warning("laip %s: the frozen LAIP of panel %s was learned by another reference: it does not tell below", subject, panel)
    rows = [{**row, "flags": join_flags(split_flags(row["flags"]), [OTHER_REFERENCE])} for row in record["rows"]]
    return {**record, "rows": rows}


def taught_by(job: Run, tubes: pd.DataFrame, diagnosis: dict[str, Any] | None, banks: Banks) -> list[dict[str, Any]]:
    """Records of what tubes of a subject and panel teach: the diagnosis, or the follow-ups where it taught nothing or is none."""
    own = [] if diagnosis is None else [laip_record(job, diagnosis, banks)]
    follow_ups = records(tubes[tubes["role"] != "diagnosis"])
    if not follow_ups:
        return own
    if any(is_taught(r) for r in own):
        search_follow_ups(job, follow_ups, banks, own[0])
        return own
    if not follows(job.settings):
        laip_path(job.results / "laip", follow_ups[0]["subject"], follow_ups[0]["panel"]).unlink(missing_ok=True)
        search_follow_ups(job, follow_ups, banks)
        return own
    followed = followed_record(job, follow_ups, banks)
    return [followed, *(without_arms(r, followed) for r in own)]


def is_taught(record: Mapping[str, Any]) -> bool:
    """Whether a record tells of a LAIP."""
    return any(row["outcome"] == OK for row in record["rows"])


def without_arms(record: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """A record without the arms that another one tells of."""
    told = {row["arm"] for row in other["rows"]}
    return {**record, "rows": [row for row in record["rows"] if row["arm"] not in told]}


def laip_record(job: Run, row: dict[str, Any], banks: Banks) -> dict[str, Any]:
    """The record of a subject's LAIP: remembered where nothing changed, else learned."""
    subject, name = row["subject"], row["panel"]
    path, none = (at(job.results / "laip", subject, name) for at in (laip_path, taught_nothing_path))
    reference = reference_record(banks.folder, name)
    told = provenance(
        "laip",
        inputs={row["tube_id"]: row["artefact"], "reference": reference["artefact"]},
        settings=stage_settings(job.settings, "reference", "laip"),
    )
    record = remembered(path, digest_json(told)) or remembered(none, digest_json(told))
    if record is not None:
        return record
    record_path(none).unlink(missing_ok=True)
    if reference["outcome"] == FAILED:
        return remember(none, digest_json(told), nothing_learned(row, f"no reference: {reference['reason']}", "no-reference"))
    log.info("laip %s from %s", subject, row["tube_id"])
    made = within_memory(
        f"laip {subject}",
        whole_ways(choose_device(job.settings.device)),
        lambda way: make_laip(job, row, banks.on(name, way.device), path, told, by=way.chunks),
    )
    return remember(path if is_taught(made) else none, digest_json(told), made)


def make_laip(job: Run, row: dict[str, Any], bank: Bank, path: Path, told: dict[str, Any], *, by: Chunks) -> dict[str, Any]:
    """Learn, calibrate and write the LAIP and the classifier of a subject; finding none is an outcome."""
    subject, seed = str(row["subject"]), job.settings.seed
    cells = shuffled(read_cells(cells_path(job.results, row["tube_id"])), seed, row["tube_id"])
    rng = generator(seed, "laip", subject, bank.panel.name)
    values, places = tensor(cells.values, bank.device), places_of(cells, bank.panel, bank.device)
    taught = learn_laip(values, places, bank.reference, job.settings, rng, by=by)
    if taught is None:
        path.unlink(missing_ok=True)
        return nothing_learned(row, "no population of the diagnosis tube exceeds what the controls show", "no-laip")
    normal = [c[: len(c) // 2] - a.shift for c, a in zip(bank.cells, bank.adapted, strict=True)]
    classifier = learn_classifier(taught.pupils, normal, generator(seed, "learned", subject, bank.panel.name))
    scorers = {
        "laip": laip_scorer(taught.laip, taught.witness, bank, by),
        "learned": learned_scorer(classifier, taught.witness, bank, by),
    }
    head = {"subject": subject, "panel": row["panel"]}
    fitted = {arm: calibrate(s, taught.witness, bank, job.settings, {**head, "arm": arm}) for arm, s in scorers.items()}
    rows = [{**head, "tube_id": row["tube_id"], "arm": a, **laip_columns(f, taught.laip, bank)} for a, f in fitted.items()]
    about = {
        **head,
        "tube_id": row["tube_id"],
        "phenotype": rows[0]["phenotype"],
        "arms": rows,
        "provenance": {**told, "device": str(bank.device)},
    }
    write_model(path, *LAIP_MODEL, {**laip_arrays(taught.laip), **classifier_arrays(classifier)}, about)
    return {"rows": rows, "limits": [x for f in fitted.values() for x in f.limits]}


def nothing_learned(row: dict[str, Any], reason: str, flag: str) -> dict[str, Any]:
    """The record of a subject without a LAIP."""
    head = {"subject": row["subject"], "panel": row["panel"], "tube_id": row["tube_id"]}
    why = {"outcome": FAILED, "reason": reason, "flags": join_flags([flag])}
    return {"rows": [{**head, "arm": arm, **why} for arm in LEARNERS], "limits": []}
