import numpy as np
import pytest
from hypothesis import given, strategies as st

from mrd.report.differs import Difference, brighter_share, difference_words, differences, plot_levels

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(1, 0.5, (400, 3)).astype(np.float32)
FOUND = RNG.normal([4, 1, 0.1], 0.5, (300, 3)).astype(np.float32)
CHANNELS = ("CD56", "CD34", "CD38")


def test_the_share_of_pairs_by_hand():
    assert brighter_share(np.float32([1, 3]), np.float32([2, 2, 0])) == pytest.approx((1 + 3) / 6)
    assert brighter_share(np.float32([2]), np.float32([2])) == 0.5


values = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=20)


@given(values, values)
def test_the_share_is_that_of_counting_all_pairs_and_turns_over_when_the_groups_do(a, b):
    found, normal = np.float32(a), np.float32(b)
    pairs = np.mean([(x > y) + (x == y) / 2 for x in a for y in b])
    assert brighter_share(found, normal) == pytest.approx(pairs)
    assert brighter_share(normal, found) == pytest.approx(1 - pairs)


def test_markers_are_told_most_different_first_with_their_direction():
    told = differences(FOUND, NORMAL, CHANNELS, among=CHANNELS)
    assert [(d.marker, d.word) for d in told] == [("CD56", "brighter"), ("CD38", "rather dimmer"), ("CD34", "like normal")]
    assert difference_words(told)[0] == "CD56 brighter (100 % of pairs)"
    assert len(difference_words(told)) == 2


LIMITS = {0.95: "brighter", 0.9499: "rather brighter", 0.8: "rather brighter", 0.7999: "like normal"}
MIRRORED = {0.05: "dimmer", 0.0501: "rather dimmer", 0.2: "rather dimmer", 0.2001: "like normal", 0.5: "like normal"}


@pytest.mark.parametrize(("share", "word"), (LIMITS | MIRRORED).items())
def test_words_at_their_limits(share, word):
    assert Difference("CD56", share).word == word


def test_without_found_or_normal_cells_nothing_is_said():
    none = np.empty((0, 3), dtype=np.float32)
    assert differences(none, NORMAL, CHANNELS, among=CHANNELS) == []
    assert differences(FOUND, none, CHANNELS, among=CHANNELS) == []


def test_the_plot_shows_the_median_of_each_group_over_the_normal_band():
    figure = plot_levels({"DX": FOUND, "FU1": FOUND[:50]}, NORMAL, CHANNELS, ["CD56", "CD34"])
    told = {a.get_gid(): a for a in figure.findobj() if a.get_gid()}
    assert float(told["DX-CD56"].get_xdata()[0]) == pytest.approx(np.median(FOUND[:, 0]))
    assert float(told["FU1-CD34"].get_xdata()[0]) == pytest.approx(np.median(FOUND[:50, 1]))
    assert told["normal-CD56"].get_x() == pytest.approx(np.quantile(NORMAL[:, 0], 0.05))
