"""Freeze the reference, LAIPs and calls of a trial: a folder of copies with a manifest of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mrd.core.digest import digest_json
from mrd.core.errors import ContractError
from mrd.core.settings import Settings
from mrd.files.atomic import disk_error, write_text
from mrd.files.manifest import MAKING, compare_files, digest_entry, list_files, read_manifest

NAME, VERSION = "lock", 1
FROZEN = ("reference/*/reference.safetensors", "reference/*/reference.safetensors.json", "reference/*/controls.h5ad")
LEARNED = tuple(f"{folder}/*.safetensors{end}" for folder in ("models", "searches") for end in ("", ".json"))
TABLES = (*(f"{name}.{end}" for name in ("calls", "arms", "limits", "shared") for end in ("tsv", "schema.json")), "settings.yaml")


def lock_folder(results: Path) -> Path:
    """Where the frozen parts of a trial lie."""
    return results / "lock"


def lock_path(results: Path) -> Path:
    """The manifest of the lock; a trial is locked where there is one."""
    return lock_folder(results) / "lock.json"


def is_locked(results: Path) -> bool:
    """Whether a trial is locked."""
    return lock_path(results).is_file()


def freeze(results: Path, settings: Settings, told: Mapping[str, Any]) -> dict[str, Any]:
    """Copy reference, LAIPs and calls into the lock folder and write its manifest; returns it.

    Parameters
    ----------
    told : what the calls were made from, for later comparisons.

    Raises
    ------
    ContractError
        The trial is locked already.
    """
    if is_locked(results):
        raise ContractError("the trial is locked already", where=str(results), fix="a lock is kept; lock a new results folder")
    making = results / MAKING
    try:
        shutil.rmtree(making, ignore_errors=True)
        for source, target in sources(results, settings):
            (making / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, making / target)
        body = {
            "name": NAME,
            "version": VERSION,
            **told,
            "files": {n: {"sha256": digest_entry(making / n)} for n in list_files(making)},
        }
        manifest = {**body, "digest": digest_json(body)}
        write_text(making / "lock.json", json.dumps(manifest, indent=1, sort_keys=True) + "\n")
        shutil.rmtree(lock_folder(results), ignore_errors=True)
        making.rename(lock_folder(results))
    except OSError as error:
        raise disk_error(lock_folder(results), error) from error
    for path in lock_folder(results).rglob("*"):
        if path.is_file():
            path.chmod(0o444)
    return manifest


def sources(results: Path, settings: Settings) -> list[tuple[Path, Path]]:
    """Files that are frozen, and where each goes below the lock folder."""
    references = Path(settings.reference) if settings.reference else results / "reference"
    folders = [(references, "reference", [p.removeprefix("reference/") for p in FROZEN])]
    folders += [(f, "laip", list(LEARNED)) for f in (results / "laip", Path(settings.laip_folder)) if str(f) != "."]
    found = {
        Path(top) / p.relative_to(f): p
        for f, top, patterns in folders
        for t in patterns
        for p in sorted(f.glob(t))
        if p.is_file()
    }
    found |= {Path(t): results / t for t in TABLES if (results / t).is_file()}
    return [(source, target) for target, source in sorted(found.items())]


def read_lock(results: Path) -> dict[str, Any]:
    """The lock of a trial, every frozen file checked against its digest.

    Raises
    ------
    ContractError
        A frozen file is not what was locked.
    """
    manifest = read_manifest(lock_path(results), name=NAME)
    listed = {**manifest, "files": {**manifest["files"], "lock.json": {"sha256": digest_entry(lock_path(results))}}}
    strayed = compare_files(lock_folder(results), listed)
    if strayed:
        what = "; ".join(line.replace("\t", " ") for line in strayed.lines())
        raise ContractError(f"the lock is broken: {what}", where=str(lock_folder(results)), fix="restore the folder from a copy")
    return manifest


def with_lock(settings: Settings) -> Settings:
    """The settings with the frozen reference and LAIPs of a locked trial, where no others are asked for."""
    results = Path(settings.results)
    if not is_locked(results):
        return settings
    frozen = {"reference": str(lock_folder(results) / "reference"), "laip_folder": str(lock_folder(results) / "laip")}
    return settings.model_copy(update={n: v for n, v in frozen.items() if not getattr(settings, n)})
