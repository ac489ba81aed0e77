"""Find a panel's channels among those of a file: by the marker that $PnS or $PnN names, else by the $PnN of the detector."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from fnmatch import fnmatchcase

from mrd.core.errors import PanelError
from mrd.core.panel import Channel, Panel

STAINS = ("marker", "viability", "spare")
"""Roles that an antibody or a dye gives a channel."""
OPTIONAL = ("spare", "viability", "time")
OTHER_FORM = r"R[ABO]|[A-E]+(?![A-Z0-9])"
"""What makes a name that of another molecule: isoforms (CD45RA) and subtypes (CD11b)."""
COMPENSATED = re.compile(r"^(FJ-?)?COMP-", re.IGNORECASE)
PULSE = re.compile(r"[\s_\-]*(AREA|HEIGHT|WIDTH|PEAK|INT|TOF|LIN|LOG|A|H|W)$", re.IGNORECASE)
CLUSTER = re.compile(r"(?<![A-Z0-9])H?CD[\s_\-]?(\d+)", re.IGNORECASE)


def match_channels(panel: Panel, pnn: Sequence[str], pns: Sequence[str], *, where: str) -> dict[str, int]:
    """Index of each of the panel's channels in a file.

    Parameters
    ----------
    pnn, pns : $PnN and $PnS of the file's channels, in order.
    where : the file, for the message.

    Raises
    ------
    PanelError
        Channels are absent or match more than once; every problem is named with what the file has.
    """
    found = {name: find_channel(name, channel, pnn, pns) for name, channel in panel.channels.items()}
    needed = {n: hits for n, hits in found.items() if panel.channels[n].role not in OPTIONAL}
    has = [f"{n} = {s}" if s else n for n, s in zip(pnn, pns, strict=True)]
    problems = [_absent(n, panel.channels[n], has) for n, hits in needed.items() if not hits]
    problems += [f"{n} matches {', '.join(has[i] for i in hits)}" for n, hits in found.items() if len(hits) > 1]
    used = [hits[0] for hits in found.values() if len(hits) == 1]
    problems += [f"{has[i]} matches more than one channel of the panel" for i in sorted(set(used)) if used.count(i) > 1]
    if problems:
        fix = f"add a name or detector in panels/{panel.name}.yaml"
        raise PanelError(f"panel {panel.name}: {'; '.join(problems)}; the file has [{', '.join(has)}]", where=where, fix=fix)
    return {name: hits[0] for name, hits in found.items() if hits}


def find_channel(name: str, channel: Channel, pnn: Sequence[str], pns: Sequence[str]) -> list[int]:
    """Indices of the file's channels that show this channel; several where the file does not tell them apart."""
    names = (name, *channel.names)
    ways = _stain_ways(names, channel, pnn, pns) if channel.role in STAINS else _body_ways(names, channel, pnn)
    return best_signal(next((hits for hits in ways if hits), []), pnn)


def _stain_ways(names: Sequence[str], channel: Channel, pnn: Sequence[str], pns: Sequence[str]) -> list[list[int]]:
    """Channels by name, then by detector where the label does not say that something else is there."""
    free = [i for i, s in enumerate(pns) if says_nothing(s, pnn[i]) or any(_detects(s, d) for d in channel.detectors)]
    return [
        *([i for i, s in enumerate(pns) if names_marker(s, names, glued=glued)] for glued in (False, True)),
        [i for i, s in enumerate(pnn) if says_nothing(pns[i], s) and names_marker(s, names, glued=True)],
        [i for i in free if any(_detects(pnn[i], d) for d in channel.detectors)],
    ]


def _body_ways(names: Sequence[str], channel: Channel, pnn: Sequence[str]) -> list[list[int]]:
    """Channels of scatter and time: by exact name, by name, by detector."""
    return [
        [i for i, n in enumerate(pnn) if n in names],
        [i for i, n in enumerate(pnn) if alike(n) in {alike(m) for m in names}],
        [i for i, n in enumerate(pnn) if any(_detects(n, d) for d in channel.detectors)],
    ]


