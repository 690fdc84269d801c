"""The town of ``foreign_town`` as France, the Netherlands and a Chinese bureau would deliver it.

The same 120 houses on the same slope; names of fields and words are those of the country. Heights
come as the tile of one degree that holds the town.
"""

import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from tests.foreign_town import COLUMNS, CRS, GRADE, ROWS, SOUTH, STEP_M, WEST

TILE, TILE_CELLS = "N38W010", 1201
VOID = -32768
_TO_METRES = Transformer.from_crs("EPSG:4326", CRS, always_xy=True)
_TO_DEGREES = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)


def houses(**fields: list[object]) -> gpd.GeoDataFrame:
    """Return the 120 houses, 14 × 11 m, with the fields of a country."""
    places = [
        (WEST + column * STEP_M + 8, SOUTH + row * STEP_M + 8)
        for row in range(ROWS) for column in range(COLUMNS)
    ]  # fmt: skip
    shapes = [shapely.box(x, y, x + 14, y + 11) for x, y in places]
    return gpd.GeoDataFrame(pd.DataFrame(fields), geometry=shapes, crs=CRS)


def lines(**by_kind: str) -> gpd.GeoDataFrame:
    """Return the streets: the first along the foot, the others along, and those up the slope."""
    rows = []
    for row in range(ROWS + 1):
        y = SOUTH + row * STEP_M
        points = [(WEST + column * STEP_M, y) for column in range(COLUMNS + 1)]
        rows.append(("main" if row == 0 else "along", shapely.LineString(points)))
    for column in range(COLUMNS + 1):
        x = WEST + column * STEP_M
        points = [(x, SOUTH + row * STEP_M) for row in range(ROWS + 1)]
        rows.append(("up", shapely.LineString(points)))
    frame = gpd.GeoDataFrame({"kind": [kind for kind, _ in rows]}, geometry=[s for _, s in rows])
    for field, words in by_kind.items():
        frame[field] = frame["kind"].map(dict(zip(("main", "along", "up"), words, strict=True)))
    return frame.drop(columns="kind").set_crs(CRS)


def ponds(count: int, **fields: str) -> gpd.GeoDataFrame:
    """Return ponds of 20 × 25 m beside the town, as many as a town has houses."""
    x = [WEST - 300 + 30 * (n % 8) for n in range(count)]
    y = [SOUTH + 40 * (n // 8) for n in range(count)]
    shapes = [shapely.box(a, b, a + 20, b + 25) for a, b in zip(x, y, strict=True)]
    return gpd.GeoDataFrame(
        {name: [word] * count for name, word in fields.items()}, geometry=shapes, crs=CRS
    )


def tile_bytes() -> bytes:
    """Return the .hgt tile of the town: big-endian whole metres, one void; GRADE up to the north."""
    step = 1 / (TILE_CELLS - 1)
    lat = 39.0 - np.arange(TILE_CELLS) * step
    _, y = _TO_METRES.transform(np.full(TILE_CELLS, -9.138), lat)
    heights = np.round(20 + GRADE * (y - SOUTH)).clip(-100, 4000)
    cells = np.repeat(heights[:, None], TILE_CELLS, axis=1).astype(">i2")
    cells[0, 0] = VOID
    return cells.tobytes()


def write_tile(folder: Path, *, zipped: bool) -> None:
    """Write the tile as it is offered: alone, or zipped."""
    if not zipped:
        (folder / f"{TILE}.hgt").write_bytes(tile_bytes())
        return
    with zipfile.ZipFile(folder / f"{TILE}.SRTMGL3.hgt.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{TILE}.hgt", tile_bytes())


def stops(count: int) -> pd.DataFrame:
    """Return bus stops along the main street: name, lon, lat, and no field for a type."""
    at = [(WEST + 100 * n, SOUTH) for n in range(count)]
    lon, lat = zip(*(_TO_DEGREES.transform(*one) for one in at), strict=True)
    return pd.DataFrame({"name": [f"站{n}" for n in range(count)], "lon": lon, "lat": lat})
