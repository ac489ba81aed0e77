import io

import numpy as np
import pytest
from hypothesis import given, strategies as st
from PIL import Image

from mrd.report.raster import Layer, pixels_of, png_of

GREYS = ("#cccccc", "#999999", "#666666")


def picture(*layers, pixels=50):
    """The layers as (pixels, pixels, 3) RGB."""
    return np.asarray(Image.open(io.BytesIO(png_of(layers, pixels=pixels))).convert("RGB"))


def is_red(image):
    """Where a picture is red."""
    return (image == (255, 0, 0)).all(axis=2)


def test_a_dot_stands_at_its_place_with_up_as_up():
    red = is_red(picture(Layer(np.array([[0.25, 0.9]]), ("#ff0000",), 1)))
    rows, columns = np.nonzero(red)
    assert (rows.mean(), columns.mean()) == (pytest.approx(4), pytest.approx(12))
    assert red.sum() == 5


def test_a_later_layer_covers_an_earlier_one_with_a_white_rim():
    grey = Layer(np.random.default_rng(0).random((20_000, 2)), GREYS, 1)
    image = picture(grey, Layer(np.array([[0.5, 0.5]]), ("#ff0000",), 2))
    assert is_red(image).any()
    assert (image == 255).all(axis=2).any()
    assert not (picture(grey) == 255).all(axis=2).any()


def test_denser_places_are_darker():
    rng = np.random.default_rng(1)
    places = np.concatenate([rng.normal(0.3, 0.03, (4_000, 2)), rng.random((200, 2))])
    image = picture(Layer(places, GREYS, 1))[:, :, 0]
    assert image[34, 15] == 0x66
    assert image.max() == 255


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), max_size=20))
def test_no_cell_leaves_the_picture(places):
    rows, columns = pixels_of(np.array(places, dtype=float).reshape(-1, 2), 40)
    assert ((rows >= 0) & (rows < 40) & (columns >= 0) & (columns < 40)).all()
    assert len(rows) == len(places)


def test_an_empty_layer_leaves_the_picture_white():
    none = np.empty((0, 2))
    assert (picture(Layer(none, GREYS, 1), Layer(none, ("#ff0000",), 2)) == 255).all()


def test_a_full_picture_of_a_hundred_thousand_cells_is_small():
    many = np.random.default_rng(2).normal(0.5, 0.2, (100_000, 2))
    assert len(png_of([Layer(many, GREYS, 1), Layer(many[:5000] * 0.5, ("#d9480f",), 1)])) < 40_000
