"""What every artefact says of how it came to be."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from mrd import __version__
from mrd.core.digest import code_digest, digest_json

LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "flowio", "flowkit", "anndata", "pandas")


def provenance(command: str, *, inputs: dict[str, str], settings: dict[str, Any], device: str = "cpu") -> dict[str, Any]:
    """Software, code, inputs and settings behind an artefact; `inputs` maps what was read to its digest."""
    return {
        "software": "flowmrd",
        "version": __version__,
        "command": command,
        "code": code_digest(command),
        "inputs": inputs,
        "settings": settings,
        "device": device,
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def inputs_digest(told: dict[str, Any]) -> str:
    """A digest that changes when anything that could change the artefact does: code, inputs, settings, device, libraries."""
    return digest_json(told)
