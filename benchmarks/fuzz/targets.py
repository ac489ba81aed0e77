"""What reads files from outside, each as a function of bytes that may raise nothing but MrdError, and what to start from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mrd.core.errors import FileError
from mrd.core.settings import Settings
from mrd.files.clinical import read_subjects
from mrd.files.fcs import read_fcs
from mrd.files.fcs_layout import read_layout
from mrd.files.fcs_place import place_data
from mrd.files.fcs_sets import read_sets
from mrd.files.matrices import read_matrix
from mrd.files.panels import FOLDER, read_panel
from mrd.files.settings import read_settings
from mrd.files.sheet import read_samples
from mrd.prepare.acquired import parse_acquired, says_compensated
from mrd.prepare.compensate import Spill, check_spill, fit_spill, parse_spill
from tests.files.fcs_bytes import fcs_bytes, keywords_of, pack_bits, pack_floats

ROOT = Path(__file__).resolve().parents[2]
INGEST = ROOT.parent / "shared" / "data" / "ingest"
SMALL = 60_000
"""Files are cut down to so many bytes, so that a mutation reaches what matters and a million of them end."""
PNN = ("FSC-A", "SSC-A", "FITC-A", "PE-A", "APC-A", "Time")
PNS = ("", "", "CD45", "CD34", "CD33", "")


KINDS: list[tuple[str, int | list[int], str]] = [
    ("I", 16, "1,2,3,4"),
    ("I", 10, "4,3,2,1"),
    ("I", 24, "2,1"),
    ("I", [8, 12, 64], "1,2"),
    ("F", 32, "4,3,2,1"),
    ("D", 64, "1,2,3,4"),
]
"""Layouts of the written files: data type, bits, byte order."""


@dataclass(frozen=True)
class Target:
    """A reader: its name, the file name it wants, what it does with a file, and the files to mutate."""

    name: str
    suffix: str
    run: Callable[[Path], object]
    corpus: Callable[[], list[bytes]]


def run_reader(path: Path) -> None:
    """Read an FCS file; what comes out must be numbers of the size declared."""
    data = read_fcs(path, where="t", dataset="1")
    assert data.events.shape[1] == len(data.pnn) == len(data.pns) == len(data.ranges)
    assert np.isfinite(data.events).all()
    assert data.events.nbytes <= 64 * path.stat().st_size + 4096


def run_matrix(path: Path) -> None:
    """Read a matrix file and fit it to a file's channels."""
    fit_spill(check_spill(Spill(*read_matrix(path, where="t", sample="a.fcs")), where="t"), PNN, PNS, where="t")


def run_spill(path: Path) -> None:
    """Parse a $SPILLOVER value."""
    fit_spill(parse_spill(path.read_bytes().decode("latin-1"), where="t"), PNN, PNS, where="t")


def run_acquired(path: Path) -> None:
    """Parse what $COMP or $DFCmTOn state."""
    text = path.read_bytes().decode("latin-1")
    for told in ({"$COMP": text}, {f"$DFC{i + 1}TO{(i + 1) % 3 + 1}": t for i, t in enumerate(text.split(",")[:20])}):
        says_compensated(told)
        parse_acquired(told, PNN, where="t")


def run_sheet(path: Path) -> None:
    """Read a sample sheet."""
    read_samples(Settings(samples=str(path), reference="x"), whole_run=False)


def fcs_corpus() -> list[bytes]:
    """Small FCS files: layouts written out by the tests, and those of the test tubes and the ingest corpus with few events."""
    paths = sorted((ROOT / "test_fcs" / "fcs").glob("*.fcs"))[:2]
    paths += [p for p in sorted(INGEST.rglob("*")) if p.suffix.lower() in (".fcs", ".lmd")] if INGEST.is_dir() else []
    return [*written(), *(shorten(p) for p in paths)]


def written() -> list[bytes]:
    """One file of each kind of layout."""
    rows = [[i * 7 % 1000, i, 1023 - i] for i in range(40)]
    out = []
    for kind, bits, order in KINDS:
        widths = [bits] * 3 if isinstance(bits, int) else bits
        big = order in ("4,3,2,1", "2,1")
        held = [[v % 2**w for v, w in zip(r, widths, strict=True)] for r in rows]
        data = pack_bits(held, widths, big=big) if kind == "I" else pack_floats(rows, kind="f" if kind == "F" else "d", big=big)
        keys = keywords_of(["FSC-A", "CD45", "Time"], kind=kind, bits=bits, top=1024) | {
            "$TOT": "40",
            "$BYTEORD": order,
            "$TIMESTEP": "0.01",
        }
        keys |= {"$P2E": "4,0"} if kind == "I" else {"$P2G": "2", "$SPILLOVER": "2,FSC-A,CD45,1,0.1,0,1"}
        out.append(fcs_bytes(keys, data, tail=b"00000000", delimiter="|" if kind == "D" else "/"))
    first = fcs_bytes(keywords_of(["A"]) | {"$TOT": "3", "$NEXTDATA": "00000000"}, bytes(12))
    out.append(first.replace(b"$NEXTDATA/00000000", b"$NEXTDATA/%08d" % len(first)) + out[0])
    out.append(
        fcs_bytes(keywords_of(["A", "B"], kind="I", bits=[16, 32]) | {"$TOT": "3", "$P2DATATYPE": "F"}, bytes(18), version="3.2")
    )
    return out


