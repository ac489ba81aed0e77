"""The list of everything a run wrote, each file with its digest, and what became of it since."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrd.core.digest import digest_file, digest_json
from mrd.core.errors import FileError
from mrd.files.atomic import write_text

NAME, VERSION = "manifest", 1
MAKING = ".lock.making"
APART = ("logs", "benchmarks", "review", "lock", MAKING, ".snakemake")
"""Folders whose files change without the results changing, or that keep an account of their own."""
TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}(\.[A-Za-z0-9]+)?")
"""What an interrupted write leaves behind; it is never read as a result."""
STAGES = {
    "calls.": "call", "arms.": "call", "limits.": "call", "clusters.": "call", "qc.": "call", "specimens.": "call",
    "shared.": "call",
    "differences.": "compare", "recalled.": "compare",
    "settings.": "settings",
}  # fmt: skip
READS = {
    "prepare": ("fcs", "panels", "samples"),
    "reference": ("prepare", "panels"),
    "laip": ("prepare", "reference", "panels", "drawn"),
    "detect": ("prepare", "reference", "laip", "drawn"),
    "call": ("prepare", "reference", "laip", "detect"),
    "endpoint": ("call", "subjects"),
    "report": ("prepare", "laip", "detect", "call", "endpoint"),
    "compare": ("call", "lock"),
    "export": ("fcs", "prepare", "laip", "detect", "panels"),
}
"""What each stage reads: results of other stages, or what comes from outside."""


def manifest_path(results: Path) -> Path:
    """Where the manifest of a run lies."""
    return results / "manifest.json"


def stage_of_file(name: str) -> str:
    """Stage that writes a file of the results folder."""
    top, _, rest = name.partition("/")
    return top if rest else next((s for start, s in STAGES.items() if top.startswith(start)), "")


def list_files(results: Path) -> list[str]:
    """Every file of a results folder but logs and the like, by its path inside; temporary ones are left out.

    A link is listed as what it is: it is never followed.
    """
    return sorted(_walk(results, results))


def _walk(folder: Path, results: Path) -> Iterator[str]:
    for entry in os.scandir(folder):
        name = Path(entry.path).relative_to(results).as_posix()
        if entry.is_dir(follow_symlinks=False):
            if folder != results or entry.name not in APART:
                yield from _walk(Path(entry.path), results)
        elif not TEMPORARY.fullmatch(entry.name) and name != f"{NAME}.json":
            yield name


def digest_entry(path: Path) -> str:
    """Digest of a file's bytes; of a link, of where it points."""
    return digest_json(str(path.readlink())) if path.is_symlink() else digest_file(path)


def list_entries(results: Path, stage: str | None = None) -> dict[str, dict[str, Any]]:
    """Every file, or those of one stage, with its digest, its size, its stage, and the inputs it names itself."""
    names = {n: stage_of_file(n) for n in list_files(results)}
    return {n: _entry(results / n, s) for n, s in names.items() if stage in (None, s)}


def make_manifest(files: Mapping[str, Any], stages: Mapping[str, Any], outside: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a run.

    Parameters
    ----------
    files : as `list_entries` gives them
    stages : the provenance of each stage; it is that of each of its files
    outside : digests of what came from outside: FCS files by tube, panels, sheets
    """
    body = {"name": NAME, "version": VERSION, "outside": dict(outside), "stages": dict(stages), "files": dict(files)}
    return {**body, "digest": digest_json(body)}


def stage_inputs(stage: str, files: Mapping[str, Any], outside: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """What a stage read, each with its digest: one over the files of another stage, and each thing from outside."""
    told: dict[str, str] = {}
    for source in READS.get(stage, ()):
        if source in outside:
            told |= {f"{source}/{n}": d for n, d in outside[source].items()}
        else:
            mine = {n: e["sha256"] for n, e in files.items() if e["stage"] == source}
            told |= {source: digest_json(mine)} if mine else {}
    return told


def _entry(path: Path, stage: str) -> dict[str, Any]:
    own = read_provenance(path)
    entry = {"sha256": digest_entry(path), "bytes": path.lstat().st_size, "stage": stage}
    return {**entry, "inputs": own["inputs"], "device": own["device"]} if {"inputs", "device"} <= set(own) else entry


def read_provenance(path: Path) -> dict[str, Any]:
    """The provenance an artefact carries within itself; empty where it carries none."""
    read = {".h5ad": _told_by_anndata, ".safetensors": _told_by_model}.get(path.suffix)
    try:
        return {} if read is None else dict(read(path))
    except (OSError, ValueError, LookupError, TypeError, RuntimeError):
        return {}


def _told_by_anndata(path: Path) -> Any:
    import h5py  # here, since every command looks for a lock and few open an artefact

    with h5py.File(path, "r") as handle:
        return json.loads(handle["uns/provenance"][()])


def _told_by_model(path: Path) -> Any:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as handle:
            return json.loads((handle.metadata() or {})["flowmrd"])["about"]["provenance"]
    except SafetensorError as error:
        raise ValueError(path.name) from error


def write_manifest(results: Path, manifest: Mapping[str, Any]) -> None:
    """Write a manifest."""
    write_text(manifest_path(results), json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def read_manifest(path: Path, *, name: str = NAME) -> dict[str, Any]:
    """A manifest as it was written.

    Raises
    ------
    FileError
        There is none, or it is not what was written.
    """
    if not path.is_file():
        fix = "finish the workflow, or write one with `mrd manifest RESULTS`"
        raise FileError(f"there is no {path.name}", where=str(path.parent), fix=fix)
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        body = {k: v for k, v in told.items() if k != "digest"}
        sound = told["name"] == name and isinstance(told["files"], dict) and told["digest"] == digest_json(body)
    except (ValueError, LookupError, TypeError, AttributeError, OSError):
        sound = False
    if not sound:
        raise FileError(f"{path.name} is not what was written", where=str(path.parent), fix="restore it from a copy")
    return dict(told)


@dataclass(frozen=True)
class Strayed:
    """Files that are no longer what a manifest says."""

    changed: list[str]
    missing: list[str]
    added: list[str]

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing or self.added)

    def lines(self) -> list[str]:
        """One line for each file."""
        told = {"changed": self.changed, "missing": self.missing, "added": self.added}
        return [f"{what}\t{name}" for what, names in told.items() for name in names]


def compare_files(folder: Path, manifest: Mapping[str, Any]) -> Strayed:
    """Recompute every digest of a manifest and look for files it does not know."""
    told = {n: str(e["sha256"]) for n, e in manifest["files"].items()}
    there = set(list_files(folder))
    changed = [n for n in sorted(told.keys() & there) if digest_entry(folder / n) != told[n]]
    return Strayed(changed, sorted(told.keys() - there), sorted(there - told.keys()))
