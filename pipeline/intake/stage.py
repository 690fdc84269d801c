"""Stage 1, intake: raw sources in, clean tables out, every loss accounted for."""

from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.beside import Beside
from pipeline.contracts.raw import FeatureTable
from pipeline.contracts.stage import Inputs, Outputs
from pipeline.contracts.tables import (
    AMENITIES,
    BUILDINGS,
    CONSENTS,
    DISTRICTS,
    ESTATE_FACTS,
    ESTATES,
    REJECTS,
    STREET_EDGES,
    STREET_NODES,
    WATER,
    Table,
)
from pipeline.geo.empty_ground import empty_street_account
from pipeline.geo.raster import Raster, bilinear
from pipeline.intake.amenities import amenities_from_features
from pipeline.intake.districts import (
    district_around,
    districts_from_features,
    districts_from_nominatim,
)
from pipeline.intake.estates import estates_from_features
from pipeline.intake.footprints import footprints_from_features, footprints_from_osm
from pipeline.intake.housing_register import with_register, without_register
from pipeline.intake.losses import column_accounts, stated_texts, taken_counts, use_counts
from pipeline.intake.mapped import Mapped, is_street_map, mapped, no_walkable_street
from pipeline.intake.misplaced import refuse_false_lengths, without_strays
from pipeline.intake.neighbourhoods import with_neighbourhoods
from pipeline.intake.reach import Reach, elsewhere, refuse_elsewhere
from pipeline.intake.rejects import Rejects, balance, rejects_table
from pipeline.intake.road_grades import steep_road_account
from pipeline.intake.singles import in_districts, single
from pipeline.intake.surveys import with_surveys
from pipeline.intake.unread import names_and_numbers, unread_fields
from pipeline.intake.words import kindred_words, refuse_unknown_words, unknown_words
from pipeline.intake.year_sources import YearSources
from pipeline.problem import Problem
from pipeline.settings.city import FORMATS_BY_ROLE, Source
from pipeline.settings.whole import Settings

