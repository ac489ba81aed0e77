import io
import logging
import re
import time

import pytest

from mrd.core import progress
from mrd.core.progress import bar, follow, lines, minutes_text, progress_text


class Clock:
    """A clock that a test moves on."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def told(caplog, seconds):
    """What the log says of a loop whose items take these seconds."""
    clock = Clock()
    with caplog.at_level(logging.INFO):
        for item in lines(list(seconds), "prepare", clock):
            clock.now += item
    return [r.message for r in caplog.records]


def test_a_line_every_five_seconds_says_what_is_done_and_about_what_is_left(caplog):
    assert told(caplog, [4, 4, 4, 4]) == ["prepare: 2 of 4, 0:08 gone, about 0:08 left", "prepare: 4 of 4, 0:16 gone"]


def test_a_short_loop_is_silent(caplog):
    assert told(caplog, [1, 1, 2.9]) == []


def test_the_end_is_told_where_the_loop_was_long_even_if_a_line_was_just_written(caplog):
    assert told(caplog, [6, 1])[-1] == "prepare: 2 of 2, 0:07 gone"


def test_remembered_items_do_not_make_the_rest_look_short(caplog):
    assert told(caplog, [0.001] * 8 + [6, 6]) == ["prepare: 9 of 10, 0:06 gone, about 0:06 left", "prepare: 10 of 10, 0:12 gone"]


def test_nothing_is_said_of_the_rest_before_anything_was_worked_on():
    assert progress_text(3, 9, 0.0, []) == "3 of 9, 0:00 gone"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.4, "0:59"), (59.6, "1:00"), (3599, "59:59"), (3600, "1:00:00")])
def test_times_read_as_minutes_and_from_an_hour_on_as_hours(seconds, text):
    assert minutes_text(seconds) == text


def test_a_log_gets_plain_lines_and_a_terminal_a_bar(monkeypatch):
    chosen = []
    monkeypatch.setattr(progress, "lines", lambda items, what: chosen.append("lines") or iter(items))
    monkeypatch.setattr(progress, "bar", lambda items, what: chosen.append("bar") or iter(items))
    for terminal in (False, True):
        monkeypatch.setattr("sys.stderr", terminal_of(terminal))
        assert list(follow((x for x in "ab"), "w")) == ["a", "b"]
    assert chosen == ["lines", "bar"]


def test_the_bar_says_what_is_done_of_how_many_and_what_is_left(monkeypatch):
    screen = terminal_of(True)
    monkeypatch.setattr("sys.stderr", screen)
    for _ in bar([1, 2, 3], "detect"):
        time.sleep(0.6)
    assert re.search(r"\rdetect: +\d+%\|.*\| 2/3 \[00:01<00:0\d", screen.getvalue())


def terminal_of(is_terminal):
    """A stream that says whether it is a terminal."""
    stream = io.StringIO()
    stream.isatty = lambda: is_terminal
    return stream
