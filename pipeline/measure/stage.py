"""Stage 2, measure: size, age, ground and walks of every building that is housing."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.contracts.stage import Inputs, Outputs
from pipeline.contracts.tables import (
    AMENITIES,
    BUILDINGS,
    ESTATE_FACTS,
    MAIN_ROAD_PATHS,
    MEASUREMENTS,
    SITE_PLACES,
    SITE_WALKS,
    STREET_EDGES,
    STREET_NODES,
    WATER,
)
from pipeline.geo.landform import ground, is_too_coarse
from pipeline.geo.profile import Flags
from pipeline.measure.access import Doors, doors
from pipeline.measure.age import age_yr
from pipeline.measure.entry import lowest_outline_m, storeys_from_entry
from pipeline.measure.land import READ_COLUMNS, land_and_years
from pipeline.measure.parking import parking_gap_share
from pipeline.measure.place import cell_id, degrees, road_name
from pipeline.measure.site_places import longest_walk_min, site_places
from pipeline.measure.site_walks import site_walks
from pipeline.measure.size import floor_area, footprint_area_m2
from pipeline.measure.streets import StreetWorld, access_table, street_world
from pipeline.problem import Problem
from pipeline.settings.whole import Settings


def run(inputs: Inputs) -> Outputs:
    """Return the measurements of all housing, and the ground they stand on."""
    settings: Settings = inputs.settings
    rule = settings.measure
    buildings: gpd.GeoDataFrame = inputs.tables[BUILDINGS]
    is_housing = buildings["is_housing"].to_numpy(dtype=bool)
    housing = buildings[is_housing].reset_index(drop=True)
    if not len(housing):
        raise Problem(
            "intake.housing", "no building counts as housing",
            expected="at least one building whose use is listed",
            fix="list this city's uses in intake.housing.recorded_use_types or assumed_use_types",
        )  # fmt: skip
    beneath = inputs.beside.call(ground, inputs.rasters["terrain"], rule.terrain)
    edges: gpd.GeoDataFrame = inputs.tables[STREET_EDGES]
    shapes = housing.geometry.to_numpy()
    middle_of_all = shapely.centroid(buildings.geometry.to_numpy())
    middle = middle_of_all[is_housing]
    with ThreadPoolExecutor(1) as thread:
        names = thread.submit(road_name, middle, edges, max_distance_m=rule.access.max_road_name_m)
        everywhere = (
            shapely.get_coordinates(middle_of_all),
            shapely.area(buildings.geometry.to_numpy()),
        )
        terrain, error = beneath.result()
        apart = inputs.beside.call(
            land_and_years,
            housing[list(READ_COLUMNS)],
            everywhere[0][is_housing],
            everywhere,
            terrain,
            error,
            rule,
        )
        world = street_world(
            inputs.tables[STREET_NODES],
            edges,
            inputs.tables[AMENITIES],
            inputs.tables[WATER],
            terrain,
            rule,
        )
        access = access_table(shapes, world, rule)
    places, site_table = sites_in_reach(
        housing,
        inputs.tables[ESTATE_FACTS],
        inputs.tables[AMENITIES],
        world,
        access.doors,
        settings,
    )
    storeys, entry = (
        housing[name].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        for name in ("storey_count", "entry_storey_number")
    )
    inside = storeys_from_entry(
        storeys,
        housing["has_lift"],
        entry,
        access.entry_m,
        lowest_outline_m(shapes, terrain),
        rule.storey_height_m,
    )
    place = degrees(housing.geometry)
    found = apart.result()
    measurements = pd.DataFrame(
        {
            "building_id": housing["building_id"],
            "road_name": names.result(),
            "cell_id": cell_id(middle, cell_m=rule.grid_cell_m),
            "footprint_area_m2": footprint_area_m2(housing),
            **floor_area(housing),
            **found.years,
            "age_yr": age_yr(
                found.years["construction_year_p50"], reference_year=rule.reference_year
            ),
            **found.land,
            **inside,
            "parking_gap_share": parking_gap_share(
                housing, inputs.tables[ESTATE_FACTS], rule.parking
            ),
            **access.columns,
            **place,
        }
    )
    paths = access.paths.table(settings.city.crs)
    return Outputs(
        tables={
            MEASUREMENTS: measurements,
            MAIN_ROAD_PATHS: paths,
            SITE_PLACES: places,
            SITE_WALKS: site_table,
        },
        rasters={"ground": terrain},
        ledger=_ledger(buildings, housing, inputs.tables[AMENITIES], world, access.has_access)
        | {
            "terrain_cell_m": terrain.cell_m,
            "ground_filter_left_out": is_too_coarse(rule.terrain, terrain.cell_m),
            "years": dict(found.told),
        },
    )


def sites_in_reach(
    housing: gpd.GeoDataFrame,
    estate_facts: pd.DataFrame,
    amenities: gpd.GeoDataFrame,
    world: StreetWorld,
    ways: Doors,
    settings: Settings,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return where facilities could stand (``SITE_PLACES``), and who can walk there (``SITE_WALKS``).

    ``ways`` are those of the housing into the network of ``world``.
    """
    rule = settings.measure
    sited = settings.sites.facilities
    places = site_places(housing, estate_facts, amenities, sited)
    network, shapes = world.network, places.geometry.to_numpy()
    ways_in = doors(
        shapes, network.links, world.usable, network.profiles, world.terrain, world.water,
        rule.access, rule.walking, world.gate_line,
    )  # fmt: skip
    found = site_walks(network, shapes, ways_in, ways, longest_walk_min(sited, rule), rule)
    ids = housing["building_id"].to_numpy(dtype=object)
    walks = pd.DataFrame(
        {
            "site_place_id": places["site_place_id"].to_numpy(dtype=object)[found.site],
            "building_id": ids[found.building],
            "site_walk_out_min": found.out_min,
            "site_walk_back_min": found.home_min,
        }
    )
    return places, walks


def _ledger(
    buildings: gpd.GeoDataFrame,
    housing: gpd.GeoDataFrame,
    amenities: gpd.GeoDataFrame,
    world: StreetWorld,
    has_access: Flags,
) -> dict[str, Any]:
    counts = amenities["amenity_type"].value_counts()
    unmapped = [name for name, nodes in world.network.targets.items() if not len(nodes)]
    return {
        "rows_in": len(buildings),
        "rows_out": len(housing),
        "not_housing": len(buildings) - len(housing),
        "without_street_access": sorted(housing["building_id"][~has_access]),
        "facilities_without_street_access": sorted(
            amenities["amenity_id"][~world.facility_has_access]
        ),
        "facility_types_not_mapped": {name: int(counts.get(name, 0)) for name in sorted(unmapped)},
        "links": world.network.links.count,
        "links_clipped_in_grade": len(world.network.profiles.clipped_links),
        "links_outside_main_component": int((~world.is_in_main_component).sum()),
        "lifts_mapped_as_a_point": world.landing_count,
    }