def names_marker(label: str, names: Sequence[str], *, glued: bool) -> bool:
    """Whether a label names a marker under one of its names, and no second antigen beside it."""
    allowed = {c for n in names for c in clusters(n)}
    return clusters(label) <= allowed and any(_names(label, n, glued=glued) for n in names)


def clusters(text: str) -> set[str]:
    """CD numbers that a text names: more than one are a mixture of antibodies in one colour."""
    return set(CLUSTER.findall(text))


def _names(text: str, marker: str, *, glued: bool) -> bool:
    """Whether a label names a marker as words; glued also takes a dye written on (CD45KO). Isoforms are other markers."""
    pieces = re.findall(r"[A-Z]+|\d+|[^A-Z\d\s_\-]+", marker.upper())
    words = r"[\s_\-]*".join(re.escape(p) for p in pieces)
    after = rf"(?![0-9]|{OTHER_FORM})" if glued else r"(?![A-Z0-9])"
    return re.search(rf"(?<![A-Z0-9])H?{words}{after}(?![\s_\-]+R[ABO]+\b)", text.upper()) is not None


def says_nothing(label: str, detector: str) -> bool:
    """Whether a label leaves open what is stained: blank, one character over and over, or the detector once more."""
    plain = alike(label)
    return len(set(plain)) <= 1 or plain == alike(detector) or PULSE.sub("", plain) == PULSE.sub("", alike(detector))


def bare_detector(name: str) -> str:
    """A detector's name without the prefix of compensated channels."""
    return COMPENSATED.sub("", name.strip().strip("<>").strip())


def alike(text: str) -> str:
    """What two spellings of one name share."""
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def _detects(detector: str, pattern: str) -> bool:
    return fnmatchcase(bare_detector(detector).upper(), pattern.upper())


def best_signal(hits: list[int], pnn: Sequence[str]) -> list[int]:
    """Of several signals of one detector its area, and of it the one that was not compensated before; else all of them."""
    if len({_stem(pnn[i]) for i in hits}) != 1:
        return hits
    areas = [i for i in hits if re.search(r"([\s_\-](A|INT|AREA)|AREA)( LIN| LOG)?$", pnn[i].upper())] or hits
    raw = [i for i in areas if not COMPENSATED.match(pnn[i])]
    return raw or areas


def _stem(name: str) -> str:
    stem = bare_detector(name)
    while (shorter := PULSE.sub("", stem)) and shorter != stem:
        stem = shorter
    return alike(stem)


def _absent(name: str, channel: Channel, has: Sequence[str]) -> str:
    near = nearest((name, *channel.names), has)
    return f"{name} is absent" + (f" (nearest: {', '.join(near)})" if near else "")


def nearest(names: Sequence[str], has: Sequence[str]) -> list[str]:
    """The file's channels whose label, or a word of it, is most like one of the names; two at most."""
    scores = [(max(_likeness(alike(n), alike(w)) for n in names for w in _words(h)), h) for h in has]
    return [h for score, h in sorted(scores, key=lambda s: -s[0])[:2] if score >= 0.6]


def _likeness(a: str, b: str) -> float:
    return SequenceMatcher(None, a, b).ratio()


def _words(text: str) -> list[str]:
    parts = re.split(r"\s=\s", text)
    return [*parts, *(w for p in parts for w in re.split(r"[\s_/:|]+", p))]


def shared_labels(pnn: Sequence[str], pns: Sequence[str]) -> list[str]:
    """Markers that several channels name: without a panel, which of them to take is not known."""
    named: dict[str, list[str]] = {}
    for n, s in zip(pnn, pns, strict=True):
        marker = re.split(r"[/|:]", s)[0].strip()
        if not says_nothing(marker, n):
            named.setdefault(marker.upper(), []).append(n)
    return [f"{' and '.join(channels)} both name {marker}" for marker, channels in named.items() if len(channels) > 1]
