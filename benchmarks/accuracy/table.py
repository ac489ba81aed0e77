"""Tables in Markdown, and the page that keeps them between marks."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import pandas as pd

from benchmarks.accuracy.runs import OURS
from benchmarks.accuracy.score import WORDS, Figures, interval
from mrd.core.errors import FileError

COUNTS = ("false_below", "false_above", "poor_below")


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def number(value: float, word: str) -> str:
    """A figure in few digits; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    if word == "blank_highest":
        return f"{value:.1e}"
    return f"{value:.0f}" if word in COUNTS else f"{value:.2f}"


def ranged(value: float, ends: tuple[float, float], word: str) -> str:
    """A figure with its interval."""
    told = number(value, word)
    return told if told == "–" else f"{told} ({number(ends[0], word)} to {number(ends[1], word)})"


def score_table(got: Figures) -> str:
    """Every method's figures with their intervals."""
    rows = [[m, *(ranged(got.told.loc[m, w], interval(got.resampled[m][w]), w) for w in WORDS)] for m in got.told.index]
    return markdown(["method", *WORDS], rows)


def difference_table(got: Figures, higher: Collection[str]) -> str:
    """Ours less each other method's on the same resamples; bold: better and clear of zero, (worse): worse and clear of it.

    Parameters
    ----------
    higher : figures of which more is better
    """
    others = [m for m in got.told.index if not m.startswith(OURS)]
    rows = [[f"{OURS} less {m}", *(difference(got, m, w, up=w in higher) for w in WORDS)] for m in others]
    return markdown(["difference", *WORDS], rows)


def difference(got: Figures, other: str, word: str, *, up: bool) -> str:
    """One paired difference, told with its direction."""
    value = float(got.told.loc[OURS, word] - got.told.loc[other, word])
    low, high = interval(got.resampled[OURS][word] - got.resampled[other][word])
    told = ranged(value, (low, high), word)
    better, worse = (low > 0, high < 0) if up else (high < 0, low > 0)
    return f"**{told}**" if better else f"{told} (worse)" if worse else told


def anchor_table(rows: pd.DataFrame) -> str:
    """Earlier figures beside these, and whether they are the same to within what eight subjects vary."""
    if not len(rows):
        return "No earlier figure of this kind of cohort."
    body = [
        [r.method, r.word, number(r.theirs, r.word), ranged(r.ours, (r.low, r.high), r.word), r.verdict]
        for r in rows.itertuples()
    ]
    return markdown(["method", "figure", "earlier", "here: mean of the seeds (95 % of resampled cohorts)", "the same"], body)


def replace_part(page: str, name: str, body: str, *, where: str) -> str:
    """The page with what stands between the marks of `name` replaced.

    Raises
    ------
    FileError
        The page lacks the marks.
    """
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, found, rest = page.partition(start)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise FileError(f"no marks {start} and {end}", where=where, fix="put them where the table is to stand")
    return f"{head}{start}\n{body}\n{end}{tail}"


def write_parts(path: Path, parts: dict[str, str]) -> None:
    """Rewrite the marked parts of a page, all or none."""
    page = path.read_text(encoding="utf-8")
    for name, body in parts.items():
        page = replace_part(page, name, body, where=str(path))
    path.write_text(page, encoding="utf-8")