_MOST_WORDS = 40
"""Words of a column that the ledger names."""


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
        raw, rejects = inputs.sources[name], all_rejects[name]
        if isinstance(raw, FeatureTable):
            found = districts_from_features(raw, source, crs, rejects)
            record(name, raw.row_count, 0, len(found))
        else:
            found = districts_from_nominatim(raw, source, crs, rejects)
            record(name, len(raw), 0, len(found))
        districts.append(found)
    if districts and not len(_stack(districts, crs)):
        raise Problem(by_role["boundary"][0][1].path, "holds no usable district outline")

    def read_maps(study_area: shapely.Geometry) -> Callable[[], Mapped]:
        # a street map that holds the buildings too is read once, here
        share = any(is_street_map(source) for _, source in by_role["footprints"])
        return (Beside() if share else inputs.beside).call(
            mapped, inputs.sources, by_role["streets"], by_role["amenities"], settings.intake, crs,
            study_area,
        ).result  # fmt: skip

    maps = read_maps(_whole_area(_stack(districts, crs))) if districts else None
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
    stated: dict[str, pd.DataFrame] = {}
    for name, source in by_role["footprints"]:
        raw, rejects = inputs.sources[name], all_rejects[name]
        if isinstance(raw, FeatureTable):
            part = footprints_from_features(raw, name, source, settings.intake, crs, rejects)
            counted[name] = (raw.row_count, 0)
        else:
            part = footprints_from_osm(raw, name, source, settings.intake, crs, rejects)
            counted[name] = (raw.element_count, part.supporting_count)
        footprints.append(part.buildings)
        stated[name] = part.stated
    buildings = _stack(footprints, crs)
    if not len(buildings):
        raise Problem(
            by_role["footprints"][0][1].path, "holds no usable building",
            expected=f"features with {by_role['footprints'][0][1].columns.get('building_use_type')}",
            fix="check the file and sources.*.columns.building_use_type in the profile",
        )  # fmt: skip
    refuse_false_lengths(buildings, crs)
    buildings = without_strays(
        buildings, _stack(districts, crs) if districts else None, all_rejects
    )
    district_table = (
        _stack(districts, crs) if districts else district_around(buildings, settings.city.name_zh)
    )
    study_area = _whole_area(district_table)
    maps = maps or read_maps(study_area)
    buildings = in_districts(buildings, district_table, all_rejects)
    if not len(buildings):
        name, source = by_role["footprints"][0]
        raise elsewhere(name, source, "none of its buildings lies in a district outline")
    buildings = single(buildings, settings.intake.footprints, all_rejects)
    taken, uses = _said_of_footprints(buildings, by_role["footprints"], settings)
    buildings = without_register(buildings)
    year_sources = YearSources(buildings, settings.intake.years)
    missing: dict[str, dict[str, int]] = {}
    for name, source in by_role["housing_register"]:
        rows = inputs.sources[name]
        said = with_register(buildings, rows, source, settings.intake, crs, all_rejects[name])
        buildings, missing[name] = said.buildings, said.missing_values
        taken[name] = said.taken
        year_sources.add_register(name, buildings)
        record(name, len(rows), 0, said.used_count)
    for name, source in by_role["estates"]:
        year_sources.add_estates(name, inputs.sources[name], source, buildings, all_rejects[name])
    for name, _ in by_role["built_up_year"]:
        year_sources.add_built_up(name, inputs.sources[name], buildings)
    buildings = year_sources.fused(buildings, all_rejects)
    if settings.intake.housing.must_be_registered:
        buildings = _registered_only(buildings)
    around = with_neighbourhoods(buildings, inputs.sources, by_role, all_rejects)
    surveyed = with_surveys(around.buildings, inputs.sources, by_role, settings.intake, all_rejects)
    buildings = surveyed.buildings
    for name, used_count in (around.used_counts | surveyed.used_counts).items():
        record(name, _row_count(inputs.sources[name]), 0, used_count)
    _check_cover(buildings, terrain, terrain_source, settings.intake.min_terrain_cover_share)
    for name, (rows_in, supporting) in counted.items():
        record(name, rows_in, supporting, int((buildings["source_name"] == name).sum()))

    from_maps = maps()
    all_rejects |= from_maps.rejects
    ledger |= {name: from_maps.ledger[name] for name, _ in by_role["streets"]}
    if not len(from_maps.edges):
        raise no_walkable_street(by_role["streets"], all_rejects)

    reach = Reach(study_area, settings.intake.region_margin_m)
    amenities = []
    for name, source in by_role["amenities"]:
        if name not in from_maps.amenities:
            raw, rejects = inputs.sources[name], all_rejects[name]
            found = amenities_from_features(
                raw, name, source, settings.measure.facilities, crs, reach, rejects
            )
            record(name, raw.row_count, 0, len(found))
        else:
            found = from_maps.amenities[name]
            ledger[name] = from_maps.ledger[name]
        refuse_elsewhere(name, source, len(found), all_rejects[name], reach.margin_m)
        amenities.append(found)
    amenity_table = _stack(amenities, crs) if amenities else _no_rows(AMENITIES, crs)

    estates = []
    for name, source in by_role["estates"]:
        raw = inputs.sources[name]
        found = estates_from_features(raw, name, source, crs, all_rejects[name])
        record(name, raw.row_count, 0, len(found))
        estates.append(found)

    known = names_and_numbers(settings.sources.values())
    for name, account in ledger.items():
        source, rejects = settings.sources[name], all_rejects[name]
        raw = inputs.sources[name]
        if name not in stated and isinstance(raw, FeatureTable | pd.DataFrame):
            stated[name] = stated_texts(raw, source)
        if isinstance(raw, FeatureTable | pd.DataFrame):
            fields = raw.fields if isinstance(raw, FeatureTable) else raw
            account["unread_fields"] = unread_fields(fields, source, known)
            account["invisible_signs"] = fields.attrs.get("invisible_count", 0)
        words = unknown_words(rejects)
        account["unknown_words"] = {
            c: dict(list(w.items())[:_MOST_WORDS]) for c, w in words.items()
        }
        if source.role == "amenities" and "amenity_type" in words:
            meant = source.values.get("amenity_type", {}).items()
            used = [word for word, kind in meant if kind in settings.measure.facilities]
            account["kindred_facility_words"] = kindred_words(words["amenity_type"], used)
        if name in stated:
            account["columns"] = column_accounts(stated[name], rejects, taken.get(name))
            of = {column: one["stated_in_used_rows"] for column, one in account["columns"].items()}
            of.pop("amenity_type", None)  # a list of places holds many kinds that nobody needs
            if name in uses:
                of["building_use_type"] = uses[name]["housing"] + uses[name]["unknown"]
            most_share = settings.intake.losses.max_unknown_word_share
            refuse_unknown_words(name, source, words, of, most_share)

    return Outputs(
        tables={
            DISTRICTS: district_table,
            BUILDINGS: buildings,
            STREET_NODES: from_maps.nodes,
            STREET_EDGES: from_maps.edges[[*STREET_EDGES.column_names, "geometry"]],
            AMENITIES: amenity_table,
            WATER: _stack(from_maps.water, crs),
            ESTATES: _stack(estates, crs) if estates else _no_rows(ESTATES, crs),
            ESTATE_FACTS: surveyed.estate_facts,
            CONSENTS: surveyed.consents,
            REJECTS: rejects_table(list(all_rejects.values())),
        },
        rasters={"terrain": terrain},
        ledger={
            "sources": ledger,
            "register_values_missing": missing,
            "uses": uses,
            "tables": _table_counts(buildings, amenity_table),
            "without_terrain": _without_terrain_count(buildings, terrain),
            "streets_without_terrain": empty_street_account(
                from_maps.edges, buildings, terrain, settings.measure.access.max_access_m
            ),
            "steep_roads": steep_road_account(
                from_maps.edges,
                terrain,
                settings.measure.walking.max_drivable_grade,
                settings.intake.losses.steep_road_grade,
            ),
        },
    )


