import pytest

from mrd.quantify.shared import Shared, alike, all_shared, levels, shared_populations

EARLY = "CD45midSSCloCD34hiCD117-CD13+HLADR+/CD45+"
NEARLY = "CD45midSSCloCD34+CD117-CD13midHLADR+/CD45+"
OTHER = "CD45midSSCmidCD34-CD117+CD13+HLADRhi/CD45+"


def test_levels_are_read_from_the_grammar_and_the_denominator_is_left_out():
    assert levels("CD45midSSCloCD34hiCD117-HLADR+/CD45+") == {"CD45": 2, "SSC": 1, "CD34": 4, "CD117": 0, "HLADR": 3}


@pytest.mark.parametrize(("other", "told"), [(EARLY, True), (NEARLY, True), (OTHER, False), ("CD45mid/CD45+", False)])
def test_alike_is_a_few_steps_on_the_same_markers(other, told):
    assert alike(levels(EARLY), levels(other)) is told


def test_what_most_subjects_share_is_told_once_with_their_number():
    found = [("P1", EARLY), ("P1", EARLY), ("P2", NEARLY), *((f"P{i}", EARLY) for i in (3, 4, 5)), ("P3", OTHER)]
    (told,) = shared_populations(found, 6)
    assert (told.n_subjects, told.n_searched) == (5, 6)


def test_what_few_share_is_not_told_however_often_they_show_it():
    assert shared_populations([("P1", EARLY)] * 5 + [("P2", EARLY)], 2) == []
    assert shared_populations([(f"P{i}", EARLY) for i in range(4)], 4) == []
    assert shared_populations([(f"P{i}", EARLY) for i in range(31)], 42) == []
    assert shared_populations([], 9) == []


def test_all_is_shared_only_where_every_population_is_and_there_is_one():
    shared = [Shared(EARLY, 5, 6)]
    assert all_shared([EARLY, NEARLY], shared)
    assert not all_shared([EARLY, OTHER], shared)
    assert not all_shared([], shared)
    assert not all_shared([EARLY], [])
