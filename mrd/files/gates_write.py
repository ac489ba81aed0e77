"""Write gates as GatingML 2.0."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from flowkit import GatingStrategy, export_gatingml

from mrd.files.atomic import write_bytes


def write_gatingml(path: Path, strategy: GatingStrategy) -> None:
    """Write a gating strategy as a GatingML 2.0 document whole or not at all."""
    told = BytesIO()
    export_gatingml(strategy, told)
    write_bytes(path, told.getvalue())
