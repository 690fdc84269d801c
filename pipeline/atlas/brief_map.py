"""The small map of a brief: an SVG of whole tenths of a millimetre, so that it stays small.

Where a building would be smaller than what the eye sees on paper, the map shows squares instead; a
square has the middle tier of the buildings in it, so that none is overstated by being painted last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from markupsafe import Markup
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.pages.words import Words

WIDTH = 1120
LEAST_HEIGHT, MOST_HEIGHT = 980, 1160
"""Of the map, in tenths of a millimetre; tall districts get a taller map."""
PLAN_HEIGHT = 930
"""Of the map where the sheet also holds the annual plan."""
MARGIN = 40
SMALLEST_SIDE = 2.5
"""Buildings whose middle one is narrower than this are drawn as squares."""
MOST_OUTLINES = 6000
"""More would make the page heavy."""
SQUARE = 6
LABEL_RADIUS = 17
OTHER_TRACK_INK = "#4a4a4a"
"""Of the hatching: a fill of its own would be taken for a tier on a grey print."""
_SCALE_BARS_M = (100, 200, 500, 1000, 2000, 5000, 10_000)
Whole = NDArray[np.int64]
_NOTHING = Markup("")


@dataclass(frozen=True)
class View:
    """The part of the ground that the map shows."""

    west_m: float
    north_m: float
    m_per_unit: float
    height: int

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north in metres."""
        east = self.west_m + WIDTH * self.m_per_unit
        return self.west_m, self.north_m - self.height * self.m_per_unit, east, self.north_m

    def units(self, points: Floats) -> Whole:
        """Return points in metres as whole units of the map."""
        x = (points[:, 0] - self.west_m) / self.m_per_unit
        y = (self.north_m - points[:, 1]) / self.m_per_unit
        return np.floor(np.stack([x, y], axis=1) + 0.5).astype(np.int64)


@dataclass(frozen=True)
class Backdrop:
    """What lies under all districts' buildings, in the working projection."""

    districts: gpd.GeoDataFrame
    water: NDArray[np.object_]
    main_roads: NDArray[np.object_]


def backdrop(
    districts: gpd.GeoDataFrame, water: gpd.GeoDataFrame, edges: gpd.GeoDataFrame
) -> Backdrop:
    """Return the backdrop, its main roads joined to long lines."""
    main = edges.geometry.to_numpy()[edges["is_main_road"].to_numpy(dtype=bool)]
    joined = shapely.line_merge(shapely.multilinestrings(main)) if len(main) else shapely.Point()
    roads = shapely.get_parts(joined) if len(main) else np.zeros(0, dtype=object)
    return Backdrop(districts, water.geometry.to_numpy(), roads)


def view_of(shapes: NDArray[np.object_], *, most_height: int = MOST_HEIGHT) -> View:
    """Return the view that shows all shapes, with a margin."""
    west, south, east, north = shapely.total_bounds(shapes)
    across = max((east - west) / (WIDTH - 2 * MARGIN), 0.2)
    height = int(
        np.clip((north - south) / across + 2 * MARGIN, min(LEAST_HEIGHT, most_height), most_height)
    )
    scale = max(across, (north - south) / (height - 2 * MARGIN))
    return View(
        float((west + east) / 2 - WIDTH / 2 * scale),
        float((north + south) / 2 + height / 2 * scale),
        float(scale),
        height,
    )


