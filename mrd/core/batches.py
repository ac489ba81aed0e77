"""Which tubes share a job: whole subjects, so that a changed tube disturbs one job only."""

from __future__ import annotations

from collections.abc import Sequence


def assign_batches(subjects: Sequence[str], size: int) -> dict[str, list[str]]:
    """Split subjects (one entry per tube, in sheet order) into named batches of about `size` tubes.

    Returns
    -------
    dict
        Batch name to its subjects; a subject is never split, and one added at the end leaves earlier batches alone.
    """
    tubes: dict[str, int] = {}
    for subject in subjects:
        tubes[subject] = tubes.get(subject, 0) + 1
    batches: list[list[str]] = []
    filled = size
    for subject, count in tubes.items():
        if filled + count > size and filled:
            batches.append([])
            filled = 0
        batches[-1].append(subject)
        filled += count
    return {f"b{i + 1:03d}": names for i, names in enumerate(batches)}
