"""The sample sheet: read, checked as a whole, every problem told at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mrd.core.contracts import SAMPLES
from mrd.core.errors import SheetError
from mrd.core.settings import LEAST_CONTROLS, Settings
from mrd.files.tables import read_text_table

COUNTS = ("rbc_marrow", "rbc_blood", "wbc_marrow", "wbc_blood")
"""Blood counts of the aspirate and of blood drawn with it, each pair in one unit: they tell how pure the marrow is."""
OPTIONAL = ("received", "panel", "compensation", "dataset", *COUNTS)
COMPENSATION_WORDS = ("none", "keyword")
"""What the compensation column may say instead of a file: leave the signals alone; undo what $COMP or $DFCmTOn state."""
ONE_DRAW = ("role", "specimen_type", "collected")
"""What tubes of a visit have in common."""
IDS = ("subject", "visit", "tube", "specimen")
SAFE = r"[A-Za-z0-9][A-Za-z0-9._\-]*"


def read_samples(settings: Settings, *, whole_run: bool = True, made_in: Path | None = None) -> pd.DataFrame:
    """The sample sheet with `tube_id`, `panel` of every tube and `path` of its FCS file; extra columns pass through.

    Parameters
    ----------
    whole_run : also refuse what a run as a whole could not use: absent files, too few controls for any reference
    made_in : folder whose files the workflow itself will make

    Raises
    ------
    SheetError
        There is no sheet, or it breaks its declaration; all problems are listed.
    """
    if not settings.samples:
        raise SheetError(
            "no sample sheet is given", where="samples", fix="give --config samples=PATH, or run the demo with `make run`"
        )
    sheet = Path(settings.samples)
    frame = read_text_table(sheet, where="samples")
    problems = SAMPLES.problems(frame) + ([] if len(frame) else ["it holds no tube"])
    if not problems:
        frame = completed(frame, sheet.parent, settings.panel)
        problems = list(sheet_problems(frame))
        problems += [*absent_controls(frame, settings), *absent_files(frame, made_in)] if whole_run else []
    if problems:
        raise SheetError("; ".join(problems), where=str(sheet), fix="correct the sheet and run again")
    return frame


def completed(frame: pd.DataFrame, folder: Path, panel: str) -> pd.DataFrame:
    """The sheet with its optional columns present and ids, panels and paths worked out."""
    out = frame.assign(**{c: pd.Series(pd.NA, index=frame.index, dtype="string") for c in OPTIONAL if c not in frame.columns})
    return out.assign(
        tube_id=out["subject"] + "_" + out["visit"] + "_" + out["tube"],
        panel=out["panel"].fillna(panel),
        path=[os.path.normpath(folder / f) for f in out["fcs"]],
        compensation=[_matrix_path(str(c), folder) for c in out["compensation"].fillna("")],
    )


def _matrix_path(told: str, folder: Path) -> str:
    return told if told in ("", *COMPENSATION_WORDS) else os.path.normpath(folder / told)


def sheet_problems(frame: pd.DataFrame) -> Iterator[str]:
    """What the columns cannot say by themselves."""
    for name in IDS:
        bad = ~frame[name].str.fullmatch(SAFE)
        for value in frame.loc[bad, name].unique():
            yield f"{name} {value!r} may hold only letters, digits, dots, dashes and underscores"
    unkind = frame[frame["role"].eq("control") & frame["control_kind"].isna()]
    for tube in unkind["tube_id"]:
        yield f"control {tube} needs control_kind normal or regenerating"
    for tube in frame.loc[frame["tube_id"].duplicated(), "tube_id"].unique():
        yield f"{tube} names two tubes: the underscores of subject, visit and tube run together"
    mixed = frame.groupby("subject", sort=False)["role"].agg(lambda r: "control" in set(r) and len(set(r)) > 1)
    for subject in mixed.index[mixed]:
        yield f"subject {subject} is a control and a patient"
    yield from visit_problems(frame)
    yield from received_problems(frame)
    yield from count_problems(frame)


def visit_problems(frame: pd.DataFrame) -> Iterator[str]:
    """Visits that are not one draw: their tubes would be counted as one specimen."""
    for (subject, visit), tubes in frame.groupby(["subject", "visit"], sort=False):
        unlike = [name for name in ONE_DRAW if len(set(tubes[name])) > 1]
        if unlike:
            yield f"tubes of {subject} {visit} differ in {', '.join(unlike)}: they are not one draw, name visits apart"


def received_problems(frame: pd.DataFrame) -> Iterator[str]:
    """Days of receipt that are none, or lie before the draw."""
    told = frame[frame["received"].notna()]
    days = pd.to_datetime(told["received"], format="%Y-%m-%d", errors="coerce")
    for tube in told.loc[days.isna(), "tube_id"]:
        yield f"{tube}: received takes a day as YYYY-MM-DD"
    drawn = pd.to_datetime(told["collected"], format="%Y-%m-%d", errors="coerce")
    for tube in told.loc[days < drawn, "tube_id"]:
        yield f"{tube} was received before it was collected"


def count_problems(frame: pd.DataFrame) -> Iterator[str]:
    """Blood counts that are no positive numbers, or that do not come all four together."""
    values = frame[list(COUNTS)].apply(pd.to_numeric, errors="coerce")
    for name in COUNTS:
        bad = frame[name].notna() & ~(values[name] > 0) | values[name].eq(float("inf"))
        for tube in frame.loc[bad, "tube_id"]:
            yield f"{tube}: {name} takes a number above zero"
    some = frame[list(COUNTS)].notna().sum(axis=1).between(1, len(COUNTS) - 1)
    for tube in frame.loc[some, "tube_id"]:
        yield f"{tube}: {', '.join(COUNTS)} are needed together"


def absent_controls(frame: pd.DataFrame, settings: Settings) -> Iterator[str]:
    """Why nothing in the sheet could be judged: no panel has the controls a reference needs, and none is given."""
    controls = frame[frame["role"].eq("control")].groupby("panel").size()
    if not settings.reference and not (controls >= LEAST_CONTROLS).any():
        most = int(controls.max()) if len(controls) else 0
        yield (
            f"no panel has {LEAST_CONTROLS} control tubes (the most is {most}): add controls, "
            "or give a frozen reference with reference=FOLDER"
        )


def absent_files(frame: pd.DataFrame, made_in: Path | None) -> Iterator[str]:
    """Tubes whose FCS file is not there and will not be made, or whose matrix is not there."""
    for tube, told in zip(frame["tube_id"], frame["path"], strict=True):
        path = Path(told)
        made = made_in is not None and path.resolve().is_relative_to(made_in.resolve())
        if not made and not path.is_file():
            yield f"{tube}: its FCS file is missing"
    for tube, matrix in zip(frame["tube_id"], frame["compensation"], strict=True):
        if matrix not in ("", *COMPENSATION_WORDS) and not Path(matrix).is_file():
            yield f"{tube}: its compensation file is missing"
