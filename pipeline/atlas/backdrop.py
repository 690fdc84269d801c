"""What lies under the buildings: hillshade, water, contours, streets, district outlines.

All of it is for orientation only; nothing here is measured from. The terrain is smoothed a little
before it is drawn, since the noise of a 30 m model shows as grain.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from pipeline.atlas.mercator import (
    UNITS_PER_M,
    WEB_MERCATOR,
    add_lines,
    add_polygons,
    mercator_shapes,
    spatial_order,
    units,
)
from pipeline.atlas.packing import Pack
from pipeline.geo.raster import Floats, Raster, bilinear
from pipeline.geo.terrain import hillshade
from pipeline.settings.atlas import AtlasSettings

MAX_SHADE_CELLS = 130_000
MAX_CONTOUR_CELLS = 120_000
MAX_STREET_POINTS = 200_000
SHADE_STEPS = 28
MESH = 8
"""Cells from one exactly projected place to the next; between them 0.1 m is not seen."""
LABEL_CELLS = 160
CONTOUR_TOLERANCE_M = 10.0
CONTOUR_TOLERANCE_CELLS = 0.1
"""A line is no truer than the cells that it comes from; the larger of the two tolerances holds."""
STREET_TOLERANCE_M = 3.0
LINE_QUANTUM_UNITS = 8
CONTOUR_QUANTUM_UNITS = 16

STREET_CLASSES = ("main", "minor", "service", "foot", "steps")
STRUCTURES = ("ground", "bridge", "tunnel")
_MINOR = {
    "motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link", "secondary",
    "secondary_link", "tertiary", "tertiary_link", "residential", "unclassified", "living_street",
    "road",
}  # fmt: skip


@dataclass(frozen=True)
class Shade:
    """A grey picture of the terrain on a north-up Web Mercator grid.

    ``grey`` is 0 where empty, else 1 (dark) to ``SHADE_STEPS`` (lit). ``west_m`` and ``north_m``
    are the outer corner of the first cell in Web Mercator metres, ``cell_m`` the side of a cell.
    """

    grey: NDArray[np.uint8]
    west_m: float
    north_m: float
    cell_m: float


def smoothed(terrain: Raster) -> Raster:
    """Return the terrain under a 3 × 3 binomial filter; empty cells stay empty and do not count."""
    known = ~np.isnan(terrain.values)
    if known.all():
        return terrain.with_values(_binomial(terrain.values.astype(np.float64)))
    total = _binomial(np.where(known, terrain.values, 0).astype(np.float64))
    weight = _binomial(known.astype(np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        return terrain.with_values(np.where(known, total / weight, np.nan))


def lit(terrain: Raster, settings: AtlasSettings) -> Raster:
    """Return how the terrain is lit, 0 to 1, smoothed a little."""
    return terrain.with_values(
        hillshade(
            smoothed(terrain),
            azimuth_deg=settings.hillshade_azimuth_deg,
            altitude_deg=settings.hillshade_altitude_deg,
            exaggeration=settings.hillshade_exaggeration,
        )
    )


def shade(light: Raster) -> Shade:
    """Return the picture of what ``lit`` returns, resampled from its own projection to Web Mercator."""
    forward = Transformer.from_crs(light.crs, WEB_MERCATOR, always_xy=True)
    west, south, east, north = forward.transform_bounds(*light.bounds)
    own_width = light.bounds[2] - light.bounds[0]
    cell_m = light.cell_m * (east - west) / own_width * 0.6
    cell_m = max(cell_m, float(np.sqrt((east - west) * (north - south) / MAX_SHADE_CELLS)))
    columns, rows = int((east - west) / cell_m) + 1, int((north - south) / cell_m) + 1
    x = west + (np.arange(0, columns + MESH, MESH) + 0.5) * cell_m
    y = north - (np.arange(0, rows + MESH, MESH) + 0.5) * cell_m
    back = Transformer.from_crs(WEB_MERCATOR, light.crs, always_xy=True)
    own = back.transform(*np.meshgrid(x, y))
    own_x, own_y = (_between(_between(side, rows).T, columns).T.ravel() for side in own)
    values = bilinear(light, own_x, own_y).reshape(rows, columns)
    known = ~np.isnan(values)
    grey = np.where(known, np.floor(np.where(known, values, 0) * (SHADE_STEPS - 1) + 0.5) + 1, 0)
    return Shade(grey.astype(np.uint8), west, north, cell_m)


def _between(nodes: Floats, count: int) -> Floats:
    """Return rows between rows that lie ``MESH`` apart."""
    at = np.arange(count)
    low, share = at // MESH, (at % MESH / MESH)[:, None]
    return nodes[low] * (1 - share) + nodes[low + 1] * share


def contours(terrain: Raster, *, interval_m: float) -> tuple[NDArray[np.object_], Floats]:
    """Return contour lines in the terrain's projection, and the height of each.

    Marching squares (Lorensen and Cline 1987, in two dimensions) on the smoothed cell centres; in
    the ambiguous case the two corners that lie high are cut off singly.
    """
    grid = _coarser(smoothed(terrain), MAX_CONTOUR_CELLS)
    lowest, highest = np.nanmin(grid.values), np.nanmax(grid.values)
    first = np.ceil(lowest / interval_m) * interval_m
    tolerance_m = max(CONTOUR_TOLERANCE_M, CONTOUR_TOLERANCE_CELLS * grid.cell_m)
    lines: list[NDArray[np.object_]] = []
    heights: list[float] = []
    for level in np.arange(first, highest, interval_m):
        segments = _segments(grid, float(level) + 1e-6)
        if not len(segments):
            continue
        merged = shapely.line_merge(shapely.multilinestrings(shapely.linestrings(segments)))
        parts = shapely.simplify(shapely.get_parts(merged), tolerance_m)
        parts = parts[shapely.length(parts) > 4 * grid.cell_m]
        lines.append(parts)
        heights += [float(level)] * len(parts)
    found = np.concatenate(lines) if lines else np.zeros(0, dtype=object)
    return found, np.array(heights)


STREET_FACTS = ("highway_type", "structure_type", "is_main_road", "road_name")
"""What ``street_lines`` reads of a street."""


def street_lines(edges: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return streets joined to long lines: class, structure, name, each a category; main ones first.

    Where there are more points than a page should carry, foot paths and then service roads stay
    out.
    """
    classes = street_class(edges)
    structure = edges["structure_type"].where(edges["structure_type"].isin(STRUCTURES), "ground")
    name = edges["road_name"].fillna("")
    keys = pd.DataFrame({"street_class": classes, "structure_type": structure, "road_name": name})
    group = keys.groupby(list(keys.columns)).ngroup().to_numpy()
    order = np.argsort(group, kind="stable")
    group, shapes = group[order], edges.geometry.to_numpy()[order]
    merged = shapely.line_merge(shapely.multilinestrings(shapes, indices=group))
    parts, group_of_part = shapely.get_parts(merged, return_index=True)
    table = keys.iloc[order[np.searchsorted(group, group_of_part)]]
    table = table.assign(
        geometry=shapely.simplify(parts, STREET_TOLERANCE_M, preserve_topology=False)
    )
    table = table.iloc[spatial_order(table["geometry"].to_numpy())]
    kinds = {"street_class": STREET_CLASSES, "structure_type": STRUCTURES}
    for column, words in kinds.items():
        table[column] = pd.Categorical(table[column], categories=words)
    table["road_name"] = table["road_name"].where(table["road_name"] != "").astype("category")
    table = table.iloc[np.argsort(table["street_class"].cat.codes.to_numpy(), kind="stable")]
    points = shapely.get_num_coordinates(table["geometry"].to_numpy())
    for unimportant in ("foot", "service"):
        if points.sum() > MAX_STREET_POINTS:
            kept = (table["street_class"] != unimportant).to_numpy()
            table, points = table[kept], points[kept]
    return gpd.GeoDataFrame(table.reset_index(drop=True), geometry="geometry", crs=edges.crs)


