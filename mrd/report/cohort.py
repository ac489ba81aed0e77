"""What the cohort's page says, worked out from its evidence; the template only lays it out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from statistics import median
from typing import Any

from mrd.core.settings import STAGES, Settings, stage_settings
from mrd.core.words import CALLS, FAILED, FLAGS, split_flags
from mrd.report.evidence import CohortEvidence, Row, visits_in_order
from mrd.report.looks import LOOKS
from mrd.report.numbers import is_told
from mrd.report.wording import NOTES, review_rank, review_reasons

PATHS = ("samples", "subjects", "results", "reference", "laip_folder", "panel")
"""Settings that name a place on somebody's machine: only the last part is shown."""
NODES = ("cells", "leukocytes", "lymphocytes", "granulocytes", "monocytes", "blasts")


def cohort_page(evidence: CohortEvidence) -> dict[str, Any]:
    """Everything the cohort template names."""
    visits = visits_in_order(evidence.calls)
    names = visit_names(visits)
    review = sorted((v for v in visits if review_reasons(v)), key=lambda v: (*review_rank(v), str(v["subject"])))
    return {
        "settings": evidence.settings,
        "counts": call_counts(visits),
        "n_visits": len(visits),
        "n_subjects": len({v["subject"] for v in visits}),
        "names": names,
        "grid": grid(visits, names),
        "review": [review_line(v) for v in review],
        "calm": [review_line(v) for v in visits if not review_reasons(v)],
        "notes": run_notes(visits),
        "summary": None if evidence.summary is None else evidence.rows["summary"],
        "qc": qc_overview(evidence),
        "tubes": tube_lines(evidence),
        "controls": control_lines(evidence),
        "options": setting_groups(evidence.settings),
        "libraries": sorted(evidence.libraries.items()),
        "versions": sorted({str(v["version"]) for v in visits}),
        "looks": LOOKS,
        "flag_words": FLAGS,
    }


def call_counts(visits: Sequence[Row]) -> list[dict[str, Any]]:
    """Visits per call, follow-ups and diagnoses apart."""
    rows = []
    for call in CALLS:
        roles = [v["role"] for v in visits if v["call"] == call]
        rows.append(
            {
                "call": call,
                "look": LOOKS[call],
                "follow": sum(r != "diagnosis" for r in roles),
                "diagnosis": roles.count("diagnosis"),
            }
        )
    return rows


def visit_names(visits: Sequence[Row]) -> list[str]:
    """Names of the visits in the order in which subjects go through them."""
    ranks: dict[str, list[int]] = {}
    seen: dict[str, int] = {}
    for visit in visits:
        seen[visit["subject"]] = seen.get(visit["subject"], -1) + 1
        ranks.setdefault(visit["visit"], []).append(seen[visit["subject"]])
    return sorted(ranks, key=lambda name: (median(ranks[name]), name))


def grid(visits: Sequence[Row], names: Sequence[str]) -> list[tuple[str, list[dict[str, Any] | None]]]:
    """Subjects by visits, those with the most urgent visit first; None where a subject has no such visit."""
    cells = {(v["subject"], v["visit"]): grid_cell(v) for v in visits}
    urgent: dict[str, tuple[int, int]] = {}
    for visit in visits:
        urgent[visit["subject"]] = min(review_rank(visit), urgent.get(visit["subject"], review_rank(visit)))
    return [(s, [cells.get((s, n)) for n in names]) for s in sorted(urgent, key=lambda s: (urgent[s], s))]


def grid_cell(visit: Row) -> dict[str, Any]:
    """One visit of the grid: its call, and why it asks for a look."""
    return {"visit": visit, "look": LOOKS[str(visit["call"])], "why": review_reasons(visit)}


def review_line(visit: Row) -> dict[str, Any]:
    """One visit of the list: its call, and why it should be looked at."""
    return {"visit": visit, "look": LOOKS[str(visit["call"])], "why": review_reasons(visit)}


def run_notes(visits: Sequence[Row]) -> list[tuple[str, str, int]]:
    """Flags that inform only, with their meaning and how many visits carry them."""
    told = [f for v in visits for f in split_flags(v["flags"]) if f in NOTES]
    return [(f, FLAGS[f], told.count(f)) for f in sorted(set(told))]


def qc_overview(evidence: CohortEvidence) -> list[tuple[str, Any]]:
    """The tubes in a few numbers."""
    tubes = evidence.rows["tubes"]
    patients = [t for t in tubes if t["role"] != "control" and t["outcome"] != FAILED]
    sizes = [int(t["n_leukocytes"]) for t in patients if is_told(t["n_leukocytes"])]
    least = evidence.settings.min_leukocytes
    return [
        ("Tubes of subjects", sum(t["role"] != "control" for t in tubes)),
        ("Tubes of controls", sum(t["role"] == "control" for t in tubes)),
        ("Tubes that could not be used", sum(t["outcome"] == FAILED for t in tubes)),
        ("Median leukocytes per subject tube", int(median(sizes)) if sizes else None),
        (f"Subject tubes under {least:,} leukocytes", sum(s < least for s in sizes)),
    ]


def tube_lines(evidence: CohortEvidence) -> list[dict[str, Any]]:
    """Each tube with the shares a reader compares."""
    counts: dict[str, dict[str, int]] = {}
    for node in evidence.rows["qc"]:
        counts.setdefault(node["tube_id"], {})[node["node"]] = int(node["count"])
    return [{**t, "shares": shares(counts.get(t["tube_id"], {}))} for t in evidence.rows["tubes"]]


def shares(counts: dict[str, int]) -> dict[str, float | None]:
    """Cells per event, leukocytes per cell, and each population per leukocyte."""
    told: dict[str, float | None] = {}
    for node in NODES:
        base = {"cells": "events", "leukocytes": "cells"}.get(node, "leukocytes")
        told[node] = counts[node] / counts[base] if counts.get(base) and node in counts else None
    return told


def control_lines(evidence: CohortEvidence) -> list[dict[str, Any]]:
    """Per panel, the controls behind its reference and limits, and those left out."""
    lines = []
    for panel, record in sorted(evidence.references.items()):
        used = [dict(c) for c in record.get("controls", [])]
        lines.append(
            {
                "panel": PurePath(panel).stem,
                "used": used,
                "kinds": [(k, sum(c["kind"] == k for c in used)) for k in ("normal", "regenerating")],
                "excluded": list(record.get("excluded", [])),
                "digest": record.get("artefact"),
            }
        )
    return lines


def setting_groups(settings: Settings) -> list[tuple[str, list[tuple[str, Any, str]]]]:
    """Settings by stage, with their meaning; of paths only the last part."""
    groups = []
    for stage in STAGES:
        rows = [
            (n, PurePath(str(v)).name if n in PATHS else v, str(Settings.model_fields[n].description))
            for n, v in stage_settings(settings, stage).items()
        ]
        groups.append((stage, rows))
    return [(stage, rows) for stage, rows in groups if rows]
