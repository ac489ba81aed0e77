"""What a method may see of a cohort: the cells that prepare wrote, expert-labelled events on their scale, and expert gates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mrd.core.slots import CELLS
from mrd.files.anndata_io import read_anndata
from mrd.files.layout import cells_path
from mrd.files.panels import read_panel
from mrd.prepare.transform import apply_scale

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
LEUKAEMIC = "leukaemic"
LABELLED_LEUKAEMIC = "Residual Leukemic Cells"
LABELLED_BLASTS = (LABELLED_LEUKAEMIC, "Normal Myeloid Precursors")


@dataclass(frozen=True)
class Tube:
    """One prepared tube: cells (n, d) on the common scale, the number of each one's event, the candidates' gate, leukocytes.

    leukaemic : an expert's gate, (n,), at diagnosis only
    """

    subject: str
    visit: str
    kind: str
    values: Floats
    events: NDArray[np.uint32]
    candidates: Flags
    n_leukocytes: int
    channels: tuple[str, ...]
    detectors: tuple[str, ...]
    leukaemic: Flags | None = None

    @property
    def sample(self) -> str:
        """The name that truth.tsv gives it."""
        return f"{self.subject}_{self.visit}"


@dataclass(frozen=True)
class Labelled:
    """Expert-labelled events on the common scale (n, d), and which are leukaemic, or blasts of either kind, (n,)."""

    values: Floats
    leukaemic: Flags
    blasts: Flags


@dataclass(frozen=True)
class Lesson:
    """All that a peer may learn from, before it sees a follow-up."""

    controls: Sequence[Tube]
    diagnosis: Sequence[Tube]
    labels: Labelled


def list_tubes(results: Path) -> pd.DataFrame:
    """Rows of every readable tube that prepare wrote, sorted."""
    tables = [p for p in sorted((results / "prepare").glob("*.tsv")) if not p.name.endswith(".qc.tsv")]
    rows = pd.concat([pd.read_csv(p, sep="\t", keep_default_na=False) for p in tables], ignore_index=True)
    return rows[rows["outcome"].eq("ok")].sort_values("tube_id", ignore_index=True)


def read_tube(results: Path, row: pd.Series, *, truth: Path | None = None) -> Tube:
    """A tube's cells; with the truth of its events, the leukaemic ones are gated as an expert would."""
    data = read_anndata(cells_path(results, row["tube_id"]), CELLS)
    panel = read_panel(row["panel"])
    events = data.obs["event"].to_numpy(dtype=np.uint32)
    return Tube(
        subject=row["subject"],
        visit=row["visit"],
        kind=row["control_kind"],
        values=np.asarray(data.x, dtype=np.float32),
        events=events,
        candidates=data.obs[panel.laip_maybe].to_numpy(dtype=bool),
        n_leukocytes=int(row["n_leukocytes"]),
        channels=tuple(data.var.index),
        detectors=tuple(data.var["detector"]),
        leukaemic=None if truth is None else is_leukaemic(truth)[events],
    )


def is_leukaemic(truth: Path) -> Flags:
    """Which events of a tube are leukaemic, from its truth file."""
    with np.load(truth) as told:
        return np.asarray(told["code"] == list(told["names"]).index(LEUKAEMIC))


def read_labels(path: Path, like: Tube, panel: str) -> Labelled:
    """Labelled events, put on the scale of the prepared cells."""
    table, channels = pd.read_csv(path), read_panel(panel).channels
    columns = [
        apply_scale(table[d].to_numpy(dtype=float), channels[c].scale) for c, d in zip(like.channels, like.detectors, strict=True)
    ]
    population = table["Population"]
    return Labelled(
        np.column_stack(columns).astype(np.float32),
        population.eq(LABELLED_LEUKAEMIC).to_numpy(),
        population.isin(LABELLED_BLASTS).to_numpy(),
    )


def read_lesson(results: Path, cohort: Path, labels: Path) -> Lesson:
    """Controls, diagnosis tubes with an expert's gate, and labelled events."""
    rows = list_tubes(results)
    controls = [read_tube(results, r) for _, r in rows[rows["role"].eq("control")].iterrows()]
    diagnosis = [
        read_tube(results, r, truth=cohort / "truth" / f"{r['subject']}_{r['visit']}.npz")
        for _, r in rows[rows["role"].eq("diagnosis")].iterrows()
    ]
    return Lesson(controls, diagnosis, read_labels(labels, controls[0], rows.iloc[0]["panel"]))


def follow_ups(results: Path) -> Iterator[Tube]:
    """Follow-up tubes, one after the other."""
    rows = list_tubes(results)
    return (read_tube(results, r) for _, r in rows[rows["role"].eq("follow-up")].iterrows())


def drawn(tubes: Sequence[Tube], each: int, rng: np.random.Generator) -> Floats:
    """At most `each` cells of every tube, stacked."""
    return np.concatenate([t.values[rng.permutation(len(t.values))[:each]] for t in tubes])


def roles(channels: Sequence[str], names: Sequence[str]) -> list[int]:
    """Columns of some channels."""
    return [list(channels).index(n) for n in names]
