from functools import cache

import numpy as np
import pytest
import torch

from mrd.detect.chunks import BY_CHUNK
from mrd.detect.dfn import compete, find_excess, group_components, lay_bare
from mrd.detect.judge import Cluster, Others, pooled, rare_cells, rare_level
from mrd.detect.laip import Places, align_tube
from mrd.detect.mixture import Mixture
from tests.detect.marrow import LEUKAEMIA, SETTINGS, leukaemic, mixed, normal, tensor
from tests.detect.test_reference import learned

S = SETTINGS.model_copy(update={"dfn_components": 20, "dfn_rounds": 25})


@cache
def bank():
    told = learned()
    level = rare_level(told.normal)
    from tests.detect.marrow import controls

    cells = [controls()[i] for i in told.kept]
    return told, level, [rare_cells(c, n, a.shift, level) for c, n, a in zip(cells, told.normal, told.adapted, strict=True)]


def everywhere(cells, *, likely=True, possible=True):
    """Cells that all lie, or all do not, where leukaemia is looked for."""
    return Places(*(torch.full((len(cells),), here, dtype=torch.bool) for here in (likely, possible)))


def laid(cells, places=None, settings=S, adapted=None):
    told, level, _ = bank()
    return lay_bare(cells, places or everywhere(cells), told.reference, level=level, settings=settings, adapted=adapted)


def search(cells, places=None, settings=S, adapted=None, visits=(), by=BY_CHUNK):
    told, _, rare = bank()
    tube, rng = laid(cells, places, settings, adapted), np.random.default_rng(1)
    return find_excess(tube, told.reference, Others(rare, [laid(v).rare for v in visits]), settings=settings, rng=rng, by=by)


@pytest.mark.parametrize(("burden", "shift"), [(0.008, 0.0), (0.03, 0.25), (0.15, -0.25)])
def test_a_leukaemia_nobody_knows_is_found_with_its_share_and_place(burden, shift):
    cells, truth = mixed(20_000, burden, 31, shift=shift)
    excess = search(cells)
    assert excess.laip.share == pytest.approx(burden, rel=0.2)
    middle = excess.laip.mixture.weights @ excess.laip.mixture.means
    assert middle.numpy() == pytest.approx(LEUKAEMIA, abs=0.25)
    told = (excess.odds > 0).numpy()
    assert told[truth].mean() > 0.85
    assert told[~truth].mean() < 1e-3
    assert float(excess.witness.leukaemic.mean()) == pytest.approx(burden, rel=0.2)


@pytest.mark.parametrize("seed", [40, 41, 42])
@pytest.mark.parametrize("progenitors", [1.0, 4.0])
def test_normal_and_regenerating_marrow_stay_quiet(seed, progenitors):
    cells = tensor(normal(20_000, np.random.default_rng(seed), shift=0.1, progenitors=progenitors))
    assert search(cells) is None


def test_outside_the_place_leukaemia_is_looked_for_nothing_is_found():
    cells, _ = mixed(20_000, 0.02, 33)
    assert search(cells, everywhere(cells, likely=False)) is None


def test_a_stricter_ratio_finds_less():
    cells, _ = mixed(20_000, 0.02, 33)
    assert search(cells) is not None
    assert search(cells, settings=S.model_copy(update={"dfn_ratio": 1e6})) is None


ELSEWHERE = {"likely": False, "possible": True}


@pytest.mark.parametrize(
    ("others", "found"), [((0.0, 0.0), True), ((0.02, 0.0, 0.0), True), ((0.03, 0.02), False), ((), False), ((0.03,), False)]
)
def test_where_leukaemia_is_less_surely_looked_for_only_what_has_changed_since_other_visits_counts(others, found):
    cells, truth = mixed(20_000, 0.03, 31)
    visits = [mixed(20_000, burden, 50 + i, shift=0.1)[0] for i, burden in enumerate(others)]
    excess = search(cells, everywhere(cells, **ELSEWHERE), visits=visits)
    assert (excess is not None) == found
    if found:
        assert (excess.odds > 0).numpy()[truth].mean() > 0.85
        assert min(c.change for c in excess.clusters) > 5


def test_other_visits_take_no_population_away_that_stands_out_by_itself():
    cells, _ = mixed(20_000, 0.03, 31)
    excess = search(cells, visits=[mixed(20_000, 0.03, 51)[0]])
    assert excess.laip.share == pytest.approx(0.03, rel=0.2)
    assert max(c.change for c in excess.clusters) < 2


