import re

import matplotlib as mpl
from matplotlib.figure import Figure

from mrd.report.images import png_bytes, styled, svg_inline


def figure(told="CD34"):
    """A small figure with a text."""
    made = Figure(figsize=(1, 1))
    made.add_subplot().set_xlabel(told)
    return made


def test_the_same_figure_gives_the_same_bytes():
    encode = lambda f: svg_inline(f, name="a", alt="x")  # noqa: E731
    assert styled(figure, encode) == styled(figure, encode)
    assert styled(figure, png_bytes) == styled(figure, png_bytes)


def test_a_png_carries_no_software_and_no_date():
    raw = png_bytes(figure())
    assert raw.startswith(b"\x89PNG")
    assert b"matplotlib" not in raw.lower()


def test_an_svg_names_nothing_outside_and_keeps_its_ids_apart():
    told = svg_inline(figure(), name="course", alt='5 < 6 & "so"')
    assert told.startswith('<svg role="img" aria-label="5 &lt; 6 &amp; &quot;so&quot;"')
    assert "http" not in told
    ids = re.findall(r'\bid="([^"]*)"', told)
    assert ids
    assert all(i.startswith("course-") for i in ids)
    assert {u.removeprefix("#") for u in re.findall(r'href="([^"]*)"', told)} <= set(ids)


def test_texts_of_a_plot_are_escaped_and_never_read_as_formulas():
    told = styled(lambda: figure("<script>$x_1$"), lambda f: svg_inline(f, name="a", alt="x"))
    assert "&lt;script&gt;$x_1$" in told
    assert "<script" not in told


def test_the_house_style_does_not_outlive_a_plot():
    before = dict(mpl.rcParams)
    styled(figure, png_bytes)
    assert dict(mpl.rcParams) == before