def _whole_area(districts: gpd.GeoDataFrame) -> shapely.Geometry:
    return shapely.union_all(districts.geometry.to_numpy())


def _by_role(settings: Settings) -> dict[str, list[tuple[str, Source]]]:
    roles: dict[str, list[tuple[str, Source]]] = {role: [] for role in FORMATS_BY_ROLE}
    for name, source in sorted(settings.sources.items()):
        roles[source.role].append((name, source))
    return roles


def _stack(parts: list[gpd.GeoDataFrame], crs: str) -> gpd.GeoDataFrame:
    filled = [part for part in parts if len(part)]
    if not filled:
        return parts[0]
    stacked = pd.concat(filled, ignore_index=True)
    return gpd.GeoDataFrame(stacked, geometry="geometry", crs=crs)


def _said_of_footprints(
    buildings: gpd.GeoDataFrame, sources: list[tuple[str, Source]], settings: Settings
) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]]]:
    """Return per source how many buildings have each column, and how many say which kind of use.

    Where a register says what is housing, uses do not matter and are not counted.
    """
    taken, uses = {}, {}
    for name, source in sources:
        mine = buildings[buildings["source_name"] == name]
        taken[name] = taken_counts(mine, list(source.columns))
        if not settings.intake.housing.must_be_registered:
            values = source.values.get("building_use_type", {})
            uses[name] = use_counts(mine, settings.intake.housing, values)
    return taken, uses


def _row_count(raw: Any) -> int:
    return raw.row_count if isinstance(raw, FeatureTable) else len(raw)


def _no_rows(table: Table, crs: str) -> gpd.GeoDataFrame:
    empty = {name: pd.Series(dtype="str") for name in table.column_names}
    return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=crs))


def _registered_only(buildings: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Count as housing what stands in the register, whatever use its footprint states."""
    registered = buildings["is_registered"].astype(bool)
    origin = np.where(registered, "recorded", "not_housing")
    return buildings.assign(is_housing=registered, housing_origin=origin)


def _check_cover(
    buildings: gpd.GeoDataFrame, terrain: Raster, source: Source, min_share: float
) -> None:
    west, south, east, north = terrain.bounds
    x, y = shapely.get_coordinates(shapely.centroid(buildings.geometry.to_numpy())).T
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


def _without_terrain_count(buildings: gpd.GeoDataFrame, terrain: Raster) -> int:
    """Return how many buildings stand, by their middle, on empty cells or beyond the terrain."""
    x, y = shapely.get_coordinates(shapely.centroid(buildings.geometry.to_numpy())).T
    return int(np.isnan(bilinear(terrain, x, y)).sum())


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
