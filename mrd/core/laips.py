"""LAIPs that a lab drew: a phenotype string, spans in the panel's grammar, or a gate of a GatingML file or workspace."""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationError, model_validator

from mrd.core.errors import PanelError
from mrd.core.panel import Part, Span

Level = tuple[float | None, float | None]


class DrawnLaip(Part):
    """One LAIP of a subject; exactly one of phenotype, where and gates."""

    panel: str = ""
    """Panel it holds for; empty: every panel that has its markers."""
    phenotype: str = ""
    """Such as CD45loSSCloCD34+CD117+CD7+."""
    levels: dict[str, dict[str, Level]] = Field({})
    """Where a level of a marker begins and ends on the common scale, where the lab's differs from the usual."""
    where: dict[str, Span] = Field({})
    parent: str = ""
    """Gate of the panel its cells lie in; empty: all cells."""
    gates: str = ""
    """GatingML file or FlowJo workspace, relative to the file that names it."""
    gate: str = ""
    """Name or path of the gate in it."""

    @model_validator(mode="after")
    def _one_way(self) -> DrawnLaip:
        if sum(map(bool, (self.phenotype, self.where, self.gates))) != 1:
            raise ValueError("a LAIP takes exactly one of phenotype, where, gates")
        if bool(self.gates) != bool(self.gate):
            raise ValueError("gates and gate go together")
        return self


class DrawnLaips(Part):
    """Every lab-drawn LAIP of a trial, by subject; several of a subject are taken as their union."""

    version: int = Field(1, ge=1, le=1)
    subjects: dict[str, tuple[DrawnLaip, ...]]

    def of(self, subject: str, panel: str) -> list[DrawnLaip]:
        """A subject's LAIPs for a panel."""
        return [laip for laip in self.subjects.get(subject, ()) if laip.panel in ("", panel)]


def check_laips(values: Any, *, where: str) -> DrawnLaips:
    """Validate lab-drawn LAIPs read from YAML.

    Raises
    ------
    PanelError
        A key is unknown, missing or wrong; all problems are named.
    """
    try:
        return DrawnLaips.model_validate(values)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(str(p) for p in e['loc']) or 'laips'}: {e['msg']}" for e in error.errors())
        raise PanelError(told, where=where, fix="see docs/gates.md") from None
