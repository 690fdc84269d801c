"""Small charts as SVG: text stays text, colours are told apart in grey, nothing runs.

Charts are for a reader who wants the shape at a glance; the exact numbers belong in a table beside.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.pages.words import Words

WIDTH, HEIGHT = 640, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 14, 44
INKS = ("#8c1d18", "#2b6ca3", "#5a5a5a", "#c98a00")
"""One for each series; the first is the one that matters."""
_DASHES = ("", "6 4", "2 3", "8 3 2 3")


@dataclass(frozen=True)
class Series:
    """One line or set of dots: what it is called, and its points."""

    label: Words
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def bars(labels: Sequence[str | Words], values: Sequence[float], *, unit: str = "") -> Markup:
    """Return lying bars from zero, one for each label, with the value written at the end.

    Values below zero lie to the left of it; a value that is no number leaves its bar out and says so.
    """
    row = 24
    known = [v for v in values if math.isfinite(v)]
    low, high = min([0.0, *known]), max([0.0, *known])
    across = _Scale(low, high if high > low else low + 1, 190.0, WIDTH - 90.0)
    zero = across.at(0)
    parts = []
    for number, (label, value) in enumerate(zip(labels, values, strict=True)):
        y = 8 + number * row
        parts.append(_text(180, y + 14, label, anchor="end"))
        if not math.isfinite(value):
            parts.append(_text(zero + 4, y + 14, "–"))
            continue
        end = across.at(value)
        parts.append(
            Markup('<rect x="{}" y="{}" width="{}" height="16" fill="{}"/>').format(
                _n(min(zero, end)), y + 2, _n(abs(end - zero)), INKS[0]
            )
        )
        parts.append(_text(max(zero, end) + 4, y + 14, f"{_short(value)}{unit}"))
    return _svg(parts, 16 + len(labels) * row)


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
        parts.append(
            Markup(
                '<path d="M{} {}L{} {}" stroke="#999" stroke-dasharray="2 3" fill="none"/>'
            ).format(_n(across.at(low)), _n(up.at(low)), _n(across.at(high)), _n(up.at(high)))
        )
    for number, one in enumerate(series):
        path, pen = [], "M"
        for x, y in zip(one.x, one.y, strict=True):
            if math.isfinite(x) and math.isfinite(y):
                path.append(f"{pen}{_n(across.at(x))} {_n(up.at(y))}")
                pen = "L"
            else:
                pen = "M"
        parts.append(
            Markup(
                '<path d="{}" fill="none" stroke="{}" stroke-width="2" stroke-dasharray="{}"/>'
            ).format("".join(path), INKS[number % 4], _DASHES[number % 4])
        )
    return _svg([*parts, *_names(series)], HEIGHT)


def dots(series: Sequence[Series], *, x_label: Words, y_label: Words) -> Markup:
    """Return dots over common axes; the first series is filled, the others are rings."""
    parts, across, up = _axes(series, x_label, y_label, y_from_zero=False)
    for number, one in enumerate(series):
        ink = INKS[number % 4]
        fill = ink if number == 0 else "none"
        parts += [
            Markup('<circle cx="{}" cy="{}" r="3" fill="{}" stroke="{}"/>').format(
                _n(across.at(x)), _n(up.at(y)), fill, ink
            )
            for x, y in zip(one.x, one.y, strict=True)
            if math.isfinite(x) and math.isfinite(y)
        ]
    return _svg([*parts, *_names(series)], HEIGHT)


def ticks(low: float, high: float, *, count: int = 5) -> list[float]:
    """Return round numbers (1, 2 or 5 times a power of ten) that cover the range, about ``count``."""
    span = high - low if high > low else 1.0
    rough = span / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 10) for n in range(first, max(last, first + 1) + 1)]


def _axes(
    series: Sequence[Series], x_label: Words, y_label: Words, y_from_zero: bool
) -> tuple[list[Markup], _Scale, _Scale]:
    xs = [v for one in series for v in one.x if math.isfinite(v)] or [0.0, 1.0]
    ys = [v for one in series for v in one.y if math.isfinite(v)] or [0.0, 1.0]
    x_ticks = ticks(min(xs), max(xs))
    y_ticks = ticks(min([0.0, *ys]) if y_from_zero else min(ys), max(ys))
    across = _Scale(x_ticks[0], x_ticks[-1], _LEFT, WIDTH - _RIGHT)
    up = _Scale(y_ticks[0], y_ticks[-1], HEIGHT - _BOTTOM, _TOP + 16)
    parts = []
    for tick in y_ticks:
        y = _n(up.at(tick))
        parts.append(
            Markup('<path d="M{} {}H{}" stroke="#e2e2e2"/>').format(_LEFT, y, WIDTH - _RIGHT)
        )
        parts.append(_text(_LEFT - 6, up.at(tick) + 4, _short(tick), anchor="end"))
    for tick in x_ticks:
        parts.append(_text(across.at(tick), HEIGHT - _BOTTOM + 16, _short(tick), anchor="middle"))
    parts.append(_text((_LEFT + WIDTH) / 2, HEIGHT - 8, x_label, anchor="middle"))
    parts.append(_text(4, 12, y_label))
    return parts, across, up


def _names(series: Sequence[Series]) -> list[Markup]:
    parts, x = [], float(WIDTH - _RIGHT)
    for number in reversed(range(len(series))):
        label = series[number].label
        x -= 14 + max(_width(label.zh), _width(label.en))
        parts.append(_text(x + 4, 12, label))
        parts.append(
            Markup(
                '<path d="M{} 8h16" stroke="{}" stroke-width="2" stroke-dasharray="{}"/>'
            ).format(_n(x - 16), INKS[number % 4], _DASHES[number % 4])
        )
        x -= 24
    return parts


def _width(text: str) -> float:
    """Return about how wide a text is at 12 px: a Chinese sign is twice a Latin letter."""
    return sum(12.0 if ord(sign) > 0x2E7F else 6.6 for sign in text)


def _text(x: float, y: float, text: str | Words, *, anchor: str = "start") -> Markup:
    mark = Markup('<text x="{}" y="{}" text-anchor="{}"{}>{}</text>')
    if isinstance(text, Words):
        return Markup("").join(
            mark.format(_n(x), _n(y), anchor, Markup(f' lang="{code}"'), said)
            for code, said in (("zh", text.zh), ("en", text.en))
        )
    return mark.format(_n(x), _n(y), anchor, "", text)


def _svg(parts: Sequence[Markup], height: int) -> Markup:
    return Markup(
        '<svg viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img">{2}</svg>'
    ).format(WIDTH, height, Markup("").join(parts))


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _short(value: float) -> str:
    """Return a number as a reader wants it on an axis: years without a comma, shares to a hundredth."""
    if value == int(value) and abs(value) < 10_000:
        return str(int(value))
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
