"""Read the clinical tables, with every problem of all of them told at once."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from mrd.core.contracts import ADVERSE_EVENTS, DISPOSITION, EXPOSURE, LABS, RESPONSES, REVIEW, SUBJECTS
from mrd.core.errors import SheetError
from mrd.core.orders import find_disorder, find_undosed
from mrd.core.settings import Settings
from mrd.core.tables import Column, Table
from mrd.files.formats import FORMATS, read_any
from mrd.files.tables import typed

CLINICAL = {t.name: t for t in (SUBJECTS, EXPOSURE, RESPONSES, LABS, ADVERSE_EVENTS, DISPOSITION, REVIEW)}
"""The tables of a trial by name: what a file in its folder is called."""
PEOPLE = Table(
    "subjects",
    1,
    "subject of the trial",
    (
        Column("site", "s", "site", optional=True),
        Column("age", "i", "age on entry", "year", low=0, high=130, optional=True),
        Column("sex", "s", "sex", codes=("F", "M", "U"), optional=True),
        Column("race", "s", "race", optional=True),
    ),
    key=(),
    open=True,
)
"""Columns of subjects that are read where they stand."""
UTC = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|\+00:00)"


def find_clinical(folder: Path) -> dict[str, Path]:
    """Find the tables of a trial in a folder, by their names.

    Raises
    ------
    SheetError
        The folder is missing, holds no table of subjects, or one table twice.
    """
    if not folder.is_dir():
        raise SheetError("the folder of clinical tables is missing", where=str(folder), fix="check the path")
    found = {name: [p for p in sorted(folder.iterdir()) if _is_table(p, name)] for name in CLINICAL}
    twice = [f"{' and '.join(p.name for p in paths)} are both {name}" for name, paths in found.items() if len(paths) > 1]
    if twice:
        raise SheetError("; ".join(twice), where=str(folder), fix="keep one of them")
    if not found["subjects"]:
        raise SheetError("there is no table subjects", where=str(folder), fix=f"add subjects{{{','.join(FORMATS)}}}")
    return {name: paths[0] for name, paths in found.items() if paths}


def clinical_files(settings: Settings) -> list[str]:
    """The files of clinical tables that a run reads, as its settings name them.

    Raises
    ------
    SheetError
        The folder is missing, holds no table of subjects, or one table twice.
    """
    found = {name: str(path) for name, path in find_clinical(Path(settings.clinical)).items()} if settings.clinical else {}
    return list({**found, **({"subjects": settings.subjects} if settings.subjects else {})}.values())


def _is_table(path: Path, name: str) -> bool:
    schema = path.name.endswith(".schema.json")
    return path.is_file() and not schema and path.stem.lower() == name and path.suffix.lower() in FORMATS


def read_clinical(paths: Mapping[str, Path]) -> dict[str, pd.DataFrame]:
    """Read the tables of a trial; further columns pass through as text.

    Dates of subjects may stand in exposure and disposition instead: then the columns may be absent.

    Raises
    ------
    FileError
        A file is missing or not of its format.
    SheetError
        Columns, values or dates are wrong; every problem of every table is listed with its row and column.
    """
    frames = {name: read_any(path, CLINICAL[name]) for name, path in paths.items()}
    if "subjects" in frames and {"exposure", "disposition"} & set(frames):
        frames["subjects"] = _with_dates(frames["subjects"])
    told = {name: list(_problems(name, frame)) for name, frame in frames.items()}
    if len(paths) == 1 and any(told.values()):
        ((name, found),) = told.items()
        raise SheetError("; ".join(found), where=str(paths[name]), fix="correct the table")
    found = [f"{paths[name].name}: {problem}" for name, problems in told.items() for problem in problems]
    if found:
        raise SheetError("; ".join(found), where="clinical tables", fix="correct the tables")
    return {name: _typed(frame, CLINICAL[name]) for name, frame in frames.items()}


def read_subjects(path: Path) -> pd.DataFrame:
    """Read the clinical table of subjects, table SUBJECTS; further columns pass through as text.

    Raises
    ------
    FileError
        The file is missing or not of its format.
    SheetError
        Columns, values or dates are wrong; every problem is listed with its row and column.
    """
    return read_clinical({"subjects": path})["subjects"]


def read_responses(path: Path) -> pd.DataFrame:
    """Read the response table, table RESPONSES; further columns pass through as text.

    Raises
    ------
    FileError
        The file is missing or not of its format.
    SheetError
        Columns or values are wrong; every problem is listed with its row and column.
    """
    return read_clinical({"responses": path})["responses"]


def _typed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Text columns as the declared kinds, as far as they are there."""
    present = Table(table.name, table.version, table.row, tuple(c for c in table.columns if c.name in frame), table.key)
    return typed(frame, present)


