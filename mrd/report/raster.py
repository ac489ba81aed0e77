"""Clouds of cells as small palette images: density in tones for the many, a dot for each of the few."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PIXELS = 300
"""Side of an image."""
Places = NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """Cells to draw: `places` (n, 2) with 0-1 along x and up y, the tones from sparse to dense, and the radius of a dot.

    With one tone every cell is a dot with a white rim; with several, tones tell density.
    """

    places: Places
    tones: tuple[str, ...]
    radius: int


def png_of(layers: Sequence[Layer], *, pixels: int = PIXELS) -> bytes:
    """Layers over each other, later ones on top, as a PNG of few colours without a date."""
    tones = ["#ffffff", *dict.fromkeys(t for layer in layers for t in layer.tones)]
    canvas = np.zeros((pixels, pixels), dtype=np.uint8)
    for layer in layers:
        codes = np.array([tones.index(t) for t in layer.tones], dtype=np.uint8)
        if len(codes) == 1:
            _stamp(canvas, layer, layer.radius + 1, 0)
            _stamp(canvas, layer, layer.radius, codes[0])
        elif len(layer.places):
            _shade(canvas, layer, codes)
    picture = Image.fromarray(canvas, mode="P")
    picture.putpalette([int(t[i : i + 2], 16) for t in tones for i in (1, 3, 5)])
    out = io.BytesIO()
    picture.save(out, format="PNG", compress_level=7)
    return out.getvalue()


def pixels_of(places: Places, pixels: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows from the top and columns of places; what lies beyond stands on the border."""
    ends = np.clip((places * pixels).astype(np.intp), 0, pixels - 1)
    return pixels - 1 - ends[:, 1], ends[:, 0]


def _stamp(canvas: NDArray[np.uint8], layer: Layer, radius: int, code: int | np.uint8) -> None:
    rows, columns = pixels_of(layer.places, len(canvas))
    reach = np.arange(-radius, radius + 1)
    for dy, dx in ((y, x) for y in reach for x in reach if y * y + x * x <= radius * radius + 0.5):
        canvas[np.clip(rows + dy, 0, len(canvas) - 1), np.clip(columns + dx, 0, len(canvas) - 1)] = code


def _shade(canvas: NDArray[np.uint8], layer: Layer, codes: NDArray[np.uint8]) -> None:
    counts = _spread(_count(layer.places, len(canvas)), layer.radius)
    level = np.ceil(len(codes) * np.log1p(counts) / np.log1p(counts.max())).astype(np.intp)
    canvas[level > 0] = codes[np.minimum(level[level > 0], len(codes)) - 1]


def _count(places: Places, pixels: int) -> NDArray[np.int64]:
    rows, columns = pixels_of(places, pixels)
    return np.bincount(rows * pixels + columns, minlength=pixels * pixels).reshape(pixels, pixels)


def _spread(counts: NDArray[np.int64], radius: int) -> NDArray[np.int64]:
    """Each count over the square of side radius + 1 that starts at its pixel."""
    out = counts.copy()
    for dy in range(radius + 1):
        for dx in range(radius + 1):
            if dy or dx:
                out[dy:, dx:] += counts[: len(counts) - dy, : len(counts) - dx]
    return out
