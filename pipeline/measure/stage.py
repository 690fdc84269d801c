"""Stage 2, measure: size, age, ground and walks of every building that is housing."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.contracts.stage import Inputs, Outputs
from pipeline.contracts.tables import (
    AMENITIES,
    BUILDINGS,
    MEASUREMENTS,
    STREET_EDGES,
    STREET_NODES,
)
from pipeline.geo.network import main_component
from pipeline.geo.profile import StreetLinks, link_profiles
from pipeline.geo.raster import Raster
from pipeline.geo.terrain import cell_coverage, slope_deg, zonal_mean, zonal_range
from pipeline.measure.access import (
    BuildingAccess,
    access_columns,
    snap,
    usable_links,
    walk_network,
)
from pipeline.measure.age import age_yr
from pipeline.measure.place import cell_id, road_name
from pipeline.measure.size import floor_area, footprint_area_m2
from pipeline.problem import Problem
from pipeline.settings.whole import Settings


def run(inputs: Inputs) -> Outputs:
    """Return the measurements of all housing."""
    settings: Settings = inputs.settings
    rule = settings.measure
    buildings: gpd.GeoDataFrame = inputs.tables[BUILDINGS]
    housing = buildings[buildings["is_housing"]].reset_index(drop=True)
    if not len(housing):
        raise Problem(
            "intake.housing", "no building counts as housing",
            expected="at least one building whose use is listed",
            fix="list this city's uses in intake.housing.recorded_use_types or assumed_use_types",
        )  # fmt: skip
    edges: gpd.GeoDataFrame = inputs.tables[STREET_EDGES]
    amenities: gpd.GeoDataFrame = inputs.tables[AMENITIES]
    terrain: Raster = inputs.rasters["terrain"]
    shapes = housing.geometry.to_numpy()

    coverage = cell_coverage(shapes, terrain)
    elevation = zonal_mean(coverage, terrain)
    lowest, highest = zonal_range(coverage, terrain)

    links = street_links(inputs.tables[STREET_NODES], edges)
    profiles = link_profiles(links, terrain, rule.walking)
    network = walk_network(
        links,
        profiles,
        edges["is_main_road"].to_numpy(),
        amenities,
        amenities.geometry.to_numpy(),
        rule,
    )
    snapped = snap(shapes, links, usable_links(links), rule.access.max_access_m)
    access = BuildingAccess(network, snapped, elevation, rule)

    measurements = pd.DataFrame(
        {
            "building_id": housing["building_id"],
            "road_name": road_name(housing, edges, max_distance_m=rule.access.max_road_name_m),
            "cell_id": cell_id(housing, cell_m=rule.grid_cell_m),
            "footprint_area_m2": footprint_area_m2(housing),
            **floor_area(housing),
            "age_yr": age_yr(housing["construction_year"], reference_year=rule.reference_year),
            "elevation_m": elevation,
            "elevation_lowest_m": lowest,
            "elevation_highest_m": highest,
            "slope_deg": zonal_mean(coverage, slope_deg(terrain)),
            "access_m": snapped.access_m,
            "has_street_access": snapped.is_found,
            **access_columns(access, rule),
        }
    )
    counts = amenities["amenity_type"].value_counts()
    unmapped = [name for name, nodes in network.targets.items() if not len(nodes)]
    ledger = {
        "rows_in": len(buildings),
        "rows_out": len(housing),
        "not_housing": len(buildings) - len(housing),
        "without_street_access": sorted(housing["building_id"][~snapped.is_found]),
        "facilities_without_street_access": sorted(network.unreachable_facilities.tolist()),
        "facility_types_not_mapped": {name: int(counts.get(name, 0)) for name in sorted(unmapped)},
        "links": len(edges),
        "links_clipped_in_grade": profiles.clipped_count,
        "links_outside_main_component": int((~main_component(links)).sum()),
    }
    return Outputs(tables={MEASUREMENTS: measurements}, ledger=ledger)


def street_links(nodes: gpd.GeoDataFrame, edges: gpd.GeoDataFrame) -> StreetLinks:
    """Return the street tables as numbered arrays."""
    number = pd.Series(np.arange(len(nodes)), index=nodes["node_id"])
    return StreetLinks(
        from_node=number[edges["from_node_id"]].to_numpy(),
        to_node=number[edges["to_node_id"]].to_numpy(),
        shape=edges.geometry.to_numpy(),
        structure=edges["structure_type"].to_numpy(dtype=object),
        is_forward_open=edges["is_forward_open"].to_numpy(),
        is_backward_open=edges["is_backward_open"].to_numpy(),
        node_x=shapely.get_x(nodes.geometry.to_numpy()),
        node_y=shapely.get_y(nodes.geometry.to_numpy()),
    )
