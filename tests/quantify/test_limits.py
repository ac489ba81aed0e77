import numpy as np
import pytest

from mrd.core.settings import Settings
from mrd.quantify.blanks import Blanks, background_rates, blank_bound
from mrd.quantify.burden import Recall, estimate_fraction
from mrd.quantify.limits import tube_limits, variation

SETTINGS = Settings()
NOTHING = Blanks(np.zeros(40, dtype=int), np.full(40, 10**7), ("normal", "regenerating") * 20)
SOME = Blanks(np.array([8, 14, 10, 11, 20, 10, 9, 13]), np.full(8, 150_000), ("normal", "regenerating") * 4)


def test_with_nothing_in_the_blanks_twenty_cells_limit_detection():
    """P(Poisson(m) >= 20) = 0.95 at m = 27.88 (R: qgamma(0.95, 20))."""
    assert tube_limits(1_000_000, NOTHING, Recall(0.9999, 0.0), SETTINGS).lod == pytest.approx(27.88e-6, rel=0.01)


@pytest.mark.parametrize(("n", "recall"), [(50_000, 0.99), (500_000, 0.99), (500_000, 0.4), (5_000, 0.8)])
def test_the_limits_keep_their_floors(n, recall):
    limits = tube_limits(n, SOME, Recall(recall, 0.01), SETTINGS)
    assert limits.lod >= 20 / (recall * n)
    assert limits.lloq >= min(50 / (recall * n), 1.0)
    assert limits.lob <= limits.lod <= limits.lloq


def test_fifty_cells_of_fifty_thousand_are_the_threshold():
    assert tube_limits(50_000, NOTHING, Recall(0.9999, 0.0), SETTINGS).lloq == pytest.approx(1e-3, rel=0.01)


def test_the_lob_is_the_estimate_at_the_blanks_bound():
    limits = tube_limits(150_000, SOME, Recall(0.8, 0.02), SETTINGS)
    assert limits.bound == blank_bound(SOME, 150_000)
    assert limits.lob == estimate_fraction(limits.bound, 150_000, limits.background, 0.8)


def test_a_tube_at_the_lod_is_found_nineteen_times_in_twenty():
    """In-silico spikes: blanks and leukaemic cells drawn, the tube called detected or not."""
    rng = np.random.default_rng(4)
    n, recall = 150_000, Recall(0.7, 0.03)
    limits = tube_limits(n, SOME, recall, SETTINGS)
    rates = rng.gamma(60, limits.background / 60, 20_000)
    recalls = rng.normal(0.7, 0.03, 20_000)
    found = rng.poisson(n * (rates + limits.lod * (recalls - rates)))
    detected = (found > limits.bound) & (found >= SETTINGS.min_cluster)
    assert 0.94 < detected.mean() < 0.99


def test_a_weak_laip_shows_itself_as_a_high_lod():
    strong, weak = (tube_limits(150_000, SOME, Recall(r, 0.02), SETTINGS).lod for r in (0.9, 0.2))
    assert weak > 4 * strong


def test_too_few_cells_can_show_nothing():
    assert tube_limits(15, SOME, Recall(0.9, 0.02), SETTINGS).lod == 1.0


def test_variation_at_one_hundred_cells_without_background_is_a_tenth():
    assert variation(1e-4, 1_000_000, background_rates(NOTHING), Recall(0.9999, 0.0)) == pytest.approx(0.1, rel=0.02)


def test_a_recall_too_uncertain_to_quantify_has_no_lloq_under_one():
    assert tube_limits(150_000, SOME, Recall(0.3, 0.15), SETTINGS).lloq == 1.0
