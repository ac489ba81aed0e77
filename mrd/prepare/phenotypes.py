"""Phenotype strings, such as CD45loSSCloCD34+CD117+CD7+/CD45+, as ranges of every channel they name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrd.core.errors import PanelError
from mrd.core.laips import Level
from mrd.core.panel import Panel

LEVELS: dict[str, Level] = {"-": (None, 1.8), "lo": (0.8, 2.8), "mid": (1.8, 4.0), "+": (2.3, None), "hi": (4.5, None)}
"""Range of each level on the asinh(x / 150) scale. A word describes a population, whose cells scatter: ranges overlap."""
BESIDE: dict[str, dict[str, Level]] = {
    "CD45": {"-": (None, -2.8), "lo": (-2.8, -0.7), "mid": (-1.4, -0.4), "+": (-3.0, None), "hi": (-0.6, None)},
    "SSC": {"-": (None, 0.8), "lo": (None, 1.4), "mid": (0.4, 1.8), "+": (0.4, None), "hi": (1.6, None)},
    "FSC": {"-": (None, -1.2), "lo": (None, 0.2), "mid": (-0.2, 0.8), "+": (-0.2, None), "hi": (0.5, None)},
}
"""Levels of these are told against the lymphocytes of the tube, as their gates are."""
WORDS = {
    **{w: w for w in LEVELS},
    **{"neg": "-", "dim": "lo", "low": "lo", "int": "mid", "pos": "+", "bright": "hi", "high": "hi", "++": "hi"},
}
"""How labs spell the levels; the first five are CDISC's."""
DENOMINATOR = re.compile(r"(CD45\+|leu[ck]ocytes?|WBC)?", re.IGNORECASE)


@dataclass(frozen=True)
class Token:
    """One marker with its level."""

    channel: str
    level: str


def parse_phenotype(text: str, panel: Panel, *, where: str) -> tuple[Token, ...]:
    """Markers and levels of a phenotype string in CDISC's grammar; spaces and commas between them are passed over.

    Raises
    ------
    PanelError
        A part is no marker of the panel with a level, a marker stands twice, or the denominator is not CD45+.
    """
    numerator, _, denominator = text.partition("/")
    if not DENOMINATOR.fullmatch(denominator.strip()):
        raise PanelError(f"phenotype {text}: the denominator is always CD45+", where=where, fix="leave out what follows the /")
    names = spellings(panel)
    part = re.compile(
        rf"[\s,;]*({'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})\s*"
        rf"({'|'.join(map(re.escape, sorted(WORDS, key=len, reverse=True)))})",
        re.IGNORECASE,
    )
    at, tokens = 0, []
    while numerator[at:].strip(" ,;"):
        match = part.match(numerator, at)
        if match is None:
            has = ", ".join(n for n, c in panel.channels.items() if c.role in ("marker", "side", "area"))
            what = f"phenotype {text}: {numerator[at:].strip()} does not begin with a marker of panel {panel.name} and a level"
            raise PanelError(what, where=where, fix=f"use {has} with one of {' '.join(LEVELS)}")
        tokens.append(Token(names[match[1].upper()], WORDS[match[2].lower()]))
        at = match.end()
    twice = {t.channel for t in tokens if [u.channel for u in tokens].count(t.channel) > 1}
    if twice or not tokens:
        what = f"{', '.join(sorted(twice))} stands twice" if twice else "it names no marker"
        raise PanelError(f"phenotype {text}: {what}", where=where, fix="name each marker once")
    return tuple(tokens)


def spellings(panel: Panel) -> dict[str, str]:
    """Every way a channel may be spelled in a phenotype, in capitals, to its name."""
    told: dict[str, str] = {}
    for name, channel in panel.channels.items():
        if channel.role in ("marker", "side", "area"):
            short = {"side": "SSC", "area": "FSC"}.get(channel.role, name)
            for word in (name, short, *channel.names):
                told |= {w.upper(): name for w in (word, word.replace("-", ""), word.replace(" ", ""))}
    return told


def range_of(token: Token, panel: Panel, anchor: Mapping[str, float], levels: Mapping[str, Mapping[str, Level]]) -> Level:
    """Where a level of a marker begins and ends on the common scale: as the lab says, else as usual."""
    own = levels.get(token.channel, {}).get(token.level)
    if own is not None:
        return own
    role = panel.channels[token.channel].role
    beside = BESIDE.get({"side": "SSC", "area": "FSC"}.get(role, token.channel))
    if beside is None:
        return LEVELS[token.level]
    middle = anchor[token.channel]
    low, high = beside[token.level]
    return (None if low is None else middle + low, None if high is None else middle + high)


def inside_phenotype(
    tokens: tuple[Token, ...],
    columns: Mapping[str, NDArray[np.float64]],
    panel: Panel,
    anchor: Mapping[str, float],
    levels: Mapping[str, Mapping[str, Level]],
) -> NDArray[np.bool_]:
    """Which cells have a phenotype, (n,) bool: low <= value < high of every marker it names."""
    inside = np.ones(len(next(iter(columns.values()))), dtype=bool)
    for token in tokens:
        low, high = range_of(token, panel, anchor, levels)
        values = columns[token.channel]
        inside &= (values >= (-np.inf if low is None else low)) & (values < (np.inf if high is None else high))
    return inside
