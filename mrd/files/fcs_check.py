"""The checksum that may stand behind a data set."""

from __future__ import annotations

import binascii
import re
from typing import BinaryIO

from mrd.files.fcs_sets import DataSet, read_bytes

MIRROR = bytes(int(f"{i:08b}"[::-1], 2) for i in range(256))
STEP = 1 << 20


def check_crc(handle: BinaryIO, one: DataSet, end: int) -> list[str]:
    """What to tell of the CRC word behind the last segment (FCS 3.0, section 3.5); nothing where there is none, or it fits.

    Parameters
    ----------
    end : byte after DATA, from the start of the data set; a file whose last segment is another has its CRC elsewhere,
        and what stands here is not taken for one.
    """
    if one.header.version == "2.0" or one.room - end != 8:
        return []
    word = read_bytes(handle, one.start + end, 8).strip(b" \0")
    if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", word) or not word.strip(b"0"):
        return []
    value = crc16(handle, one.start, end)
    if value in (int(word, 16), int(word) if word.isdigit() else -1):
        return []
    return ["the checksum does not fit: the file may be damaged"]


def crc16(handle: BinaryIO, begin: int, count: int) -> int:
    """CCITT checksum of bytes taken as their mirror images, mirrored itself (FCS 3.0, section 3.5)."""
    crc = 0
    for here in range(begin, begin + count, STEP):
        crc = binascii.crc_hqx(read_bytes(handle, here, min(STEP, begin + count - here)).translate(MIRROR), crc)
    return int(f"{crc:016b}"[::-1], 2)