@pytest.mark.parametrize(
    ("likely", "possible", "change", "counts"),
    [
        (0.9, 0.9, float("nan"), 10),
        (0.9, 0.9, 2, 10),
        (0.9, 0.9, 6, 10),
        (0.9, 0.9, 12, 14),
        (0.6, 0.9, 2, 5),
        (0.6, 0.9, 12, 10),
        (0.6, 0.9, 6, 10),
        (0.3, 0.9, 2, 0),
        (0.3, 0.9, 6, 5),
        (0.3, 0.6, 60, 0),
    ],
)
def test_place_and_change_say_what_a_ratio_counts(likely, possible, change, counts):
    one = Cluster(Mixture(torch.ones(1), torch.zeros(1, 4), torch.eye(4)[None], 8.0), 100, 10.0, 10.0, likely, possible, change)
    assert one.strength == pytest.approx(counts)


def test_outside_every_place_nothing_is_found_however_it_changes():
    cells, _ = mixed(20_000, 0.03, 31)
    assert search(cells, everywhere(cells, likely=False, possible=False), visits=[mixed(20_000, 0.0, 51)[0]] * 2) is None


def test_cells_at_other_visits_are_counted_per_cell_searched():
    cells, _ = mixed(20_000, 0.03, 31)
    few, many = (search(cells, visits=[mixed(n, 0.01, 52)[0]]) for n in (5_000, 40_000))
    for excess in (few, many):
        assert max(c.change for c in excess.clusters) == pytest.approx(3, rel=0.5)


@pytest.mark.parametrize("cells_seen", [60, 150])
def test_a_visit_of_few_cells_is_not_quiet_for_having_shown_none(cells_seen):
    cells, _ = mixed(20_000, 0.03, 31)
    assert search(cells, everywhere(cells, **ELSEWHERE), visits=[tensor(normal(cells_seen, np.random.default_rng(7)))]) is None


def test_tubes_of_one_visit_are_pooled():
    tubes = [laid(mixed(n, 0.02, 60 + n)[0]).rare for n in (3_000, 5_000)]
    both = pooled(tubes)
    assert (both.among, len(both.cells)) == (8_000, sum(len(t.cells) for t in tubes))


def test_a_likely_place_is_a_possible_one_too():
    cells, _ = mixed(20_000, 0.03, 31)
    excess = search(cells, everywhere(cells, possible=False), visits=[mixed(20_000, 0.0, 51)[0]] * 2)
    assert {c.possible for c in excess.clusters} == {1.0}


def test_a_handful_of_cells_is_no_marrow_to_search():
    assert search(mixed(60, 0.2, 34)[0]) is None


def test_components_go_where_the_background_explains_their_cells():
    rng = np.random.default_rng(5)
    x = tensor(rng.normal(0, 1, (2000, 2)))
    flat = torch.distributions.Normal(0.0, 1.0).log_prob(x).sum(1)
    assert compete(x, flat + 3.0, S, rng) is None
    extra = torch.cat([x, tensor(rng.normal(6, 0.3, (100, 2)))])
    background = torch.distributions.Normal(0.0, 1.0).log_prob(extra).sum(1) + 1.0
    fitted = compete(extra, background, S, rng)
    assert 1 <= len(fitted.weights) < 10
    assert (fitted.weights @ fitted.means).numpy() == pytest.approx([6, 6], abs=0.2)


def test_components_that_overlap_are_one_population():
    three = Mixture(torch.ones(3) / 3, tensor([[0, 0], [1.5, 0], [9, 9]]), torch.eye(2).repeat(3, 1, 1), 10.0)
    assert group_components(three) == [1, 1, 2]


def test_the_search_is_the_same_each_time():
    cells, _ = mixed(20_000, 0.02, 33)
    first, second = search(cells), search(cells)
    assert torch.equal(first.odds, second.odds)


def test_a_second_leukaemia_beside_the_first_is_found_too():
    rng = np.random.default_rng(9)
    other = np.array([1.5, 4.5, 4.5, 0.5])
    cells = torch.cat([mixed(20_000, 0.02, 33)[0], tensor(leukaemic(400, rng, centre=other))])
    excess = search(cells[torch.from_numpy(rng.permutation(len(cells)))])
    assert max(group_components(excess.laip.mixture)) >= 2


def test_a_known_adaptation_saves_work_and_changes_nothing():
    cells, _ = mixed(20_000, 0.02, 33)
    own = align_tube(cells, bank()[0].reference.mixture, None, S, in_sample=False)
    assert torch.equal(search(cells, adapted=own).odds, search(cells).odds)
