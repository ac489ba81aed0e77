import re
import sys
import time
from pathlib import Path
from shlex import quote

from mrd.cli.needs import memory_mb, minutes
from mrd.cli.run_options import batches_of
from mrd.cli.tally import Spent, tally_text
from mrd.core.digest import code_digest, digest_file, digest_json
from mrd.core.errors import MrdError
from mrd.core.settings import check_settings, settings_digest
from mrd.files.clinical import clinical_files
from mrd.files.laips import laip_files
from mrd.files.layout import controls_path, find_reference, plain_name, shared_path
from mrd.files.lock import with_lock
from mrd.files.panels import find_panel
from mrd.files.running import check_held, free_killed, hold_results
from mrd.files.settings import write_settings
from mrd.files.sheet import COMPENSATION_WORDS, read_samples

DEMO = Path("build/demo")
ENVIRONMENT = (
    Path(workflow.basedir) / "environment.yml"
)  # what every rule runs in; snakemake itself is started inside it


def start():
    """Settings and sheet, or one line of what is wrong and exit code 2."""
    try:
        settings = with_lock(check_settings(dict(config)))
        samples = read_samples(settings, made_in=DEMO)
        for panel in samples["panel"].unique():
            find_panel(panel)
            find_reference(settings.reference, panel)
        clinical_files(settings)
        if settings.drawn_laips:
            from mrd.cli.drawn import check_drawn

            check_drawn(settings, samples)
        write_settings(Path(settings.results) / "settings.yaml", settings)
        return settings, samples
    except MrdError as error:
        sys.stderr.write(f"flowmrd: {error}\n")
        sys.exit(2)


def begin():
    """Hold the results folder, if this is a run and not one of its jobs, and free what a killed run left there."""
    hold = hold_results(Path(RESULTS)) if workflow.is_main_process else None
    if hold and hold.alone and not workflow.output_settings.dryrun:
        free_killed(Path(".snakemake"), RESULTS)
    return hold


def refuse_second():
    """One line and exit code 2 where another run works in the results folder."""
    try:
        return check_held(HOLD, Path(RESULTS))
    except MrdError as error:
        sys.stderr.write(f"flowmrd: {error}\n")
        sys.exit(2)


def tell_end():
    """Print what the run did: tubes, calls, failures, time of each stage; a run is not failed by what cannot be told of it."""
    local = workflow.executor_plugin.common_settings.local_exec
    spent = Spent(time.time() - BEGUN, workflow.cores) if local else None
    try:
        told = tally_text(Path(RESULTS), since=BEGUN, spent=spent)
    except MrdError as error:
        told = f"flowmrd: {error}\n"
    sys.stderr.write(f"\n{told}")


BEGUN = time.time()
SETTINGS, SAMPLES = start()
RESULTS = SETTINGS.results
HOLD = begin()
OPTIONS = f"--settings {quote(RESULTS)}/settings.yaml"
BATCHES = batches_of(SAMPLES, SETTINGS)
PATIENTS = [b for b in BATCHES if b.startswith("s")]
CONTROLS = [b for b in BATCHES if b.startswith("c")]
PANELS = {plain_name(p): p for p in sorted(SAMPLES["panel"].unique())}
MANIFEST = f"{RESULTS}/manifest.json"
REFERENCE = SETTINGS.reference or f"{RESULTS}/reference"
GPUS = 0 if SETTINGS.device == "cpu" else 1


def rows_of(batch):
    """Rows of the sheet that belong to a batch."""
    return SAMPLES[SAMPLES["subject"].isin(BATCHES[batch])]


def sheet_of(wildcards):
    """Digest of what the sheet says of a batch's tubes."""
    return digest_json(rows_of(wildcards.batch).astype(str).to_dict("records"))


def files_of(wildcards):
    """What the cells of a batch are made from."""
    rows = rows_of(wildcards.batch)
    matrices = [c for c in rows["compensation"] if c not in ("", *COMPENSATION_WORDS)]
    return [
        *rows["path"],
        *matrices,
        *(str(find_panel(p)) for p in rows["panel"].unique()),
    ]


def shared_output():
    """The table of what most subjects share; not where it is the one to read, which Snakemake would remove first."""
    own, path = Path(RESULTS) / "shared.tsv", shared_path(Path(SETTINGS.reference))
    return [] if SETTINGS.reference and path == own.resolve() else [str(own)]


def frozen_shared_digest():
    """Digest of the populations that most subjects shared when the reference was frozen; empty where none were told."""
    path = shared_path(Path(SETTINGS.reference))
    return digest_file(path) if SETTINGS.reference and path.is_file() else ""


def reference_of(wildcards):
    """Records of the references that a batch's panels need."""
    names = sorted(plain_name(p) for p in rows_of(wildcards.batch)["panel"].unique())
    return [f"{REFERENCE}/{name}/reference.safetensors.json" for name in names]


def drawn_of(wildcards):
    """Files of the LAIPs that the lab drew for a batch's subjects; none without any."""
    path = SETTINGS.drawn_laips
    return (
        [str(p) for p in laip_files(Path(path), BATCHES[wildcards.batch])]
        if path
        else []
    )


def panel_of(wildcards):
    """The panel, as the sheet names it, behind a folder of references."""
    return PANELS[wildcards.panel]


def tubes_of(wildcards):
    """Rows of the sheet that a job works on: its batch's, its panel's controls, or all."""
    if "batch" in wildcards.keys():
        return rows_of(wildcards.batch)
    if "panel" in wildcards.keys():
        return controls_of([panel_of(wildcards)])
    return SAMPLES


def controls_of(panels):
    """Rows of the sheet that hold the controls of panels."""
    return SAMPLES[SAMPLES["role"].eq("control") & SAMPLES["panel"].isin(panels)]


def bank_of(wildcards):
    """Files with the cells of the controls that a job counts in."""
    panels = list(tubes_of(wildcards)["panel"].unique())
    if SETTINGS.reference:
        return [controls_path(Path(SETTINGS.reference), p) for p in panels]
    return controls_of(panels)["path"]


def memory(stage):
    """How Snakemake learns the megabytes of a stage's job."""

    def ask(wildcards, attempt):
        return memory_mb(
            stage,
            tubes=tubes_of(wildcards)["path"],
            controls=bank_of(wildcards),
            attempt=attempt,
        )

    return ask


def runtime(stage):
    """How Snakemake learns the minutes of a stage's job."""

    def ask(wildcards, attempt):
        return minutes(stage, tubes=tubes_of(wildcards)["path"], attempt=attempt)

    return ask


def results_of_all(wildcards):
    """Everything a whole run makes, but the manifest itself."""
    return [name for name in rules.all.input if name != MANIFEST]


wildcard_constraints:
    batch="[cs][0-9]+",
    panel="|".join(re.escape(p) for p in PANELS),
