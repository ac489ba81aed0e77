"""`mrd manifest`: list everything a run wrote, each file with its digest and how it came to be."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mrd.core.digest import REACH, code_digest, digest_file
from mrd.core.provenance import provenance
from mrd.core.settings import Settings
from mrd.files.layout import cells_path
from mrd.files.manifest import make_manifest, read_provenance, write_manifest
from mrd.files.panels import find_panel
from mrd.files.settings import read_settings
from mrd.files.sheet import read_samples


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("results", type=Path, help="results folder of the run")
    parser.add_argument("--settings", type=Path, help="settings of the run; by default those in the results folder")


def run(options: argparse.Namespace) -> None:
    """Write manifest.json."""
    settings = settings_of(options.results, options.settings)
    code = {name: code_digest(name) for name in REACH}
    write_manifest(options.results, make_manifest(options.results, common(options.results, settings), code))


def settings_of(results: Path, given: Path | None) -> Settings:
    """Settings of a finished run."""
    return read_settings(given or results / "settings.yaml")


def common(results: Path, settings: Settings) -> dict[str, Any]:
    """What holds for every artefact of a run: software, settings, panels, the FCS files behind the tubes."""
    samples = read_samples(settings, whole_run=False)
    told = provenance("call", inputs={}, settings=settings.model_dump(), device=settings.device)
    panels = {str(p): digest_file(find_panel(str(p))) for p in sorted(samples["panel"].unique())}
    tables = {n: Path(t) for n, t in (("samples", settings.samples), ("subjects", settings.subjects)) if t}
    sheets = {n: digest_file(p) for n, p in tables.items() if p.is_file()}
    kept = ("software", "version", "settings", "seed", "device", "libraries", "python")
    return {**{n: told[n] for n in kept}, "panels": panels, "sheets": sheets, "fcs": fcs_digests(results, samples["tube_id"])}


def fcs_digests(results: Path, tubes: Any) -> dict[str, str]:
    """Digest of the FCS file each tube's cells were made from."""
    told = {str(t): read_provenance(cells_path(results, str(t))).get("inputs", {}).get("fcs", "") for t in tubes}
    return {t: d for t, d in told.items() if d}
