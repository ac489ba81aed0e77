"""A panel: which detector shows which marker, on what scale, and the gates drawn on them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mrd.core.errors import PanelError

Role = Literal["area", "height", "side", "time", "marker", "viability", "spare"]


class Part(BaseModel):
    """Base of every part of a panel: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Scale(Part):
    """The common scale of a channel: asinh(x / cofactor), or logicle times its decades in natural logs."""

    kind: Literal["asinh", "logicle"] = "asinh"
    cofactor: float = Field(150.0, gt=0)
    t: float = Field(262144.0, gt=0)
    w: float = Field(0.5, ge=0)
    m: float = Field(4.5, gt=0)
    a: float = 0.0


class Channel(Part):
    """One channel of the panel: how to find it in a file, and its scale."""

    role: Role = "marker"
    names: tuple[str, ...] = ()
    """Marker names and aliases looked for in $PnS; the channel's own name is always one."""
    detectors: tuple[str, ...] = ()
    """$PnN patterns (`*` and `?`), used where no $PnS names the marker."""
    scale: Scale = Scale()


class Cut(Part):
    """Where a gate ends on one channel: a fixed value, or one found in the data; exactly one way.

    value   : on the common scale
    anchor  : this far above the anchor population's median of the channel
    mads    : this many median absolute deviations above the median of the parent
    valley  : the emptiest place between two values of the channel; `default` where there is none
    """

    value: float | None = None
    anchor: float | None = None
    mads: float | None = None
    valley: tuple[float, float] | None = None
    default: float | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Cut:
        ways = [self.value, self.anchor, self.mads, self.valley]
        if sum(w is not None for w in ways) != 1:
            raise ValueError("a cut takes exactly one of value, anchor, mads, valley")
        return self


class Span(Part):
    """A range on one channel, open where a side is not given."""

    min: Cut | None = None
    max: Cut | None = None


PLAIN = r"[A-Za-z0-9][A-Za-z0-9 ._+\-]{0,60}"
"""What a gate or channel may be called: it becomes a column, and a part of reports."""


class Gate(Part):
    """A node of the gate tree: a box of spans, a ratio of two channels, or the parent less other gates."""

    name: str = Field(pattern=f"^{PLAIN}$")
    parent: str = "events"
    where: dict[str, Span] = {}
    ratio: tuple[str, str] | None = None
    ratio_max: Cut | None = None
    minus: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_shape(self) -> Gate:
        if sum((bool(self.where), self.ratio is not None, bool(self.minus))) != 1:
            raise ValueError(f"gate {self.name} takes exactly one of where, ratio, minus")
        if (self.ratio is None) != (self.ratio_max is None):
            raise ValueError(f"gate {self.name}: ratio and ratio_max go together")
        return self


class Anchor(Part):
    """A population whose medians place other gates, looked for in a box once its parent gate is applied."""

    parent: str
    box: dict[str, tuple[float, float]]
    """Axes of the search; the brightest dense spot of the first axis is taken."""
    within: dict[str, tuple[float, float]] = {}
    """Further ranges its cells must lie in: what the population lacks."""
    least: int = 50
    """Fewer cells than this in the box: the defaults below are used and the tube is flagged."""
    default: dict[str, float]


class Panel(Part):
    """A panel as its YAML file declares it."""

    name: str
    version: int
    title: str
    source: str
    channels: dict[str, Channel]
    anchor: Anchor
    gates: tuple[Gate, ...]
    cells: str
    """Gate that tells cells from other events."""
    leukocytes: str
    """Gate of the MRD denominator."""
    blasts: str
    """Gate of the blast compartment."""
    laip_in: str
    """Gate in which a leukaemic population is looked for."""
    laip_maybe: str
    """Wider gate in which one is accepted only where it stands out twice as much (erythroid-like blasts)."""

    @property
    def model_channels(self) -> list[str]:
        """Channels the detectors see: size, side scatter and every marker, in the panel's order."""
        return [n for n, c in self.channels.items() if c.role in ("area", "side", "marker")]

    @property
    def model_roles(self) -> list[str]:
        """Roles of the model channels, in their order."""
        return [self.channels[n].role for n in self.model_channels]

    @property
    def markers(self) -> list[str]:
        """Antigens, without scatter."""
        return [n for n, c in self.channels.items() if c.role == "marker"]

    def role(self, role: Role) -> str | None:
        """The channel with a role, if the panel has one."""
        return next((n for n, c in self.channels.items() if c.role == role), None)

    @model_validator(mode="after")
    def _gates_hang_together(self) -> Panel:
        odd = [n for n in self.channels if not re.fullmatch(PLAIN, n)]
        if odd:
            raise ValueError(f"channels {odd} may hold only letters, digits, blanks and ._+-")
        seen = {"events", "event"}
        for gate in self.gates:
            unknown = {gate.parent, *gate.minus} - seen
            if unknown:
                raise ValueError(f"gate {gate.name} names {sorted(unknown)}, which no earlier gate declares")
            channels = {*gate.where, *(gate.ratio or ())} - set(self.channels)
            if channels:
                raise ValueError(f"gate {gate.name} uses channels {sorted(channels)} that the panel lacks")
            if gate.name in seen:
                raise ValueError(f"gate {gate.name} is declared twice")
            seen.add(gate.name)
        absent = {self.anchor.parent, self.cells, self.leukocytes, self.blasts, self.laip_in, self.laip_maybe} - seen
        if absent:
            raise ValueError(f"gates {sorted(absent)} are named but not declared")
        return self


def check_panel(values: Any, *, where: str) -> Panel:
    """Validate a panel read from YAML.

    Raises
    ------
    PanelError
        A key is unknown, missing or wrong; all problems are named.
    """
    try:
        return Panel.model_validate(values)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(str(p) for p in e['loc']) or 'panel'}: {e['msg']}" for e in error.errors())
        raise PanelError(told, where=where, fix="see panels/README.md") from None


def panel_path(name: str, folder: Path) -> Path:
    """The YAML file of a panel: a name in `folder`, or a path as given."""
    return Path(name) if name.endswith((".yaml", ".yml")) else folder / f"{name}.yaml"
