"""From events to cells: size over time and area against height, with what quality and singlet gates left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrd.core.panel import Panel
from mrd.report.looks import LEFT_OUT_TONES, LEUKOCYTE_TONES
from mrd.report.raster import Layer, png_of
from mrd.report.scatter import Axis, Plot, channel_axis, unit

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Acquired:
    """A sample of the events of a tube: time, area and height of the forward scatter (k,) each, and which became cells (k,).

    time : seconds or ticks as the file has them, or None where it has no time channel
    """

    time: Column | None
    area: Column
    height: Column
    kept: NDArray[np.bool_]


def acquired_plots(events: Acquired, panel: Panel) -> Iterator[tuple[str, Plot]]:
    """Yield title and plot: size over time, then area against height."""
    area, height = panel.role("area") or "area", panel.role("height") or "height"
    across, up = channel_axis(panel, area, ends_of(events.area)), channel_axis(panel, height, ends_of(events.height))
    if events.time is not None and np.ptp(events.time) > 0:
        size = channel_axis(panel, area, ends_of(events.area))
        yield "Size over time", Plot(_picture(events, events.time, events.area), (), Axis("Time", (), ()), size)
    yield "Doublets", Plot(_picture(events, events.area, events.height), (), across, up)


def ends_of(values: Column) -> tuple[float, float]:
    """Axis ends that hold nearly all events."""
    if not len(values):
        return 0.0, 1.0
    low, high = (float(v) for v in np.quantile(values, (0.002, 0.998)))
    air = 0.05 * max(high - low, 1e-6)
    return low - air, high + air


def _picture(events: Acquired, x: Column, y: Column) -> bytes:
    places = np.stack([unit(x, ends_of(x)), unit(y, ends_of(y))], axis=1)
    kept = Layer(places[events.kept], LEUKOCYTE_TONES, 1)
    return png_of([kept, Layer(places[~events.kept], LEFT_OUT_TONES, 1)])


def acquired_line(events: Acquired) -> str:
    """How many of the events became cells."""
    share = 100 * float(events.kept.mean()) if len(events.kept) else 0.0
    return f"{share:.1f} % of the events drawn became cells; the others failed margins, time, singlet or debris gates."
