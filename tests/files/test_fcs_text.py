"""TEXT segments as instruments write them: delimiters, doubled and empty values, encodings, supplements."""

import pytest
from hypothesis import given, strategies as st

from mrd.core.errors import FileError
from mrd.files.fcs import read_fcs
from mrd.files.fcs_text import TEXT_MOST, parse_text, read_number
from tests.files.fcs_bytes import fcs_bytes, keywords_of, pack_floats

KEYS = keywords_of(["FSC-A", "CD45"]) | {"$TOT": "1"}
DATA = pack_floats([[1.0, 2.0]])


def read(tmp_path, raw):
    path = tmp_path / "a.fcs"
    path.write_bytes(raw)
    return read_fcs(path, where="t")


def values(text):
    return parse_text(text.encode()).values


@given(
    st.sampled_from(["/", "\\", "|", "\x0c", "\x1e", "*", "!", "\t", "~", ",", "\n", "."]),
    st.dictionaries(
        st.from_regex(r"[$#@&]?[A-Z0-9]{1,6}", fullmatch=True),
        st.text(min_size=1, max_size=12).filter(str.strip),
        min_size=1,
        max_size=8,
    ),
)
def test_any_value_comes_back_with_its_delimiters_doubled(delimiter, pairs):
    pairs = {k: v.strip().strip(delimiter).replace("\0", "") for k, v in pairs.items()}
    pairs = {k: v for k, v in pairs.items() if v and delimiter not in k}
    parts = [p.replace(delimiter, delimiter * 2) for pair in pairs.items() for p in pair]
    text = (delimiter + delimiter.join(parts) + delimiter).encode("utf-8")
    assert parse_text(text).values == pairs if pairs else parse_text(text + b"A" + delimiter.encode()).values == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/A/1/B/2/", {"A": "1", "B": "2"}),
        ("/A//B/2/", {"A": "", "B": "2"}),
        ("/A//B//C/3/", {"A": "", "B": "", "C": "3"}),
        ("/A/1//2/B/3/", {"A": "1/2", "B": "3"}),
        ("/A/561////10 nm/B/3/", {"A": "561//10 nm", "B": "3"}),
        ("/A/1///B/3/", {"A": "1/", "B": "3"}),
        ("/a/1/ b /2/   ", {"A": "1", "B": "2"}),
        ("/A/1/B/2", {"A": "1", "B": "2"}),
        ("/A/1/B//", {"A": "1", "B": ""}),
        ("/A/1/$CUT", {"A": "1"}),
    ],
)
def test_doubled_empty_and_padded(text, told):
    assert values(text) == told


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_text_in_utf_8_and_in_latin_1(tmp_path, encoding):
    got = read(tmp_path, fcs_bytes(KEYS | {"$P2S": "CD45 β".replace("β", "µ"), "$OP": "Müller"}, DATA, encoding=encoding))
    assert got.pns == ("", "CD45 µ")
    assert got.outcome == "read"


@pytest.mark.parametrize("delimiter", ["\x0c", "\\", "|", "!", "\x1e", "*", "\t"])
def test_files_with_any_delimiter_are_read(tmp_path, delimiter):
    got = read(tmp_path, fcs_bytes(KEYS | {"$P2S": f"a{delimiter}b"}, DATA, delimiter=delimiter))
    assert got.pns[1] == f"a{delimiter}b"
    assert got.outcome == "read"


def test_a_keyword_with_two_values_is_refused_only_where_it_is_needed(tmp_path):
    assert read(tmp_path, fcs_bytes(KEYS, DATA, raw_text=b"$OP/a/$OP/b/")).outcome == "read"
    assert read(tmp_path, fcs_bytes(KEYS, DATA, raw_text=b"$TOT/1/")).outcome == "read"
    with pytest.raises(FileError, match=r"it states \$TOT twice, differently"):
        read(tmp_path, fcs_bytes(KEYS, DATA, raw_text=b"$TOT/2/"))


def test_half_a_keyword_at_the_end_is_told(tmp_path):
    got = read(tmp_path, fcs_bytes(KEYS, DATA, raw_text=b"$SPILLOV"))
    assert got.repairs == ("TEXT ends in a keyword without a value: left out",)


@pytest.mark.parametrize(("shift", "outcome"), [(0, "read"), (1, "repaired"), (-1, "repaired")])
def test_a_text_that_begins_one_byte_beside_is_found(tmp_path, shift, outcome):
    raw = bytearray(fcs_bytes(KEYS, DATA))
    raw[10:18] = f"{58 + shift:>8}".encode()
    got = read(tmp_path, bytes(raw))
    assert got.events.tolist() == [[1.0, 2.0]]
    assert got.outcome == outcome


def test_the_supplement_adds_what_text_does_not_say_and_changes_nothing(tmp_path):
    supplement = b"/$P2S/CD45 from afar/$P1N/other/$SPILLOVER/2,FSC-A,CD45,1,0,0,1/"
    plain = fcs_bytes(KEYS | {"$BEGINSTEXT": "00000000", "$ENDSTEXT": "00000000"}, DATA)
    keys = KEYS | {"$BEGINSTEXT": f"{len(plain):08d}", "$ENDSTEXT": f"{len(plain) + len(supplement) - 1:08d}"}
    got = read(tmp_path, fcs_bytes(keys, DATA, tail=supplement))
    assert (got.pnn, got.pns[1], got.spill) == (("FSC-A", "CD45"), "CD45 from afar", "2,FSC-A,CD45,1,0,0,1")
    assert got.outcome == "read"
    assert read(tmp_path, fcs_bytes(keys, DATA, tail=b"PK\x03\x04" + supplement)).outcome == "read"
    cut = read(tmp_path, fcs_bytes(keys, DATA))
    assert cut.repairs == ("the supplemental TEXT lies outside the file: left out",)


@pytest.mark.parametrize("raw", [b"", b"A/1/", b"7", b"$PAR/1/", b"/" * 200_000])
def test_what_is_no_text_is_refused(raw):
    with pytest.raises(FileError, match="not a readable FCS file"):
        parse_text(raw)


def test_a_text_larger_than_any_is_refused_before_it_is_read(tmp_path):
    raw = bytearray(fcs_bytes(KEYS, DATA))
    raw[18:26] = f"{58 + TEXT_MOST:>8}".encode()
    with pytest.raises(FileError, match="its TEXT is cut off"):
        read(tmp_path, bytes(raw))
    with pytest.raises(FileError, match="its TEXT is larger than"):
        read(tmp_path, bytes(raw) + bytes(TEXT_MOST))


@pytest.mark.parametrize(
    ("text", "number"), [("\x1d.5", 0.5), (" 7 ", 7.0), ("1e400", None), ("1_0", None), ("٣", None), ("nan", None), ("", None)]
)
def test_numbers_are_ascii_and_finite(text, number):
    assert read_number(text) == number
