"""Small charts as SVG: text stays text, colours are told apart in grey, nothing runs.

Charts are for a reader who wants the shape at a glance; the exact numbers belong in a table beside.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.pages.drawing import (
    HEIGHT,
    INKS,
    WIDTH,
    Scale,
    line,
    number,
    rectangle,
    short,
    svg,
    text,
    text_width,
    ticks,
)
from pipeline.pages.words import Words

__all__ = ["Series", "bars", "columns", "dots", "lines", "ticks"]

_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 14, 44
_DASHES = ("", "6 4", "2 3", "8 3 2 3")


@dataclass(frozen=True)
class Series:
    """One line or set of dots: what it is called, and its points."""

    label: Words
    x: Sequence[float]
    y: Sequence[float]


def bars(
    labels: Sequence[str | Words],
    values: Sequence[float],
    *,
    unit: str = "",
    width: float = WIDTH,
    label_width: float = 180.0,
    row: float = 24.0,
    shown: Sequence[str] | None = None,
) -> Markup:
    """Return lying bars from zero, one for each label, with the value written at the end.

    Values below zero lie to the left of it; a value that is no number leaves its bar out and says so.

    Parameters
    ----------
    shown
        What is written at the end of each bar, if not the value itself.
    """
    known = [v for v in values if math.isfinite(v)]
    low, high = min([0.0, *known]), max([0.0, *known])
    written = list(shown or (f"{short(v)}{unit}" if math.isfinite(v) else "–" for v in values))
    room = max((text_width(one) for one in written), default=0.0) + 10
    start = label_width + 10 + (room if low < 0 else 0)
    across = Scale(low, high if high > low else low + 1, start, width - room)
    zero, thick = across.at(0), row * 2 / 3
    parts = []
    for place, (label, value) in enumerate(zip(labels, values, strict=True)):
        y = 4 + place * row
        base = y + row * 0.5 + 4
        parts.append(text(label_width, base, label, anchor="end", width=label_width))
        if not math.isfinite(value):
            parts.append(text(zero + 4, base, written[place]))
            continue
        end = across.at(value)
        parts.append(rectangle(min(zero, end), y + row / 6, abs(end - zero), thick, fill=INKS[0]))
        if value < 0:
            parts.append(text(end - 4, base, written[place], anchor="end"))
        else:
            parts.append(text(end + 4, base, written[place]))
    return svg(parts, 8 + len(labels) * row, width=width)


def columns(
    labels: Sequence[str],
    counts: Sequence[float],
    *,
    x_label: Words,
    y_label: Words,
    marked: Sequence[bool] | None = None,
    width: float = WIDTH,
    height: float = HEIGHT,
) -> Markup:
    """Return standing columns side by side: a histogram whose bins are already counted.

    Labels that would touch are left out, the first and every second, third … of the rest kept.

    Parameters
    ----------
    marked
        Columns drawn in the ink that matters; the others are grey. All of them if not given.
    """
    top = max([1.0, *counts])
    y_ticks = ticks(0, top, count=3 if height < 180 else 5)
    left = max(text_width(short(tick)) for tick in y_ticks) + 12
    bottom = 36 if x_label.zh else 20
    up = Scale(0, y_ticks[-1], height - bottom, 24 if y_label.zh else 8)
    step = (width - left - 8) / max(len(counts), 1)
    every = math.ceil((max([0.0, *map(text_width, labels)]) + 6) / step) if labels else 1
    parts = [text(2, 12, y_label)] if y_label.zh else []
    for tick in y_ticks:
        parts.append(
            line(f"M{number(left)} {number(up.at(tick))}H{number(width - 8)}", stroke="#e2e2e2")
        )
        parts.append(text(left - 6, up.at(tick) + 4, short(tick), anchor="end"))
    for place, (label, count) in enumerate(zip(labels, counts, strict=True)):
        x = left + place * step
        ink = INKS[0] if marked is None or marked[place] else "#9a9a9a"
        high = up.at(0) - up.at(count)
        parts.append(
            rectangle(x + 1, up.at(count), step - 2, high, fill=ink, tip=f"{label}: {short(count)}")
        )
        if place % every == 0:
            parts.append(text(x + step / 2, height - bottom + 14, label, anchor="middle"))
    if x_label.zh:
        parts.append(text((left + width) / 2, height - 6, x_label, anchor="middle"))
    return svg(parts, height, width=width)


def lines(
    series: Sequence[Series],
    *,
    x_label: Words,
    y_label: Words,
    y_from_zero: bool = False,
    diagonal: bool = False,
) -> Markup:
    """Return lines over common axes, told apart by ink and dash, each named at the top.

    ``diagonal`` draws where x = y, for reliability. Points that are no numbers break a line.
    """
    parts, across, up = _axes(series, x_label, y_label, y_from_zero)
    if diagonal:
        low, high = max(across.low, up.low), min(across.high, up.high)
        ends = [f"{number(across.at(v))} {number(up.at(v))}" for v in (low, high)]
        parts.append(line(f"M{ends[0]}L{ends[1]}", stroke="#999", dash="2 3"))
    for place, one in enumerate(series):
        path, pen = [], "M"
        for x, y in zip(one.x, one.y, strict=True):
            if math.isfinite(x) and math.isfinite(y):
                path.append(f"{pen}{number(across.at(x))} {number(up.at(y))}")
                pen = "L"
            else:
                pen = "M"
        parts.append(line("".join(path), stroke=INKS[place % 4], width=2, dash=_DASHES[place % 4]))
    return svg([*parts, *_names(series)], HEIGHT)


def dots(series: Sequence[Series], *, x_label: Words, y_label: Words) -> Markup:
    """Return dots over common axes; the first series is filled, the others are rings."""
    parts, across, up = _axes(series, x_label, y_label, y_from_zero=False)
    for place, one in enumerate(series):
        ink = INKS[place % 4]
        fill = ink if place == 0 else "none"
        parts += [
            Markup('<circle cx="{}" cy="{}" r="3" fill="{}" stroke="{}"/>').format(
                number(across.at(x)), number(up.at(y)), fill, ink
            )
            for x, y in zip(one.x, one.y, strict=True)
            if math.isfinite(x) and math.isfinite(y)
        ]
    return svg([*parts, *_names(series)], HEIGHT)


def _axes(
    series: Sequence[Series], x_label: Words, y_label: Words, y_from_zero: bool
) -> tuple[list[Markup], Scale, Scale]:
    xs = [v for one in series for v in one.x if math.isfinite(v)] or [0.0, 1.0]
    ys = [v for one in series for v in one.y if math.isfinite(v)] or [0.0, 1.0]
    x_ticks = ticks(min(xs), max(xs))
    y_ticks = ticks(min([0.0, *ys]) if y_from_zero else min(ys), max(ys))
    across = Scale(x_ticks[0], x_ticks[-1], _LEFT, WIDTH - _RIGHT)
    up = Scale(y_ticks[0], y_ticks[-1], HEIGHT - _BOTTOM, _TOP + 16)
    parts = []
    for tick in y_ticks:
        y = number(up.at(tick))
        parts.append(line(f"M{_LEFT} {y}H{WIDTH - _RIGHT}", stroke="#e2e2e2"))
        parts.append(text(_LEFT - 6, up.at(tick) + 4, short(tick), anchor="end"))
    for tick in x_ticks:
        parts.append(text(across.at(tick), HEIGHT - _BOTTOM + 16, short(tick), anchor="middle"))
    parts.append(text((_LEFT + WIDTH) / 2, HEIGHT - 8, x_label, anchor="middle"))
    parts.append(text(4, 12, y_label))
    return parts, across, up


def _names(series: Sequence[Series]) -> list[Markup]:
    parts, x = [], float(WIDTH - _RIGHT)
    for place in reversed(range(len(series))):
        label = series[place].label
        x -= 14 + max(text_width(label.zh), text_width(label.en))
        parts.append(text(x + 4, 12, label))
        swatch = f"M{number(x - 16)} 8h16"
        parts.append(line(swatch, stroke=INKS[place % 4], width=2, dash=_DASHES[place % 4]))
        x -= 24
    return parts
