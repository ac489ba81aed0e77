"""Where the events of a data set are: what HEADER, TEXT, $TOT and the file's length say, and whom to believe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from mrd.core.errors import FileError
from mrd.files.fcs_decode import share_sensible
from mrd.files.fcs_layout import Layout
from mrd.files.fcs_sets import HEADER, DataSet, read_bytes
from mrd.files.fcs_text import AGAIN

HEADER_MOST = 99_999_999
SENSIBLE = 0.99
"""Share of sensible values from which bytes count as events."""
NOISE = 0.9
LEAST_VALUES = 50
"""Fewer values than this tell nothing of whether they are noise."""


class Claim(NamedTuple):
    """What one source says: first and last byte of DATA, from the start of the data set."""

    source: str
    begin: int
    end: int

    @property
    def length(self) -> int:
        """Bytes it claims."""
        return self.end - self.begin + 1


@dataclass(frozen=True)
class Place:
    """Where the events start, from the start of the data set, how many they are, and what was put right."""

    begin: int
    events: int
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Search:
    """What is known of a data set when its events are looked for."""

    handle: BinaryIO
    one: DataSet
    layout: Layout
    told: int | None
    claims: tuple[Claim, ...] = field(default=())

    def sensible(self, begin: int, events: int) -> float:
        """Share of sensible values where events are read from a byte on."""
        return share_sensible(self.handle, self.one.start + begin, events, self.layout)

    def fits(self, begin: int, events: int) -> bool:
        """Whether so many events lie inside the data set from a byte on."""
        return begin >= HEADER and begin + self.layout.size(events) <= self.one.room


def place_data(handle: BinaryIO, one: DataSet, layout: Layout) -> Place:
    """Find the events of a data set.

    The source that fits $TOT exactly is believed first; then one that is off by one byte; then the number of events that
    DATA holds, where it is whole; then $TOT, where only the end is unknown. What was not as it should be is told.

    Raises
    ------
    FileError
        The events are cut off, or nothing says where they are.
    """
    told = one.keywords.whole("$TOT")
    if told == 0:
        return Place(HEADER, 0)
    found = claims_of(one)
    search = Search(handle, one, layout, told, tuple(c for c in found if not covers_text(c, one)) or found)
    if told is not None:
        refuse_cut(search, told)
    for way in (exact, off_by_one, by_length, by_total):
        place = way(search)
        if place is not None:
            return place
    raise FileError(f"not a readable FCS file ({_puzzle(search)})", fix=AGAIN)


def claims_of(one: DataSet) -> tuple[Claim, ...]:
    """What HEADER and TEXT claim, each where it claims anything."""
    begin, end = one.header.data
    text = one.keywords.whole("$BEGINDATA"), one.keywords.whole("$ENDDATA")
    sources = (("TEXT", *text), ("HEADER", begin, end))
    return tuple(Claim(s, b, e if e is not None else -1) for s, b, e in sources if b is not None and b >= HEADER)


def covers_text(claim: Claim, one: DataSet) -> bool:
    """Whether a claim runs through TEXT; one byte in common is a sloppy end."""
    begin, end = one.header.text
    return begin is not None and end is not None and claim.begin < end and claim.end > begin


def refuse_cut(search: Search, told: int) -> None:
    """Refuse events that a source places exactly but the file no longer holds.

    Raises
    ------
    FileError
        The file ends before its events do.
    """
    need = search.layout.size(told)
    for claim in search.claims:
        if claim.length in (need, need + 1) and claim.begin + need > search.one.room:
            have = max(search.one.room - claim.begin, 0)
            raise FileError(f"its events are cut off: {need} bytes of DATA are declared, {have} are there", fix=AGAIN)


def exact(search: Search) -> Place | None:
    """A source that fits $TOT to the byte."""
    if search.told is None:
        return None
    need = search.layout.size(search.told)
    fitting = [c for c in search.claims if c.length == need and search.fits(c.begin, search.told)]
    begins = sorted({c.begin for c in fitting})
    if len(begins) > 1:
        begins = [b for b in begins if search.sensible(b, search.told) >= SENSIBLE]
    if len(begins) != 1:
        return None
    begin, shift = aligned(search, begins[0], search.told)
    claim = next(c for c in fitting if c.begin == begins[0])
    return Place(begin, search.told, (*disagreement(search, claim), *shift))


def aligned(search: Search, begin: int, events: int) -> tuple[int, list[str]]:
    """The begin, or the byte beside it where what is read from here is noise and from there is not.

    Raises
    ------
    FileError
        Both bytes beside it give events as good.
    """
    if events * len(search.layout.parameters) < LEAST_VALUES or search.sensible(begin, events) >= NOISE:
        return begin, []
    text_end = search.one.header.text[1] or 0
    others = [b for b in (begin - 1, begin + 1) if search.fits(b, events) and (b > text_end or begin <= text_end)]
    shares = {b: search.sensible(b, events) for b in others}
    best = max(shares, key=lambda b: shares[b], default=begin)
    if not shares or shares[best] < SENSIBLE:
        return begin, []
    if min(shares.values()) == shares[best] and len(shares) == 2:
        raise FileError(
            "not a readable FCS file (its events start a byte beside where they should, on which side is open)", fix=AGAIN
        )
    return best, ["DATA begins one byte beside where it is said to"]


def disagreement(search: Search, chosen: Claim) -> list[str]:
    """What to tell where the other source says something else than the one believed."""
    one = search.one
    other = next((c for c in claims_of(one) if c.source != chosen.source), None)
    if other is None:
        return _lone(one, chosen)
    ends = [w for w, a, b in (("starts", chosen.begin, other.begin), ("ends", chosen.end, other.end)) if a != b]
    if not ends:
        return []
    return [f"HEADER and TEXT disagree on where DATA {' and '.join(ends)}: {chosen.source} fits and was taken"]


def _lone(one: DataSet, chosen: Claim) -> list[str]:
    if chosen.source == "HEADER":
        return [] if one.header.version == "2.0" else ["TEXT does not say where DATA is: HEADER does"]
    return ["HEADER does not say where DATA is: TEXT does"] if chosen.end <= HEADER_MOST else []


def off_by_one(search: Search) -> Place | None:
    """A source that is one byte longer or shorter than $TOT needs."""
    if search.told is None:
        return None
    need = search.layout.size(search.told)
    for claim in search.claims:
        others = {1: claim.begin + 1, -1: claim.begin - 1}
        if claim.length - need not in others:
            continue
        begins = [b for b in (claim.begin, others[claim.length - need]) if search.fits(b, search.told)]
        if not begins:
            continue
        shares = [search.sensible(b, search.told) for b in begins]
        moved = len(begins) == 2 and shares[0] < NOISE and shares[1] >= SENSIBLE
        begin = begins[1] if moved else begins[0]
        which = "end" if begin == claim.begin else "begin"
        return Place(begin, search.told, (f"DATA's {which} is off by one byte", *disagreement(search, claim)))
    return None


def by_length(search: Search) -> Place | None:
    """As many whole events as DATA holds, where the sources agree on it and $TOT is absent or says something else."""
    claims = [c for c in search.claims if c.length > 0 and c.end <= search.one.room and search.fits(c.begin, 0)]
    if not claims or len({(c.begin, c.end) for c in claims}) != 1:
        return None
    claim = claims[0]
    length = min(claim.length, search.one.room - claim.begin)
    held = length * 8 // search.layout.bits
    spare = length - search.layout.size(held)
    if search.told is None:
        return _untold(search, claim, held) if spare <= 1 and held else None
    if search.told > held:
        return _longer(search, claim, held, spare)
    if only_filling(search, claim.begin + search.layout.size(search.told), claim.end):
        return Place(claim.begin, search.told, ("DATA is longer than its events: the filling was left out",))
    return Place(claim.begin, held, (_miscounted(search.told, held),)) if spare <= 1 else None


def _untold(search: Search, claim: Claim, held: int) -> Place:
    required = search.one.header.version != "2.0"
    repairs = ("$TOT does not say how many events there are: DATA does",) if required else ()
    return Place(claim.begin, held, (*repairs, *disagreement(search, claim)))


def _longer(search: Search, claim: Claim, held: int, spare: int) -> Place | None:
    """More events told than DATA holds: there they are if the file ends with them, else DATA is believed."""
    assert search.told is not None  # noqa: S101  by_length asks only then
    end = claim.begin + search.layout.size(search.told)
    if end <= search.one.room and only_filling(search, end, search.one.room - 1):
        return Place(claim.begin, search.told, ("DATA is longer than HEADER and TEXT say: $TOT and the file's length agree",))
    return Place(claim.begin, held, (_miscounted(search.told, held),)) if spare <= 1 and held else None


def _miscounted(told: int, held: int) -> str:
    return f"$TOT says {told} events, DATA holds {held}: all that are there were read"


def only_filling(search: Search, begin: int, end: int) -> bool:
    """Whether nothing but filling lies between two bytes: zeros, blanks, or the eight characters of a CRC."""
    here, step = begin, 1 << 20
    if end - begin + 1 <= 8:
        return True
    while here <= end:
        raw = read_bytes(search.handle, search.one.start + here, min(step, end + 1 - here))
        if not raw or raw.strip(b"\0 0\r\n"):
            return False
        here += step
    return True


def by_total(search: Search) -> Place | None:
    """$TOT, where one begin is known and the end is not to be used."""
    if search.told is None:
        return None
    usable = [c for c in search.claims if search.fits(c.begin, search.told)]
    useless = [c for c in usable if c.end <= c.begin or c.end >= search.one.room]
    if not useless or len({c.begin for c in usable}) != 1 or search.sensible(useless[0].begin, search.told) < SENSIBLE:
        return None
    return Place(useless[0].begin, search.told, ("where DATA ends is not said: $TOT tells how many events there are",))


def _puzzle(search: Search) -> str:
    if not search.claims:
        return "neither HEADER nor TEXT says where its events are"
    if search.told is None:
        return "nothing says how many events it holds"
    return f"its {search.told} events of {search.layout.bits} bits fit no place that HEADER or TEXT names"