def district_map(
    district_name: str,
    shapes: NDArray[np.object_],
    tier: NDArray[np.int64],
    behind: Backdrop,
    *,
    inks: Sequence[str],
    labels: Floats,
    most_height: int = MOST_HEIGHT,
) -> Markup:
    """Return the map of one district.

    Parameters
    ----------
    shapes
        Outlines of its buildings; without any the map shows the whole district.
    tier
        1 to 5 for each; 0 for a building on another track.
    labels
        Where the areas of the table lie, in metres: they are numbered from 1.
    most_height
        Of the map; less than ``MOST_HEIGHT`` where the sheet holds more.
    """
    own = behind.districts.geometry.to_numpy()[
        behind.districts["district_name"].to_numpy() == district_name
    ]
    view = view_of(shapes if len(shapes) else own, most_height=most_height)
    parts = [
        Markup('<rect width="{}" height="{}" fill="#fff"/>').format(WIDTH, view.height),
        *_ground(district_name, behind, view),
        *_buildings(shapes, tier, view, inks),
        *_outline(district_name, behind, view),
        *_numbers(view.units(labels.reshape(-1, 2)), view.height),
        *_scale_bar(view),
        _north(),
    ]
    return Markup('<svg class="map" viewBox="0 0 {} {}" role="img">{}</svg>').format(
        WIDTH, view.height, Markup("").join(parts)
    )


