"""`mrd manifest`: list everything a run wrote, each file with its digest and how it came to be."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mrd.core.digest import REACH, digest_file, digest_json
from mrd.core.provenance import provenance
from mrd.core.settings import STAGES, Settings, stage_settings
from mrd.files.layout import cells_path
from mrd.files.manifest import (
    READS,
    list_entries,
    make_manifest,
    manifest_path,
    read_manifest,
    read_provenance,
    stage_inputs,
    write_manifest,
)
from mrd.files.panels import find_panel
from mrd.files.settings import read_settings
from mrd.files.sheet import read_samples

RANDOM = ("reference", "laip", "detect", "report")
"""Stages that draw random numbers."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("results", type=Path, help="results folder of the run")
    parser.add_argument("--settings", type=Path, help="settings of the run; by default those in the results folder")


def run(options: argparse.Namespace) -> None:
    """Write manifest.json."""
    settings = settings_of(options.results, options.settings)
    files, outside = list_entries(options.results), from_outside(options.results, settings)
    stages = {s: stage_provenance(s, files, outside, settings) for s in READS if any(e["stage"] == s for e in files.values())}
    write_manifest(options.results, make_manifest(files, stages, {**outside, "settings": settings.model_dump()}))


def renew_stage(results: Path, settings: Settings, stage: str) -> None:
    """List the files of one stage anew, where there is a manifest: all others stay as they were listed."""
    if not manifest_path(results).is_file():
        return
    old = read_manifest(manifest_path(results))
    kept = {n: e for n, e in old["files"].items() if e["stage"] != stage}
    files = dict(sorted({**kept, **list_entries(results, stage)}.items()))
    outside = {n: d for n, d in old["outside"].items() if n != "settings"}
    stages = {**old["stages"], stage: stage_provenance(stage, files, outside, settings)}
    write_manifest(results, make_manifest(files, stages, old["outside"]))


def settings_of(results: Path, given: Path | None) -> Settings:
    """Settings of a finished run."""
    return read_settings(given or results / "settings.yaml")


def stage_provenance(
    stage: str, files: Mapping[str, Any], outside: Mapping[str, Mapping[str, str]], settings: Settings
) -> dict[str, Any]:
    """How the files of one stage came to be."""
    mine = stage_settings(settings, *[s for s in STAGES if s == stage or (s in ("reference", "laip") and stage in RANDOM)])
    references = {n: e["sha256"] for n, e in files.items() if n.endswith("/reference.safetensors")}
    return provenance(
        stage if stage in REACH else "call",
        inputs=stage_inputs(stage, files, outside),
        settings={**mine, "seed": settings.seed} if stage in RANDOM else mine,
        device=",".join(sorted({e["device"] for e in files.values() if e["stage"] == stage and "device" in e})) or "cpu",
        panel=digest_json(outside["panels"]),
        reference=digest_json(references) if references else "",
    )


def from_outside(results: Path, settings: Settings) -> dict[str, dict[str, str]]:
    """Digests of what a run read: FCS files by tube (as they were when its cells were made), panels, sheets."""
    samples = read_samples(settings, whole_run=False)
    sheets = {n: Path(t) for n, t in (("samples", settings.samples), ("subjects", settings.subjects)) if t}
    return {
        "fcs": fcs_digests(results, samples["tube_id"]),
        "panels": {str(p): digest_file(find_panel(str(p))) for p in sorted(samples["panel"].unique())},
        **{n: {n: digest_file(p)} for n, p in sheets.items() if p.is_file()},
        **({"drawn": drawn_digests(settings, samples)} if settings.drawn_laips else {}),
    }


def drawn_digests(settings: Settings, samples: pd.DataFrame) -> dict[str, str]:
    """Digest of the LAIPs that the lab drew, by subject and panel; no file is named, for its name may be a person's."""
    from mrd.cli.drawn import asked_of  # here, since few runs have any

    patients = samples[samples["role"].ne("control")].drop_duplicates(["subject", "panel"])
    who = sorted(zip(patients["subject"].astype(str), patients["panel"].astype(str), strict=True))
    told = {f"{s} {p}": asked_of(settings, samples, s, p) for s, p in who}
    return {n: asked.digest for n, asked in told.items() if asked is not None}


def fcs_digests(results: Path, tubes: Iterable[str]) -> dict[str, str]:
    """Digest of the FCS file each tube's cells were made from."""
    told = {str(t): read_provenance(cells_path(results, str(t))).get("inputs", {}).get("fcs", "") for t in tubes}
    return {t: d for t, d in told.items() if d}
