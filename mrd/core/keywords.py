"""Which FCS keywords may leave the lab: a whitelist, each with the form its value must have; everything else goes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

NUMBER = r"[+-]?\d{1,15}(\.\d{0,15})?([eE][+-]?\d{1,3})?"
WORD = r"[A-Za-z0-9 ._/+():#&*%='@\[\]™®°µαβγδκλ-]{1,48}"
SPILL = rf"\s*\d{{1,3}}\s*(,{WORD})*"
MODEL = (
    "facs|lsr|canto|lyric|fortessa|navios|gallios|dxflex|cytoflex|aurora|northern|attune|macsquant|cytomics|fc ?500|symphony|"
    "id7000|sp6800|ze5|quanteon|novocyte|celesta|aria|accuri|guava|xl-mcl"
)
INSTRUMENT = rf"[A-Za-z0-9 ._/()-]{{0,20}}(?i:{MODEL})[A-Za-z0-9 ._/()-]{{0,20}}"
WHOLE = r"\s*\d{1,18}\s*"
FIXED = {
    **dict.fromkeys(("$BEGINDATA", "$ENDDATA", "$BEGINANALYSIS", "$ENDANALYSIS", "$BEGINSTEXT", "$ENDSTEXT", "$NEXTDATA"), WHOLE),
    **dict.fromkeys(("$PAR", "$TOT"), WHOLE),
    **dict.fromkeys(("$TIMESTEP", "TIMETICKS"), NUMBER),
    **dict.fromkeys(("$SPILLOVER", "SPILLOVER", "SPILL", "$COMP"), SPILL),
    "$BYTEORD": r"[1-8](,[1-8])*",
    "$DATATYPE": r"[AIFD]",
    "$MODE": r"[LCU]",
    "$UNICODE": r"\d{1,6}(,[A-Z0-9$]{1,20})*",
    "$CYT": INSTRUMENT,
}
CHANNEL = {
    "B": r"\s*(\d{1,3}|\*)\s*", "E": rf"\s*{NUMBER}\s*,\s*{NUMBER}\s*", "G": rf"\s*{NUMBER}\s*", "R": rf"\s*{NUMBER}\s*",
    "N": WORD, "S": WORD, "D": rf"(Linear|Logarithmic)(,{NUMBER}){{2}}", "V": rf"\s*{NUMBER}\s*", "DATATYPE": r"[IFD]",
}  # fmt: skip
OVERLAP_KEY = re.compile(r"\$DFC\d{1,4}TO\d{1,4}")
CHANNEL_KEY = re.compile(r"\$P(\d{1,5})(B|E|G|R|N|S|D|V|DATATYPE)")
PERSON_KEYS = re.compile(
    r"\$(SRC|SMNO|OP|EXP)|.*(PATIENT|PERSON|SUBJECT|MRN|BIRTH|DOB|SURNAME|FIRST ?NAME|LAST ?NAME).*", re.IGNORECASE
)
"""Keywords that are about a person; their words are looked for in what is kept."""
MARKER = re.compile(r"(CD|HLA|SSC|FSC)[A-Z0-9-]*|[A-Z0-9]{1,2}|TIME|DR|KAPPA|LAMBDA|MARROW|BLOOD|NORMAL", re.IGNORECASE)
"""Words that name antigens and scatter as well, and tell nothing of a person."""
STANDARD = frozenset(
    (
        "$ABRT", "$BTIM", "$CELLS", "$COM", "$CSMODE", "$CSVBITS", "$CYT", "$CYTSN", "$DATE", "$ETIM", "$EXP", "$FIL",
        "$GATE", "$GATING", "$INST", "$LAST_MODIFIED", "$LAST_MODIFIER", "$LOST", "$OP", "$ORIGINALITY", "$PLATEID",
        "$PLATENAME", "$PROJ", "$SMNO", "$SPILLOVER", "$SRC", "$SYS", "$TIMESTEP", "$TR", "$UNICODE", "$VOL", "$WELLID",
        "$BEGINDATETIME", "$ENDDATETIME", "$CARRIERID", "$CARRIERTYPE", "$FLOWRATE", "$LOCATIONID", "$UNSTAINEDCENTERS",
        "$UNSTAINEDINFO",
    )
)  # fmt: skip
"""Optional keywords of FCS 3.1 and 3.2 by name: only these are named where keywords were removed."""
TEXT_KEYS = re.compile(r"\$CYT|\$P\d+[NS]|\$?SPILL(OVER)?|\$COMP")


def kept_keywords(pairs: Mapping[str, str]) -> dict[str, str]:
    """The keywords that may leave: on the whitelist, with a value of the form it must have and no word of a person.

    A channel keeps a name in any case: P7 where its own may not leave.

    Parameters
    ----------
    pairs : keywords as in the file; the case of their names does not matter.
    """
    persons = person_words(pairs)
    told = {k.strip().upper(): v for k, v in pairs.items()}
    kept = {k: v for k, v in told.items() if may_leave(k, v) and not (TEXT_KEYS.fullmatch(k) and names_person(v, persons))}
    unnamed = [k for k in told if re.fullmatch(r"\$P\d{1,5}N", k) and k not in kept]
    return kept | {k: k[1:-1] for k in unnamed}


def may_leave(key: str, value: str) -> bool:
    """Whether a keyword is on the whitelist and its value has the form it must have."""
    channel = CHANNEL_KEY.fullmatch(key)
    form = CHANNEL[channel[2]] if channel else NUMBER if OVERLAP_KEY.fullmatch(key) else FIXED.get(key)
    return form is not None and re.fullmatch(form, value) is not None


def person_words(pairs: Mapping[str, str]) -> set[str]:
    """Words that stand for a person in the keywords about one, in lower case."""
    texts = [v for k, v in pairs.items() if PERSON_KEYS.fullmatch(k.strip())]
    return {w.casefold() for w in words(texts) if len(w) > 2 and not MARKER.fullmatch(w)}


def names_person(text: str, persons: Iterable[str]) -> bool:
    """Whether one of these words stands in a text."""
    low = text.casefold()
    return any(p in low for p in persons)


def words(texts: Iterable[str]) -> set[str]:
    """Words and numbers of texts."""
    return {w for t in texts for w in re.split(r"[^\w-]+|_", t) if w}
