"""Read the LAIPs that a lab drew."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from mrd.core.digest import digest_json
from mrd.core.drawn import Drawn
from mrd.core.errors import FileError, PanelError
from mrd.core.laips import DrawnLaip, DrawnLaips, check_laips
from mrd.files.yaml_text import UnreadableError, read_yaml

MOST_BYTES = 4 * 2**20


def read_laips(path: Path, *, where: str = "drawn LAIPs") -> DrawnLaips:
    """Lab-drawn LAIPs of a trial from a YAML file.

    Raises
    ------
    FileError
        The file is missing or too large.
    PanelError
        It is not YAML of the declared form.
    """
    if not path.is_file():
        raise FileError("the file is missing", where=where, fix="check the path")
    if path.stat().st_size > MOST_BYTES:
        raise FileError(f"larger than {MOST_BYTES // 2**20} MB", where=where, fix="give a file of LAIPs only")
    try:
        values = read_yaml(path)
    except UnreadableError:
        raise PanelError("not a YAML file", where=where, fix="see docs/gates.md") from None
    return check_laips(values, where=where)


def read_laip_gates(laip: DrawnLaip, folder: Path, *, files: Sequence[str], where: str) -> Drawn | None:
    """The gates a LAIP is drawn in, where it is one of a gating file.

    Parameters
    ----------
    folder : of the file that names the LAIP · files : names of the FCS file it was drawn on, for a workspace

    Raises
    ------
    FileError
        The path leaves the folder, or the file cannot be used, or has no such gate.
    """
    if not laip.gates:
        return None
    path = (folder / laip.gates).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise FileError("the path of its gates leaves the folder of the LAIPs", where=where, fix="put the file beside them")
    from mrd.files.gates import read_gates  # here, since the workflow reads LAIPs in every job, and their gates in few

    drawn = read_gates(path, files=files, where=where)
    drawn.find(laip.gate, where=where)
    return drawn


def laip_files(path: Path, subjects: Collection[str]) -> list[Path]:
    """The file of LAIPs, and every gating file that it names for some subjects.

    Raises
    ------
    FileError, PanelError
        The file cannot be used.
    """
    told = read_laips(path).subjects
    gates = {laip.gates for subject in subjects for laip in told.get(subject, ()) if laip.gates}
    return [path, *(path.parent / g for g in sorted(gates))]


def laips_of(path: Path, subject: str, panel: str, *, files: Sequence[str]) -> tuple[list[tuple[DrawnLaip, Drawn | None]], str]:
    """A subject's LAIPs for a panel, each with its gates where it has any, and a digest of all that was read.

    Parameters
    ----------
    files : names of the FCS files it may have been drawn on: those of the subject's diagnosis

    Raises
    ------
    FileError, PanelError
        The file, or one that it names, cannot be used.
    """
    where = f"drawn LAIP of {subject}"
    told = [(laip, read_laip_gates(laip, path.parent, files=files, where=where)) for laip in read_laips(path).of(subject, panel)]
    return told, digest_json([[laip.model_dump(mode="json"), gates.digest if gates else ""] for laip, gates in told])
