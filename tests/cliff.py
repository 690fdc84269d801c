"""A cliff that one can work out on paper: two streets, forty metres apart in height, one stair.

West of x = 0 the ground lies at 200 m, east of it at 240 m. The lower street is the main road and runs
north along x = -60 from y = -300 to 300; the upper street runs along x = 60. At the north end 120 m of
steps join them. The only house is a wedge whose tip lies 10 m east of the upper street, at y = 0.
"""

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from pipeline.contracts.tables import (
    AMENITIES,
    BUILDINGS,
    MEASUREMENTS,
    STREET_EDGES,
    STREET_NODES,
    WATER,
    Table,
)
from pipeline.geo.raster import Raster
from pipeline.settings.change import Change
from pipeline.settings.whole import Settings
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY

CRS = "EPSG:32648"
EAST, NORTH = 655_000.0, 3_270_000.0
_TO_DEGREES = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
_WHOLE = read_settings(REPOSITORY / "config", "yuzhong", "base")
HOUSE = [(70, 0), (80, 5), (80, -5)]
STREETS = {
    "lower": [(-60, -300), (-60, 300)],
    "stair": [(-60, 300), (60, 300)],
    "upper": [(60, -300), (60, 300)],
}
NO_LIFTS: dict[tuple[float, float], str] = {}

SETTINGS: Settings = _WHOLE.model_copy(
    update={
        "measure": _WHOLE.measure.model_copy(
            update={"access": _WHOLE.measure.access.model_copy(update={"min_facility_count": 1})}
        )
    }
)


def degrees(x: float, y: float) -> list[float]:
    """Return the longitude and latitude of a place given in metres from the middle."""
    return list(_TO_DEGREES.transform(EAST + x, NORTH + y))


def ground(step_m: float = 40.0) -> Raster:
    """Return the ground in cells of 10 m."""
    x = 10.0 * (np.arange(200) + 0.5) - 1000
    row = np.where(x > 0, 200.0 + step_m, 200.0).astype(np.float32)
    return Raster(np.tile(row, (200, 1)), EAST - 1000, NORTH + 1000, 10, CRS)


def _moved(shape: Any) -> Any:
    return shapely.transform(shape, lambda xy: xy + np.array([EAST, NORTH]))


def tables(
    streets: dict[str, list[tuple[float, float]]] | None = None,
    kinds: dict[str, str] | None = None,
    *,
    lifts: dict[tuple[float, float], str] = NO_LIFTS,
    markets: Sequence[tuple[float, float]] = ((60, 290),),
    houses: Sequence[list[tuple[float, float]]] = (HOUSE,),
) -> dict[Table, Any]:
    """Return the tables of a small town; streets are ground but for those in ``kinds``."""
    streets = STREETS if streets is None else streets
    kinds = {"stair": "steps"} | (kinds or {})
    ends = sorted({point for line in streets.values() for point in (line[0], line[-1])})
    node = {point: f"N{number}" for number, point in enumerate(ends)}
    nodes = gpd.GeoDataFrame(
        {
            "node_id": list(node.values()),
            "lift_type": [lifts.get(point, "none") for point in ends],
            "is_shut_gate": False,
        },
        geometry=[_moved(shapely.Point(point)) for point in ends],
        crs=CRS,
    )
    rows = [
        {
            "edge_id": name,
            "from_node_id": node[line[0]],
            "to_node_id": node[line[-1]],
            "highway_type": "footway",
            "structure_type": kinds.get(name, "ground"),
            "road_name": name,
            "is_main_road": name.startswith("lower"),
            "is_forward_open": True,
            "is_backward_open": True,
            "rise_steps": np.nan,
            "incline_grade": np.nan,
            "incline_type": "unknown",
        }
        for name, line in streets.items()
    ]
    lines = [_moved(shapely.LineString(line)) for line in streets.values()]
    edges = gpd.GeoDataFrame(pd.DataFrame(rows), geometry=lines, crs=CRS)
    edges["length_m"] = edges.length
    amenities = gpd.GeoDataFrame(
        {
            "amenity_id": [f"M{number}" for number in range(len(markets))],
            "amenity_type": ["market"] * len(markets),
            "amenity_name": [f"菜市场{number}" for number in range(len(markets))],
            "source_name": ["hand"] * len(markets),
            "source_row": [str(number) for number in range(len(markets))],
        },
        geometry=[_moved(shapely.Point(point)) for point in markets],
        crs=CRS,
    )
    ids = [f"B{number}" for number in range(len(houses))]
    buildings = gpd.GeoDataFrame(
        {
            "building_id": ids,
            "building_name": [None] * len(ids),
            "district_name": ["崖区"] * len(ids),
            "estate_name": [None] * len(ids),
            "is_housing": [True] * len(ids),
        },
        geometry=[_moved(shapely.Polygon(house)) for house in houses],
        crs=CRS,
    )
    water = gpd.GeoDataFrame({"water_id": []}, geometry=[], crs=CRS)
    measured = pd.DataFrame({"building_id": ids, "road_name": ["upper"] * len(ids)})
    return {
        STREET_NODES: nodes, STREET_EDGES: edges, AMENITIES: amenities, BUILDINGS: buildings,
        WATER: water, MEASUREMENTS: measured,
    }  # fmt: skip


def change(*actions: dict[str, Any]) -> Change:
    """Return a change of these actions."""
    return Change.model_validate(
        {"title_zh": "试", "title_en": "try", "datum": "wgs84", "actions": list(actions)},
        strict=False,
    )
