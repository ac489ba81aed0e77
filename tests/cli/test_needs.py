import pytest

from mrd.cli.needs import NEEDS, memory_mb, minutes


@pytest.fixture
def files(tmp_path):
    """Make files of so many megabytes, without writing them."""

    def make(*sizes):
        paths = [tmp_path / f"{i}_{size}.fcs" for i, size in enumerate(sizes)]
        for path, size in zip(paths, sizes, strict=True):
            with path.open("wb") as handle:
                handle.truncate(int(size * 1_000_000))
        return paths

    return make


def test_memory_grows_with_the_largest_tube_and_with_all_controls(files):
    # detect: 1200 at rest, 9 per MB of the largest tube, 3 per MB of the controls
    tubes = files(50, 100)
    assert memory_mb("detect", tubes=tubes) == 2100
    assert memory_mb("detect", tubes=tubes, controls=files(10, 30, 60)) == 2400


def test_memory_is_asked_for_in_whole_hundreds_never_less(files):
    assert memory_mb("prepare", tubes=files(10)) == 800  # 600 + 120


@pytest.mark.parametrize(("attempt", "asked"), [(1, 1200), (2, 1800), (3, 2400)])
def test_every_attempt_asks_for_half_as_much_again(attempt, asked):
    assert memory_mb("laip", tubes=[], attempt=attempt) == asked


def test_time_grows_with_all_tubes_and_with_the_attempt(files):
    tubes = files(100, 300)  # prepare: 10 minutes and 5 per 100 MB
    assert [minutes("prepare", tubes=tubes, attempt=a) for a in (1, 2)] == [30, 60]


def test_a_file_that_is_not_made_yet_has_no_size(tmp_path):
    assert memory_mb("prepare", tubes=[tmp_path / "none.fcs"]) == 600


@pytest.mark.parametrize(
    ("stage", "megabytes", "controls", "measured"),
    [
        *(("prepare", mb, 0, peak) for mb, peak in ((10.4, 369), (52, 757), (156, 1713))),
        *(("detect", mb, 62.4, peak) for mb, peak in ((52, 1132), (156, 1699))),
        ("laip", 52, 62.4, 720),
        ("laip", 10.4, 145.6, 1149),
        ("reference", 0, 145.6, 772),
    ],
)
def test_what_is_asked_for_covers_what_was_measured_with_room(files, stage, megabytes, controls, measured):
    asked = memory_mb(stage, tubes=files(megabytes), controls=files(controls))
    assert 1.3 * measured <= asked <= 4 * measured


def test_every_stage_has_a_time_and_a_memory():
    assert all(need.rest >= 500 and need.minutes >= 10 for need in NEEDS.values())
