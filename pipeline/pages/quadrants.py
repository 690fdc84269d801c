"""Two questions at once, how great the need and how ready the place: a 2 × 2 of all rows."""

import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from pipeline.pages.drawing import INKS, Scale, ink_on, line, number, rectangle, svg, text, ticks
from pipeline.pages.drawing import short as shown_short
from pipeline.pages.words import Words

MAX_DOTS = 300
"""More points than this are counted into a grid: dots would lie on top of each other."""
CELLS = 20
_SIDE, _LEFT, _TOP = 420.0, 54.0, 14.0
_GRID_INKS = ("#f1efee", "#dccfca", "#c49d93", "#a55a50", "#6d1712")


def quadrants(
    x: Sequence[float],
    y: Sequence[float],
    *,
    x_split: float,
    y_split: float,
    x_label: Words,
    y_label: Words,
    names: tuple[Words, Words, Words, Words],
    tips: Sequence[str] | None = None,
) -> Markup:
    """Return points on the square from 0 to 1, divided into four named quarters with their counts.

    Up to ``MAX_DOTS`` points are dots; more are counted into a grid, darker where there are more, with
    the steps of the shade in the legend. Points without both numbers are not drawn: tell their count
    beside the chart.

    Parameters
    ----------
    names
        Of the quarters: upper right, upper left, lower right, lower left.
    tips
        What is said when a dot is pointed at.
    """
    across = Scale(0, 1, _LEFT, _LEFT + _SIDE)
    up = Scale(0, 1, _TOP + _SIDE, _TOP)
    at_x, at_y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    known = np.isfinite(at_x) & np.isfinite(at_y)
    drawn: list[Markup] = []
    if known.sum() > MAX_DOTS:
        drawn += _grid(at_x[known], at_y[known], across, up)
    else:
        for place in np.flatnonzero(known).tolist():
            tip = Markup("<title>{}</title>").format(tips[place]) if tips else Markup("")
            drawn.append(
                Markup(
                    '<circle cx="{}" cy="{}" r="4" fill="{}" fill-opacity="0.6" stroke="#1b1b1b">'
                    "{}</circle>"
                ).format(number(across.at(at_x[place])), number(up.at(at_y[place])), INKS[0], tip)
            )
    drawn += _cross(across, up, x_split, y_split)
    drawn += _quarter_names(at_x[known], at_y[known], across, up, x_split, y_split, names)
    for mark in ticks(0, 1):
        drawn.append(text(across.at(mark), _TOP + _SIDE + 16, shown_short(mark), anchor="middle"))
        drawn.append(text(_LEFT - 6, up.at(mark) + 4, shown_short(mark), anchor="end"))
    drawn.append(text(_LEFT + _SIDE / 2, _TOP + _SIDE + 36, x_label, anchor="middle"))
    drawn.append(text(2, 10, y_label))
    return svg(drawn, _TOP + _SIDE + 44, width=640)


def quarter_counts(
    x: Sequence[float], y: Sequence[float], *, x_split: float, y_split: float
) -> tuple[int, int, int, int]:
    """Return how many points lie upper right, upper left, lower right, lower left.

    A point on a dividing line counts to the right, or to the top. Not-numbers do not count.
    """
    at_x, at_y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    right, upper = at_x >= x_split, at_y >= y_split
    left, lower = at_x < x_split, at_y < y_split
    return (
        int((right & upper).sum()),
        int((left & upper).sum()),
        int((right & lower).sum()),
        int((left & lower).sum()),
    )


