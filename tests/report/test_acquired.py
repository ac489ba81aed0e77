import io

import numpy as np
from PIL import Image

from mrd.report.acquired import Acquired, acquired_line, acquired_plots, ends_of
from mrd.report.looks import LEFT_OUT_TONES, LEUKOCYTE_TONES
from mrd.report.subject_pages import render_subject
from tests.report.cases import PANEL, look, read_panel, subject

RNG = np.random.default_rng(0)


def events(n=400, left_out=100, *, time=True):
    """Events of which the first `left_out` did not become cells."""
    area = RNG.normal(4.5, 0.3, n)
    return Acquired(np.arange(float(n)) if time else None, area, area - 0.1, np.arange(n) >= left_out)


def colours(plot):
    """Colours of a plot."""
    return {"#%02x%02x%02x" % c for _, c in Image.open(io.BytesIO(plot.png)).convert("RGB").getcolors()}  # noqa: UP031


def test_size_over_time_and_doublets_show_what_was_kept_and_what_was_left_out():
    told = dict(acquired_plots(events(), read_panel(PANEL)))
    assert list(told) == ["Size over time", "Doublets"]
    for plot in told.values():
        assert colours(plot) & set(LEUKOCYTE_TONES)
        assert colours(plot) & set(LEFT_OUT_TONES)
    assert (told["Size over time"].x.name, told["Size over time"].y.name) == ("Time", "FSC-A")
    assert (told["Doublets"].x.name, told["Doublets"].y.name) == ("FSC-A", "FSC-H")
    assert not colours(dict(acquired_plots(events(left_out=0), read_panel(PANEL)))["Doublets"]) & set(LEFT_OUT_TONES)


def test_without_a_time_channel_or_with_a_constant_one_only_doublets_are_shown():
    assert [t for t, _ in acquired_plots(events(time=False), read_panel(PANEL))] == ["Doublets"]
    still = Acquired(np.zeros(5), np.ones(5), np.ones(5), np.ones(5, dtype=bool))
    assert [t for t, _ in acquired_plots(still, read_panel(PANEL))] == ["Doublets"]


def test_the_share_that_became_cells_is_told():
    assert acquired_line(events()).startswith("75.0 % of the events drawn became cells")
    none = Acquired(None, np.empty(0), np.empty(0), np.empty(0, dtype=bool))
    assert acquired_line(none).startswith("0.0 %")
    assert ends_of(np.empty(0)) == (0.0, 1.0)


def test_the_page_shows_them_where_the_events_are_known_and_says_nothing_where_not():
    seen = look()
    page = render_subject(subject(looks={"P1_FU1_T1": type(seen)(seen.drawn, seen.provenance, events())}))
    assert "From events to cells: 75.0 %" in page
    assert page.count('id="events-0-') == 2
    assert "From events to cells" not in render_subject(subject())
