"""A hillside town in another country: footprints, a terrain model, an OSM extract.

Lisbon's side of the Tagus, ETRS89 / UTM 29N; the ground rises 0.15 m per metre to the north from 20 m.
"""

from pathlib import Path

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import rasterio
import shapely
from pyproj import Transformer

CRS = "EPSG:25829"
WEST, SOUTH = 488_000.0, 4_285_000.0
STEP_M, COLUMNS, ROWS = 40.0, 12, 10
GRADE = 0.15
_TO_DEGREES = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)


def write(folder: Path) -> None:
    """Write footprints.shp, dem25.tif and region.osm.pbf."""
    folder.mkdir(parents=True, exist_ok=True)
    _footprints().to_file(folder / "building_footprints.shp", encoding="utf-8")
    _terrain(folder / "dem25.tif")
    _streets(folder / "region.osm.pbf")


def _footprints() -> gpd.GeoDataFrame:
    rows = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            x, y = WEST + column * STEP_M + 8, SOUTH + row * STEP_M + 8
            number = row * COLUMNS + column
            rows.append(
                {
                    "bldg_id": f"B{number:04d}",
                    "use_type": "shop" if number % 10 == 0 else "residential",
                    "floors": 2 + number % 6,
                    "year_built": 1930 + number % 80,
                    "geometry": shapely.box(x, y, x + 14, y + 11),
                }
            )
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry="geometry", crs=CRS)


def _terrain(path: Path) -> None:
    cell, size = 25.0, 60
    west, north = WEST - 400, SOUTH + 1000
    y = north - (np.arange(size) + 0.5) * cell
    values = np.repeat((20 + GRADE * (y - SOUTH))[:, None], size, axis=1).astype("float32")
    with rasterio.open(
        path, "w", driver="GTiff", width=size, height=size, count=1, dtype="float32", crs=CRS,
        transform=rasterio.Affine(cell, 0, west, 0, -cell, north),
    ) as file:  # fmt: skip
        file.write(values, 1)


def _streets(path: Path) -> None:
    writer = osmium.SimpleWriter(str(path))
    ways: list[tuple[list[int], dict[str, str]]] = []
    number: dict[tuple[int, int], int] = {}
    for row in range(ROWS + 1):
        for column in range(COLUMNS + 1):
            lon, lat = _TO_DEGREES.transform(WEST + column * STEP_M, SOUTH + row * STEP_M)
            key = number[(row, column)] = len(number) + 1
            tags = {}
            if (row + column) % 3 == 0:
                tags = {"shop": "convenience", "name": "Loja"}
            elif column % 4 == 1 and row == 0:
                tags = {"highway": "bus_stop"}
            writer.add_node(osmium.osm.mutable.Node(id=key, location=(lon, lat), tags=tags))
    for row in range(ROWS + 1):
        kind = "primary" if row == 0 else "residential"
        along = [number[(row, column)] for column in range(COLUMNS + 1)]
        ways.append((along, {"highway": kind, "name": f"Rua {row}"}))
    for column in range(COLUMNS + 1):
        for row in range(ROWS):
            kind = "steps" if column % 3 else "residential"
            pair = [number[(row, column)], number[(row + 1, column)]]
            ways.append((pair, {"highway": kind}))
    for key, (nodes, tags) in enumerate(ways, 1):
        writer.add_way(osmium.osm.mutable.Way(id=key, nodes=nodes, tags=tags))
    writer.close()
