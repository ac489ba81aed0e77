"""Read gates that a lab drew: GatingML 2.0, or one sample of a FlowJo workspace. FlowKit builds them."""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from flowkit import GatingStrategy, RatioDimension, gates, parse_gating_xml, parse_wsp
from flowkit.exceptions import FlowKitException, QuadrantReferenceError
from lxml.etree import LxmlError
from networkx import NetworkXException
from numpy.typing import NDArray

from mrd.core.digest import digest_bytes
from mrd.core.drawn import Drawn
from mrd.core.errors import FileError
from mrd.files.flowjo import as_drawn, counted, cut_sample
from mrd.files.xml import read_xml

BROKEN = (
    FlowKitException, LxmlError, NetworkXException, ValueError, LookupError, AttributeError, TypeError, ArithmeticError,
    NotImplementedError, RecursionError, SyntaxError, re.error, struct.error,
)  # fmt: skip
"""What FlowKit raises on gates it cannot build."""
GATINGML_ROOT = "{http://www.isac-net.org/std/Gating-ML/v2.0/gating}Gating-ML"


def read_gates(path: Path, *, files: Sequence[str] = (), where: str) -> Drawn:
    """Gates of a GatingML file, or of the one sample of a FlowJo workspace that shows the tube.

    Parameters
    ----------
    files : names the tube's FCS file goes by, for a workspace: the sample it is found by.
    where : what to call the file in messages: a tube or subject, never a file name.

    Raises
    ------
    FileError
        The file is missing, unsafe, broken or neither format; or the workspace does not hold the tube's sample.
    """
    data, root = read_xml(path, where=where)
    if root == GATINGML_ROOT:
        return read_gatingml(data, where=where)
    if root == "Workspace":
        return read_flowjo(data, files=files, where=where)
    raise FileError("neither GatingML 2.0 nor a FlowJo workspace", where=where, fix="export the gates as GatingML 2.0")


def read_gatingml(data: bytes, *, where: str) -> Drawn:
    """Gates of a GatingML 2.0 document."""
    return Drawn(_built(_parse_gatingml, data, where=where), "gatingml", digest_bytes(data))


def read_flowjo(data: bytes, *, files: Sequence[str], where: str) -> Drawn:
    """Gates of the one sample of a FlowJo 10 workspace that goes by one of these file names."""
    cut = cut_sample(data, files, where=where)
    return Drawn(_built(_parse_flowjo, cut, where=where), "flowjo", digest_bytes(cut), counted(cut))


def _built(parse: Callable[[bytes], GatingStrategy], data: bytes, *, where: str) -> GatingStrategy:
    """What FlowKit builds, or one line of why it cannot; its own words may quote the file and are left out."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _completed(parse(data))
    except BROKEN as error:
        why = f"FlowKit cannot build its gates: {type(error).__name__}"
        raise FileError(why, where=where, fix="check that it is valid GatingML 2.0 or a FlowJo 10 workspace") from None


def _parse_gatingml(data: bytes) -> GatingStrategy:
    return parse_gating_xml(BytesIO(data))


def _parse_flowjo(data: bytes) -> GatingStrategy:
    (sample,) = parse_wsp(BytesIO(data))["samples"].values()
    return as_drawn(sample["gating_strategy"], data)


def _completed(strategy: GatingStrategy) -> GatingStrategy:
    """The gates with ratio dimensions made whole: FlowKit leaves an open end of theirs undefined.

    Raises
    ------
    ValueError
        A gate has no axis, or an end or corner that is no number: it would silently hold no event, or all.
    """
    for gate in strategy_gates(strategy):
        bare = not gate.dimensions and not isinstance(gate, gates.BooleanGate)
        if bare or not np.isfinite(ends_of(gate)).all():
            raise ValueError(gate.gate_name)
        for dimension in gate.dimensions or ():
            if isinstance(dimension, RatioDimension):
                dimension.min = getattr(dimension, "min", None)
                dimension.max = getattr(dimension, "max", None)
    return strategy


def strategy_gates(strategy: GatingStrategy) -> list[Any]:
    """Every gate FlowKit holds; quadrants come with their quadrant gate."""
    found = []
    for name, path in strategy.get_gate_ids():
        with suppress(QuadrantReferenceError):
            found.append(strategy.get_gate(name, path))
    return found


def ends_of(gate: Any) -> NDArray[np.float64]:
    """Every number that says where a gate ends."""
    ends = [v for d in gate.dimensions or () for v in (getattr(d, "min", None), getattr(d, "max", None)) if v is not None]
    corners = [getattr(gate, n, ()) for n in ("vertices", "coordinates", "covariance_matrix")]
    return np.concatenate([np.asarray(ends, dtype=float), *(np.asarray(c, dtype=float).ravel() for c in corners)])
