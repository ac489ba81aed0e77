"""Cut the one sample that shows a tube out of a FlowJo workspace, so that FlowKit builds no other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import unquote
from xml.etree.ElementTree import Element, SubElement, tostring

from defusedxml.ElementTree import fromstring, iterparse

from mrd.core.errors import FileError
from mrd.files.xml import local

if TYPE_CHECKING:
    from flowkit import GatingStrategy

STANDARD = "{http://www.isac-net.org/std/Gating-ML/v2.0/"
SPACES = [f"{STANDARD}{part}}}" for part in ("gating", "transformations", "datatypes")]
NAME = f"{STANDARD}datatypes}}name"


def cut_sample(data: bytes, files: Sequence[str], *, where: str) -> bytes:
    """A workspace that holds nothing but the sample that goes by one of these file names.

    A sample is known by the file of its data set; where none is, by its own name or its $FIL keyword.

    Raises
    ------
    FileError
        No sample shows the tube (which is never the same as zero events), or several do.
    """
    wanted = {_plain(f) for f in files}
    root, total, by_file, by_name = Element("Workspace"), 0, [], []
    for sample in _samples(data, root):
        total += 1
        if wanted & {_plain(u) for u in _files(sample)}:
            by_file.append(sample)
        elif wanted & {_plain(n) for n in _names(sample)}:
            by_name.append(sample)
        else:
            sample.clear()
    hits = by_file or by_name
    if len(hits) != 1:
        what = (
            f"{len(hits)} of its {total} samples show this tube's FCS file"
            if hits
            else f"none of its {total} samples is this tube's FCS file"
        )
        raise FileError(what, where=where, fix="give the workspace in which the file was gated, with the file's own name")
    return _alone(root, hits[0])


def _samples(data: bytes, root: Element) -> Iterator[Element]:
    """Samples of the workspace one by one; the attributes of its root go to `root`."""
    depth = 0
    for event, element in iterparse(BytesIO(data), events=("start", "end"), forbid_dtd=True):
        depth += 1 if event == "start" else -1
        if event == "start" and depth == 1:
            root.attrib.update({k: v for k, v in element.attrib.items() if not k.startswith("{")})
        if event == "end" and local(element) == "Sample" and depth == 2:
            yield element


def _files(sample: Element) -> list[str]:
    return [re.split(r"[/\\]", unquote(d.get("uri", "")))[-1] for d in sample.iter() if local(d) == "DataSet"]


def _names(sample: Element) -> list[str]:
    nodes = [n.get("name", "") for n in sample.iter() if local(n) == "SampleNode"]
    return nodes + [k.get("value", "") for k in sample.iter() if local(k) == "Keyword" and k.get("name", "").upper() == "$FIL"]


def _plain(name: str) -> str:
    """A file name without its folder, case and ending; an empty one matches nothing."""
    bare = re.split(r"[/\\]", name.strip())[-1].casefold()
    return bare.removesuffix(".fcs") or "\0"


def _alone(root: Element, sample: Element) -> bytes:
    """The workspace of one sample, each GatingML namespace declared whether it is used or not: FlowKit looks for them."""
    for space in SPACES:
        root.set(f"{space}here", "1")
    SubElement(root, "Groups")
    _own_transforms(sample)
    SubElement(root, "SampleList").append(sample)
    text: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _prefix(sample: Element) -> str:
    """What FlowJo puts before the name of a compensated channel."""
    matrix = next((m for m in sample if local(m) == "spilloverMatrix"), None)
    return "" if matrix is None else matrix.get("prefix", "")


def _own_transforms(sample: Element) -> None:
    """Give compensated channels the transform they were drawn on: FlowKit would take the raw channel's."""
    prefix = _prefix(sample)
    transforms = next((t for t in sample if local(t) == "Transformations"), None)
    if not prefix or transforms is None:
        return
    drawn = {d for dims in drawn_on(sample).values() for d in dims}
    named = {p.get(NAME, ""): (t, p) for t in transforms for p in t if local(p) == "parameter"}
    for name, (_, parameter) in named.items():
        raw = name.removeprefix(prefix)
        if raw != name and name in drawn and raw not in drawn:
            parameter.set(NAME, raw)
            if raw in named:
                transforms.remove(named[raw][0])


def drawn_on(sample: Element) -> dict[tuple[str, ...], list[str]]:
    """Names of the channels each population of a sample was drawn on, by its path."""
    node = next((n for n in sample if local(n) == "SampleNode"), None)
    return {} if node is None else dict(_populations(node, ("root",)))


def _populations(node: Element, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    for here, population in _nodes(node, path):
        gates = [g for g in population if local(g) == "Gate"]
        yield here, [d.get(NAME, "") for g in gates for d in g.iter() if local(d) == "fcs-dimension"]


def _nodes(node: Element, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Element]]:
    for population in (p for s in node if local(s) == "Subpopulations" for p in s):
        here = (*path, population.get("name", ""))
        yield here, population
        yield from _nodes(population, here)


def counted(data: bytes) -> dict[str, int]:
    """Events FlowJo wrote beside each population of a cut workspace, by path from the root."""
    (sample,) = (s for s in fromstring(data, forbid_dtd=True).iter() if local(s) == "Sample")
    node = next((n for n in sample if local(n) == "SampleNode"), None)
    found = {} if node is None else {"/".join(p[1:]): e.get("count", "") for p, e in _nodes(node, ("root",))}
    return {path: int(count) for path, count in found.items() if count.isdigit()}


def as_drawn(strategy: GatingStrategy, data: bytes) -> GatingStrategy:
    """The gates with raw channels left raw: FlowKit compensates every detector of the matrix, prefix or not."""
    (sample,) = (s for s in fromstring(data, forbid_dtd=True).iter() if local(s) == "Sample")
    prefix = _prefix(sample)
    for path, names in drawn_on(sample).items() if prefix else ():
        gate = strategy.get_gate(path[-1], path[:-1])
        for dimension, name in zip(gate.dimensions or (), names, strict=False):
            if not name.startswith(prefix):
                dimension.compensation_ref = "uncompensated"
    return strategy
