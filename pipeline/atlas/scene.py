"""What a map shows, made ready once for the city and cut into districts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.atlas.backdrop import STREET_FACTS, contour_lines, label_points, lit, street_lines
from pipeline.atlas.buildings import (
    OTHER_QUANTUM_UNITS,
    RANKED_QUANTUM_UNITS,
    SEARCHED,
    building_rows,
    plain_column,
    whole_table,
)
from pipeline.atlas.mercator import WEB_MERCATOR, Outlines, outlines_of, spatial_order
from pipeline.atlas.points import Used
from pipeline.atlas.walks import Tree, tree_of
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
    PLAN_SUMMARY,
    RANKING,
    STREET_EDGES,
    WATER,
)
from pipeline.geo.raster import Raster

AROUND_M = 300.0
"""How far streets and terrain go on beyond a district, so that its edge is readable."""


@dataclass(frozen=True)
class Scene:
    """Shapes are in Web Mercator; ``light``, as ``lit`` returns it, stays in its own projection."""

    buildings: pd.DataFrame
    """Scored buildings as ``building_rows`` returns them, and the row in ``walks`` of each."""
    outlines: Outlines
    others: pd.DataFrame
    """What is told of all other footprints."""
    other_outlines: Outlines
    districts: gpd.GeoDataFrame
    """With a place for the name of each, as ``label_points`` finds it."""
    estates: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame
    contours: gpd.GeoDataFrame
    water: gpd.GeoDataFrame
    walks: Tree
    priority: pd.DataFrame
    projects: pd.DataFrame
    """As the plan made them."""
    plan: pd.DataFrame
    """Sums of the plan by year and district."""
    light: Raster
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
        is_own, is_other = (
            (rows["district_name"] == name).to_numpy() for rows in (self.buildings, self.others)
        )
        buildings = self.buildings[is_own].reset_index(drop=True)
        walks, buildings["walk_start"] = self.walks.part(buildings["walk_start"].to_numpy())
        box = gpd.GeoSeries([shapely.box(*around.bounds)], crs=WEB_MERCATOR)
        return replace(
            self,
            buildings=buildings,
            outlines=self.outlines.part(is_own),
            others=self.others[is_other],
            other_outlines=self.other_outlines.part(is_other),
            districts=own.reset_index(drop=True),
            estates=_touching(self.estates, own.geometry.iloc[0]),
            streets=_touching(self.streets, around),
            contours=_clipped(_touching(self.contours, around), around),
            water=_touching(self.water, around),
            walks=walks,
            priority=self.priority[self.priority["district_name"] == name],
            light=cropped(self.light, tuple(box.to_crs(self.light.crs).total_bounds)),
        )


def footprints(inputs: Inputs) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the scored buildings as ``whole_table`` does, and the others, in Web Mercator."""
    tables = inputs.tables
    buildings: gpd.GeoDataFrame = tables[BUILDINGS]
    listed: pd.DataFrame = tables[BUILDING_RANKING]
    table = whole_table(buildings, tables[MEASUREMENTS], tables[RANKING], listed)
    projects = tables[PLAN_PROJECTS].set_index("project_id")["unit_cost_cny_per_m2"]
    table["unit_cost_cny_per_m2"] = table["project_id"].astype("str").map(projects)
    told = ["building_use_type", "building_name", "district_name", "geometry"]
    is_listed = pd.Index(listed["building_id"]).get_indexer(buildings["building_id"]) >= 0
    others = buildings.loc[~is_listed, told]
    for name in told[:-1]:
        others[name] = plain_column(others[name])
    return table, others.to_crs(WEB_MERCATOR)


def footprint_parts(
    table: gpd.GeoDataFrame, others: gpd.GeoDataFrame, inputs: Inputs, used: tuple[Used, ...]
) -> dict[str, Any]:
    """Return the parts of a scene that come from ``footprints``."""
    walks, start = tree_of(inputs.tables[MAIN_ROAD_PATHS], table["main_road_path_point_number"])
    others = others.iloc[spatial_order(others.geometry.to_numpy())]
    return {
        "buildings": building_rows(table, used, inputs.settings).assign(walk_start=start),
        "outlines": outlines_of(table.geometry.to_numpy(), quantum=RANKED_QUANTUM_UNITS),
        "others": pd.DataFrame(others.drop(columns="geometry")),
        "other_outlines": outlines_of(others.geometry.to_numpy(), quantum=OTHER_QUANTUM_UNITS),
        "walks": walks,
    }


def city_scene(inputs: Inputs, used: tuple[Used, ...]) -> Scene:
    """Return what the map of the whole city shows."""
    tables, beside = inputs.tables, inputs.beside
    listed: pd.DataFrame = tables[BUILDING_RANKING]
    terrain = inputs.rasters["terrain"]
    names = {name for key in SEARCHED for name in listed[key].dropna().unique()}
    texts = beside.call(_texts, sorted(names))
    edges = tables[STREET_EDGES][[*STREET_FACTS, "geometry"]]
    interval_m = inputs.settings.atlas.contour_interval_m
    lines = beside.call(_lines, terrain, edges, interval_m)
    table, others = footprints(inputs)
    last_ranks = listed.groupby("tier_number")["rank"].max()
    shapes = np.concatenate([table.geometry.to_numpy(), others.geometry.to_numpy()])
    districts = tables[DISTRICTS].to_crs(WEB_MERCATOR)
    places = label_points(districts, shapely.get_coordinates(shapely.centroid(shapes)))
    parts = footprint_parts(table, others, inputs, used)
    spelt, frame = texts.result()
    contours, streets = lines.result()
    return Scene(
        **parts,
        districts=districts.assign(label_x_m=places.x, label_y_m=places.y),
        estates=tables[ESTATES].to_crs(WEB_MERCATOR),
        streets=streets,
        contours=contours,
        water=tables[WATER].to_crs(WEB_MERCATOR),
        priority=tables[DISTRICT_PRIORITY],
        projects=tables[PLAN_PROJECTS],
        plan=tables[PLAN_SUMMARY],
        light=lit(terrain, inputs.settings.atlas),
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
