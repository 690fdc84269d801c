"""Stage 1, intake: raw sources in, clean tables out, every loss accounted for."""

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
from pipeline.geo.raster import Raster
from pipeline.intake.amenities import amenities_from_features
from pipeline.intake.districts import (
    district_around,
    districts_from_features,
    districts_from_nominatim,
)
from pipeline.intake.estates import estates_from_features
from pipeline.intake.features import as_list
from pipeline.intake.footprints import footprints_from_features, footprints_from_osm
from pipeline.intake.housing_register import with_register, without_register
from pipeline.intake.mapped import is_street_map, mapped, no_walkable_street
from pipeline.intake.neighbourhoods import first_holding, middles, with_neighbourhoods
from pipeline.intake.overlaps import duplicates, overlaps
from pipeline.intake.rejects import Rejects, balance, rejects_table
from pipeline.intake.surveys import with_surveys
from pipeline.intake.year_sources import YearSources
from pipeline.problem import Problem
from pipeline.settings.city import FORMATS_BY_ROLE, Source
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

    # a street map that holds the buildings too is read once, here
    share = any(is_street_map(source) for _, source in by_role["footprints"])
    maps = (Beside() if share else inputs.beside).call(
        mapped, inputs.sources, by_role["streets"], by_role["amenities"], settings.intake, crs
    )
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
        raw, rejects = inputs.sources[name], all_rejects[name]
        if isinstance(raw, FeatureTable):
            part = footprints_from_features(raw, name, source, settings.intake, crs, rejects)
            counted[name] = (raw.row_count, 0)
        else:
            part = footprints_from_osm(raw, name, source, settings.intake, crs, rejects)
            counted[name] = (raw.element_count, part.supporting_count)
        footprints.append(part.buildings)
    buildings = _stack(footprints, crs)
    if not len(buildings):
        raise Problem(
            by_role["footprints"][0][1].path, "holds no usable building",
            expected=f"features with {by_role['footprints'][0][1].columns.get('building_use_type')}",
            fix="check the file and sources.*.columns.building_use_type in the profile",
        )  # fmt: skip
    district_table = (
        _stack(districts, crs) if districts else district_around(buildings, settings.city.name_zh)
    )
    study_area = shapely.union_all(district_table.geometry.to_numpy())
    buildings = _place(buildings, district_table, all_rejects)
    buildings = _single(buildings, settings.intake.footprints, all_rejects)
    buildings = without_register(buildings)
    year_sources = YearSources(buildings, settings.intake.years)
    missing: dict[str, dict[str, int]] = {}
    for name, source in by_role["housing_register"]:
        rows = inputs.sources[name]
        said = with_register(buildings, rows, source, settings.intake, crs, all_rejects[name])
        buildings, missing[name] = said.buildings, said.missing_values
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

    from_maps = maps.result()
    all_rejects |= from_maps.rejects
    ledger |= {name: from_maps.ledger[name] for name, _ in by_role["streets"]}
    if not len(from_maps.edges):
        raise no_walkable_street(by_role["streets"], all_rejects)

    amenities = []
    for name, source in by_role["amenities"]:
        if name in from_maps.amenities:
            amenities.append(from_maps.amenities[name])
            ledger[name] = from_maps.ledger[name]
            continue
        raw, rejects = inputs.sources[name], all_rejects[name]
        found = amenities_from_features(
            raw, name, source, settings.measure.facilities, crs, study_area, rejects
        )
        record(name, raw.row_count, 0, len(found))
        amenities.append(found)
    amenity_table = _stack(amenities, crs) if amenities else _no_rows(AMENITIES, crs)

    estates = []
    for name, source in by_role["estates"]:
        raw = inputs.sources[name]
        found = estates_from_features(raw, name, source, crs, all_rejects[name])
        record(name, raw.row_count, 0, len(found))
        estates.append(found)

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
            "tables": _table_counts(buildings, amenity_table),
        },
    )


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


def _place(
    buildings: gpd.GeoDataFrame, districts: gpd.GeoDataFrame, all_rejects: dict[str, Rejects]
) -> gpd.GeoDataFrame:
    """Give each building the district that holds its middle; reject those outside all."""
    holder = first_holding(districts.geometry.to_numpy(), middles(buildings))
    is_placed = holder >= 0
    for row in buildings[~is_placed].itertuples():
        all_rejects[row.source_name].row(
            row.source_row, "outside_study_area", "no district outline holds it"
        )
    number = holder[is_placed]
    return (
        buildings[is_placed]
        .reset_index(drop=True)
        .assign(
            district_id=districts["district_id"].array.take(number),
            district_name=districts["district_name"].array.take(number),
        )
    )


def _single(
    buildings: gpd.GeoDataFrame, rule: FootprintRule, all_rejects: dict[str, Rejects]
) -> gpd.GeoDataFrame:
    """Leave out repeated footprints and mark those that stand in each other."""
    buildings = buildings.sort_values(["building_id", "source_row"]).reset_index(drop=True)
    pairs = overlaps(buildings.geometry.to_numpy())
    known = ["building_name", "storey_count", "height_m", "construction_year_low"]
    richness = buildings[known].notna().sum(axis=1).to_numpy() + (
        buildings["housing_origin"] != "assumed"
    )
    repeated = duplicates(pairs, np.asarray(richness), rule.duplicate_overlap_share)
    ids, names, rows = (
        as_list(buildings[name]) for name in ("building_id", "source_name", "source_row")
    )
    for loser, keeper in sorted(repeated.items()):
        all_rejects[names[loser]].row(
            rows[loser], "duplicate_footprint", f"same outline as {ids[keeper]}"
        )
    lost = np.isin(np.arange(len(buildings)), list(repeated))
    left = np.flatnonzero(~lost)
    again = left[buildings["building_id"].iloc[left].duplicated().to_numpy()]
    for number in again.tolist():
        all_rejects[names[number]].row(
            rows[number], "repeated_building_id", f"{ids[number]} stands there already"
        )
    lost[again] = True
    marked = np.zeros(len(buildings), dtype=bool)
    over = pairs.smaller_share >= rule.notice_overlap_share
    over &= ~lost[pairs.first] & ~lost[pairs.second]
    for one, two, share in zip(
        pairs.first[over], pairs.second[over], pairs.smaller_share[over], strict=True
    ):
        marked[[one, two]] = True
        all_rejects[names[one]].notice(
            rows[one], "overlap", f"{share:.0%} of the smaller one shared with {ids[two]}"
        )
    return buildings.assign(is_overlapping=marked)[~lost].reset_index(drop=True)


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
