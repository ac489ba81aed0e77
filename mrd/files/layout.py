"""Where things lie under the results folder: one folder per stage."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from mrd.core.errors import FileError
from mrd.files.ledger import recorded


def plain_name(panel: str) -> str:
    """A panel as a file name: one that is given by its path keeps no slashes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", panel)


def cells_path(results: Path, tube: str) -> Path:
    """Cells of a tube."""
    return results / "prepare" / "cells" / f"{tube}.h5ad"


def prepare_tables(results: Path, batch: str) -> tuple[Path, Path]:
    """Tables of a batch: its tubes, and their gate counts."""
    folder = results / "prepare"
    return folder / f"{batch}.tsv", folder / f"{batch}.qc.tsv"


def reference_folder(results: Path, frozen: str) -> Path:
    """Where references are: the frozen ones given, or the run's own."""
    return Path(frozen) if frozen else results / "reference"


def reference_path(folder: Path, panel: str) -> Path:
    """Model of a panel's reference; its record lies beside it."""
    return folder / plain_name(panel) / "reference.safetensors"


def shared_path(folder: Path) -> Path:
    """Populations that most subjects share, beside a run's references or those that a lock froze."""
    return folder.resolve().parent / "shared.tsv"


def find_reference(frozen: str, panel: str) -> None:
    """Check that a folder of frozen references, where one is given, serves a panel.

    Raises
    ------
    FileError
        It does not.
    """
    if frozen and not reference_path(Path(frozen), panel).is_file():
        fix = "give the reference folder of a finished run"
        raise FileError(f"it holds no reference of panel {panel}", where=f"reference = {frozen}", fix=fix)


def controls_path(folder: Path, panel: str) -> Path:
    """Cells of a panel's controls, as the limits of later LAIPs need them."""
    return folder / plain_name(panel) / "controls.h5ad"


def laip_path(folder: Path, subject: str, panel: str) -> Path:
    """Model of a subject's LAIP in one panel."""
    return folder / "models" / f"{subject}.{plain_name(panel)}.safetensors"


def taught_nothing_path(folder: Path, subject: str, panel: str) -> Path:
    """What would be the LAIP of a diagnosis that taught none: only its record is there, so that follow-ups may teach one."""
    return folder / "models" / f"{subject}.{plain_name(panel)}.diagnosis.safetensors"


def search_path(folder: Path, tube: str) -> Path:
    """What the search of a tube beside the subject's other visits found."""
    return folder / "searches" / f"{tube}.safetensors"


def find_laip(results: Path, frozen: str, subject: str, panel: str) -> Path:
    """Model of a subject's LAIP: the frozen one where the given folder has it whole, else the run's own."""
    given = laip_path(Path(frozen), subject, panel) if frozen else None
    return given if given is not None and recorded(given) is not None else laip_path(results / "laip", subject, panel)


def drawn_path(folder: Path, subject: str, panel: str) -> Path:
    """What was measured of a subject's lab-drawn LAIPs in one panel."""
    return folder / "models" / f"{subject}.{plain_name(panel)}.drawn.safetensors"


def find_drawn(results: Path, frozen: str, subject: str, panel: str) -> Path:
    """What was measured of a subject's lab-drawn LAIPs: this run's own where it measured them, else what is frozen."""
    own = drawn_path(results / "laip", subject, panel)
    return drawn_path(Path(frozen), subject, panel) if frozen and not own.is_file() else own


def laip_tables(results: Path, batch: str) -> tuple[Path, Path]:
    """Tables of a batch: its LAIPs, and each control counted with them."""
    folder = results / "laip"
    return folder / f"{batch}.tsv", folder / f"{batch}.limits.tsv"


def scores_path(results: Path, tube: str) -> Path:
    """Scores of a tube's cells."""
    return results / "detect" / "scores" / f"{tube}.h5ad"


def detect_tables(results: Path, batch: str) -> tuple[Path, Path, Path]:
    """Tables of a batch: what each arm counted, the controls behind it, and the populations it found."""
    folder = results / "detect"
    return folder / f"{batch}.tsv", folder / f"{batch}.limits.tsv", folder / f"{batch}.clusters.tsv"


def result_table(results: Path, name: str) -> Path:
    """A table of the whole run: calls, arms, limits or qc."""
    return results / f"{name}.tsv"


def summary_table(results: Path) -> Path:
    """Rates of the endpoint, where a clinical table was given."""
    return results / "endpoint" / "summary.tsv"


def subject_page_path(results: Path, subject: str) -> Path:
    """Page of a subject."""
    return results / "report" / "subjects" / f"{subject}.html"


def lab_report_path(results: Path, subject: str) -> Path:
    """Laboratory reports of a subject."""
    return results / "report" / "subjects" / f"{subject}.pdf"


def cohort_page_path(results: Path) -> Path:
    """Page of the cohort."""
    return results / "report" / "index.html"


def pages_table(results: Path, batch: str) -> Path:
    """Table of the pages of a batch."""
    return results / "report" / f"{batch}.tsv"


class ExportPaths(NamedTuple):
    """Where a tube's gates, events and the gates on its scores go."""

    gates: Path
    events: Path
    found: Path


def export_paths(out: Path, tube: str) -> ExportPaths:
    """Files of an exported tube."""
    return ExportPaths(out / f"{tube}.gates.xml", out / f"{tube}.fcs", out / f"{tube}.found.xml")
