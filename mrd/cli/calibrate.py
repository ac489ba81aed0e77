"""What the controls say of an arm: its cut, its blanks, its recall. Shared by the commands that learn and that detect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from mrd.cli.bank import Bank
from mrd.core.settings import Settings
from mrd.core.words import OK, join_flags
from mrd.detect.chunks import BY_CHUNK, Chunks
from mrd.detect.laip import Laip, Witness, score_laip, spiked_scores
from mrd.detect.learned import Classifier, score_learned
from mrd.detect.phenotype import phenotype
from mrd.quantify.burden import Recall
from mrd.quantify.cut import CUTS, Curves, choose_cut, count_above, cross_fitted, recall_at, share_above, strata_flags

MOST_WITNESSES = 4000


@dataclass(frozen=True)
class Calibrated:
    """A cut, the recall there, the limits rows that state it, and the mean background."""

    cut: float
    recall: Recall
    limits: list[dict[str, Any]]
    background: float


@dataclass(frozen=True)
class Scorer:
    """How an arm scores: a control's cells, and the witnesses as they would look in that control; by its position."""

    control: Callable[[int], Tensor]
    spiked: Callable[[int], Tensor]


def laip_scorer(laip: Laip, witness: Witness, bank: Bank, by: Chunks = BY_CHUNK) -> Scorer:
    """Scores of a LAIP: its density over that of the control's own normal marrow."""
    return Scorer(
        lambda i: score_laip(bank.cells[i], laip, bank.adapted[i].shift, bank.normal[i], by),
        lambda i: spiked_scores(witness, laip, bank.adapted[i], most=MOST_WITNESSES, by=by),
    )


def learned_scorer(classifier: Classifier, witness: Witness, bank: Bank, by: Chunks = BY_CHUNK) -> Scorer:
    """Scores of a classifier: it sees every marrow in the reference's frame, so a witness looks the same in each."""
    seen = score_learned(witness.cells[:MOST_WITNESSES], classifier, by=by)
    return Scorer(lambda i: score_learned(bank.cells[i] - bank.adapted[i].shift, classifier, by=by), lambda _: seen)


def control_curves(scorer: Scorer, witness: Witness, bank: Bank) -> Curves:
    """Over all cuts: cells of each control that pass, and the recall of the witnesses spiked into each."""
    probability = witness.leukaemic[:MOST_WITNESSES].cpu().numpy()
    found = [count_above(scorer.control(i).cpu().numpy()) for i in range(len(bank.names))]
    recall = [share_above(scorer.spiked(i).cpu().numpy(), probability) for i in range(len(bank.names))]
    return Curves(np.stack(found), np.array(bank.totals, dtype=np.int64), tuple(bank.kinds), np.stack(recall))


def calibrate(scorer: Scorer, witness: Witness, bank: Bank, settings: Settings, head: dict[str, Any]) -> Calibrated:
    """Choose the cut on the controls and state blanks and recall honestly; `head` begins every limits row."""
    curves = control_curves(scorer, witness, bank)
    n, least = float(np.median(bank.totals)), settings.min_cluster
    best = choose_cut(curves, n, least)
    blanks, cuts = cross_fitted(curves, n, least)
    recall = recall_at(curves, best, float(witness.leukaemic.sum()), settings.recall_drift)
    limits = [
        {
            **head,
            "control": bank.names[i],
            "control_kind": bank.kinds[i],
            "cut": float(cuts[i]),
            "n_leukocytes": int(blanks.total[i]),
            "n_found": int(blanks.found[i]),
            "fraction": float(blanks.found[i] / blanks.total[i]),
            "recall": float(curves.recall[i, best]),
        }
        for i in range(len(bank.names))
    ]
    return Calibrated(float(CUTS[best]), recall, limits, float((blanks.found / blanks.total).mean()))


def laip_columns(fitted: Calibrated, laip: Laip, bank: Bank, *flags: str) -> dict[str, Any]:
    """The columns of the laips table that learning and calibration give."""
    weak = ["weak-laip"] if fitted.recall.value < 0.5 else []
    return {
        "outcome": OK,
        "phenotype": phenotype(laip.mixture, bank.panel.model_channels, bank.panel.model_roles),
        "share": laip.share,
        "cut": fitted.cut,
        "recall": fitted.recall.value,
        "recall_se": fitted.recall.error,
        "background": fitted.background,
        "n_controls": len(bank.names),
        "flags": join_flags(list(flags), weak, strata_flags(bank.kinds), ["control-excluded"] if bank.excluded else []),
    }
