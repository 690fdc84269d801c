"""Stacked bars: shares of a whole, and contributions that add up to a change.

Each part has a number in the picture and in its legend, so that nobody needs to tell colours apart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.pages.drawing import (
    SHADES,
    WIDTH,
    Scale,
    ink_on,
    line,
    number,
    percent,
    rectangle,
    short,
    svg,
    text,
    text_width,
    ticks,
)
from pipeline.pages.words import Words

PARTS = (
    "#8c1d18", "#e0b9a8", "#2b6ca3", "#b9d2e6", "#5a5a5a", "#d9d9d9", "#8a6a00", "#f1dfa6",
    "#2f6b4f", "#c3dccf",
)  # fmt: skip
"""Dark and light in turn, so that neighbours differ in grey."""
_ROW = 24.0


@dataclass(frozen=True)
class Part:
    """One part of every bar: what it is called, and its size in each row."""

    label: Words
    values: Sequence[float]


def share_bars(
    labels: Sequence[str | Words],
    parts: Sequence[Part],
    *,
    inks: Sequence[str] = SHADES,
    width: float = WIDTH,
    label_width: float = 180.0,
    row: float = _ROW,
    totals: Sequence[str] | None = None,
) -> Markup:
    """Return bars of one length, each divided in proportion; the share stands in each part.

    A row without anything is drawn as an empty frame.

    Parameters
    ----------
    parts
        Counts or sizes that are not negative, in the order in which they are drawn.
    inks
        One for each part, dark to light.
    totals
        What is written behind each bar.
    """
    room = max((text_width(one) for one in totals), default=0.0) + 10 if totals else 4.0
    across = Scale(0, 1, label_width + 10, width - room)
    drawn, top = _legend([part.label for part in parts], inks, width)
    for place, label in enumerate(labels):
        y = top + place * row
        drawn.append(text(label_width, y + row / 2 + 4, label, anchor="end", width=label_width))
        sizes = [part.values[place] for part in parts]
        whole = sum(sizes)
        if not whole > 0:
            drawn.append(_frame(across.start, y + 2, across.end - across.start, row - 4))
        before = 0.0
        for which, size in enumerate(sizes if whole > 0 else []):
            start, end = across.at(before / whole), across.at((before + size) / whole)
            before += size
            if end - start < 0.05:
                continue
            share = percent(size / whole)
            tip = Words(
                f"{parts[which].label.zh} {size:,.0f}（{size / whole:.1%}）",
                f"{parts[which].label.en} {size:,.0f} ({size / whole:.1%})",
            )
            ink = inks[which % len(inks)]
            drawn.append(rectangle(start, y + 2, end - start, row - 4, fill=ink, tip=tip))
            if end - start > text_width(share) + 4:
                drawn.append(_inside((start + end) / 2, y + row / 2 + 4, share, ink))
        if whole > 0:
            drawn.append(_frame(across.start, y + 2, across.end - across.start, row - 4))
        if totals:
            drawn.append(text(across.end + 6, y + row / 2 + 4, totals[place]))
    return svg(drawn, top + len(labels) * row + 2, width=width)


def signed_stacks(
    labels: Sequence[str | Words],
    parts: Sequence[Part],
    *,
    x_label: Words,
    width: float = WIDTH,
    label_width: float = 180.0,
) -> Markup:
    """Return for each row what adds up to its sum: parts below zero to the left, above to the right.

    The sum is a black mark on the bar and a number at the end. Parts carry the number of their place
    in the legend. Not-numbers count as zero.
    """
    values = [[_finite(part.values[place]) for part in parts] for place in range(len(labels))]
    low = min([0.0, *(sum(v for v in one if v < 0) for one in values)])
    high = max([0.0, *(sum(v for v in one if v > 0) for one in values)])
    sums = [sum(one) for one in values]
    written = [f"{total:+.3g}" if total else "0" for total in sums]
    room = max((text_width(one) for one in written), default=0.0) + 12
    marks = ticks(low, high)
    across = Scale(marks[0], marks[-1], label_width + 10, width - room)
    drawn, top = _legend([part.label for part in parts], PARTS, width, is_numbered=True)
    bottom = top + len(labels) * _ROW
    for mark in marks:
        x = number(across.at(mark))
        ink = "#5a5a5a" if mark == 0 else "#e2e2e2"
        drawn.append(line(f"M{x} {number(top)}V{number(bottom)}", stroke=ink))
        drawn.append(text(across.at(mark), bottom + 14, short(mark), anchor="middle"))
    for place, label in enumerate(labels):
        y = top + place * _ROW
        drawn.append(text(label_width, y + 16, label, anchor="end", width=label_width))
        drawn += _signed_row(values[place], parts, across, y)
        end = number(across.at(sums[place]))
        drawn.append(line(f"M{end} {number(y + 1)}v22", stroke="#000000", width=2.5))
        drawn.append(text(width - 2, y + 16, written[place], anchor="end"))
    drawn.append(text((across.start + across.end) / 2, bottom + 32, x_label, anchor="middle"))
    return svg(drawn, bottom + 40, width=width)


def _signed_row(
    values: Sequence[float], parts: Sequence[Part], across: Scale, y: float
) -> list[Markup]:
    drawn, ends = [], {True: 0.0, False: 0.0}
    for which, value in enumerate(values):
        if value == 0:
            continue
        side = value > 0
        start, end = sorted((across.at(ends[side]), across.at(ends[side] + value)))
        ends[side] += value
        ink = PARTS[which % len(PARTS)]
        label = parts[which].label
        tip = Words(f"{label.zh} {value:+.3g}", f"{label.en} {value:+.3g}")
        drawn.append(rectangle(start, y + 4, end - start, 16, fill=ink, tip=tip))
        name = str(which + 1)
        if end - start > text_width(name) + 3:
            drawn.append(_inside((start + end) / 2, y + 16, name, ink))
    return drawn


def _legend(
    labels: Sequence[Words], inks: Sequence[str], width: float, *, is_numbered: bool = False
) -> tuple[list[Markup], float]:
    """Return the legend and where the chart below it begins."""
    drawn: list[Markup] = []
    x, y = 4.0, 4.0
    for place, label in enumerate(labels):
        need = 24 + max(text_width(label.zh), text_width(label.en)) + 14
        if x + need > width and x > 4:
            x, y = 4.0, y + 20
        ink = inks[place % len(inks)]
        drawn += [rectangle(x, y, 18, 14, fill=ink), _frame(x, y, 18, 14)]
        if is_numbered:
            drawn.append(_inside(x + 9, y + 11.5, str(place + 1), ink))
        drawn.append(text(x + 23, y + 12, label, width=width - 30))
        x += need
    return drawn, y + 24


def _inside(x: float, y: float, said: str, fill: str) -> Markup:
    style = "on-dark" if ink_on(fill) == "#ffffff" else "on-light"
    return text(x, y, said, anchor="middle", style=style)


def _frame(x: float, y: float, width: float, height: float) -> Markup:
    mark = '<rect x="{}" y="{}" width="{}" height="{}" fill="none" stroke="#8a8a8a"/>'
    return Markup(mark).format(number(x), number(y), number(width), number(height))


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
