"""Offsets, counts and data sets that do not agree: who is believed, what is told, what is refused."""

import binascii

import numpy as np
import pytest

from mrd.core.errors import ChoiceError, FileError
from mrd.files.fcs import inspect_fcs, read_fcs
from mrd.files.fcs_check import MIRROR
from tests.files.fcs_bytes import fcs_bytes, keywords_of, pack_bits, pack_floats

NAMES = ("FSC-A", "SSC-A", "CD45")
ROWS = np.random.default_rng(3).normal(5000, 900, (40, 3)).astype("f4").tolist()
FLOATS = pack_floats(ROWS)
KEYS = keywords_of(NAMES) | {"$TOT": "40"}


def read(tmp_path, raw, **options):
    path = tmp_path / "a.fcs"
    path.write_bytes(raw)
    return read_fcs(path, where="t", **options)


def whole(got, rows=ROWS):
    return got.events.shape == (len(rows), 3) and got.events == pytest.approx(np.array(rows))


@pytest.mark.parametrize("version", ["2.0", "3.0", "3.1", "3.2"])
def test_a_file_as_it_should_be_is_read_without_a_word(tmp_path, version):
    got = read(tmp_path, fcs_bytes(KEYS, FLOATS, version=version))
    assert whole(got)
    assert (got.outcome, got.repairs, got.version) == ("read", (), version)


@pytest.mark.parametrize(("begin", "end"), [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, -1)])
@pytest.mark.parametrize("version", ["2.0", "3.1"])
def test_offsets_wrong_by_one_byte_at_either_end_are_put_right_and_told(tmp_path, begin, end, version):
    got = read(tmp_path, fcs_bytes(KEYS, FLOATS, version=version, gap=5, begin_shift=begin, end_shift=end, tail=b"00000000"))
    assert whole(got)
    assert got.outcome == "repaired"


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ((60, 90), "TEXT fits and was taken"),
        ((999, 9999), "TEXT fits and was taken"),
        ((0, 0), "HEADER does not say where DATA is"),
        (("", ""), "HEADER does not say where DATA is"),
        (("abc", "-5"), "HEADER does not say where DATA is"),
    ],
)
def test_a_header_that_disagrees_or_is_blank_gives_way_to_a_text_that_fits(tmp_path, header, told):
    got = read(tmp_path, fcs_bytes(KEYS, FLOATS, header=header))
    assert whole(got)
    assert told in got.repairs[0]


@pytest.mark.parametrize("text", [("0", "0"), ("7", "99"), ("x", ""), (None, None), ("100", "900")])
def test_a_text_that_disagrees_gives_way_to_a_header_that_fits(tmp_path, text):
    got = read(tmp_path, fcs_bytes(KEYS | {"$BEGINDATA": text[0], "$ENDDATA": text[1]}, FLOATS))
    assert whole(got)
    assert got.outcome == "repaired"


def test_where_two_places_fit_and_both_look_like_events_nothing_is_guessed(tmp_path):
    raw = fcs_bytes(KEYS, FLOATS + FLOATS)
    first = raw.index(FLOATS)
    raw = fcs_bytes(
        KEYS | {"$BEGINDATA": f"{first:08d}", "$ENDDATA": f"{first + 479:08d}"},
        FLOATS + FLOATS,
        header=(first + 480, first + 959),
    )
    with pytest.raises(FileError, match=r"fit no place"):
        read(tmp_path, raw)


@pytest.mark.parametrize("told", ["39", "20", "41", "1000"])
def test_a_total_that_lies_gives_way_to_the_events_that_are_there(tmp_path, told):
    got = read(tmp_path, fcs_bytes(KEYS | {"$TOT": told}, FLOATS))
    assert whole(got)
    assert got.repairs == (f"$TOT says {told} events, DATA holds 40: all that are there were read",)


def test_a_missing_total_is_counted(tmp_path):
    assert read(tmp_path, fcs_bytes(KEYS | {"$TOT": None}, FLOATS, version="2.0")).outcome == "read"
    got = read(tmp_path, fcs_bytes(KEYS | {"$TOT": None}, FLOATS))
    assert whole(got)
    assert "$TOT does not say" in got.repairs[0]


def test_filling_behind_the_events_is_left_out(tmp_path):
    got = read(tmp_path, fcs_bytes(KEYS, FLOATS + bytes(12 * 7 + 5)))
    assert whole(got)
    assert "the filling was left out" in got.repairs[0]


def test_an_end_that_is_short_gives_way_to_total_and_length_together(tmp_path):
    got = read(tmp_path, fcs_bytes(KEYS, FLOATS, end_shift=-24))
    assert whole(got)
    assert "$TOT and the file's length agree" in got.repairs[0]


def test_an_end_far_outside_gives_way_to_the_total(tmp_path):
    got = read(tmp_path, fcs_bytes(KEYS, FLOATS, end_shift=5000))
    assert whole(got)
    assert "$TOT tells how many" in got.repairs[0]


@pytest.mark.parametrize("lost", [1, 11, 12, 240, 480])
@pytest.mark.parametrize("version", ["2.0", "3.1"])
def test_events_that_are_cut_off_are_refused_never_read_in_part(tmp_path, lost, version):
    with pytest.raises(FileError, match=r"t: its events are cut off.*; export it again"):
        read(tmp_path, fcs_bytes(KEYS, FLOATS, version=version)[:-lost])


