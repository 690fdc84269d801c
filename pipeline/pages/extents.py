"""A thumbnail of where data lies: its points over those of the whole city."""

from collections.abc import Sequence

from markupsafe import Markup

_WIDTH, _HEIGHT, _EDGE = 220.0, 165.0, 6.0

Point = tuple[float, float]


def extent_map(points: Sequence[Point], around: Sequence[Point]) -> Markup:
    """Return a small north-up map: ``around`` in grey gives the frame, ``points`` lie over it in red.

    Points outside the frame are not drawn. Without anything around, the points make the frame.
    """
    frame = around or points
    if not frame:
        return Markup("")
    west, east = min(x for x, _ in frame), max(x for x, _ in frame)
    south, north = min(y for _, y in frame), max(y for _, y in frame)
    size = max((east - west) / (_WIDTH - 2 * _EDGE), (north - south) / (_HEIGHT - 2 * _EDGE), 1e-9)
    left = _WIDTH / 2 - (east + west) / 2 / size
    low = _HEIGHT / 2 + (south + north) / 2 / size

    def path(of: Sequence[Point], colour: str, width: str) -> Markup:
        at = [(x / size + left, low - y / size) for x, y in of]
        seen = [(x, y) for x, y in at if 0 <= x <= _WIDTH and 0 <= y <= _HEIGHT]
        marks = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in seen)
        return Markup(
            '<path d="{}" stroke="{}" stroke-width="{}" stroke-linecap="round" fill="none"/>'
        ).format(marks, colour, width)

    return Markup(
        '<svg viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" height="{1:.0f}" role="img">'
        '<rect x="0.5" y="0.5" width="{2:.0f}" height="{3:.0f}" fill="none" stroke="#c9c9c9"/>'
        "{4}{5}</svg>"
    ).format(
        _WIDTH, _HEIGHT, _WIDTH - 1, _HEIGHT - 1,
        path(around, "#bbbbbb", "1.5"), path(points, "#8c1d18", "2"),
    )  # fmt: skip
