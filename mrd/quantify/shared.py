"""Populations that many subjects share: likelier normal marrow that no control shows than the same leukaemia in all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LEVELS = {"-": 0, "lo": 1, "mid": 2, "+": 3, "hi": 4}
PART = re.compile(r"([A-Za-z][A-Za-z0-9]*?)(hi|lo|mid|\+|-)")
MOST_UNLIKE = 3
"""Steps of level, over all markers, within which two populations are alike; no marker may differ by more than one."""
CHANGED = 5.0
"""Times the subject's quiet visits from which on a population is no normal one that everybody has; as the search takes it."""
LEAST_SUBJECTS = 5
LEAST_SHARE = 3 / 4
"""Of the subjects that were searched: phenotypes alike were seen in up to 6 of 9, a normal population in 8 of 9."""


@dataclass(frozen=True)
class Shared:
    """A phenotype, in how many subjects a population alike was found, and how many were searched."""

    phenotype: str
    n_subjects: int
    n_searched: int


def levels(phenotype: str) -> dict[str, int]:
    """Level of each marker of a phenotype string, of what stands before the denominator."""
    return {name: LEVELS[word] for name, word in PART.findall(phenotype.split("/")[0])}


def alike(a: Mapping[str, int], b: Mapping[str, int]) -> bool:
    """Whether two populations, of the same markers, differ by a few steps at most."""
    if a.keys() != b.keys():
        return False
    steps = [abs(a[n] - b[n]) for n in a]
    return max(steps, default=0) <= 1 and sum(steps) <= MOST_UNLIKE


def shared_populations(found: Sequence[tuple[str, str]], searched: int) -> list[Shared]:
    """Phenotypes that so many subjects share, the commonest first; each population is told of once.

    Parameters
    ----------
    found : subject and phenotype of every population · searched : subjects that were looked at
    """
    least = max(LEAST_SUBJECTS, LEAST_SHARE * searched)
    left, told = [(subject, text, levels(text)) for subject, text in found], []
    while left:
        groups = [[other for other in left if alike(one[2], other[2])] for one in left]
        subjects = [sorted({s for s, _, _ in group}) for group in groups]
        best = max(range(len(left)), key=lambda i: len(subjects[i]))
        if len(subjects[best]) < least:
            break
        told.append(Shared(left[best][1], len(subjects[best]), searched))
        left = [other for other in left if not alike(left[best][2], other[2])]
    return told


def all_shared(phenotypes: Sequence[str], shared: Sequence[Shared]) -> bool:
    """Whether there are populations, and each is alike to one that many subjects share."""
    known = [levels(r.phenotype) for r in shared]
    return bool(phenotypes) and all(any(alike(levels(p), k) for k in known) for p in phenotypes)
