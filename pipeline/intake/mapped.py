"""What comes from street maps: the walking network, water and mapped facilities.

Reading OpenStreetMap is slow work on small pieces that nothing else in intake waits for, so all of it
can be done beside the rest.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import shapely

from pipeline.contracts.raw import FeatureTable, OsmExtract
from pipeline.geo.raster import Floats
from pipeline.intake.amenities import amenities_from_osm
from pipeline.intake.osm_areas import node_positions
from pipeline.intake.reach import OUTSIDE_REACH, Reach, elsewhere, within_reach
from pipeline.intake.rejects import Rejects, balance
from pipeline.intake.street_features import streets_as_osm
from pipeline.intake.street_sources import StreetSource, streets_from_osm
from pipeline.intake.streets import street_tables
from pipeline.intake.water import water_from_osm
from pipeline.problem import Problem
from pipeline.settings.city import OSM_FORMATS, Source
from pipeline.settings.intake import IntakeSettings

Named = list[tuple[str, Source]]


@dataclass(frozen=True)
class Mapped:
    """Tables in the working CRS, and the account of every source that they come from."""

    nodes: gpd.GeoDataFrame
    edges: gpd.GeoDataFrame
    water: list[gpd.GeoDataFrame]
    amenities: dict[str, gpd.GeoDataFrame]
    """By source, those of street maps only."""
    rejects: dict[str, Rejects]
    ledger: dict[str, dict[str, Any]]


def is_street_map(source: Source) -> bool:
    """Return whether a source holds OpenStreetMap elements."""
    return source.format in OSM_FORMATS


def no_walkable_street(streets: Named, rejects: Mapping[str, Rejects]) -> Problem:
    """Return what to tell where no source brings a street: why the most frequent were left out."""
    details = Counter(
        record[4] for name, _ in streets for record in rejects[name].records if record[1] == "row"
    )
    told = ", ".join(f"{detail} {count:,}" for detail, count in details.most_common(8))
    misplaced = [
        record for name, _ in streets for record in rejects[name].records
        if record[3] in (OUTSIDE_REACH, "position_unusable")
    ]  # fmt: skip
    if len(misplaced) > details.total() / 2:
        name, source = streets[0]
        return elsewhere(name, source, f"its streets do not lie where the city does: {told}")
    return Problem(
        streets[0][1].path,
        "holds no walkable street" + (f"; left out: {told}" if told else ""),
        expected="classes of intake.streets.walkable_highway_types, e.g. footway or residential",
        fix=f"say what its words mean in sources.{streets[0][0]}.values.highway_type of the profile",
    )


def mapped(
    raw: Mapping[str, Any],
    streets: Named,
    amenities: Named,
    rule: IntakeSettings,
    crs: str,
    study_area: shapely.Geometry,
) -> Mapped:
    """Return what the sources of streets, and street maps among those of amenities, hold.

    Streets and facilities count within ``region_margin_m`` of the study area.
    """
    reach = Reach(study_area, rule.region_margin_m)
    rejects = {name: Rejects(name) for name, _ in (*streets, *amenities)}
    ledger: dict[str, dict[str, Any]] = {}
    street_sources: list[StreetSource] = []
    placed: list[tuple[OsmExtract, Floats]] = []
    known: set[int | str] = set()
    water: list[gpd.GeoDataFrame] = []
    waters: set[str] = set()
    for place, (name, source) in enumerate(streets, 1):
        extract = raw[name]
        if isinstance(extract, FeatureTable):  # ways of different layers keep different numbers
            extract = streets_as_osm(extract, source, place * 10**12)
        position = node_positions(extract, source, crs)
        placed.append((extract, position))
        rows_in = extract.element_count
        extract = within_reach(extract, position, reach, rejects[name])
        street = streets_from_osm(extract, position, source, rule.streets, rejects[name], known)
        area, count = water_from_osm(extract, position, crs, rejects[name], waters)
        supporting = street.supporting_count - count
        used = street.used_count + len(area)
        ledger[name] = balance(rows_in, supporting, used, rejects[name])
        street_sources.append(street)
        water.append(area)
    nodes, edges = street_tables(street_sources, rule.streets, crs)
    found: dict[str, gpd.GeoDataFrame] = {}
    elements: set[str] = set()
    for name, source in amenities:
        if is_street_map(source):
            extract, tags = raw[name], rule.facility_tags
            # of the file that the streets come from all nodes are in the working CRS already
            known_positions = [there for one, there in placed if one is extract]
            position = (known_positions or [node_positions(extract, source, crs)])[0]
            found[name], other = amenities_from_osm(
                extract,
                position,
                name,
                source,
                tags,
                rule.streets.walked_in_year,
                crs,
                reach,
                rejects[name],
                elements,
            )
            if not known_positions:  # of a file that the streets come from it is known already
                area, count = water_from_osm(extract, position, crs, rejects[name], waters)
                water.append(area)
                other -= count
            used = extract.element_count - other - rejects[name].row_count
            ledger[name] = balance(extract.element_count, other, used, rejects[name])
    return Mapped(nodes, edges, water, found, rejects, ledger)
