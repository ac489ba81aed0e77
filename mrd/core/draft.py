"""Draft a panel from the channels of files: roles, markers, detectors, and the usual gate tree on what is there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mrd.core.errors import PanelError
from mrd.core.matching import CLUSTER, bare_detector, best_signal, find_channel, says_nothing
from mrd.core.panel import Channel

BODY: dict[str, dict[str, Any]] = {
    "FSC-A": {"role": "area", "detectors": ["FSC-A", "FS-A", "FS INT*"], "scale": {"cofactor": 1000}},
    "FSC-H": {"role": "height", "detectors": ["FSC-H", "FS-H", "FS PEAK*"], "scale": {"cofactor": 1000}},
    "SSC-A": {"role": "side", "detectors": ["SSC-A", "SS-A", "SS INT*"], "scale": {"cofactor": 1000}},
    "Time": {"role": "time", "detectors": ["TIME", "HDR-T"]},
}
UNSTAINED = re.compile(
    r"(FSC|SSC|FS|SS|TIME|HDR|WIDTH|EVENT|SORT|INDEX|BITS|CLASS|INFO|SAMPLE|BARCODE|DOUBLET)(?![A-Z])|.*\bSORT\b", re.I
)
"""Channels that hold no stain: scatter, clocks, and what sorters and software add."""
DYES = re.compile(
    r"FITC|PE|PER-?CP.*|APC.*|ALEXA.*|AF\d+|BV\d+|BB\d+|BUV\d+|V\d{3}.*|KO|PB|ECD|PC\d.*|PACIFIC.*|AMCYAN|KROME.*|R\d{3}|CY\d.*",
    re.I,
)
VIABLE = re.compile(r"LIVE|DEAD|VIAB|ZOMBIE|FVS|7-?AAD|DAPI|AQUA|VIVID|L/?D\b|PROPIDIUM|DRAQ7", re.I)
LYMPHOCYTES = {"CD45": 4.5, "CD38": 2.2, "CD7": 2.7, "CD2": 2.7, "CD45RA": 2.5, "CD44": 3.0, "HLA-DR": 0.9}
"""Where lymphocytes lie on the common scale, for tubes in which they are not found; other markers: 0.2."""
DIM, CELLS = 0.2, {"FSC-A": 4.75, "SSC-A": 3.25}
LACKED = {"CD33": 1.8, "CD117": 1.8, "CD34": 2.0, "CD14": 1.8, "CD64": 1.8}
"""What lymphocytes lack, and below which value."""
NOT_ERYTHROID = {"CD33": 1.6, "CD13": 2.0, "CD19": 1.2, "HLA-DR": 2.6}
NOT_ERYTHROID_EITHER = {"CD34": 2.0, "CD117": 2.0, "CD64": 1.6, "CD14": 1.6, "CD11b": 1.6, "CD16": 1.6, "CD7": 1.2, "CD56": 1.6}
"""Asked of tubes without CD33, in which granulocytes of dim CD45 and blasts would pass for erythroid cells."""
GRANULAR = 0.8
MONOCYTIC = {"CD33": 3.0, "CD14": 2.5, "CD64": 2.5}


class Stain(NamedTuple):
    """One stained channel of a file: its marker, its role, its detector."""

    marker: str
    role: str
    detector: str


def read_stains(pnn: Sequence[str], pns: Sequence[str]) -> tuple[list[Stain], list[str]]:
    """Stained channels of a file in its order, and the detectors whose labels say nothing.

    Raises
    ------
    PanelError
        Two detectors show one marker.
    """
    named: dict[str, list[int]] = {}
    silent = []
    for i, (n, s) in enumerate(zip(pnn, pns, strict=True)):
        label = "" if says_nothing(s, n) else s
        marker = name_marker(label) or (name_marker(n) if not label and CLUSTER.search(n) else "")
        if UNSTAINED.match(n):
            continue
        if marker:
            named.setdefault(marker, []).append(i)
        else:
            silent.append(n)
    found = {m: best_signal(hits, pnn) for m, hits in named.items()}
    twice = [f"{m} is shown by {' and '.join(pnn[i] for i in hits)}" for m, hits in found.items() if len(hits) > 1]
    if twice:
        raise PanelError("; ".join(twice), fix="give each marker one label in the files, or write the panel by hand")
    return [Stain(m, "viability" if VIABLE.search(m) else "marker", pnn[hits[0]]) for m, hits in found.items()], silent


def name_marker(label: str) -> str:
    """A marker's plain name from a label such as `Anti-HLA-DR V450-A`, `CD45:V500`, `CD34 PerCP-Cy5.5`; empty for a dye alone."""
    clusters = re.findall(r"(?<![A-Z0-9])H?CD[\s_\-]?(\d+[A-F]?(?:R[ABO])?)(?![0-9])", label.upper())
    if clusters:
        return "+".join(dict.fromkeys("CD" + re.sub(r"(?<=\d)[A-F]$", lambda m: m[0].lower(), c) for c in clusters))
    if re.search(r"HLA[\s_\-]*DR(?![A-Z])", label.upper()):
        return "HLA-DR"
    words = [w for w in re.split(r"[\s:|/()]+", re.sub(r"^anti[\s\-]", "", label, flags=re.I)) if w]
    plain = [w for w in words if not DYES.fullmatch(re.sub(r"-[AHW]$", "", w))]
    return re.sub(r"[^A-Za-z0-9.+\-]", "", plain[0]) if plain else ""


