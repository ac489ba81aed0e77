"""Small evidence to draw pages from: rows as the stages write them, cells as prepare leaves them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mrd.core.contracts import ARMS_TABLE, BURDENS, CALLS_TABLE, CLUSTERS, LAIPS, LIMITS, QC, SUMMARY, TUBES
from mrd.core.settings import Settings
from mrd.files.panels import read_panel
from mrd.report.drawn import Drawn
from mrd.report.evidence import CohortEvidence, ControlLook, SubjectEvidence, TubeLook

PANEL = "aml-lyric-9"
SETTINGS = Settings(samples="sheet.tsv", min_leukocytes=100_000)
DIGEST = "0123456789abcdef" * 4


def call(call: str = "positive", **changes: Any) -> dict[str, Any]:
    """A row of the calls table."""
    row = {
        **{"subject": "P1", "visit": "FU1", "role": "follow-up", "specimen": "P1-FU1", "specimen_type": "bone marrow"},
        **{"collected": "2024-02-01", "n_tubes": 1, "n_events": 250_000, "n_cells": 220_000, "n_leukocytes": 200_000},
        **{"n_blast": 4_000, "n_laip": 400, "laip_fraction": 0.002, "laip_below": "N", "mrd_fraction": 0.002},
        **{"ci_low": 0.0017, "ci_high": 0.0023, "lob": 1e-4, "lod": 2e-4, "lloq": 4e-4, "recall": 0.9, "background": 5e-5},
        **{"arm": "laip", "call": call, "below_threshold": "N", "confident": "Y", "reason": "0.002 detected", "flags": ""},
        **{"decide_on": "mrd_fraction", "threshold": 1e-3, "guideline": "ELN 2021", "reference": DIGEST, "laip": DIGEST},
        **{"panel": PANEL, "version": "0.1.0"},
    }
    return {**row, **changes}


NUMBERS = ("n_leukocytes", "n_blast", "n_laip", "laip_fraction", "laip_below", "mrd_fraction", "ci_low", "ci_high")
LIMITS_OF_A_CALL = ("lob", "lod", "lloq", "recall", "background", "arm", "below_threshold", "confident", "laip")


def unread(**changes: Any) -> dict[str, Any]:
    """A row of a visit in which nothing could be counted."""
    none = dict.fromkeys((*NUMBERS, *LIMITS_OF_A_CALL, "n_events", "n_cells"))
    return call("not-evaluable", **{**none, "n_tubes": 0, "reason": "the file is cut short", "flags": "tube-failed", **changes})


def tube(**changes: Any) -> dict[str, Any]:
    """A row of the tubes table."""
    row = {
        **{"tube_id": "P1_FU1_T1", "subject": "P1", "visit": "FU1", "role": "follow-up", "control_kind": None, "tube": "T1"},
        **{"specimen": "P1-FU1", "specimen_type": "bone marrow", "collected": "2024-02-01", "panel": PANEL, "outcome": "ok"},
        **{"reason": None, "n_events": 250_000, "n_cells": 220_000, "n_leukocytes": 200_000, "n_blast": 4_000, "flags": ""},
        **{"inputs": DIGEST, "artefact": DIGEST},
    }
    return {**row, **changes}


def failed(**changes: Any) -> dict[str, Any]:
    """A row of a tube that could not be used."""
    none = dict.fromkeys(("n_events", "n_cells", "n_leukocytes", "n_blast", "artefact"))
    return tube(**{**none, "outcome": "failed", "reason": "tube P1_FU1_T1: the file is cut short", **changes})


def burden(**changes: Any) -> dict[str, Any]:
    """A row of the burdens table."""
    row = {
        **{"tube_id": "P1_FU1_T1", "arm": "laip", "outcome": "ok", "reason": None, "n_leukocytes": 200_000, "n_found": 400},
        **{"recall": 0.9, "recall_se": 0.02, "distance": 0.11, "flags": "", "inputs": DIGEST, "artefact": DIGEST},
    }
    return {**row, **changes}


def arm(**changes: Any) -> dict[str, Any]:
    """A row of the arms table."""
    names = ("mrd_fraction", "ci_low", "ci_high", "lob", "lod", "lloq", "recall", "background", "n_leukocytes", "panel")
    row = {
        **{"subject": "P1", "visit": "FU1", "tubes": "P1_FU1_T1", "arm": "laip", "outcome": "ok", "reason": None, "n_found": 400},
        **{n: call()[n] for n in names},
        **dict.fromkeys(("detected", "adequate", "agrees", "decided"), "Y"),
    }
    return {**row, **changes}


def laip(**changes: Any) -> dict[str, Any]:
    """A row of the LAIPs table."""
    row = {
        **{"subject": "P1", "panel": PANEL, "arm": "laip", "tube_id": "P1_DX_T1", "outcome": "ok", "reason": None},
        **{"phenotype": "CD45loSSCloCD34+CD117+CD56+/CD45+", "share": 0.4, "cut": 2.5, "recall": 0.9, "recall_se": 0.02},
        **{"background": 5e-5, "n_controls": 4, "flags": "few-controls", "inputs": DIGEST, "artefact": DIGEST},
    }
    return {**row, **changes}


def limits(fractions: dict[str, list[float]] | None = None) -> list[dict[str, Any]]:
    """Rows of the limits table: controls of each kind with the fraction that passes."""
    told = {"normal": [1e-5, 5e-5], "regenerating": [0.0, 1e-4]} if fractions is None else fractions
    pairs = [(kind, f) for kind, values in told.items() for f in values]
    head = {"subject": "P1", "panel": PANEL, "arm": "laip", "cut": 2.5, "n_leukocytes": 100_000, "recall": 0.9}
    return [
        {**head, "control": f"C{i}", "control_kind": kind, "n_found": round(1e5 * f), "fraction": f}
        for i, (kind, f) in enumerate(pairs)
    ]


def nodes(tube_id: str = "P1_FU1_T1") -> list[dict[str, Any]]:
    """Rows of the qc table of one tube."""
    tree = [("events", None, 250_000), ("cells", "events", 220_000), ("leukocytes", "cells", 200_000)]
    tree += [("blasts", "leukocytes", 4_000), ("lymphocytes", "leukocytes", 30_000), ("granulocytes", "leukocytes", 120_000)]
    sizes = {node: count for node, _, count in tree}
    return [
        {
            **{"tube_id": tube_id, "node": node, "parent": parent, "count": count, "gate": DIGEST},
            **{"share_parent": count / sizes.get(parent, count), "share_events": count / 250_000},
        }
        for node, parent, count in tree
    ]


def drawn(found: int | None = 40, leukocytes: int = 300, *, tube_id: str = "P1_FU1_T1") -> Drawn:
    """Cells of a tube: normal cells around 1, found cells around 5, on every channel of the panel."""
    channels = tuple(read_panel(PANEL).model_channels)
    rng = np.random.default_rng(3)
    cells = rng.normal(1.0, 0.5, (leukocytes, len(channels))).astype(np.float32)
    hits = None if found is None else rng.normal(5.0, 0.3, (found, len(channels))).astype(np.float32)
    gates = {
        "nucleated": {"parent": "cells", "spans": {"CD45": [-1.0, None]}, "minus": []},
        "leukocytes": {"parent": "nucleated", "spans": {}, "minus": ["erythroid"]},
        "blasts": {"parent": "leukocytes", "spans": {"CD45": [0.2, 2.0], "SSC-A": [None, 3.0]}, "minus": []},
    }
    return Drawn(
        tube_id=tube_id,
        channels=channels,
        leukocytes=cells,
        others=cells[:5] - 2,
        blasts=cells[::10],
        found=hits,
        n_leukocytes=leukocytes,
        n_blasts=len(cells[::10]),
        n_found=found or 0,
        n_found_blast=(found or 0) // 2,
        gates=gates,
    )


def control(kind: str = "normal", found: int | None = 2, leukocytes: int = 300) -> ControlLook:
    """A control beside a subject."""
    name = f"{kind[:1].upper()}1_V1_T1"
    return ControlLook(name, kind, drawn(found, leukocytes, tube_id=name))


def look(found: int | None = 40, **changes: Any) -> TubeLook:
    """Cells of a tube with their provenance."""
    return TubeLook(drawn(found, **changes), {"version": "0.1.0", "code": DIGEST, "inputs": {"fcs": DIGEST, "panel": DIGEST}})


def subject(**changes: Any) -> SubjectEvidence:
    """Evidence of one subject with one follow-up; tables may be given as lists of rows."""
    tables = {
        "calls": (CALLS_TABLE, [call()]),
        "arms": (ARMS_TABLE, [arm()]),
        "limits": (LIMITS, limits()),
        "laips": (LAIPS, [laip()]),
        "tubes": (TUBES, [tube()]),
        "qc": (QC, nodes()),
        "burdens": (BURDENS, [burden()]),
        "clusters": (CLUSTERS, []),
    }
    frames = {name: table.frame(changes.pop(name, rows)) for name, (table, rows) in tables.items()}
    whole = SubjectEvidence(
        subject="P1",
        clinical=None,
        looks={"P1_FU1_T1": look()},
        panels={PANEL: read_panel(PANEL)},
        controls={PANEL: [control(), control("regenerating")]},
        received={"P1_FU1_T1": "2024-02-02"},
        settings=SETTINGS,
        **frames,
    )
    return replace(whole, **changes)


def cohort(**changes: Any) -> CohortEvidence:
    """Evidence of a cohort of one subject; tables may be given as lists of rows."""
    tables = {
        "calls": (CALLS_TABLE, [call()]),
        "tubes": (TUBES, [tube()]),
        "qc": (QC, nodes()),
        "limits": (LIMITS, limits()),
        "laips": (LAIPS, [laip()]),
    }
    frames = {name: table.frame(changes.pop(name, rows)) for name, (table, rows) in tables.items()}
    controls = [{"control": "N1_V1_T1", "kind": "normal", "n_leukocytes": 90_000}]
    references = {PANEL: {"artefact": DIGEST, "controls": controls, "excluded": []}}
    whole = CohortEvidence(references=references, summary=None, settings=SETTINGS, libraries={"numpy": "2.0"}, **frames)
    return replace(whole, **changes)


SUMMARY_ROW = {
    **{"set": "treated", "rule": "last", "primary": "Y", "n_converted": 14, "n_subjects": 42, "percent": 100 / 3},
    **{"ci_low": 19.55, "ci_high": 49.54, "confidence": 95.0},
}


def summary() -> Any:
    """A summary table of one row."""
    return SUMMARY.frame([SUMMARY_ROW])
