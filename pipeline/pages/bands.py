"""Ranks with what they may become: bands, and moves from one list to another."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from pipeline.pages.drawing import INKS, WIDTH, Scale, line, number, short, svg, text, ticks
from pipeline.pages.words import Words

_ROW = 24.0


def rank_bands(
    labels: Sequence[str | Words],
    low: Sequence[float],
    middle: Sequence[float],
    high: Sequence[float],
    *,
    x_label: Words,
    stated: Sequence[float] | None = None,
    width: float = WIDTH,
    label_width: float = 180.0,
) -> Markup:
    """Return a bar from ``low`` to ``high`` for each row, with a dot at ``middle``.

    A row whose band is not known says so with a dash.

    Parameters
    ----------
    stated
        A second mark on each row, an upright stroke: the rank in the published list.
    """
    known = [v for ends in (low, middle, high, stated or ()) for v in ends if math.isfinite(v)]
    across, drawn = _axis(known, len(labels), x_label, width, label_width)
    for place, label in enumerate(labels):
        y = 4 + place * _ROW
        drawn.append(text(label_width, y + 16, label, anchor="end", width=label_width))
        ends = (low[place], middle[place], high[place])
        if not all(map(math.isfinite, ends)):
            drawn.append(text(across.start + 4, y + 16, "–"))
        else:
            left, dot, right = (across.at(v) for v in ends)
            bar = f"M{number(left)} {number(y + 12)}H{number(right)}"
            drawn.append(line(bar, stroke="#b9b9b9", width=9))
            drawn.append(_dot(dot, y + 12, INKS[0]))
        if stated is not None and math.isfinite(stated[place]):
            x = number(across.at(stated[place]))
            drawn.append(line(f"M{x} {number(y + 4)}v16", stroke="#000000", width=2))
    return svg(drawn, len(labels) * _ROW + 44, width=width)


def moves(
    labels: Sequence[str | Words],
    before: Sequence[float],
    after: Sequence[float],
    *,
    x_label: Words,
    width: float = WIDTH,
    label_width: float = 180.0,
) -> Markup:
    """Return a dumbbell for each row: a ring where it was, a dot where it is, a line between.

    A side that is not known is left out: the row entered or left the list.
    """
    known = [v for ends in (before, after) for v in ends if math.isfinite(v)]
    across, drawn = _axis(known, len(labels), x_label, width, label_width)
    for place, label in enumerate(labels):
        y = 4 + place * _ROW
        drawn.append(text(label_width, y + 16, label, anchor="end", width=label_width))
        was, now = before[place], after[place]
        if math.isfinite(was) and math.isfinite(now):
            bar = f"M{number(across.at(was))} {number(y + 12)}H{number(across.at(now))}"
            drawn.append(line(bar, stroke="#8a8a8a", width=2))
        if math.isfinite(was):
            drawn.append(_dot(across.at(was), y + 12, "#ffffff"))
        if math.isfinite(now):
            drawn.append(_dot(across.at(now), y + 12, INKS[0]))
        if not (math.isfinite(was) or math.isfinite(now)):
            drawn.append(text(across.start + 4, y + 16, "–"))
    return svg(drawn, len(labels) * _ROW + 44, width=width)


def _axis(
    known: Sequence[float], rows: int, x_label: Words, width: float, label_width: float
) -> tuple[Scale, list[Markup]]:
    marks = ticks(min(known, default=0.0), max(known, default=1.0))
    across = Scale(marks[0], marks[-1], label_width + 14, width - 24)
    bottom = 4 + rows * _ROW
    drawn = []
    for mark in marks:
        x = across.at(mark)
        drawn.append(line(f"M{number(x)} 4V{number(bottom)}", stroke="#e2e2e2"))
        drawn.append(text(x, bottom + 14, short(mark), anchor="middle"))
    drawn.append(text((across.start + across.end) / 2, bottom + 32, x_label, anchor="middle"))
    return across, drawn


def _dot(x: float, y: float, fill: str) -> Markup:
    mark = '<circle cx="{}" cy="{}" r="5" fill="{}" stroke="#1b1b1b"/>'
    return Markup(mark).format(number(x), number(y), fill)
