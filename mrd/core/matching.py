"""Find a panel's channels among those of a file, by $PnS names first and $PnN detectors second."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from mrd.core.errors import PanelError
from mrd.core.panel import Channel, Panel

ISOFORMS = "RA|RB|RO"


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
    needed = {n: hits for n, hits in found.items() if panel.channels[n].role not in ("spare", "viability", "time")}
    has = [f"{n} = {s}" if s else n for n, s in zip(pnn, pns, strict=True)]
    problems = [_absent(n, has) for n, hits in needed.items() if not hits]
    problems += [f"{n} matches {', '.join(has[i] for i in hits)}" for n, hits in found.items() if len(hits) > 1]
    used = [hits[0] for hits in found.values() if len(hits) == 1]
    problems += [f"{has[i]} matches more than one channel of the panel" for i in sorted(set(used)) if used.count(i) > 1]
    if problems:
        fix = f"add a name or detector in panels/{panel.name}.yaml"
        raise PanelError(f"panel {panel.name}: {'; '.join(problems)}; the file has [{', '.join(has)}]", where=where, fix=fix)
    return {name: hits[0] for name, hits in found.items() if hits}


def find_channel(name: str, channel: Channel, pnn: Sequence[str], pns: Sequence[str]) -> list[int]:
    """Indices of the file's channels that show this channel; area signals win over height and width."""
    names = (name, *channel.names)
    hits: list[int] = []
    if channel.role in ("marker", "viability", "spare"):
        hits = [i for i, s in enumerate(pns) if any(_names(s, n, loose=False) for n in names)]
        hits = hits or [i for i, s in enumerate(pns) if any(_names(s, n, loose=True) for n in names)]
    else:
        hits = [i for i, s in enumerate(pnn) if _plain(s) in {_plain(n) for n in names}]
    hits = hits or [i for i, s in enumerate(pnn) if any(_detects(s, d) for d in channel.detectors)]
    return _areas(hits, pnn)


def _absent(name: str, has: Sequence[str]) -> str:
    near = get_close_matches(name.upper(), [h.upper() for h in has], n=2, cutoff=0.5)
    return f"{name} is absent" + (f" (nearest: {', '.join(near)})" if near else "")


def _names(text: str, marker: str, *, loose: bool) -> bool:
    """Whether a $PnS names a marker; loose also takes a fluorochrome glued on (CD45KO), never an isoform (CD45RA)."""
    words = r"[\s_\-]*".join(re.escape(p) for p in re.split(r"[\s_\-]+", marker.upper()))
    after = rf"(?![0-9]|{ISOFORMS})" if loose else r"(?![A-Z0-9])"
    return re.search(rf"(?<![A-Z0-9]){words}{after}", text.upper()) is not None


def _plain(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def _detects(detector: str, pattern: str) -> bool:
    bare = re.sub(r"^(COMP|FJCOMP)-", "", detector.upper())
    return fnmatchcase(bare, pattern.upper())


def _areas(hits: list[int], pnn: Sequence[str]) -> list[int]:
    if len(hits) < 2:
        return hits
    areas = [i for i in hits if pnn[i].upper().endswith(("-A", " INT", "-AREA"))]
    return areas or hits
