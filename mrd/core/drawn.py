"""Gates that a lab drew, as they were read: where from, and which one is meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mrd.core.errors import FileError

if TYPE_CHECKING:
    from flowkit import GatingStrategy

GateId = tuple[str, tuple[str, ...]]
"""FlowKit's way of naming a gate: its name, and its ancestors from `root` down."""


@dataclass(frozen=True)
class Drawn:
    """Gates of one GatingML file, or of one sample of a FlowJo workspace.

    strategy : FlowKit's gates, transforms and matrices · source : gatingml or flowjo · digest : of what was read
    counts : events FlowJo wrote beside each gate, by path; none where it had not counted
    """

    strategy: GatingStrategy
    source: str
    digest: str
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def ids(self) -> list[GateId]:
        """Every gate, quadrants among them, parents first."""
        return [(str(name), tuple(path)) for name, path in self.strategy.get_gate_ids()]

    @property
    def paths(self) -> list[str]:
        """Every gate as a path such as `Lymphocytes/T cells`."""
        return [gate_path(i) for i in self.ids]

    def find(self, told: str, *, where: str) -> GateId:
        """The gate with this name, or with the path that ends so.

        Raises
        ------
        FileError
            No gate, or more than one, is called so.
        """
        paths = self.paths
        hits = [i for i, p in zip(self.ids, paths, strict=True) if p == told]
        hits = hits or [i for i, p in zip(self.ids, paths, strict=True) if p.endswith(f"/{told}")]
        if not hits:
            raise FileError(f"there is no gate {told}", where=where, fix=f"use one of {', '.join(paths) or '(it has no gates)'}")
        if len(hits) > 1:
            many = ", ".join(gate_path(i) for i in hits)
            raise FileError(f"gate {told} stands in several places", where=where, fix=f"give its path: {many}")
        return hits[0]


def gate_path(gate: GateId) -> str:
    """A gate as a path from the root, which itself is left out."""
    name, ancestors = gate
    return "/".join([*ancestors[1:], name])