def street_class(edges: pd.DataFrame) -> "pd.Series[str]":
    """Return how each street is drawn: one of ``STREET_CLASSES``."""
    kind = edges["highway_type"].astype("str")
    is_steps = edges["structure_type"].isin(["steps", "escalator", "lift"])
    chosen = np.select(
        [is_steps, edges["is_main_road"], kind.isin(_MINOR), kind == "service"],
        ["steps", "main", "minor", "service"],
        default="foot",
    )
    return pd.Series(chosen, index=edges.index)


def add_shade(pack: Pack, picture: Shade) -> dict[str, float]:
    """Pack the hillshade and return where it lies, in units of the Web Mercator square."""
    rows, columns = picture.grey.shape
    pack.numbers("shade", picture.grey.astype(np.int64).ravel())
    x, y = units(np.array([picture.west_m]), np.array([picture.north_m]))
    return {
        "rows": rows,
        "columns": columns,
        "x": int(x[0]),
        "y": int(y[0]),
        "cell": picture.cell_m * UNITS_PER_M,
        "steps": SHADE_STEPS,
    }


def contour_lines(terrain: Raster, *, interval_m: float) -> gpd.GeoDataFrame:
    """Return the contours as a table with their heights, in the terrain's projection."""
    lines, heights = contours(terrain, interval_m=interval_m)
    return gpd.GeoDataFrame({"height_m": heights}, geometry=lines, crs=terrain.crs)


