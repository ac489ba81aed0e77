from hypothesis import given, strategies as st

from mrd.core.batches import assign_batches

TUBES = st.lists(st.sampled_from([f"P{i}" for i in range(9)]), max_size=60)


def test_subjects_fill_a_batch_until_it_is_full():
    assert assign_batches(["A", "A", "B", "C", "C", "C", "D"], 3) == {"b001": ["A", "B"], "b002": ["C"], "b003": ["D"]}


@given(TUBES, st.integers(1, 12))
def test_every_subject_is_in_exactly_one_batch(tubes, size):
    batches = assign_batches(tubes, size)
    assert sorted(s for names in batches.values() for s in names) == sorted(set(tubes))


@given(TUBES, st.integers(1, 12))
def test_a_new_subject_at_the_end_leaves_full_batches_alone(tubes, size):
    before, after = assign_batches(tubes, size), assign_batches([*tubes, "new"], size)
    assert [after[name] for name in list(before)[:-1]] == list(before.values())[:-1]