def test_no_events_are_no_mistake_of_the_file(tmp_path):
    got = read(tmp_path, fcs_bytes(KEYS | {"$TOT": "0", "$BEGINDATA": "0", "$ENDDATA": "0"}, b"", header=(0, 0)))
    assert (got.events.shape, got.outcome) == ((0, 3), "read")


def test_sixteen_bit_integers_one_byte_off_are_told_by_their_range(tmp_path):
    rows = np.random.default_rng(1).integers(300, 1024, (50, 3)).tolist()
    keywords = keywords_of(NAMES, kind="I", bits=16) | {"$TOT": "50"}
    raw = fcs_bytes(keywords, pack_bits(rows, [16] * 3, big=False), gap=3, begin_shift=-1, end_shift=-1, tail=b"00000000")
    assert read(tmp_path, raw).events.tolist() == rows


def test_trailing_bytes_of_any_kind_are_no_matter(tmp_path):
    assert read(tmp_path, fcs_bytes(KEYS, FLOATS, tail=b"\x00garbage" * 50)).outcome == "read"


@pytest.mark.parametrize(("word", "outcome"), [(b"00000000", "read"), (b"    BEEF", "repaired"), (None, "read")])
def test_a_checksum_is_compared_where_there_is_one(tmp_path, word, outcome):
    raw = fcs_bytes(KEYS, FLOATS)
    right = int(f"{binascii.crc_hqx(raw.translate(MIRROR), 0):016b}"[::-1], 2)
    got = read(tmp_path, raw + (word or f"{right:08d}".encode()))
    assert whole(got)
    assert got.outcome == outcome


def test_the_checksum_is_that_of_the_catalogue():
    """CRC-16/KERMIT of 123456789 is 0x2189 (reveng catalogue)."""
    assert int(f"{binascii.crc_hqx(b'123456789'.translate(MIRROR), 0):016b}"[::-1], 2) == 0x2189


def two_sets(second=FLOATS, keys=KEYS):
    first = fcs_bytes(KEYS | {"$NEXTDATA": "00000000"}, FLOATS, tail=b" " * 30)
    first = first.replace(b"$NEXTDATA/00000000", b"$NEXTDATA/%08d" % len(first))
    return first + fcs_bytes(keys, second)


def test_several_data_sets_are_refused_until_one_is_named(tmp_path):
    raw = two_sets(pack_floats(ROWS[:7]), KEYS | {"$TOT": "7"})
    with pytest.raises(ChoiceError, match="t: it holds 2 data sets, of 40 and 7 events; name one in the sheet's dataset column"):
        read(tmp_path, raw)
    assert whole(read(tmp_path, raw, dataset="1"))
    second = read(tmp_path, raw, dataset="2")
    assert whole(second, ROWS[:7])
    assert (second.outcome, second.dataset) == ("read", 2)
    assert read(tmp_path, raw, dataset="2.0").dataset == 2
    for wrong in ("0", "3", "x", "-1", "1.5"):
        with pytest.raises(FileError, match=r"it has no data set .*; write a number from 1 to 2"):
            read(tmp_path, raw, dataset=wrong)
    assert inspect_fcs(tmp_path / "a.fcs", where="t").outcome == "choose"


def test_a_pointer_to_no_data_set_is_told_and_the_one_there_is_read(tmp_path):
    for step in ("5", "999999", "70"):
        got = read(tmp_path, fcs_bytes(KEYS | {"$NEXTDATA": step}, FLOATS))
        assert whole(got)
        assert got.repairs == ("$NEXTDATA points at no data set: taken as the last one",)


@pytest.mark.parametrize(("version", "told"), [("1.0", "it is FCS 1.0"), ("4.0", "it is FCS 4.0")])
def test_other_versions_are_named(tmp_path, version, told):
    with pytest.raises(FileError, match=told):
        read(tmp_path, fcs_bytes(KEYS, FLOATS, version=version))


def test_a_file_over_the_limit_of_the_header_has_its_offsets_in_text_alone(tmp_path):
    """A sparse file: DATA ends beyond byte 99,999,999, so HEADER must say 0 (FCS 3.1, section 3.1)."""
    start = 100_000_000
    keys = KEYS | {"$BEGINDATA": f"{start:09d}", "$ENDDATA": f"{start + 479:09d}"}
    raw = fcs_bytes(keys, b"", header=(0, 0))
    path = tmp_path / "large.fcs"
    with path.open("wb") as handle:
        handle.write(raw)
        handle.seek(start)
        handle.write(FLOATS)
    got = read_fcs(path, where="t")
    assert whole(got)
    assert got.outcome == "read"


@pytest.mark.parametrize("between", [b"", b"00000000", b" " * 500])
def test_files_joined_without_a_pointer_are_several_data_sets_too(tmp_path, between):
    raw = fcs_bytes(KEYS, FLOATS) + between + fcs_bytes(KEYS | {"$TOT": "7"}, pack_floats(ROWS[:7]))
    with pytest.raises(ChoiceError, match="it holds 2 data sets, of 40 and 7 events"):
        read(tmp_path, raw)
    assert whole(read(tmp_path, raw, dataset="2"), ROWS[:7])
    assert read(tmp_path, fcs_bytes(KEYS, FLOATS, tail=b"FCS3.1     no more than words")).outcome == "read"