def add_contours(pack: Pack, lines: gpd.GeoDataFrame) -> int:
    """Pack the contours and return how many lines there are."""
    add_lines(pack, "contours", mercator_shapes(lines), quantum=CONTOUR_QUANTUM_UNITS)
    pack.measures("contours.height_m", lines["height_m"], decimals=0)
    return len(lines)


def add_streets(pack: Pack, lines: gpd.GeoDataFrame) -> dict[str, int]:
    """Pack streets as ``street_lines`` returns them and tell how many lines of each class there are.

    Main roads are columns of their own, ``roads``: they alone show in the view of the whole city.
    """
    is_main = lines["street_class"] == "main"
    for name, part in (("roads", lines[is_main]), ("streets", lines[~is_main])):
        add_lines(pack, name, mercator_shapes(part), quantum=LINE_QUANTUM_UNITS)
        pack.numbers(f"{name}.class", part["street_class"].cat.codes)
        pack.numbers(f"{name}.structure", part["structure_type"].cat.codes)
        pack.categories(f"{name}.name", part["road_name"])
    counts = lines["street_class"].value_counts()
    return {name: int(counts.get(name, 0)) for name in STREET_CLASSES}


def add_water(pack: Pack, water: gpd.GeoDataFrame) -> int:
    """Pack rivers and lakes and return how many there are."""
    add_polygons(pack, "water", mercator_shapes(water), quantum=LINE_QUANTUM_UNITS)
    return len(water)


def add_estates(pack: Pack, estates: gpd.GeoDataFrame) -> int:
    """Pack the outlines of estates with their names and return how many there are."""
    estates = estates.iloc[spatial_order(estates.geometry.to_numpy())]
    add_polygons(pack, "estates", mercator_shapes(estates), quantum=LINE_QUANTUM_UNITS)
    pack.categories("estates.name", estates["estate_name"])
    return len(estates)


def add_districts(pack: Pack, districts: gpd.GeoDataFrame) -> None:
    """Pack the district outlines, and their names with ``label_x_m`` and ``label_y_m`` for them."""
    add_polygons(pack, "districts", mercator_shapes(districts))
    pack.texts("districts.name", districts["district_name"].astype("str"))
    x, y = units(districts["label_x_m"].to_numpy(), districts["label_y_m"].to_numpy())
    pack.numbers("districts.label_x", x)
    pack.numbers("districts.label_y", y)


def label_points(districts: gpd.GeoDataFrame, middles: Floats) -> gpd.GeoSeries:
    """Return for each district the roomiest place: inside it, far from its edge and the buildings.

    ``middles`` are x and y of the buildings in the projection of the districts.
    """
    points = [_roomiest(shape, middles) for shape in districts.geometry]
    return gpd.GeoSeries(points, crs=districts.crs)


