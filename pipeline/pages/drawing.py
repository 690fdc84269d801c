"""What all charts share: scales, round ticks, text that stays text, and the frame of an SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.pages.words import Words

WIDTH, HEIGHT = 640, 300
INKS = ("#8c1d18", "#2b6ca3", "#5a5a5a", "#c98a00")
"""One for each series; the first is the one that matters."""
SHADES = ("#1f3a5f", "#5b84b1", "#a9c4de", "#dfe7ef", "#f7f7f7")
"""Dark to light, one hue: told apart in grey too."""
LETTER_WIDTH, SIGN_WIDTH = 6.6, 12.0


@dataclass(frozen=True)
class Scale:
    """Where a value lies on an axis that runs from ``start`` to ``end`` in the picture."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the place of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def ticks(low: float, high: float, *, count: int = 5) -> list[float]:
    """Return round numbers (1, 2 or 5 times a power of ten) that cover the range, about ``count``."""
    span = high - low if high > low else 1.0
    rough = span / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 10) for n in range(first, max(last, first + 1) + 1)]


def text(
    x: float,
    y: float,
    said: str | Words,
    *,
    anchor: str = "start",
    width: float | None = None,
    style: str = "",
) -> Markup:
    """Return a text of the picture, in both languages if it is ``Words``.

    Parameters
    ----------
    width
        Room in units of the picture; a longer text is cut, and said in full when pointed at.
    style
        Name of a class in ``report.css``.
    """
    spoken = said if isinstance(said, Words) else Words(str(said), "")
    codes = (("zh", spoken.zh), ("en", spoken.en)) if isinstance(said, Words) else (("", said),)
    parts = []
    for code, one in codes:
        language = Markup(' lang="{}"').format(code) if code else Markup("")
        named = Markup(' class="{}"').format(style) if style else Markup("")
        shown = one if width is None else cut(str(one), width)
        whole = Markup("<title>{}</title>").format(one) if shown != one else Markup("")
        parts.append(
            Markup('<text x="{}" y="{}" text-anchor="{}"{}{}>{}{}</text>').format(
                number(x), number(y), anchor, language, named, shown, whole
            )
        )
    return Markup("").join(parts)


def cut(said: str, width: float) -> str:
    """Return a text that fits into ``width`` at 12 px, its end replaced by … where it does not."""
    if text_width(said) <= width:
        return said
    room, kept = width - SIGN_WIDTH, 0
    for sign in said:
        room -= text_width(sign)
        if room < 0:
            break
        kept += 1
    return said[:kept].rstrip() + "…"


def text_width(said: str) -> float:
    """Return about how wide a text is at 12 px: a Chinese sign is twice a Latin letter."""
    return sum(SIGN_WIDTH if ord(sign) > 0x2E7F else LETTER_WIDTH for sign in said)


def rectangle(
    x: float, y: float, width: float, height: float, *, fill: str, tip: str | Words = ""
) -> Markup:
    """Return a filled rectangle, with what is said when it is pointed at."""
    said = f"{tip.zh} · {tip.en}" if isinstance(tip, Words) else tip
    inside = Markup("<title>{}</title>").format(said) if said else Markup("")
    return Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}">{}</rect>').format(
        number(x), number(y), number(width), number(height), fill, inside
    )


def line(path: str, *, stroke: str, width: float = 1.0, dash: str = "") -> Markup:
    """Return a path that is not filled."""
    dashed = Markup(' stroke-dasharray="{}"').format(dash) if dash else Markup("")
    return Markup('<path d="{}" fill="none" stroke="{}" stroke-width="{}"{}/>').format(
        path, stroke, number(width), dashed
    )


def svg(parts: Sequence[Markup], height: float, *, width: float = WIDTH) -> Markup:
    """Return a picture; ``figure`` of ``document`` gives it its name."""
    return Markup(
        '<svg viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img">{2}</svg>'
    ).format(number(width), number(height), Markup("").join(parts))


def number(value: float) -> str:
    """Return a coordinate to a tenth, as short as can be."""
    shown = f"{value:.1f}".rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown


def short(value: float) -> str:
    """Return a number as a reader wants it on an axis: years without a comma, shares to a hundredth."""
    if value == int(value) and abs(value) < 10_000:
        return str(int(value))
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def percent(share: float) -> str:
    """Return a share in whole per cents; what is little or nearly all is never told as 0 or 100 %."""
    if 0 < share < 0.01:
        return "<1%"
    return ">99%" if 0.99 < share < 1 else f"{share:.0%}"


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb``, 0 black to 1 white (WCAG 2.1)."""
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def ink_on(colour: str) -> str:
    """Return black or white, whichever is read better on a fill."""
    bright = luminance(colour)
    return "#1b1b1b" if (bright + 0.05) / 0.055 > 1.05 / (bright + 0.05) else "#ffffff"
