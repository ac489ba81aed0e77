"""FCS files with markers of a person planted in every keyword that is not about the shape of the data."""

from __future__ import annotations

from pathlib import Path

import flowio

MARKERS = ("ZQDOEZQ", "ZQJANEZQ", "1958-11-23", "ZQMRN4711ZQ")
PERSON = "ZQDOEZQ^ZQJANEZQ 1958-11-23 ZQMRN4711ZQ"
STANDARD = (
    "$ABRT", "$BTIM", "$CELLS", "$COM", "$CSMODE", "$CSVBITS", "$CYT", "$CYTSN", "$DATE", "$ETIM", "$EXP", "$FIL", "$GATING",
    "$INST",     "$LAST_MODIFIED", "$LAST_MODIFIER", "$LOST", "$OP", "$ORIGINALITY", "$PLATEID", "$PLATENAME", "$PROJ",
    "$SMNO", "$SRC", "$SYS", "$TR", "$VOL", "$WELLID", "$UNICODE",
)  # fmt: skip
VENDOR = (
    "EXPERIMENT NAME", "TUBE NAME", "EXPORT USER NAME", "GUID", "SAMPLE ID", "PATIENT ID", "PATIENT NAME", "CREATOR",
    "@SAMPLEID1", "DOB", "APPLY COMPENSATION", "FJ_FCS_VERSION", "P1DISPLAY", "P5BS", "P5MS", "#P1SOMETHING",
    "SETTINGS", "ZQDOEZQ",
)  # fmt: skip


def plant(path: Path) -> None:
    """Rewrite an FCS file of ours with the markers in every other keyword, events untouched."""
    data = path.read_bytes()
    begin, end = int(data[10:18]), int(data[18:26])
    text = data[begin : end + 1].decode()
    words = text[1:-1].split(text[0])
    keys = dict(zip(words[::2], words[1::2], strict=True))
    keys |= dict.fromkeys((*STANDARD, *VENDOR), PERSON)
    for i in range(1, int(keys["$PAR"]) + 1):
        keys |= {f"$P{i}{letter}": PERSON for letter in "FLOTV"} | {f"$P{i}CALIBRATION": PERSON, f"$P{i}D": PERSON}
    first, last = int(keys["$BEGINDATA"]), int(keys["$ENDDATA"])
    events = data[first : last + 1]
    keys["$TIMESTEP"] = keys.get("$TIMESTEP", "0.01")
    path.write_bytes(assemble(keys, events))


def assemble(keys: dict[str, str], events: bytes) -> bytes:
    """An FCS 3.1 file of keywords and events."""
    for _ in range(3):
        text = ("|" + "|".join(w for pair in keys.items() for w in pair) + "|").encode()
        begin = 58 + len(text)
        keys |= {"$BEGINDATA": f"{begin:012d}", "$ENDDATA": f"{begin + len(events) - 1:012d}"}
    offsets = (58, 57 + len(text), begin, begin + len(events) - 1, 0, 0)
    return b"FCS3.1    " + "".join(f"{o:>8d}" for o in offsets).encode() + text + events


def told_in(path: Path) -> list[str]:
    """Markers that a file, or its name, gives away; text is looked for in UTF-8 and UTF-16."""
    data = path.read_bytes() if path.is_file() else b""
    return [m for m in MARKERS if m.encode() in data or m.encode("utf-16-le") in data or m in str(path.name)]


def read_keywords(path: Path) -> dict[str, str]:
    """Keywords of an FCS file as FlowIO reads them."""
    return dict(flowio.FlowData(str(path), only_text=True).text)