def _roomiest(district: shapely.Geometry, middles: Floats) -> shapely.Geometry:
    from scipy.ndimage import distance_transform_edt  # takes long, and a part needs it not

    west, south, east, north = shapely.bounds(district)
    cell = max(east - west, north - south) / LABEL_CELLS
    x, y = np.meshgrid(np.arange(west, east, cell), np.arange(south, north, cell))
    is_free = shapely.contains_xy(district, x, y)
    column = ((middles[:, 0] - west) / cell + 0.5).astype(np.int64)
    row = ((middles[:, 1] - south) / cell + 0.5).astype(np.int64)
    inside = (column >= 0) & (column < x.shape[1]) & (row >= 0) & (row < x.shape[0])
    is_free[row[inside], column[inside]] = False
    room = distance_transform_edt(np.pad(is_free, 1))[1:-1, 1:-1]
    if not room.any():
        return shapely.point_on_surface(district)
    place = np.unravel_index(np.argmax(room), room.shape)
    return shapely.Point(x[place], y[place])


def _binomial(values: Floats) -> Floats:
    padded = np.pad(values, 1, mode="edge")
    across = 2 * padded[:, 1:-1]
    across += padded[:, :-2]
    across += padded[:, 2:]
    both = 2 * across[1:-1]
    both += across[:-2]
    both += across[2:]
    both /= 16
    return both


def _coarser(grid: Raster, max_cells: int) -> Raster:
    step = int(np.ceil(np.sqrt(grid.values.size / max_cells)))
    if step <= 1:
        return grid
    rows, columns = (side // step for side in grid.values.shape)
    blocks = grid.values[: rows * step, : columns * step].reshape(rows, step, columns, step)
    return Raster(blocks.mean(axis=(1, 3)), grid.west_m, grid.north_m, grid.cell_m * step, grid.crs)


# Corners are numbered clockwise from the north-west, edges likewise from the north. For each of the
# sixteen patterns of high corners: the pairs of edges that a contour joins.
_CASES: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((3, 0),), 2: ((0, 1),), 3: ((3, 1),), 4: ((1, 2),), 5: ((3, 0), (1, 2)), 6: ((0, 2),),
    7: ((3, 2),), 8: ((2, 3),), 9: ((2, 0),), 10: ((0, 1), (2, 3)), 11: ((2, 1),), 12: ((1, 3),),
    13: ((1, 0),), 14: ((0, 3),),
}  # fmt: skip


def _segments(grid: Raster, level: float) -> Floats:
    """Return the pieces of one contour: piece × two ends × x, y."""
    z = grid.values.astype(np.float64)
    high, empty = (z > level).view(np.uint8), np.isnan(z)
    pattern = high[:-1, :-1] + 2 * high[:-1, 1:] + 4 * high[1:, 1:] + 8 * high[1:, :-1]
    is_crossed = (pattern > 0) & (pattern < 15)
    is_crossed &= ~(empty[:-1, :-1] | empty[:-1, 1:] | empty[1:, 1:] | empty[1:, :-1])
    rows, columns = np.nonzero(is_crossed)
    cases = pattern[rows, columns]
    pieces = []
    for case, joins in _CASES.items():
        is_case = cases == case
        row, column = rows[is_case], columns[is_case]
        for start, end in joins:
            ends = [_crossing(z, row, column, edge, level) for edge in (start, end)]
            pieces.append(np.stack(ends, axis=1))
    found = np.concatenate(pieces)
    x = grid.west_m + (found[..., 0] + 0.5) * grid.cell_m
    y = grid.north_m - (found[..., 1] + 0.5) * grid.cell_m
    return np.stack([x, y], axis=-1)


def _crossing(
    z: Floats, row: NDArray[np.intp], column: NDArray[np.intp], edge: int, level: float
) -> Floats:
    """Return where the contour crosses an edge, in cells; neighbours get the very same number."""
    if edge in (0, 2):
        row = row + (edge == 2)
        near, far = z[row, column], z[row, column + 1]
        return np.stack([column + (level - near) / (far - near), row.astype(np.float64)], axis=-1)
    column = column + (edge == 1)
    near, far = z[row, column], z[row + 1, column]
    return np.stack([column.astype(np.float64), row + (level - near) / (far - near)], axis=-1)