def shorten(path: Path, events: int = 30) -> bytes:
    """A file with few events, offsets and $TOT rewritten in place; as it is where it cannot be read or is small."""
    raw = path.read_bytes()
    try:
        with path.open("rb") as handle:
            one = read_sets(handle, len(raw))[0]
            layout, _ = read_layout(one.keywords, one.header.version)
            place = place_data(handle, one, layout)
    except FileError:
        return raw[:SMALL]
    if place.events <= events or one.keywords.whole("$NEXTDATA"):
        return raw[:SMALL]
    end = place.begin + layout.size(events)
    head, text_end = raw[:end], (one.header.text[1] or 0) + 1
    for old, new in ((place.events, events), (place.begin + layout.size(place.events) - 1, end - 1)):
        digits = str(old).encode()
        head = head[:text_end].replace(digits, str(new).encode().rjust(len(digits), b"0")) + head[text_end:]
    return head + raw[place.begin + layout.size(place.events) :][:64]


def sheet_corpus() -> list[bytes]:
    """The demo's sheet and the tests' own."""
    return [(ROOT / p).read_bytes() for p in ("workflow/config/demo.tsv", "test_fcs/plan.tsv")]


def clinical_corpus() -> list[bytes]:
    """Clinical tables."""
    return [(ROOT / p).read_bytes() for p in ("workflow/config/demo_subjects.tsv", "test_fcs/subjects.tsv")]


def matrix_text() -> tuple[list[str], list[list[float]]]:
    """A matrix to write in every format."""
    return ["FITC-A", "PE-A", "APC-A"], [[1, 0.2, 0.01], [0.05, 1, 0.0], [0.0, 0.02, 1]]


def csv_corpus() -> list[bytes]:
    """A matrix as CSV and as tab-separated text."""
    names, rows = matrix_text()
    lines = [["", *names], *([n, *map(str, r)] for n, r in zip(names, rows, strict=True))]
    return ["\n".join(d.join(line) for line in lines).encode() for d in (",", "\t")]


def xml_corpus() -> list[bytes]:
    """A matrix as FlowJo has written it, before and after version 10, alone and in a workspace."""
    old = in_xml('<Channel name="{}">', '<ChannelValue name="{}" value="{}"/>', "</Channel>")
    new = in_xml('<t:spillover d:parameter="{}">', '<t:coefficient d:parameter="{}" t:value="{}"/>', "</t:spillover>")
    matrix = f'<t:spilloverMatrix xmlns:t="t" xmlns:d="d" prefix="Comp-" name="m">{new}</t:spilloverMatrix>'
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE CompensationMatrix>\n'
    return [
        f'{head}<CompensationMatrix name="c">{old}</CompensationMatrix>'.encode(),
        matrix.encode(),
        f'<Workspace><Sample><DataSet uri="file:/a.fcs"/>{matrix}</Sample></Workspace>'.encode(),
    ]


def in_xml(row: str, cell: str, end: str) -> str:
    """The matrix in elements."""
    names, rows = matrix_text()
    cells = ["".join(cell.format(c, v) for c, v in zip(names, r, strict=True)) for r in rows]
    return "".join(row.format(n) + c + end for n, c in zip(names, cells, strict=True))


def spill_corpus() -> list[bytes]:
    """$SPILLOVER values."""
    names, rows = matrix_text()
    values = ",".join(str(v) for r in rows for v in r)
    return [f"3,{','.join(n)},{values}".encode() for n in (names, ["Comp-" + n for n in names], ["3", "4", "5"])]


def comp_corpus() -> list[bytes]:
    """$COMP values."""
    return [b"3,0.0,-0.1,0.0,-40.0,0.0,-0.6,0.0,-36.4,0.0", b"6," + b",".join([b"0"] * 36)]


def panel_corpus() -> list[bytes]:
    """The panel library."""
    return [p.read_bytes() for p in sorted(FOLDER.glob("*.yaml"))]


def settings_corpus() -> list[bytes]:
    """The default settings and the demo's."""
    return [(ROOT / "workflow" / "config" / n).read_bytes() for n in ("config.yaml", "demo.yaml")]


TARGETS = {
    t.name: t
    for t in (
        Target("reader", ".fcs", run_reader, fcs_corpus),
        Target("sheet", ".tsv", run_sheet, sheet_corpus),
        Target("subjects", ".tsv", read_subjects, clinical_corpus),
        Target("panel", ".yaml", lambda p: read_panel(str(p)), panel_corpus),
        Target("settings", ".yaml", read_settings, settings_corpus),
        Target("csv", ".csv", run_matrix, csv_corpus),
        Target("xml", ".wsp", run_matrix, xml_corpus),
        Target("spillover", ".txt", run_spill, spill_corpus),
        Target("comp", ".txt", run_acquired, comp_corpus),
    )
}
