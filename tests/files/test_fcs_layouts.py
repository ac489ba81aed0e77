"""Every layout of the standard, each written out by hand and read back."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from mrd.core.errors import FileError
from mrd.files.fcs import read_fcs
from tests.files.fcs_bytes import fcs_bytes, keywords_of, pack_bits, pack_floats

NAMES = ("FSC-A", "CD45", "Time")


def read(tmp_path, raw, **options):
    path = tmp_path / "a.fcs"
    path.write_bytes(raw)
    return read_fcs(path, where="t", **options)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.booleans(), st.lists(st.integers(1, 64), min_size=1, max_size=6), st.integers(1, 9))
def test_integers_of_any_width_come_back_in_either_bit_order(tmp_path_factory, data, big, widths, n):
    rows = [[data.draw(st.integers(0, 2**w - 1)) for w in widths] for _ in range(n)]
    keywords = keywords_of([f"C{i}" for i in range(len(widths))], kind="I", bits=widths, top=[2**w for w in widths])
    keywords |= {"$BYTEORD": "4,3,2,1" if big else "1,2,3,4", "$TOT": str(n)}
    got = read(tmp_path_factory.mktemp("x"), fcs_bytes(keywords, pack_bits(rows, widths, big=big)))
    assert got.outcome == "read"
    assert np.array_equal(got.events, np.array(rows, dtype=np.float64))


@pytest.mark.parametrize("width", [8, 10, 12, 16, 20, 24, 32, 48, 64])
@pytest.mark.parametrize(("order", "big"), [("1,2,3,4", False), ("4,3,2,1", True), ("1,2", False), ("2,1", True)])
def test_the_byte_order_of_a_word_holds_for_every_width(tmp_path, width, order, big):
    rows = [[1, 2**width - 2, 3], [2 ** (width - 1), 5, 0]]
    keywords = keywords_of(NAMES, kind="I", bits=width, top=2**width) | {"$BYTEORD": order, "$TOT": "2"}
    got = read(tmp_path, fcs_bytes(keywords, pack_bits(rows, [width] * 3, big=big)))
    assert np.array_equal(got.events, np.array(rows, dtype=np.float64))


def test_the_word_order_of_a_pdp_11_is_high_word_first_low_byte_first(tmp_path):
    keywords = keywords_of(["A", "B"], kind="I", bits=[32, 16], top=[2**32, 2**16]) | {"$BYTEORD": "3,4,1,2", "$TOT": "1"}
    got = read(tmp_path, fcs_bytes(keywords, bytes([0x02, 0x01, 0x04, 0x03, 0x06, 0x05])))
    assert got.events.tolist() == [[0x01020304, 0x0506]]
    keywords |= {"$P2B": "24", "$P2R": str(2**24)}
    with pytest.raises(FileError, match="byte order does not fit the width"):
        read(tmp_path, fcs_bytes(keywords, bytes(7)))


@pytest.mark.parametrize(
    ("top", "raw", "value"),
    [
        (1024, 0xFFFF, 1023),
        (1024, 0x0400, 0),
        (1000, 0x0FFF, 1023),
        (1025, 0x0FFF, 2047),
        (65536, 0xFFFF, 65535),
        (1048576, 0xFFFF, 65535),
        ("1024.0", 0xFC01, 1),
        (1, 0xFFFF, 0),
    ],
)
def test_bits_above_the_next_power_of_two_of_the_range_do_not_count(tmp_path, top, raw, value):
    keywords = keywords_of(["A"], kind="I", bits=16, top=top) | {"$TOT": "1"}
    assert read(tmp_path, fcs_bytes(keywords, raw.to_bytes(2, "little"))).events.tolist() == [[value]]


@pytest.mark.parametrize(("kind", "code", "bits"), [("F", "f", 32), ("D", "d", 64)])
@pytest.mark.parametrize("big", [False, True])
def test_floating_point_of_both_sizes_and_orders(tmp_path, kind, code, bits, big):
    rows = [[1.5, -2.25, 1e6], [0.0, 3.0, -1e-3]]
    keywords = keywords_of(NAMES, kind=kind, bits=bits) | {"$TOT": "2", "$BYTEORD": "4,3,2,1" if big else "1,2,3,4"}
    got = read(tmp_path, fcs_bytes(keywords, pack_floats(rows, kind=code, big=big)))
    assert got.events == pytest.approx(np.array(rows), rel=1e-6)


def test_fcs_3_2_may_mix_integers_and_floating_point(tmp_path):
    keywords = keywords_of(NAMES, kind="I", bits=[16, 32, 64], top=[1024, 1e6, 1e6])
    keywords |= {"$P2DATATYPE": "F", "$P3DATATYPE": "D", "$TOT": "1"}
    raw = (7).to_bytes(2, "little") + pack_floats([[2.5]]) + pack_floats([[0.125]], kind="d")
    assert read(tmp_path, fcs_bytes(keywords, raw, version="3.2")).events.tolist() == [[7, 2.5, 0.125]]


@pytest.mark.parametrize(
    ("e", "g", "value", "told"),
    [
        ("4,1", None, 10**2, ""),
        ("4,0.1", None, 10**1, ""),
        ("4,0", None, 10**2, ""),
        ("4.0,0.0", "1", 10**2, ""),
        (" 4.0,0.1024", None, 0.1024 * 10**2, ""),
        ("0,0", "4", 512 / 4, ""),
        ("0,0", "0", 512, ""),
        ("0,1", None, 512, ""),
        (None, None, 512, ""),
        ("4,1", "2", 10**2, "linear gain on a logarithmic amplifier"),
        ("0,0", "-3", 512, "no gain"),
    ],
)
def test_amplification_becomes_a_linear_value_as_the_standard_has_it(tmp_path, e, g, value, told):
    """Channel 512 of 1024 on four decades is the second decade: 10^(4 x 512 / 1024)."""
    keywords = keywords_of(["FL1"], kind="I", bits=16, top=1024) | {"$P1E": e, "$P1G": g, "$TOT": "1"}
    got = read(tmp_path, fcs_bytes(keywords, (512).to_bytes(2, "little")))
    assert got.events[0, 0] == pytest.approx(value, rel=1e-12)
    assert (told in " ".join(got.repairs)) if told else not got.repairs


def test_floating_point_is_linear_whatever_its_amplification_says(tmp_path):
    keywords = keywords_of(["FL1"]) | {"$P1E": "4,1", "$TOT": "1"}
    got = read(tmp_path, fcs_bytes(keywords, pack_floats([[512.0]])))
    assert got.events.tolist() == [[512.0]]
    assert got.repairs == ("$P1E is logarithmic for floating-point data, which are linear: ignored",)


@pytest.mark.parametrize("step", ["0.01", "", "xxxx", None])
def test_time_is_in_seconds_where_the_file_tells_the_step_and_has_no_gain(tmp_path, step):
    keywords = keywords_of(NAMES) | {"$P3G": "0.01", "$TIMESTEP": step, "$TOT": "1"}
    got = read(tmp_path, fcs_bytes(keywords, pack_floats([[1, 2, 300.0]])))
    assert got.events[0, 2] == pytest.approx(3.0 if step == "0.01" else 300.0)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"$MODE": "C"}, "it holds histograms"),
        ({"$MODE": "U"}, "it holds histograms"),
        ({"$DATATYPE": "A"}, "its events are text"),
        ({"$DATATYPE": "X"}, "no known \\$DATATYPE"),
        ({"$PAR": "4"}, "parameters are not all declared"),
        ({"$PAR": "99999999999"}, "parameters are not all declared"),
        ({"$PAR": None}, "parameters are not all declared"),
        ({"$P2N": "FSC-A"}, "two detectors share the name FSC-A"),
        ({"$BYTEORD": None}, "in which order its bytes stand"),
        ({"$BYTEORD": "1,1,2,2"}, "in which order its bytes stand"),
        ({"$P1E": "4"}, "\\$P1E is no amplification"),
        ({"$P1E": "-1,1"}, "\\$P1E is no amplification"),
        ({"$P1E": "nan,1"}, "\\$P1E is no amplification"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path, change, told):
    keywords = keywords_of(NAMES) | {"$TOT": "1"} | change
    with pytest.raises(FileError, match=told) as error:
        read(tmp_path, fcs_bytes(keywords, pack_floats([[1, 2, 3]])))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("bits", "told"), [("0", "no number of bits"), ("65", "no number of bits"), ("*", "no number of bits")])
def test_integers_need_a_width(tmp_path, bits, told):
    keywords = keywords_of(NAMES, kind="I") | {"$TOT": "1", "$P2B": bits}
    with pytest.raises(FileError, match=told):
        read(tmp_path, fcs_bytes(keywords, bytes(12)))


def test_values_that_are_no_measurement_leave_with_the_margins(tmp_path):
    rows = [[1, 2, 3], [float("nan"), 5, 6], [7, float("inf"), 9], [1, 2, 1e20], [4, 5, 6]]
    keywords = keywords_of(NAMES) | {"$TOT": "5"}
    got = read(tmp_path, fcs_bytes(keywords, pack_floats(rows)))
    assert got.events.tolist() == [[1, 2, 3], [0, 0, 0], [0, 0, 0], [0, 0, 0], [4, 5, 6]]
    assert got.repairs == ("3 events hold values that are no measurement: set to 0",)


def test_an_event_at_the_top_of_its_range_is_seen_as_such(tmp_path):
    """What the margins ask: at least the range less one, on every scale."""
    keywords = keywords_of(["LIN", "LOG", "GAIN"], kind="I", bits=16, top=1024) | {"$P2E": "4,1", "$P3G": "8", "$TOT": "2"}
    got = read(tmp_path, fcs_bytes(keywords, pack_bits([[1023] * 3, [1000] * 3], [16] * 3, big=False)))
    assert (got.events[0] >= got.ranges - 1).all()
    assert (got.events[1] < got.ranges - 1).all()


def test_the_range_of_floats_is_a_ceiling_only_where_values_keep_it(tmp_path):
    keywords = keywords_of(["KEPT", "PASSED"], top=1000) | {"$TOT": "100"}
    rows = [[i * 9.9, i * 40.0] for i in range(100)]
    got = read(tmp_path, fcs_bytes(keywords, pack_floats(rows)))
    assert got.ranges.tolist() == [1000, 3961]
