"""Clean a FlowJo workspace: gates, transforms and matrices stay; names of samples, groups and files become pseudonyms."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import unquote
from xml.etree.ElementTree import Element, SubElement, tostring

from defusedxml.ElementTree import fromstring

from mrd.core.errors import FileError
from mrd.core.keywords import NUMBER, WORD, kept_keywords, names_person, person_words
from mrd.files.atomic import write_bytes
from mrd.files.deidentify import Cleaned
from mrd.files.xml import local, read_xml

ELEMENTS = frozenset(
    (
        "Workspace", "Matrices", "Groups", "GroupNode", "Group", "SampleRefs", "SampleRef", "SampleList", "Sample", "DataSet",
        "spilloverMatrix", "parameters", "parameter", "spillover", "coefficient", "Transformations", "linear", "log",
        "logicle", "biex", "fasinh", "hyperlog", "Keywords", "Keyword", "SampleNode", "Subpopulations", "Population",
        "AndNode", "OrNode", "NotNode", "Dependents", "Dependent", "Gate", "RectangleGate", "PolygonGate", "EllipsoidGate",
        "QuadrantGate", "dimension", "fcs-dimension", "vertex", "coordinate", "foci", "edge", "entry",
    )
)  # fmt: skip
NUMBERS = rf"{NUMBER}|-?Infinity|NaN|\d+(\.\d+)*"
LABELS = ("prefix", "suffix", "userProvidedCompInfix", "parameter", "weightOptAlgorithmType", "name")
POPULATIONS = ("Population", "AndNode", "OrNode", "NotNode")


def clean_workspace(source: Path, target: Path, pseudonym: Callable[[str], str], *, where: str) -> Cleaned:
    """Write a copy of a workspace that holds what gating needs, and nothing else.

    Parameters
    ----------
    pseudonym : gives a file's or sample's pseudonym.

    Raises
    ------
    FileError
        It is not a FlowJo workspace.
    """
    data, root = read_xml(source, where=where)
    if root != "Workspace":
        raise FileError("not a FlowJo workspace", where=where, fix="save it from FlowJo 10")
    tree = fromstring(data, forbid_dtd=True)
    told = [(k.get("name", ""), k.get("value", "")) for k in tree.iter() if local(k) == "Keyword"]
    persons = {word for name, value in told for word in person_words({name: value})}
    cleaner = _Cleaner(pseudonym, persons)
    write_bytes(target, tostring(cleaner.copy(tree), encoding="utf-8", xml_declaration=True))
    return Cleaned(tuple(sorted(cleaner.kept)), tuple(sorted(cleaner.removed - cleaner.kept)), 1)


class _Cleaner:
    """Copies a tree by the whitelist and remembers which keywords went."""

    def __init__(self, pseudonym: Callable[[str], str], persons: set[str]) -> None:
        self.pseudonym, self.persons = pseudonym, persons
        self.names: dict[tuple[str, str], str] = {}
        self.kept: set[str] = set()
        self.removed: set[str] = set()
        self.rules: dict[tuple[str, str], Callable[[str], str]] = {
            **{("", name): self.label for name in LABELS},
            **{("", name): partial(self.renamed, "id") for name in ("id", "parent_id", "quadId")},
            **{(element, "name"): self.population for element in POPULATIONS},
            **{(element, "name"): self.group for element in ("GroupNode", "Group")},
            ("", "owningGroup"): self.group,
            ("", "annotation"): lambda _: "",
            ("", "uri"): lambda uri: self.pseudonym(re.split(r"[/\\]", unquote(uri))[-1]),
            ("SampleNode", "name"): self.pseudonym,
            ("spilloverMatrix", "name"): self.matrix,
            ("spilloverMatrix", "id"): self.matrix,
            ("Dependent", "name"): lambda path: "/".join(map(self.population, path.split("/"))),
        }

    def copy(self, element: Element) -> Element:
        """An element with those of its attributes and children that may stay."""
        out = Element(element.tag)
        for name, value in element.attrib.items():
            told = self.attribute(local(element), name.rpartition("}")[2], value)
            if told is not None:
                out.set(name, told)
        for child in element:
            if local(child) == "Keywords":
                self.keywords(child, SubElement(out, child.tag))
            elif local(child) in ELEMENTS:
                out.append(self.copy(child))
        return out

    def attribute(self, element: str, name: str, value: str) -> str | None:
        """An attribute's value as it may stay: by its rule, else if it is a number; None where it may not."""
        rule = self.rules.get((element, name)) or self.rules.get(("", name))
        if rule is not None:
            return rule(value)
        return value if re.fullmatch(NUMBERS, value) else None

    def label(self, value: str) -> str:
        """A channel's or transform's name, unless it names a person."""
        plain = re.fullmatch(rf"({WORD})?", value) and not names_person(value, self.persons)
        return value if plain else self.renamed("name", value)

    def group(self, value: str) -> str:
        """A group's name is free text."""
        return value if value in ("", "All Samples") else self.renamed("group", value)

    def matrix(self, value: str) -> str:
        """A matrix's name is free text, unless FlowJo gave it."""
        return value if value == "Acquisition-defined" else self.renamed("matrix", value)

    def population(self, name: str) -> str:
        """A population's name, unless it names a person."""
        plain = re.fullmatch(r"[\w ,.;:+\-#()&|<>=%*]{1,80}", name) is not None
        return name if plain and not names_person(name, self.persons) else self.renamed("population", name)

    def renamed(self, kind: str, value: str) -> str:
        """A neutral name, the same for the same value."""
        known = [k for k in self.names if k[0] == kind]
        return self.names.setdefault((kind, value), f"{kind}-{len(known) + 1}")

    def keywords(self, old: Element, new: Element) -> None:
        """Those keywords of a sample that are on the whitelist."""
        pairs = {k.get("name", "").strip().upper(): k.get("value", "") for k in old if local(k) == "Keyword"}
        kept = {k: v for k, v in kept_keywords(pairs).items() if not names_person(v, self.persons)}
        if "$FIL" in pairs:
            kept["$FIL"] = self.pseudonym(pairs["$FIL"])
        self.kept |= set(kept)
        self.removed |= set(pairs) - set(kept)
        for name, value in kept.items():
            SubElement(new, "Keyword", {"name": name, "value": value})
