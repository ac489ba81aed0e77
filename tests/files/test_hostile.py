"""Bytes from anywhere: a reader reads or refuses in one line, in little time and memory; never anything else.

The same mutations by the million: `python -m benchmarks.fuzz`.
"""

import contextlib
import random
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from benchmarks.fuzz.mutate import mutate
from benchmarks.fuzz.targets import TARGETS
from mrd.core.errors import FileError, MrdError
from mrd.files.fcs import read_fcs
from mrd.files.panels import read_panel
from mrd.files.tables import read_text_table
from mrd.files.yaml_text import UnreadableError, read_yaml
from tests.files.fcs_bytes import fcs_bytes, keywords_of

CORPORA = {name: target.corpus() for name, target in TARGETS.items()}
SLOW = {"sheet": 15, "subjects": 15, "panel": 15, "settings": 30}


def refuses_or_reads(name, path, raw):
    """Run a reader over bytes; a refusal is one line."""
    path.write_bytes(raw)
    try:
        TARGETS[name].run(path)
    except MrdError as error:
        told = str(error)
    else:
        return True
    assert "\n" not in told
    return False


def peak_of_reading(path):
    """Bytes at most in use while a file is read or refused."""
    tracemalloc.start()
    try:
        with contextlib.suppress(FileError), np.errstate(all="raise"):
            read_fcs(path, where="t")
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", TARGETS)
def test_what_the_mutations_start_from_is_read(name, tmp_path):
    done = [refuses_or_reads(name, tmp_path / f"a{TARGETS[name].suffix}", raw) for raw in CORPORA[name]]
    assert sum(done) >= 0.5 * len(done)


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_files_are_read_or_refused(name, tmp_path):
    path = tmp_path / f"a{TARGETS[name].suffix}"

    @settings(max_examples=SLOW.get(name, 120), deadline=None)
    @given(st.integers(0, 2**32))
    def check(seed):
        refuses_or_reads(name, path, mutate(CORPORA[name], random.Random(seed)))  # noqa: S311

    check()


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_read_or_refused(name, tmp_path):
    path = tmp_path / f"a{TARGETS[name].suffix}"

    @settings(max_examples=SLOW.get(name, 60), deadline=None)
    @given(st.binary(max_size=300))
    @example(b"")
    @example(b"\xef\xbb\xbf")
    @example(b"\x00" * 100)
    def check(raw):
        refuses_or_reads(name, path, raw)

    check()


@pytest.mark.parametrize(
    "change",
    [
        {"$TOT": "99999999999"},
        {"$PAR": "4000"},
        {"$P1B": "64", "$P2B": "64"},
        {"$ENDDATA": "99999999999999999"},
        {"$NEXTDATA": "58"},
        {"$BEGINSTEXT": "58", "$ENDSTEXT": "99999999999"},
        {"$SPILLOVER": "2000," + "x," * 2000},
        {"$P1N": "x" * 100_000},
    ],
)
def test_what_a_file_declares_is_never_believed_before_its_size_is_checked(tmp_path, change):
    path = tmp_path / "a.fcs"
    path.write_bytes(fcs_bytes(keywords_of(["A", "B"], kind="I", bits=16) | {"$TOT": "100"} | change, bytes(400)))
    assert peak_of_reading(path) < 8e6


def test_a_text_full_of_delimiters_or_wide_characters_stays_small(tmp_path):
    path = tmp_path / "a.fcs"
    for filling in (b"/a" * 1_500_000, "\U0001f600".encode() * 900_000, b"/" * 3_000_000):
        path.write_bytes(fcs_bytes(keywords_of(["A"]) | {"$TOT": "1"}, bytes(4), raw_text=b"$COM/" + filling + b"/"))
        assert peak_of_reading(path) < 64e6


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{c}: &{c} [{','.join(['*' + p] * 10)}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text", [BOMB, "[" * 20_000, "a: &x [*x]", "!!python/name:os.system", "a: 2024-13-45", "? {a: b}\n: c", "a: " + "9" * 5000]
)
def test_yaml_that_grows_nests_or_calls_is_refused(tmp_path, text):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(UnreadableError):
        read_yaml(path)


def test_a_panel_whose_names_would_be_paths_is_refused(tmp_path):
    text = (TARGETS["panel"].corpus()[0]).decode().replace("name: blasts", "name: ../../blasts")
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(MrdError, match="gates"):
        read_panel(str(path))


@pytest.mark.parametrize("text", ["a\tb\n1\t2\t3\n", "a\tb\n1\t2\n3\t4\t5\n", ""])
def test_a_table_with_more_cells_than_columns_is_refused_not_shifted(tmp_path, text):
    path = tmp_path / "a.tsv"
    path.write_text(text)
    with pytest.raises(FileError, match="t: not a tab-separated UTF-8 table"):
        read_text_table(path, where="t")


def test_a_sheet_without_rows_is_refused(tmp_path):
    path = tmp_path / "samples.tsv"
    path.write_bytes(TARGETS["sheet"].corpus()[0].split(b"\n")[0] + b"\n")
    with pytest.raises(MrdError, match="it holds no tube"):
        TARGETS["sheet"].run(path)


def test_an_offset_that_fits_only_one_byte_earlier_is_no_crash(tmp_path):
    """Found by mutation: the last place that a shifted begin can have is the only one that fits."""
    path = tmp_path / "a.fcs"
    raw = fcs_bytes(keywords_of(["A"]) | {"$TOT": "10"}, bytes(40), gap=4, begin_shift=1, end_shift=0)
    path.write_bytes(raw)
    assert len(read_fcs(path, where="t").events) == 10
