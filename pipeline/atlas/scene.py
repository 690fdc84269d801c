"""What a map shows, made ready once for the city and cut into districts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pipeline.atlas.backdrop import STREET_FACTS, contour_lines, label_points, street_lines
from pipeline.atlas.buildings import SEARCHED, plain_column, whole_table
from pipeline.atlas.mercator import WEB_MERCATOR
from pipeline.contracts.stage import Inputs
from pipeline.contracts.tables import (
    BUILDING_RANKING,
    BUILDINGS,
    DISTRICT_PRIORITY,
    DISTRICTS,
    ESTATES,
    MAIN_ROAD_PATHS,
    MEASUREMENTS,
    PLAN_PROJECTS,
    RANKING,
    STREET_EDGES,
    WATER,
)
from pipeline.geo.raster import Raster
from pipeline.settings.score import ScoreSettings

WALK_ENDINGS = ("_walk_out_min", "_walk_back_min", "_walk_m", "_climb_m", "_gap_m")
AROUND_M = 300.0
"""How far streets and terrain go on beyond a district, so that its edge is readable."""


@dataclass(frozen=True)
class Scene:
    """Shapes are in Web Mercator; ``terrain`` stays in its own projection."""

    buildings: gpd.GeoDataFrame
    """Scored buildings as ``whole_table`` returns them."""
    others: gpd.GeoDataFrame
    """All other footprints."""
    districts: gpd.GeoDataFrame
    """With a place for the name of each, as ``label_points`` finds it."""
    estates: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame
    contours: gpd.GeoDataFrame
    water: gpd.GeoDataFrame
    paths: gpd.GeoDataFrame
    """Points of the walks home, in the order of their numbers."""
    priority: pd.DataFrame
    terrain: Raster
    tier_last_ranks: tuple[int, ...]
    """Last rank of each tier in the whole city."""
    spelt: Mapping[str, str]
    """Initials of the words that people search for."""
    frame: str
    """The page around the data, as ``page_frame`` renders it."""

    def part(self, district_id: str) -> "Scene":
        """Return what the map of one district shows.

        Walks lead on to their road even where that lies outside.
        """
        own = self.districts[self.districts["district_id"] == district_id]
        name = own["district_name"].iloc[0]
        around = shapely.buffer(own.geometry.iloc[0], AROUND_M)
        buildings = self.buildings[self.buildings["district_name"] == name].reset_index(drop=True)
        box = gpd.GeoSeries([shapely.box(*around.bounds)], crs=WEB_MERCATOR)
        return replace(
            self,
            buildings=buildings,
            others=self.others[self.others["district_name"] == name].reset_index(drop=True),
            districts=own.reset_index(drop=True),
            estates=_touching(self.estates, own.geometry.iloc[0]),
            streets=_touching(self.streets, around),
            contours=_clipped(_touching(self.contours, around), around),
            water=_touching(self.water, around),
            paths=self.paths[_reached(self.paths, buildings["main_road_path_point_number"])],
            priority=self.priority[self.priority["district_name"] == name],
            terrain=cropped(self.terrain, tuple(box.to_crs(self.terrain.crs).total_bounds)),
        )


def city_scene(inputs: Inputs) -> Scene:
    """Return what the map of the whole city shows."""
    tables, beside = inputs.tables, inputs.beside
    buildings: gpd.GeoDataFrame = tables[BUILDINGS]
    listed: pd.DataFrame = tables[BUILDING_RANKING]
    terrain = inputs.rasters["terrain"]
    names = {name for key in SEARCHED for name in listed[key].dropna().unique()}
    texts = beside.call(_texts, sorted(names))
    edges = tables[STREET_EDGES][[*STREET_FACTS, "geometry"]]
    interval_m = inputs.settings.atlas.contour_interval_m
    lines = beside.call(_lines, terrain, edges, interval_m)
    table = whole_table(buildings, tables[MEASUREMENTS], tables[RANKING], listed)
    table = table.drop(columns=unread_columns(table.columns, inputs.settings.score)).copy()
    projects = tables[PLAN_PROJECTS].set_index("project_id")["unit_cost_cny_per_m2"]
    table["unit_cost_cny_per_m2"] = table["project_id"].astype("str").map(projects)
    told = ["building_use_type", "building_name", "district_name", "geometry"]
    is_listed = pd.Index(listed["building_id"]).get_indexer(buildings["building_id"]) >= 0
    others = buildings.loc[~is_listed, told]
    for name in told[:-1]:
        others[name] = plain_column(others[name])
    last_ranks = listed.groupby("tier_number")["rank"].max()
    table, others = table.to_crs(WEB_MERCATOR), others.to_crs(WEB_MERCATOR)
    shapes = np.concatenate([table.geometry.to_numpy(), others.geometry.to_numpy()])
    districts = tables[DISTRICTS].to_crs(WEB_MERCATOR)
    places = label_points(districts, shapely.get_coordinates(shapely.centroid(shapes)))
    spelt, frame = texts.result()
    contours, streets = lines.result()
    return Scene(
        buildings=table,
        others=others,
        districts=districts.assign(label_x_m=places.x, label_y_m=places.y),
        estates=tables[ESTATES].to_crs(WEB_MERCATOR),
        streets=streets,
        contours=contours,
        water=tables[WATER].to_crs(WEB_MERCATOR),
        paths=tables[MAIN_ROAD_PATHS].to_crs(WEB_MERCATOR),
        priority=tables[DISTRICT_PRIORITY],
        terrain=terrain,
        tier_last_ranks=tuple(int(rank) for rank in last_ranks),
        spelt=spelt,
        frame=frame,
    )


def _texts(words: list[str]) -> tuple[dict[str, str], str]:
    """Return how words are spelt, and the frame; both need libraries that take long to load."""
    from pipeline.atlas.frame import page_frame
    from pipeline.atlas.spelling import initials

    return initials(words), page_frame()


def _lines(
    terrain: Raster, edges: gpd.GeoDataFrame, interval_m: float
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return contours and streets."""
    contours = contour_lines(terrain, interval_m=interval_m)
    return contours.to_crs(WEB_MERCATOR), street_lines(edges).to_crs(WEB_MERCATOR)


