"""How a measurement becomes need: the policy's line over what was measured."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from pipeline.pages.drawing import (
    INKS,
    Scale,
    line,
    number,
    rectangle,
    short,
    svg,
    text,
    text_width,
)
from pipeline.pages.words import Words

WIDTH, HEIGHT = 270.0, 132.0
BINS = 24


def need_curve(
    bends: Sequence[tuple[float, float]], measured: Sequence[float], *, unit: Words
) -> Markup:
    """Return the line from measurement to need over a grey histogram of the measurements.

    What lies beyond the picture's ends is counted in its first and last column.

    Parameters
    ----------
    bends
        Measurement and need from 0 to 1, in order of the measurement: no need, bends, full need.
    """
    values = np.asarray(measured, dtype=float)
    values = values[np.isfinite(values)]
    at = [x for x, _ in bends]
    ends = [min(at), max(at)]
    if len(values):
        ends = [min(ends[0], np.quantile(values, 0.02)), max(ends[1], np.quantile(values, 0.98))]
    slack = (ends[1] - ends[0]) * 0.06 or 1.0
    across = Scale(float(ends[0] - slack), float(ends[1] + slack), 26, WIDTH - 6)
    up = Scale(0, 1, HEIGHT - 34, 10)
    drawn = _histogram(values, across, up)
    for mark in (0.0, 0.5, 1.0):
        drawn.append(text(20, up.at(mark) + 4, short(mark), anchor="end"))
    rising = sorted(bends)
    points = [(across.low, rising[0][1]), *rising, (across.high, rising[-1][1])]
    path = "L".join(f"{number(across.at(x))} {number(up.at(y))}" for x, y in points)
    drawn.append(line(f"M{path}", stroke=INKS[0], width=2.5))
    for x, y in rising:
        knob = '<circle cx="{}" cy="{}" r="3.5" fill="{}"/>'
        drawn.append(Markup(knob).format(number(across.at(x)), number(up.at(y)), INKS[0]))
    last_end = -np.inf
    for x in at if at == sorted(at) else at[::-1]:
        half = text_width(short(x)) / 2
        place = min(max(across.at(x), across.start + half), across.end - half)
        if place - half > last_end + 4:
            drawn.append(text(place, HEIGHT - 20, short(x), anchor="middle"))
            last_end = place + half
    drawn.append(line(f"M26 {number(up.at(0))}H{number(WIDTH - 6)}", stroke="#8a8a8a"))
    if unit.zh:
        drawn.append(text((across.start + across.end) / 2, HEIGHT - 5, unit, anchor="middle"))
    return svg(drawn, HEIGHT, width=WIDTH)


def _histogram(values: np.ndarray, across: Scale, up: Scale) -> list[Markup]:
    if not len(values):
        return []
    inside = np.clip(values, across.low, across.high)
    counts, edges = np.histogram(inside, bins=BINS, range=(across.low, across.high))
    tallest = counts.max()
    drawn = []
    for count, left, right in zip(counts.tolist(), edges[:-1], edges[1:], strict=True):
        if count:
            start, end = across.at(float(left)), across.at(float(right))
            top = up.at(0.92 * count / tallest)
            drawn.append(
                rectangle(start + 0.4, top, end - start - 0.8, up.at(0) - top, fill="#d3d3d3")
            )
    return drawn
