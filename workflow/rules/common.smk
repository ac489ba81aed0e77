import sys
from pathlib import Path

from mrd.cli.run_options import batches_of
from mrd.core.digest import code_digest
from mrd.core.errors import MrdError
from mrd.core.settings import check_settings, settings_digest
from mrd.files.panels import find_panel
from mrd.files.settings import write_settings
from mrd.files.sheet import read_samples

DEMO = Path("build/demo")


def start():
    """Settings and sheet, or one line of what is wrong and exit code 2."""
    try:
        settings = check_settings(dict(config))
        samples = read_samples(settings, made_in=DEMO)
        for panel in samples["panel"].unique():
            find_panel(panel)
        write_settings(Path(settings.results) / "settings.yaml", settings)
        return settings, samples
    except MrdError as error:
        sys.stderr.write(f"flowmrd: {error}\n")
        sys.exit(2)


SETTINGS, SAMPLES = start()
RESULTS = SETTINGS.results
OPTIONS = f"--settings {RESULTS}/settings.yaml"
BATCHES = batches_of(SAMPLES, SETTINGS)
PATIENTS = [b for b in BATCHES if b.startswith("s")]
CONTROLS = [b for b in BATCHES if b.startswith("c")]
PANELS = sorted(SAMPLES["panel"].unique())
REFERENCE = SETTINGS.reference or f"{RESULTS}/reference"


def rows_of(batch):
    """Rows of the sheet that belong to a batch."""
    return SAMPLES[SAMPLES["subject"].isin(BATCHES[batch])]


def files_of(wildcards):
    """What the cells of a batch are made from."""
    rows = rows_of(wildcards.batch)
    matrices = [c for c in rows["compensation"] if c not in ("", "none")]
    return [*rows["path"], *matrices, *(str(find_panel(p)) for p in rows["panel"].unique())]


def reference_of(wildcards):
    """Records of the references that a batch's panels need."""
    return [f"{REFERENCE}/{p}/reference.safetensors.json" for p in sorted(rows_of(wildcards.batch)["panel"].unique())]


wildcard_constraints:
    batch="[cs][0-9]+",
    panel="|".join(PANELS),
