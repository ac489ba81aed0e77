from functools import cache

import numpy as np
import torch

from mrd.detect.frozen import classifier_arrays, classifier_from
from mrd.detect.learned import learn_classifier, score_learned
from tests.detect.marrow import controls, leukaemic, mixed, normal, tensor
from tests.detect.test_laip import laip
from tests.detect.test_reference import learned


@cache
def classifier(seed=1):
    told = learned()
    cells = [controls()[i] - a.shift for i, a in zip(told.kept, told.adapted, strict=True)]
    return learn_classifier(laip().pupils, cells, np.random.default_rng(seed))


def test_leukaemic_cells_score_above_the_normal_ones_of_a_marrow_it_never_saw():
    rng = np.random.default_rng(50)
    scores = [score_learned(tensor(x), classifier()).numpy() for x in (leukaemic(3000, rng), normal(30_000, rng))]
    assert (scores[0] > 2).mean() > 0.9
    assert (scores[1] > 2).mean() < 2e-3


def test_a_drift_of_the_leukaemia_leaves_most_of_it_found():
    rng = np.random.default_rng(51)
    drifted = leukaemic(3000, rng) + np.array([0.3, 0.3, -0.3, 0.0])
    assert (score_learned(tensor(drifted), classifier()).numpy() > 2).mean() > 0.75


def test_training_repeats_itself_and_a_seed_changes_it():
    cells = mixed(500, 0.1, 52)[0]
    told = learned()
    pool = [controls()[i] - a.shift for i, a in zip(told.kept, told.adapted, strict=True)]
    again = learn_classifier(laip().pupils, pool, np.random.default_rng(1))
    assert torch.equal(score_learned(cells, again), score_learned(cells, classifier()))
    other = learn_classifier(laip().pupils, pool, np.random.default_rng(2))
    assert not torch.equal(score_learned(cells, other), score_learned(cells, classifier()))


def test_a_frozen_classifier_scores_as_it_did():
    cells = mixed(500, 0.1, 52)[0]
    back = classifier_from(classifier_arrays(classifier()), torch.device("cpu"))
    assert torch.equal(score_learned(cells, back), score_learned(cells, classifier()))
