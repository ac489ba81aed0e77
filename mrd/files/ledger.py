"""What was made from what: a record beside each artefact, so that work whose inputs did not change is not done again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mrd.core.digest import digest_file
from mrd.files.atomic import write_text


def record_path(artefact: Path) -> Path:
    """Where the record of an artefact lies."""
    return artefact.with_name(artefact.name + ".json")


def recorded(artefact: Path) -> dict[str, Any] | None:
    """The record of an artefact that is still what was written; else None."""
    try:
        record: dict[str, Any] = json.loads(record_path(artefact).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = record.get("artefact")
    if whole and not (artefact.is_file() and digest_file(artefact) == whole):
        return None
    return record


def remembered(artefact: Path, inputs: str) -> dict[str, Any] | None:
    """The record of an artefact, if it was made from these inputs and is still what was written; else None."""
    record = recorded(artefact)
    return record if record is not None and record.get("inputs") == inputs else None


def remember(artefact: Path, inputs: str, record: dict[str, Any]) -> dict[str, Any]:
    """Write the record of an artefact (which may be none, where the outcome is a reason) and return it, digests added."""
    whole = digest_file(artefact) if artefact.is_file() else ""
    told = {**record, "inputs": inputs, "artefact": whole}
    write_text(record_path(artefact), json.dumps(told, indent=1, sort_keys=True) + "\n")
    return told
