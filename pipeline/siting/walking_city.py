"""The city as its people walk it today: what every search for sites begins with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from pipeline.contracts.tables import (
    AMENITIES,
    BUILDINGS,
    ESTATE_FACTS,
    ESTATES,
    MEASUREMENTS,
    STREET_EDGES,
    STREET_NODES,
    WATER,
    Table,
)
from pipeline.geo.raster import Floats, Raster
from pipeline.measure.access import Doors, doors
from pipeline.measure.streets import StreetWorld, street_world
from pipeline.measure.what_if import (
    LEAST_KNOWN_SHARE,
    all_mapped,
    mapped_types,
    reachable_counts,
)
from pipeline.settings.measure import MeasureSettings
from pipeline.settings.whole import Settings

READS = (
    BUILDINGS, STREET_NODES, STREET_EDGES, AMENITIES, WATER, ESTATES, ESTATE_FACTS, MEASUREMENTS,
)  # fmt: skip


@dataclass(frozen=True)
class WalkingCity:
    """Streets with heights, facilities joined to them, and the way of all housing into them.

    ``households`` and ``elders`` are parallel to ``housing``. They are 1 and the elder share a
    building where ``weighted_by`` says ``buildings``, since fewer than half have known households;
    else a building without a known number weighs nothing, as in a what-if.
    """

    tables: Mapping[Table, Any]
    housing: gpd.GeoDataFrame
    ground: Raster
    world: StreetWorld
    rule: MeasureSettings
    """The settings for the mapped facility types only, each of which counts."""
    doors: Doors
    households: Floats
    elders: Floats
    weighted_by: str
    reachable: pd.Series
    """How many facilities of each type can be reached, mapped or not."""


def walking_city(tables: Mapping[Table, Any], ground: Raster, settings: Settings) -> WalkingCity:
    """Return the city as it is walked today, by the same rules as a what-if."""
    rule = settings.measure
    nodes, edges, amenities, water = (
        tables[table] for table in (STREET_NODES, STREET_EDGES, AMENITIES, WATER)
    )
    every = all_mapped(rule, list(rule.facilities))
    world = street_world(nodes, edges, amenities, water, ground, every)
    reachable = reachable_counts(amenities, world)
    mapped = all_mapped(rule, mapped_types(reachable, rule))
    buildings: gpd.GeoDataFrame = tables[BUILDINGS]
    housing = buildings[buildings["is_housing"]].reset_index(drop=True)
    ways = doors(
        housing.geometry.to_numpy(),
        world.network.links,
        world.usable,
        world.network.profiles,
        world.terrain,
        world.water,
        rule.access,
        rule.walking,
        world.gate_line,
    )
    known, weighted_by = _households(housing)
    share = housing["elder_share"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    return WalkingCity(
        tables, housing, ground, world, mapped, ways, known, known * np.nan_to_num(share),
        weighted_by, reachable,
    )  # fmt: skip


def _households(housing: gpd.GeoDataFrame) -> tuple[Floats, str]:
    counted = housing["household_count"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    if np.isnan(counted).mean() > 1 - LEAST_KNOWN_SHARE:
        return np.ones(len(housing)), "buildings"
    return np.nan_to_num(counted), "households"