def _with_dates(frame: pd.DataFrame) -> pd.DataFrame:
    absent = [c.name for c in SUBJECTS.columns if c.kind == "d" and c.name not in frame]
    return frame.assign(**{name: pd.Series(pd.NA, index=frame.index, dtype="string") for name in absent})


def _problems(name: str, frame: pd.DataFrame) -> Iterator[str]:
    with warnings.catch_warnings():  # pandas warns that it cannot guess the format of a wrong date; the wrong date is told below
        warnings.simplefilter("ignore", UserWarning)
        yield from CLINICAL[name].problems(_keyed(frame, CLINICAL[name]))
        yield from EXTRA.get(name, _no_problem)(frame)


def _keyed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Give an absent optional column of the key, so that rows are still told apart."""
    absent = [n for n in table.key if n not in frame and table.column(n).optional]
    return frame.assign(**{n: pd.Series(pd.NA, index=frame.index, dtype="string") for n in absent})


def _no_problem(_: pd.DataFrame) -> Iterator[str]:
    yield from ()


def _subject_problems(frame: pd.DataFrame) -> Iterator[str]:
    """Yield dates of one subject that cannot both be right; dates that are none are told elsewhere."""
    yield from PEOPLE.problems(frame)
    for row, dates in enumerate(_days(frame), 2):
        told = [*find_disorder(dates), *(find_undosed(dates) if "first_dose" in frame else ())]
        yield from (f"row {row}: {problem}" for problem in told)


def _exposure_problems(frame: pd.DataFrame) -> Iterator[str]:
    if "treatment" not in frame or "start" not in frame:
        return
    partial = frame["treatment"].eq("induction") & frame["start"].str.len().lt(10)
    for i in frame.index[partial.fillna(False)]:
        yield f"column start has '{frame.loc[i, 'start']}' in row {i + 2}; induction takes a whole date YYYY-MM-DD"
    yield from _spans(frame, "start", "end")


def _event_problems(frame: pd.DataFrame) -> Iterator[str]:
    yield from _spans(frame, "onset", "end")


def _spans(frame: pd.DataFrame, first: str, last: str) -> Iterator[str]:
    """Yield rows that end before they start, as far as both dates are told."""
    if first not in frame or last not in frame:
        return
    for i, a, b in zip(frame.index, frame[first], frame[last], strict=True):
        if pd.notna(a) and pd.notna(b) and str(b)[: len(str(a))] < str(a)[: len(str(b))]:
            yield f"column {last} has '{b}' in row {i + 2}, which lies before {first} {a}"


def _lab_problems(frame: pd.DataFrame) -> Iterator[str]:
    if not {"test", "value", "unit"} <= set(frame):
        return
    count = frame["test"].isin(["ANC", "PLT"])
    for name in ("value", "unit"):
        for i in frame.index[count & frame[name].isna()]:
            yield f"column {name} is empty in row {i + 2}; a count needs it"


def _review_problems(frame: pd.DataFrame) -> Iterator[str]:
    if "reviewed_at" not in frame:
        return
    told = frame["reviewed_at"].notna()
    shaped = frame["reviewed_at"].str.fullmatch(UTC).fillna(False)
    real = pd.to_datetime(frame["reviewed_at"].str.slice(0, 19), format="%Y-%m-%dT%H:%M:%S", errors="coerce").notna()
    for i in frame.index[told & ~(shaped & real)]:
        yield f"column reviewed_at has '{frame.loc[i, 'reviewed_at']}' in row {i + 2}; it takes UTC as YYYY-MM-DDThh:mm:ssZ"


EXTRA = {
    "subjects": _subject_problems,
    "exposure": _exposure_problems,
    "labs": _lab_problems,
    "adverse_events": _event_problems,
    "review": _review_problems,
}
"""What a table must keep to beyond its declaration."""


def _days(frame: pd.DataFrame) -> Iterator[dict[str, str]]:
    """Yield the dates of each row, as text that sorts like days."""
    names = [c.name for c in SUBJECTS.columns if c.kind == "d" and c.name in frame]
    text = {name: frame[name].where(_is_day(frame[name])) for name in names}
    for i in range(len(frame)):
        yield {name: str(values.iloc[i]) for name, values in text.items() if pd.notna(values.iloc[i])}


def _is_day(values: pd.Series) -> pd.Series:
    shaped = values.astype("string").str.fullmatch(r"\d{4}-\d{2}-\d{2}").fillna(False)
    return shaped & pd.to_datetime(values, format="%Y-%m-%d", errors="coerce").notna()
