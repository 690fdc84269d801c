"""Stage 1, intake: raw sources in, clean tables out, every loss accounted for."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.contracts.stage import Inputs, Outputs
from pipeline.contracts.tables import (
    AMENITIES,
    BUILDINGS,
    DISTRICTS,
    REJECTS,
    STREET_EDGES,
    STREET_NODES,
    WATER,
)
from pipeline.geo.raster import Raster
from pipeline.intake.amenities import amenities_from_osm
from pipeline.intake.districts import districts_from_nominatim
from pipeline.intake.footprints import footprints_from_osm
from pipeline.intake.overlaps import duplicates, overlaps
from pipeline.intake.rejects import Rejects, rejects_table
from pipeline.intake.streets import StreetSource, street_tables, streets_from_osm
from pipeline.intake.water import water_from_osm
from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.settings.intake import FootprintRule
from pipeline.settings.whole import Settings


def run(inputs: Inputs) -> Outputs:
    """Return the clean tables, the terrain and the ledger of a city."""
    settings: Settings = inputs.settings
    crs = settings.city.crs
    by_role = _by_role(settings)
    all_rejects = {name: Rejects(name) for name in settings.sources}
    ledger: dict[str, dict[str, Any]] = {}

    def record(name: str, rows_in: int, supporting: int, out: int) -> None:
        rejects = all_rejects[name]
        ledger[name] = balance(rows_in, supporting, out, rejects)

    districts = []
    for name, source in by_role["boundary"]:
        places = inputs.sources[name]
        found = districts_from_nominatim(places, source, crs, all_rejects[name])
        record(name, len(places), 0, len(found))
        districts.append(found)
    district_table = _stack(districts, crs)
    if not len(district_table):
        raise Problem(by_role["boundary"][0][1].path, "holds no usable district outline")

    terrain_name, terrain_source = by_role["terrain"][0]
    terrain: Raster = inputs.sources[terrain_name]
    if terrain.crs != crs:
        raise Problem(
            terrain_source.path, f"the terrain is in {terrain.crs}",
            expected=f"{crs}, as city.crs says",
            fix="reproject the raster, e.g. with gdalwarp -t_srs, or correct city.crs",
        )  # fmt: skip

    footprints = []
    counted: dict[str, tuple[int, int]] = {}
    for name, source in by_role["footprints"]:
        extract = inputs.sources[name]
        part = footprints_from_osm(extract, name, source, settings.intake, crs, all_rejects[name])
        counted[name] = (extract.element_count, part.supporting_count)
        footprints.append(part.buildings)
    buildings = _stack(footprints, crs)
    if not len(buildings):
        raise Problem(
            by_role["footprints"][0][1].path, "holds no usable building",
            expected=f"features with {by_role['footprints'][0][1].columns.get('building_use_type')}",
            fix="check the file and sources.*.columns.building_use_type in the profile",
        )  # fmt: skip
    buildings = _place(buildings, district_table, all_rejects)
    buildings = _single(buildings, settings.intake.footprints, all_rejects)
    _check_cover(buildings, terrain, terrain_source, settings.intake.min_terrain_cover_share)
    for name, (rows_in, supporting) in counted.items():
        record(name, rows_in, supporting, int((buildings["source_name"] == name).sum()))

    street_sources: list[StreetSource] = []
    known: set[int] = set()
    water: list[gpd.GeoDataFrame] = []
    waters: set[str] = set()
    for name, source in by_role["streets"]:
        extract = inputs.sources[name]
        street = streets_from_osm(
            extract, source, settings.intake.streets, crs, all_rejects[name], known
        )
        known |= set(street.ways)
        area, count = water_from_osm(extract, source, crs, all_rejects[name], waters)
        supporting = street.supporting_count - count
        record(name, extract.element_count, supporting, street.used_count + len(area))
        street_sources.append(street)
        water.append(area)
    nodes, edges = street_tables(street_sources, settings.intake.streets, crs)
    if not len(edges):
        raise Problem(by_role["streets"][0][1].path, "holds no walkable street")

    amenities = []
    elements: set[str] = set()
    for name, source in by_role["amenities"]:
        extract = inputs.sources[name]
        found, other = amenities_from_osm(
            extract, name, source, settings.intake.facility_tags, crs, all_rejects[name], elements
        )
        used = extract.element_count - other - all_rejects[name].row_count
        record(name, extract.element_count, other, used)
        amenities.append(found)
    amenity_table = _stack(amenities, crs) if amenities else _no_amenities(crs)

    rejects = rejects_table(list(all_rejects.values()))
    return Outputs(
        tables={
            DISTRICTS: district_table,
            BUILDINGS: buildings[[*BUILDINGS.column_names, "geometry"]],
            STREET_NODES: nodes,
            STREET_EDGES: edges[[*STREET_EDGES.column_names, "geometry"]],
            AMENITIES: amenity_table,
            WATER: _stack(water, crs),
            REJECTS: rejects,
        },
        rasters={"terrain": terrain},
        ledger={"sources": ledger, "tables": _table_counts(buildings, amenity_table)},
    )


def balance(rows_in: int, supporting: int, out: int, rejects: Rejects) -> dict[str, Any]:
    """Return the ledger of one source; it must come out even."""
    if rows_in != supporting + out + rejects.row_count:
        raise AssertionError(
            f"{rejects.source_name}: {rows_in} rows in, but {supporting} supporting + {out} out + "
            f"{rejects.row_count} rejected"
        )
    return {
        "rows_in": rows_in,
        "rows_supporting": supporting,
        "rows_out": out,
        "rows_rejected": rejects.row_count,
        "rejected_by_reason": rejects.counts("row"),
        "values_set_to_missing": rejects.counts("value"),
        "notices": rejects.counts("notice"),
    }


def _by_role(settings: Settings) -> dict[str, list[tuple[str, Source]]]:
    roles: dict[str, list[tuple[str, Source]]] = {
        role: [] for role in ("boundary", "footprints", "streets", "amenities", "terrain")
    }
    for name, source in sorted(settings.sources.items()):
        roles[source.role].append((name, source))
    return roles


def _stack(parts: list[gpd.GeoDataFrame], crs: str) -> gpd.GeoDataFrame:
    filled = [part for part in parts if len(part)]
    if not filled:
        return parts[0]
    stacked = pd.concat(filled, ignore_index=True)
    return gpd.GeoDataFrame(stacked, geometry="geometry", crs=crs)


def _no_amenities(crs: str) -> gpd.GeoDataFrame:
    empty = {name: pd.Series(dtype="str") for name in AMENITIES.column_names}
    return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=crs))


def _place(
    buildings: gpd.GeoDataFrame, districts: gpd.GeoDataFrame, all_rejects: dict[str, Rejects]
) -> gpd.GeoDataFrame:
    """Give each building the district that holds a point inside it; reject those outside all."""
    shapes = districts.geometry.to_numpy()
    inside = shapely.point_on_surface(buildings.geometry.to_numpy())
    building, district = shapely.STRtree(shapes).query(inside, predicate="intersects")
    first = pd.Series(district, index=building).groupby(level=0).min()
    placed = buildings.assign(_district=first.reindex(range(len(buildings))).to_numpy())
    for row in placed[placed["_district"].isna()].itertuples():
        all_rejects[row.source_name].row(
            row.source_row, "outside_study_area", "no district outline holds it"
        )
    placed = placed[placed["_district"].notna()].reset_index(drop=True)
    number = placed["_district"].astype("int64").to_numpy()
    return placed.drop(columns="_district").assign(
        district_id=districts["district_id"].to_numpy()[number],
        district_name=districts["district_name"].to_numpy()[number],
        estate_id=pd.Series(pd.NA, index=placed.index, dtype="str"),
        estate_name=pd.Series(pd.NA, index=placed.index, dtype="str"),
    )


def _single(
    buildings: gpd.GeoDataFrame, rule: FootprintRule, all_rejects: dict[str, Rejects]
) -> gpd.GeoDataFrame:
    """Leave out repeated footprints and mark those that stand in each other."""
    buildings = buildings.sort_values("building_id").reset_index(drop=True)
    pairs = overlaps(buildings.geometry.to_numpy())
    known = ["building_name", "storey_count", "height_m", "construction_year_low"]
    richness = buildings[known].notna().sum(axis=1).to_numpy() + (
        buildings["housing_origin"] != "assumed"
    )
    repeated = duplicates(pairs, np.asarray(richness), rule.duplicate_overlap_share)
    ids = buildings["building_id"].to_numpy()
    for loser, keeper in sorted(repeated.items()):
        row = buildings.iloc[loser]
        all_rejects[row["source_name"]].row(
            row["source_row"], "duplicate_footprint", f"same outline as {ids[keeper]}"
        )
    lost = np.isin(np.arange(len(buildings)), list(repeated))
    marked = np.zeros(len(buildings), dtype=bool)
    over = pairs.smaller_share >= rule.notice_overlap_share
    over &= ~lost[pairs.first] & ~lost[pairs.second]
    for one, two, share in zip(
        pairs.first[over], pairs.second[over], pairs.smaller_share[over], strict=True
    ):
        marked[[one, two]] = True
        row = buildings.iloc[one]
        all_rejects[row["source_name"]].notice(
            row["source_row"], "overlap", f"{share:.0%} of the smaller one shared with {ids[two]}"
        )
    return buildings.assign(is_overlapping=marked)[~lost].reset_index(drop=True)


def _check_cover(
    buildings: gpd.GeoDataFrame, terrain: Raster, source: Source, min_share: float
) -> None:
    west, south, east, north = terrain.bounds
    x, y = buildings.geometry.centroid.x, buildings.geometry.centroid.y
    inside = (x >= west) & (x <= east) & (y >= south) & (y <= north)
    if inside.mean() < min_share:
        raise Problem(
            source.path,
            f"covers {inside.mean():.1%} of the buildings "
            f"(it spans {west:.0f}–{east:.0f} m east, {south:.0f}–{north:.0f} m north; the buildings "
            f"{x.min():.0f}–{x.max():.0f}, {y.min():.0f}–{y.max():.0f})",
            expected=f"at least {min_share:.0%} (intake.min_terrain_cover_share)",
            fix="use a terrain model of this area, or check city.crs and the sources' crs",
        )


def _table_counts(buildings: gpd.GeoDataFrame, amenities: gpd.GeoDataFrame) -> dict[str, Any]:
    return {
        "buildings": len(buildings),
        "housing": int(buildings["is_housing"].sum()),
        "housing_by_origin": _counts(buildings["housing_origin"]),
        "storey_count_by_origin": _counts(buildings["storey_count_origin"]),
        "construction_year_by_origin": _counts(buildings["construction_year_origin"]),
        "amenities_by_type": _counts(amenities["amenity_type"]),
    }


def _counts(column: pd.Series) -> dict[str, int]:
    return {str(k): int(v) for k, v in column.value_counts().sort_index().items()}
