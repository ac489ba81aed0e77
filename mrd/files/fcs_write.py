"""Write FCS 3.1 files, and the truth of synthetic ones beside them; the same bytes for the same values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mrd.core.errors import FileError
from mrd.files.atomic import whole

TEXT_BEGIN = 58
HEADER_MOST = 99_999_999
"""The largest offset a header field holds; beyond it the header says 0 and the text tells (FCS 3.1, section 3.1)."""
DELIMITERS = "/|!~\f"
"""The first that no value holds separates the keywords: doubled delimiters are standard and still trip readers up."""


@dataclass(frozen=True)
class FcsImage:
    """What an FCS file is to hold.

    events : (n, c) · pnn, pns : c names, $PnS empty where a channel has none · ranges : (c,) $PnR
    spill : detectors and matrix of $SPILLOVER, or none · keywords : further ones, `$` included
    """

    events: NDArray[np.float32]
    pnn: Sequence[str]
    pns: Sequence[str]
    ranges: Sequence[int]
    spill: tuple[Sequence[str], NDArray[np.float64]] | None
    keywords: Mapping[str, str]


def write_fcs(path: Path, image: FcsImage) -> None:
    """Write an FCS 3.1 file of 32-bit floats whole or not at all; it holds no clock and no name of a person.

    Raises
    ------
    FileError
        The file cannot be written, or the channel names are not one for each column.
    """
    channels = image.events.shape[1]
    if {len(image.pnn), len(image.pns), len(image.ranges)} != {channels} or len(set(image.pnn)) != channels:
        raise FileError("channel names do not fit the events", where=path.name, fix="give one name of its own to each column")
    data = np.ascontiguousarray(image.events, dtype="<f4").tobytes()
    text = fcs_text(image, len(data))
    with whole(path) as temporary, temporary.open("wb") as handle:
        handle.write(fcs_header(len(text), len(data)) + text + data)


def fcs_header(n_text: int, n_data: int) -> bytes:
    """Lay out the 58 bytes of version and offsets (FCS 3.1, section 3.1)."""
    first = TEXT_BEGIN + n_text
    last = first + n_data - 1
    data = (first, last) if last <= HEADER_MOST else (0, 0)
    offsets = (TEXT_BEGIN, first - 1, *data, 0, 0)
    return b"FCS3.1    " + "".join(f"{o:>8d}" for o in offsets).encode("ascii")


def fcs_text(image: FcsImage, n_data: int) -> bytes:
    """Lay out the TEXT segment; offsets have a fixed width, so that they do not move what they point at."""
    pairs = {**_offsets(0, 0), **_data_keywords(image), **_channel_keywords(image), **image.keywords}
    if image.spill is not None:
        pairs["$SPILLOVER"] = format_spill(*image.spill)
    begin = TEXT_BEGIN + len(_encode(pairs))
    return _encode({**pairs, **_offsets(begin, begin + n_data - 1)})


def format_spill(names: Sequence[str], matrix: NDArray[np.float64]) -> str:
    """Spell a $SPILLOVER value: count, names, rows (FCS 3.1, section 3.2.20)."""
    return ",".join([str(len(names)), *names, *(f"{v:.9g}" for v in matrix.ravel())])


def write_codes(path: Path, code: ArrayLike, names: Sequence[str]) -> None:
    """Write what every event of a synthetic tube is: `code` (n,) and the `names` it points into."""
    with whole(path) as temporary, temporary.open("wb") as handle:
        np.savez_compressed(handle, code=np.asarray(code, dtype=np.uint8), names=np.array(list(names)))


def _offsets(begin: int, end: int) -> dict[str, str]:
    return {"$BEGINDATA": f"{begin:012d}", "$ENDDATA": f"{end:012d}"}


def _data_keywords(image: FcsImage) -> dict[str, str]:
    n, channels = image.events.shape
    absent = dict.fromkeys(("$BEGINANALYSIS", "$ENDANALYSIS", "$BEGINSTEXT", "$ENDSTEXT", "$NEXTDATA"), "0")
    return {**absent, "$BYTEORD": "1,2,3,4", "$DATATYPE": "F", "$MODE": "L", "$TOT": str(n), "$PAR": str(channels)}


def _channel_keywords(image: FcsImage) -> dict[str, str]:
    out: dict[str, str] = {}
    for i, (pnn, pns, top) in enumerate(zip(image.pnn, image.pns, image.ranges, strict=True), start=1):
        out |= {f"$P{i}N": pnn, f"$P{i}B": "32", f"$P{i}E": "0,0", f"$P{i}R": str(top)}
        out |= {f"$P{i}S": pns} if pns else {}
    return out


def _encode(pairs: Mapping[str, str]) -> bytes:
    words = [p for pair in pairs.items() for p in pair]
    delimiter = next((d for d in DELIMITERS if not any(d in w for w in words)), DELIMITERS[0])
    parts = [w.replace(delimiter, delimiter * 2) for w in words]
    return (delimiter + delimiter.join(parts) + delimiter).encode("utf-8")