def squares(points: Whole, tier: NDArray[np.int64]) -> tuple[Whole, NDArray[np.int64]]:
    """Return the grid cells that hold buildings, and the middle tier of each (the more urgent of two).

    Buildings on another track (0) count only where there are no others.
    """
    order_of = np.where(tier == 0, 9, tier)
    cell = points // SQUARE
    order = np.lexsort([order_of, cell[:, 0], cell[:, 1]])
    cell, ranked = cell[order], order_of[order]
    is_first = np.append(True, (np.diff(cell, axis=0) != 0).any(axis=1))[: len(cell)]
    first = np.flatnonzero(is_first)
    which = np.cumsum(is_first) - 1
    count = np.bincount(which[ranked < 9], minlength=len(first))
    middle = ranked[first + np.maximum(count - 1, 0) // 2]
    return cell[first], np.where(middle == 9, 0, middle)


def path_of(points: Whole, owner: NDArray[np.intp], *, is_closed: bool) -> str:
    """Return paths in steps from point to point; steps of nothing are left out."""
    if not len(points):
        return ""
    is_start = np.append(True, owner[1:] != owner[:-1])
    steps = np.diff(points, axis=0, prepend=points[:1])
    kept = is_start | (steps != 0).any(axis=1)
    points, steps, is_start = points[kept], steps[kept], is_start[kept]
    starts = np.flatnonzero(is_start)
    text = [f"{x} {y}" for x, y in steps.tolist()]
    for start in starts.tolist():
        text[start] = f"M{points[start, 0]} {points[start, 1]}l"
    ends = [*starts[1:].tolist(), len(text)]
    close = "z" if is_closed else ""
    drawn = [
        text[start] + " ".join(text[start + 1 : end]) + close
        for start, end in zip(starts.tolist(), ends, strict=True)
        if end - start > 1
    ]
    return "".join(drawn)


def _ground(district_name: str, behind: Backdrop, view: View) -> list[Markup]:
    own = behind.districts["district_name"].to_numpy() == district_name
    outside = behind.districts.geometry.to_numpy()[~own]
    water = _clipped(behind.water, view)
    roads = _clipped(behind.main_roads, view)
    return [
        _path(_clipped(outside, view), view, 'fill="#f1f1ee"', is_closed=True),
        _path(water, view, 'fill="#c9dbe6"', is_closed=True),
        _path(roads, view, 'fill="none" stroke="#b3b3b3" stroke-width="4"', is_closed=False),
    ]


def _outline(district_name: str, behind: Backdrop, view: View) -> list[Markup]:
    own = behind.districts["district_name"].to_numpy() == district_name
    rings = shapely.boundary(behind.districts.geometry.to_numpy()[own])
    style = 'fill="none" stroke="#3c3c3c" stroke-width="4" stroke-dasharray="18 8"'
    return [_path(_clipped(rings, view), view, style, is_closed=False)]


def _buildings(
    shapes: NDArray[np.object_], tier: NDArray[np.int64], view: View, inks: Sequence[str]
) -> list[Markup]:
    side = np.median(np.sqrt(shapely.area(shapes))) / view.m_per_unit if len(shapes) else 0.0
    by_tier = [*range(len(inks), 0, -1)]
    drawn = []
    if side < SMALLEST_SIDE or len(shapes) > MOST_OUTLINES:
        west, south, east, north = shapely.bounds(shapes).T
        middles = np.stack([(west + east) / 2, (south + north) / 2], axis=1)
        cell, shown = squares(view.units(middles), tier)
        drawn.append(_rim(cell))
        drawn.append(_hatched(cell[shown == 0]))
        for number in by_tier:
            drawn.append(_filled(_square_path(cell[shown == number]), inks[number - 1]))
        return drawn
    simple = shapely.simplify(shapes, view.m_per_unit * 0.7, preserve_topology=False)
    hollow = Markup(' stroke="{}" stroke-width="1.4"').format(OTHER_TRACK_INK)
    drawn.append(_filled(_steps(simple[tier == 0], view, is_closed=True), "#fff", rim=hollow))
    for number in by_tier:
        path = _steps(simple[tier == number], view, is_closed=True)
        drawn.append(_filled(path, inks[number - 1], rim=Markup(' stroke="#6b5a55"')))
    return drawn


def _square_path(cell: Whole) -> str:
    """Return squares side by side as one stretch each, row by row."""
    if not len(cell):
        return ""
    cell = cell[np.lexsort([cell[:, 0], cell[:, 1]])]
    is_new = np.append(True, (np.diff(cell[:, 0]) != 1) | (np.diff(cell[:, 1]) != 0))
    first = np.flatnonzero(is_new)
    length = np.diff(np.append(first, len(cell))) * SQUARE
    return "".join(
        f"M{x} {y}h{wide}v{SQUARE}h-{wide}z"
        for (x, y), wide in zip((cell[first] * SQUARE).tolist(), length.tolist(), strict=True)
    )


def _rim(cell: Whole) -> Markup:
    """Return a thin dark edge around all squares together: pale ones would be lost on white."""
    mark = '<path d="{}" fill="none" stroke="#6b5a55" stroke-width="2.4"/>'
    return Markup(mark).format(_square_path(cell))


def _hatched(cell: Whole) -> Markup:
    """Return squares with a stroke across each."""
    square = SQUARE
    strokes = "".join(f"M{x} {y + square}l{square}-{square}" for x, y in (cell * square).tolist())
    mark = '<path d="{}" fill="#fff"/><path d="{}" stroke="{}" stroke-width="1.6"/>'
    if not len(cell):
        return _NOTHING
    return Markup(mark).format(_square_path(cell), strokes, OTHER_TRACK_INK)


def _filled(path: str, ink: str, *, rim: Markup = _NOTHING) -> Markup:
    if not path:
        return _NOTHING
    return Markup('<path d="{}" fill="{}"{}/>').format(path, ink, rim)


def _numbers(points: Whole, height: int) -> list[Markup]:
    drawn = []
    places = spread_out(points, gap=2 * LABEL_RADIUS + 2, height=height)
    for (x, y), (from_x, from_y) in zip(places.tolist(), points.tolist(), strict=True):
        if (x, y) != (from_x, from_y):
            drawn.append(
                Markup(
                    '<path d="M{} {}L{} {}" stroke="#000" stroke-width="3"/>'
                    '<circle cx="{}" cy="{}" r="5" fill="#000"/>'
                ).format(from_x, from_y, x, y, from_x, from_y)
            )
    for number, (x, y) in enumerate(places.tolist(), start=1):
        drawn.append(
            Markup(
                '<circle cx="{}" cy="{}" r="{}" fill="#fff" stroke="#000" stroke-width="3"/>'
                '<text x="{}" y="{}" text-anchor="middle" class="number">{}</text>'
            ).format(x, y, LABEL_RADIUS, x, y + 9, number)
        )
    return drawn


def spread_out(points: Whole, *, gap: int, height: int) -> Whole:
    """Return places for labels near their points, none nearer than ``gap`` to another.

    Each takes its own point if that is free, else the nearest free place on rings around it; where
    all are taken it stays. Places keep within the map.
    """
    taken: list[tuple[int, int]] = []
    ring = [(0, 0)] + [
        (round(radius * np.cos(turn)), round(radius * np.sin(turn)))
        for radius in (gap * 1.2, gap * 2, gap * 3)
        for turn in np.linspace(0, 2 * np.pi, 16, endpoint=False)
    ]
    edge = gap // 2 + 2
    for x, y in points.tolist():
        for dx, dy in ring:
            at = (
                min(max(x + dx, edge), WIDTH - edge),
                min(max(y + dy, edge), height - edge),
            )
            if all((at[0] - a) ** 2 + (at[1] - b) ** 2 >= gap**2 for a, b in taken):
                break
        else:
            at = (x, y)
        taken.append(at)
    return np.array(taken, dtype=np.int64).reshape(-1, 2)


def _scale_bar(view: View) -> list[Markup]:
    length_m = max(
        [m for m in _SCALE_BARS_M if m / view.m_per_unit <= WIDTH / 4] or [_SCALE_BARS_M[0]]
    )
    units = round(length_m / view.m_per_unit)
    said = f"{length_m} m" if length_m < 1000 else f"{length_m // 1000} km"
    y = view.height - 24
    return [
        Markup('<path d="M24 {}v14h{}v-14" fill="none" stroke="#000" stroke-width="3"/>').format(
            y - 14, units
        ),
        Markup('<text x="{}" y="{}" class="note">{}</text>').format(36 + units, y + 2, said),
    ]


def _north() -> Markup:
    x, y = WIDTH - 40, 24
    return Markup(
        '<path d="M{} {}l16 44l-16 -10l-16 10z" fill="#000"/>'
        '<text x="{}" y="{}" text-anchor="middle" class="note">N</text>'
    ).format(x, y, x, y + 76)


def _clipped(shapes: NDArray[np.object_], view: View) -> NDArray[np.object_]:
    """Return what of the shapes lies in the view, simplified to what the map can show."""
    if not len(shapes):
        return shapes
    box = view.box
    west, south, east, north = shapely.bounds(shapes).T
    near = (west < box[2]) & (east > box[0]) & (south < box[3]) & (north > box[1])
    found = shapely.clip_by_rect(shapes[near], *box)
    found = shapely.simplify(found, view.m_per_unit, preserve_topology=False)
    return np.asarray(found[~shapely.is_empty(found)])


def _path(shapes: NDArray[np.object_], view: View, style: str, *, is_closed: bool) -> Markup:
    path = _steps(shapes, view, is_closed=is_closed)
    if not path:
        return Markup("")
    return Markup('<path d="{}" fill-rule="evenodd" {}/>').format(path, Markup(style))


def _steps(shapes: NDArray[np.object_], view: View, *, is_closed: bool) -> str:
    parts: Any = shapely.get_parts(shapes)
    if is_closed:
        parts = shapely.get_rings(parts[shapely.get_type_id(parts) == 3])
    points, owner = shapely.get_coordinates(parts, return_index=True)
    return path_of(view.units(points), owner, is_closed=is_closed)


def map_key(tier_words: Sequence[Words]) -> Words:
    """Return how the map is read, for its caption."""
    return Words(
        f"颜色越深越急（{tier_words[0].zh}最深）；斜线为不参与排序；圆圈数字为下表序号；虚线为区界，"
        "灰线为主干道路，浅蓝为水面。",
        f"The darker the more urgent ({tier_words[0].en} is darkest); hatched: not ranked; "
        "numbers: areas of the table; dashes: district; grey lines: main roads; pale blue: water.",
    )
