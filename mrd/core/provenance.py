"""What every artefact says of how it came to be: one schema, declared once."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mrd import __version__
from mrd.core.digest import code_digest, digest_json
from mrd.core.errors import ContractError

LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "flowio", "flowkit", "anndata", "pandas")
SHA256 = r"^([0-9a-f]{64})?$"


def _say(meaning: str, default: Any = ..., **limits: Any) -> Any:
    return Field(default, description=meaning, **limits)


class Provenance(BaseModel):
    """How an artefact came to be."""

    model_config = ConfigDict(extra="allow", frozen=True)

    software: str = _say("name of the software", pattern="^flowmrd$")
    version: str = _say("its version")
    command: str = _say("command that made the artefact")
    code: str = _say("SHA-256 of the source the command can reach", pattern=SHA256)
    inputs: dict[str, str] = _say("what was read, each with the SHA-256 of its bytes")
    settings: dict[str, Any] = _say("settings of the stages involved")
    panel: str = _say("SHA-256 of the panel, where the artefact depends on one directly")
    reference: str = _say("SHA-256 of the reference, where the artefact depends on one directly")
    seed: int | None = _say("seed of every random choice; none where nothing is random")
    device: str = _say("where the numbers were computed")
    libraries: dict[str, str] = _say("versions of the libraries that compute")
    python: str = _say("version of Python")


@cache
def installed(library: str) -> str:
    """Version of a library, looked up once: reading a package's metadata for every artefact adds up."""
    return version(library)


def provenance(
    command: str, *, inputs: dict[str, str], settings: dict[str, Any], device: str = "cpu", panel: str = "", reference: str = ""
) -> dict[str, Any]:
    """Software, code, inputs and settings behind an artefact; `inputs` maps what was read to its digest.

    Panel and reference are taken from the inputs of that name unless given, the seed from the settings.
    """
    return {
        "software": "flowmrd",
        "version": __version__,
        "command": command,
        "code": code_digest(command),
        "inputs": inputs,
        "settings": settings,
        "panel": panel or inputs.get("panel", ""),
        "reference": reference or inputs.get("reference", ""),
        "seed": settings.get("seed"),
        "device": device,
        "libraries": {name: installed(name) for name in LIBRARIES},
        "python": ".".join(platform.python_version_tuple()[:2]),
    }


def check_provenance(told: Any, *, where: str) -> Provenance:
    """What an artefact says of how it came to be, checked.

    Raises
    ------
    ContractError
        It lacks a field of the schema, or one has a value that cannot be; all are named.
    """
    try:
        return Provenance.model_validate(told)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'provenance'}: {e['msg']}" for e in error.errors())
        raise ContractError(problems, where=where, fix="run the workflow again") from None


def inputs_digest(told: dict[str, Any]) -> str:
    """A digest that changes when anything that could change the artefact does: code, inputs, settings, device, libraries."""
    return digest_json(told)


def provenance_schema() -> dict[str, Any]:
    """The JSON schema of a provenance, generated from the declaration."""
    return {**Provenance.model_json_schema(), "$schema": "https://json-schema.org/draft/2020-12/schema", "version": 1}