def unread_columns(names: Iterable[str], score: ScoreSettings) -> list[str]:
    """Return the walks that no map shows: rows are picked and sent faster without."""
    read = {criterion.measure for criterion in score.criteria.values()}
    read |= {name for veto in score.vetoes.values() for name in veto.at_least}
    read |= set(score.tie_breaks)
    return [
        name
        for name in names
        if name.endswith(WALK_ENDINGS) and name not in read and not name.startswith("main_road_")
    ]


def _touching(frame: gpd.GeoDataFrame, area: shapely.Geometry) -> gpd.GeoDataFrame:
    if not len(frame):
        return frame
    rows = np.sort(frame.sindex.query(area, predicate="intersects"))
    return frame.iloc[rows].reset_index(drop=True)


def _clipped(lines: gpd.GeoDataFrame, area: shapely.Geometry) -> gpd.GeoDataFrame:
    """Return lines cut at the box of an area; a line that leaves and comes back becomes several."""
    cut = lines.set_geometry(
        gpd.GeoSeries(shapely.clip_by_rect(lines.geometry.to_numpy(), *area.bounds), crs=lines.crs)
    ).explode(index_parts=False)
    is_line = shapely.get_type_id(cut.geometry.to_numpy()) == shapely.GeometryType.LINESTRING
    return cut[is_line & ~cut.geometry.is_empty.to_numpy()].reset_index(drop=True)


def _reached(points: pd.DataFrame, begins: pd.Series) -> NDArray[np.bool_]:
    """Tell which points lie on the walks that begin at these."""
    numbers = points["path_point_number"].to_numpy(dtype=np.int64)
    following = points["next_path_point_number"]
    ahead_of = np.searchsorted(numbers, following.fillna(-1).to_numpy(dtype=np.int64))
    ahead_of = np.where(following.notna().to_numpy(), ahead_of, -1)
    reached = np.zeros(len(numbers), dtype=bool)
    ahead = np.unique(np.searchsorted(numbers, begins.dropna().to_numpy(dtype=np.int64)))
    while len(ahead):
        ahead = ahead[~reached[ahead]]
        reached[ahead] = True
        ahead = np.unique(ahead_of[ahead])
        ahead = ahead[ahead >= 0]
    return reached


def cropped(raster: Raster, bounds: tuple[float, float, float, float]) -> Raster:
    """Return the cells of a raster that lie in or touch a box."""
    west, south, east, north = bounds
    rows, columns = raster.values.shape
    top = max(0, int((raster.north_m - north) // raster.cell_m))
    left = max(0, int((west - raster.west_m) // raster.cell_m))
    bottom = min(rows, int(-(-(raster.north_m - south) // raster.cell_m)))
    right = min(columns, int(-(-(east - raster.west_m) // raster.cell_m)))
    return Raster(
        raster.values[top:bottom, left:right],
        raster.west_m + left * raster.cell_m,
        raster.north_m - top * raster.cell_m,
        raster.cell_m,
        raster.crs,
    )
