"""A small synthetic cohort and the stages run on it in this process, for tests of the whole way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from mrd.cli.main import main
from mrd.cli.run_options import batches_of
from mrd.core.settings import check_settings
from mrd.files.sheet import read_samples

SMALL: dict[str, Any] = {
    "components": 25,
    "reference_cells": 20_000,
    "dfn_components": 30,
    "dfn_rounds": 25,
    "adapt_cells": 8_000,
    "laip_components": 12,
    "control_cells": 10_000,
    "min_leukocytes": 4_000,
    "threshold": 0.02,
    "batch_tubes": 4,
}
"""Settings for tubes of a few thousand events; at a threshold of 2 % such tubes can be adequate."""
COLUMNS = [
    *("subject", "visit", "role", "control_kind", "tube", "specimen", "specimen_type"),
    *("collected", "fcs", "events", "burden", "laip", "artefacts"),
]


def tube(
    subject: str,
    visit: str,
    role: str,
    events: int,
    *,
    day: str = "2024-01-01",
    kind: str = "",
    burden: float = 0.0,
    laip: str = "",
) -> list[Any]:
    """A row of a plan."""
    name = f"{subject}_{visit}_T1"
    return [
        subject,
        visit,
        role,
        kind,
        "T1",
        f"{subject}-{visit}",
        "bone marrow",
        day,
        f"fcs/{name}.fcs",
        events,
        burden or "",
        laip,
        "",
    ]


def controls(count: int = 6, events: int = 5_000) -> list[list[Any]]:
    """Rows of normal and regenerating controls."""
    return [tube(f"N{i}", "V1", "control", events, kind=("normal", "regenerating")[i % 2]) for i in range(count)]


def patient(name: str, laip: str, burdens: Sequence[float], *, events: int = 7_000) -> list[list[Any]]:
    """Rows of a subject: diagnosis at 40 %, then a follow-up per burden."""
    rows = [tube(name, "DX", "diagnosis", 6_000, burden=0.4, laip=laip)]
    return rows + [
        tube(name, f"FU{i + 1}", "follow-up", events, day=f"2024-0{i + 2}-01", burden=b, laip=laip) for i, b in enumerate(burdens)
    ]


def make_cohort(folder: Path, rows: list[list[Any]], **settings: Any) -> Path:
    """Write a plan, simulate its tubes, and write settings; returns the settings file."""
    folder.mkdir(parents=True, exist_ok=True)
    plan = folder / "samples.tsv"
    pd.DataFrame(rows, columns=COLUMNS).to_csv(plan, sep="\t", index=False)
    told = [r[0] + "_" + r[1] + "_T1" for r in rows if not (folder / r[8]).exists()]
    if told:
        assert main(["simulate", "--plan", str(plan), "--tubes", *told]) == 0
    path = folder / "settings.yaml"
    path.write_text(yaml.safe_dump({**SMALL, "samples": str(plan), "results": str(folder / "results"), **settings}))
    return path


def run_stages(settings_file: Path, *, until: str = "call") -> Path:
    """Run the stages as the workflow would, each through its command; returns the results folder."""
    settings = check_settings(yaml.safe_load(settings_file.read_text()))
    samples, results = read_samples(settings, whole_run=False), Path(settings.results)
    batches = list(batches_of(samples, settings))
    given = ["--settings", str(settings_file)]
    tubes = {b: str(results / "prepare" / f"{b}.tsv") for b in batches}
    patients = [b for b in batches if b.startswith("s")]
    calls: list[list[str]] = [["prepare", *given, "--batch", b] for b in batches]
    if not settings.reference:
        calls += [
            ["reference", *given, "--panel", p, "--tubes", *(tubes[b] for b in batches if b.startswith("c"))]
            for p in sorted(samples["panel"].unique())
        ]
    calls += [["laip", *given, "--batch", b, "--tubes", tubes[b]] for b in patients]
    calls += [
        ["detect", *given, "--batch", b, "--tubes", tubes[b], "--laips", str(results / "laip" / f"{b}.tsv")] for b in patients
    ]
    tables = {
        "tubes": [tubes[b] for b in patients],
        "qc": [str(results / "prepare" / f"{b}.qc.tsv") for b in batches],
        "laips": [str(results / "laip" / f"{b}.tsv") for b in patients],
        "limits": [str(results / stage / f"{b}.limits.tsv") for stage in ("laip", "detect") for b in patients],
        "clusters": [str(results / "detect" / f"{b}.clusters.tsv") for b in patients],
        "burdens": [str(results / "detect" / f"{b}.tsv") for b in patients],
    }
    calls.append(["call", *given, *(w for n, paths in tables.items() for w in (f"--{n}", *paths))])
    if until == "report":
        calls += [["report", *given, "--batch", b] for b in patients] + [["report", *given, "--cohort"]]
    for words in calls:
        assert main(words) == 0, words
        if words[0] == until and until not in ("call", "report"):
            break
    return results


def read_calls(results: Path) -> pd.DataFrame:
    """calls.tsv indexed by subject and visit."""
    return pd.read_csv(results / "calls.tsv", sep="\t").set_index(["subject", "visit"])


def run_some(settings_file: Path, *stages: str) -> None:
    """Run some stages of a finished run of one panel and one batch of patients again."""
    results = Path(yaml.safe_load(settings_file.read_text())["results"])
    given = ["--settings", str(settings_file)]
    tubes, laips = str(results / "prepare" / "s001.tsv"), str(results / "laip" / "s001.tsv")
    words = {
        "prepare": ["--batch", "s001"],
        "reference": ["--panel", "aml-lyric-9", "--tubes", str(results / "prepare" / "c001.tsv")],
        "laip": ["--batch", "s001", "--tubes", tubes],
        "detect": ["--batch", "s001", "--tubes", tubes, "--laips", laips],
        "call": [
            *("--tubes", tubes, "--laips", laips),
            *("--limits", *(str(results / stage / "s001.limits.tsv") for stage in ("laip", "detect"))),
            *("--clusters", str(results / "detect" / "s001.clusters.tsv")),
            *("--burdens", str(results / "detect" / "s001.tsv"), "--qc", str(results / "prepare" / "s001.qc.tsv")),
        ],
    }
    for stage in stages:
        assert main([stage, *given, *words[stage]]) == 0, stage