def draft_panel(name: str, stains: Mapping[str, Stain | Sequence[Stain]], *, title: str, source: str) -> dict[str, Any]:
    """A panel as its YAML file would declare it.

    Parameters
    ----------
    stains : per marker, how its files show it.

    Raises
    ------
    PanelError
        There is no CD45, or neither CD34 nor CD117: leukocytes or blasts could not be told.
    """
    markers = [m for m, told in stains.items() if _of(told)[0].role == "marker"]
    if "CD45" not in markers or not {"CD34", "CD117"} & set(markers):
        has = ", ".join(markers) or "none"
        fix = "label the channels in $PnS, or write the panel by hand"
        raise PanelError(f"a panel needs CD45, and CD34 or CD117; the files name {has}", fix=fix)
    channels: dict[str, Any] = {n: dict(c) for n, c in BODY.items()}
    for marker, told in stains.items():
        patterns = list(dict.fromkeys(as_pattern(s.detector) for s in _of(told)))
        role = _of(told)[0].role
        channels[marker] = {"detectors": patterns} if role == "marker" else {"role": role, "detectors": patterns}
    return {
        "name": name,
        "version": 1,
        "title": title,
        "source": source,
        "channels": channels,
        "anchor": draft_anchor(markers),
        "gates": draft_gates(markers),
        **{"cells": "cells", "leukocytes": "leukocytes", "blasts": "blasts", "laip_in": "immature", "laip_maybe": "candidates"},
    }


def _of(told: Stain | Sequence[Stain]) -> Sequence[Stain]:
    return [told] if isinstance(told, Stain) else told


def as_pattern(detector: str) -> str:
    """A detector as the pattern that finds it and nothing else."""
    return re.sub(r"([*?\[])", r"[\1]", bare_detector(detector))


def draft_anchor(markers: Sequence[str]) -> dict[str, Any]:
    """Lymphocytes: bright CD45, low side scatter, none of what they lack."""
    return {
        "parent": "singlets",
        "box": {"CD45": [3.3, 6.0], "SSC-A": [1.6, 3.9]},
        "within": {m: [-5, top] for m, top in LACKED.items() if m in markers},
        "default": {**CELLS, **{m: LYMPHOCYTES.get(m, DIM) for m in markers}},
    }


def draft_gates(markers: Sequence[str]) -> list[dict[str, Any]]:
    """The ELN gating order with lymphocytes as the anchor, each gate on the markers that are there."""
    gates: list[dict[str, Any]] = [
        {"name": "singlets", "ratio": ["FSC-A", "FSC-H"], "ratio_max": {"mads": 4}},
        {"name": "cells", "parent": "singlets", "where": {"FSC-A": _min(-1.2)}},
        {"name": "nucleated", "parent": "cells", "where": {"CD45": _min(-3.0)}},
        {"name": "erythroid", "parent": "nucleated", "where": draft_erythroid(markers)},
        {"name": "leukocytes", "parent": "nucleated", "minus": ["erythroid"]},
        {"name": "lymphocytes", "parent": "leukocytes", "where": {"CD45": _min(-0.6), "SSC-A": _max(0.8)}},
        {"name": "granulocytes", "parent": "leukocytes", "where": {"SSC-A": _min(1.6)}},
    ]
    bright = next((m for m in ("CD14", "CD33", "CD64") if m in markers), None)
    if bright:
        where = {"SSC-A": {**_min(0.4), **_max(1.6)}, "CD45": _min(-1.0), bright: _min(MONOCYTIC[bright])}
        gates.append({"name": "monocytes", "parent": "leukocytes", "where": where})
    blasts: dict[str, Any] = {"CD45": {**_min(-2.8), **_max(-0.7)}, "SSC-A": _max(1.4)}
    gates += [
        {"name": "blasts", "parent": "leukocytes", "where": blasts},
        {"name": "candidates", "parent": "nucleated", "minus": ["lymphocytes", "granulocytes"]},
    ]
    myeloid = {"CD13": 2.0, "CD33": 1.6, "CD117": 2.2}
    if all(m in markers for m in myeloid):
        gates.append({"name": "nonmyeloid", "parent": "candidates", "where": {m: _max(v) for m, v in myeloid.items()}})
    lacking = [g["name"] for g in gates if g["name"] in ("erythroid", "nonmyeloid")]
    gates.append({"name": "immature", "parent": "candidates", "minus": lacking})
    progenitors = {"CD34": 2.6, "CD117": 2.2}
    return gates + [{"name": m, "parent": "blasts", "where": {m: _min(v)}} for m, v in progenitors.items() if m in markers]


def draft_erythroid(markers: Sequence[str]) -> dict[str, Any]:
    """Dim CD45 and none of what erythroid cells lack; CD71 where it is stained."""
    lacked = {m: _max(v) for m, v in NOT_ERYTHROID.items() if m in markers}
    if "CD33" not in markers:
        lacked |= {"SSC-A": _max(GRANULAR), **{m: _max(v) for m, v in NOT_ERYTHROID_EITHER.items() if m in markers}}
    return {"CD45": _max(-1.2), **lacked, **({"CD71": _min(1.6)} if "CD71" in markers else {})}


def _min(anchor: float) -> dict[str, Any]:
    return {"min": {"anchor": anchor}}


def _max(anchor: float) -> dict[str, Any]:
    return {"max": {"anchor": anchor}}


def lacking_body(pnn: Sequence[str], pns: Sequence[str]) -> list[str]:
    """Scatter channels that the gates need and the file does not have."""
    needed = {n: Channel.model_validate(c) for n, c in BODY.items() if c["role"] != "time"}
    return [n for n, c in needed.items() if len(find_channel(n, c, pnn, pns)) != 1]
