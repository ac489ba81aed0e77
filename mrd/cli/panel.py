"""`mrd panel`: draft a panel from the channels of FCS files, to be looked over before use."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from mrd.core.draft import Stain, draft_panel, lacking_body, read_stains
from mrd.core.errors import FileError, PanelError
from mrd.core.panel import check_panel
from mrd.files.atomic import write_text
from mrd.files.fcs import Channels, read_channels

HEAD = """\
# Drafted by `mrd panel` from the channel names of {n} file(s). Before use: check every marker and detector, the scales
# (one for the whole cohort), and the places of the gates on controls of your own.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="FCS files of the tube, from every instrument that runs it"
    )
    parser.add_argument("--name", default="draft", help="name of the panel")
    parser.add_argument("--dataset", default="", help="data set of files with several, from 1")
    parser.add_argument("--out", type=Path, help="YAML file to write, instead of printing; must not be there yet")


def run(options: argparse.Namespace) -> None:
    """Draft the panel and print or write it.

    Raises
    ------
    FileError
        The file to write is there.
    """
    if options.out is not None and options.out.exists():
        raise FileError("the file is there already", where="--out", fix="choose another name")
    text = draft_text(read_all(options.files, options.dataset), options.name)
    if options.out is None:
        sys.stdout.write(text)
    else:
        write_text(options.out, text)


def read_all(paths: Sequence[Path], dataset: str) -> list[Channels]:
    """Channels of each file; messages number the files, whose names may hold a patient's."""
    return [read_channels(p, where=f"file {i}", dataset=dataset) for i, p in enumerate(paths, start=1)]


def draft_text(files: Sequence[Channels], name: str) -> str:
    """The YAML of a panel for some files: markers that all show, with each file's detector; the rest as comments.

    Raises
    ------
    PanelError
        A file lacks the scatter channels that gates need, a marker is ambiguous, or markers are missing.
    """
    told = [_stains(f, i) for i, f in enumerate(files, start=1)]
    shown = [{s.marker: s for s in stains} for stains, _ in told]
    common = [m for m in shown[0] if all(m in s for s in shown)]
    stains: dict[str, list[Stain]] = {m: [s[m] for s in shown] for m in common}
    title = f"Drafted: {' '.join(m for m in common if stains[m][0].role == 'marker')}"
    panel = draft_panel(name, stains, title=title, source="drafted from the channel names of the lab's own files")
    check_panel(panel, where=name)
    notes = _notes({m for s in shown for m in s} - set(common), {d for _, silent in told for d in silent})
    return HEAD.format(n=len(files)) + notes + dump_panel(panel)


def _stains(file: Channels, number: int) -> tuple[list[Stain], list[str]]:
    lacking = lacking_body(file.pnn, file.pns)
    if lacking:
        has = ", ".join(file.pnn)
        what = f"{', '.join(lacking)} absent or ambiguous; the file has [{has}]"
        raise PanelError(what, where=f"file {number}", fix="export area and height of forward scatter and area of side scatter")
    try:
        return read_stains(file.pnn, file.pns)
    except PanelError as error:
        raise PanelError(error.what, where=f"file {number}", fix=error.fix) from None


def _notes(partial: set[str], silent: set[str]) -> str:
    lines = [f"# Left out, not in every file: {', '.join(sorted(partial))}\n"] if partial else []
    return "".join(lines + ([f"# Left out, no marker named: {', '.join(sorted(silent))}\n"] if silent else []))


def dump_panel(panel: dict[str, Any]) -> str:
    """A panel as YAML, a line for each channel and gate."""
    head = {k: panel[k] for k in ("name", "version", "title", "source")}
    lines = [yaml.safe_dump(head, sort_keys=False, width=110, allow_unicode=True), "channels:\n"]
    lines += [f"  {_flow(n)}: {_flow(c)}\n" for n, c in panel["channels"].items()]
    lines += ["anchor:\n", *(f"  {k}: {_flow(v)}\n" for k, v in panel["anchor"].items()), "gates:\n"]
    lines += [f"  - {_flow(g)}\n" for g in panel["gates"]]
    return "".join(lines) + yaml.safe_dump(
        {k: panel[k] for k in panel if k not in (*head, "channels", "anchor", "gates")}, sort_keys=False
    )


def _flow(value: Any) -> str:
    """One line of YAML."""
    return (
        yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
        .replace("\n...", "")
        .strip()
    )