def heat_table(
    rows: Sequence[str | Words],
    columns: Sequence[str | Words],
    values: Sequence[Sequence[float]],
    *,
    label_width: float = 180.0,
    cell_width: float = 72.0,
) -> Markup:
    """Return a table of numbers shaded from the smallest to the largest; an empty one says –."""
    known = [v for one in values for v in one if math.isfinite(v)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    drawn = [
        text(label_width + 10 + (n + 0.5) * cell_width, 16, one, anchor="middle", width=cell_width)
        for n, one in enumerate(columns)
    ]
    for place, label in enumerate(rows):
        y = 24.0 + place * 24
        drawn.append(text(label_width, y + 16, label, anchor="end", width=label_width))
        for n, value in enumerate(values[place]):
            x = label_width + 10 + n * cell_width
            if not math.isfinite(value):
                drawn.append(text(x + cell_width / 2, y + 16, "–", anchor="middle"))
                continue
            step = 0 if high == low else min(int((value - low) / (high - low) * 5), 4)
            ink = _GRID_INKS[step]
            drawn.append(rectangle(x, y, cell_width - 1, 23, fill=ink))
            style = "on-dark" if ink_on(ink) == "#ffffff" else "on-light"
            said = shown_short(value)
            drawn.append(text(x + cell_width / 2, y + 16, said, anchor="middle", style=style))
    return svg(drawn, 28 + len(rows) * 24, width=label_width + 14 + len(columns) * cell_width)


def _grid(x: np.ndarray, y: np.ndarray, across: Scale, up: Scale) -> list[Markup]:
    edges = np.linspace(0, 1, CELLS + 1)
    counts, _, _ = np.histogram2d(np.clip(x, 0, 1), np.clip(y, 0, 1), bins=(edges, edges))
    steps = _steps(int(counts.max()))
    side = _SIDE / CELLS
    drawn = []
    for column, row in np.argwhere(counts > 0):
        count = int(counts[column, row])
        ink = _GRID_INKS[int(np.searchsorted(steps, count, side="right")) - 1]
        left, top = across.at(column / CELLS), up.at((row + 1) / CELLS)
        drawn.append(rectangle(left, top, side, side, fill=ink, tip=f"{count:,}"))
    x_legend = _LEFT + _SIDE + 20
    drawn.append(text(x_legend, 30, Words("每格数量", "rows in a cell")))
    for place, (start, ink) in enumerate(zip(steps, _GRID_INKS, strict=False)):
        drawn.append(rectangle(x_legend, 40 + place * 22, 18, 16, fill=ink))
        drawn.append(text(x_legend + 24, 53 + place * 22, f"≥ {start:,}"))
    return drawn


def _steps(largest: int) -> list[int]:
    """Return where the classes of a count begin: five in equal ratios, fewer where counts are small."""
    raw = [round(largest ** (n / 5)) for n in range(5)]
    return sorted({max(1, start) for start in raw})


def _cross(across: Scale, up: Scale, x_split: float, y_split: float) -> list[Markup]:
    left, right = number(across.start), number(across.end)
    top, bottom = number(up.end), number(up.start)
    x, y = number(across.at(x_split)), number(up.at(y_split))
    return [
        line(f"M{left} {top}H{right}V{bottom}H{left}Z", stroke="#8a8a8a"),
        line(f"M{x} {top}V{bottom}M{left} {y}H{right}", stroke="#1b1b1b", width=1.5, dash="6 3"),
    ]


def _quarter_names(
    x: np.ndarray, y: np.ndarray, across: Scale, up: Scale, x_split: float, y_split: float,
    names: tuple[Words, Words, Words, Words],
) -> list[Markup]:  # fmt: skip
    counts = quarter_counts(x.tolist(), y.tolist(), x_split=x_split, y_split=y_split)
    drawn = []
    corners = ((True, True), (False, True), (True, False), (False, False))
    for (is_right, is_upper), name, count in zip(corners, names, counts, strict=True):
        at_x = across.end - 6 if is_right else across.start + 6
        at_y = up.end + 16 if is_upper else up.start - 8
        said = Words(f"{name.zh}：{count:,}", f"{name.en}: {count:,}")
        anchor = "end" if is_right else "start"
        drawn.append(text(at_x, at_y, said, anchor=anchor, style="haloed"))
    return drawn
