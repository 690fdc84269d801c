"""Projects before any score: what they comprise, what their works cost, who pays, when they may start.

None of it hangs on weights, so it can be worked out while the buildings are still being scored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pipeline.contracts.tables import BUILDINGS, CONSENTS, ESTATE_FACTS, MEASUREMENTS
from pipeline.geo.raster import Floats
from pipeline.plan import rules
from pipeline.plan.cost import Works, calls_for, works
from pipeline.plan.funding import central_cents
from pipeline.plan.projects import has_no_name, projects_of
from pipeline.plan.quantities import quantities
from pipeline.plan.readiness import Readiness, Votes, agreements, readiness, votes_of
from pipeline.rules.tracks import tracks
from pipeline.settings.plan import PlanSettings

_OF_BUILDINGS = (
    "building_id", "building_name", "district_name", "subdistrict_name", "community_name",
    "estate_id", "estate_name", "source_name", "storey_count", "household_count",
    "shop_floor_area_m2", "stairwell_count", "management_type", "heritage_name",
    "hazard_grade_code", "renovated_year", "is_in_clearance_plan",
)  # fmt: skip
_OF_MEASUREMENTS = (
    "building_id", "floor_area_m2", "footprint_area_m2", "built_by_cutoff_share",
    "construction_year_p50", "construction_year_basis_type", "road_name",
)  # fmt: skip


@dataclass(frozen=True)
class Priced:
    """Projects in order of their id; every array but ``number`` has an entry for each of them."""

    buildings: pd.DataFrame
    """Planned buildings: quantities and ``project_id``."""
    number: NDArray[np.int64]
    """The project of each planned building."""
    projects: pd.DataFrame
    works: Works
    central_most: Floats
    """Cents that the central subsidy pays of each project at most."""
    votes: Votes
    ready: Readiness
    works_rule: NDArray[np.int64]


def cut_to_read(tables: Mapping[Any, Any], settings: PlanSettings) -> dict[Any, Any]:
    """Return what ``priced`` reads of the tables, to hand it to another interpreter.

    Footprints stay only where a project is found by what stands beside it.
    """
    triggers = {measure.trigger for measure in settings.measures.values()} | {
        effect.column for measure in settings.measures.values() for effect in measure.effects
    }
    measured, buildings = tables[MEASUREMENTS], tables[BUILDINGS]
    of_buildings = [n for n in buildings.columns if n in _OF_BUILDINGS or n in triggers]
    of_measurements = [n for n in measured.columns if n in _OF_MEASUREMENTS or n in triggers]
    # "isin" takes ten times as long on texts
    is_housing = pd.Index(measured["building_id"]).get_indexer(buildings["building_id"]) >= 0
    shapes = buildings.geometry.to_numpy()[is_housing]
    housing = pd.DataFrame(buildings[of_buildings])[is_housing].reset_index(drop=True)
    housing["perimeter_m"] = shapely.length(shapes)
    shapes[~has_no_name(housing).to_numpy(dtype=bool)] = None
    cut = {table: tables[table] for table in (CONSENTS, ESTATE_FACTS)}
    cut[BUILDINGS] = gpd.GeoDataFrame(housing, geometry=shapes, crs=buildings.crs)
    return cut | {MEASUREMENTS: measured[of_measurements]}


def priced(tables: Mapping[Any, Any], settings: Any) -> Priced | None:
    """Return the projects of all buildings on the planned tracks, or nothing if there are none.

    ``tables`` comes from ``cut_to_read``.
    """
    plan: PlanSettings = settings.plan
    rows = _planned_buildings(tables, settings)
    if rows.empty:
        return None
    ids, number = np.unique(rows["project_id"].to_numpy(dtype=object), return_inverse=True)
    votes = votes_of(
        tables[CONSENTS],
        rows[["building_id", "project_id", "household_count", "floor_area_m2"]],
        settings.consent,
    )
    projects = _projects(rows, ids, number, tables[ESTATE_FACTS])
    has_heritage = projects["heritage_name"].notna().to_numpy(dtype=bool)
    ready = readiness(votes, ids, has_heritage, plan, settings.consent)
    agrees = agreements(
        votes, rows["building_id"], rows["project_id"], ready, plan, settings.consent
    )
    done = works(rows, number, agrees, plan)
    central = central_cents(projects, plan.funding.central)
    kind = rules.works_rule_numbers(projects["floor_area_m2"], plan.works)
    projects = projects.assign(lift_called_count=_lifts_called_for(rows, number, plan))
    return Priced(rows, number, projects, done, central, votes, ready, kind)


def _planned_buildings(tables: Mapping[Any, Any], settings: Any) -> pd.DataFrame:
    """Return quantities of the buildings on the planned tracks, with their project."""
    rule: PlanSettings = settings.plan
    housing, measured = tables[BUILDINGS], tables[MEASUREMENTS]
    road = measured.set_index("building_id")["road_name"]
    projects = projects_of(housing, road, rule.projects)
    rows = quantities(housing, measured, rule.stand_ins)
    way = tracks(rows, settings.score.tracks, reference_year=settings.measure.reference_year)
    is_planned = np.isin(way.track_type, rule.schedule.tracks)
    whole = pd.concat([rows, projects.drop(columns="building_id")], axis=1)
    return whole[is_planned].reset_index(drop=True)


def _projects(
    rows: pd.DataFrame,
    ids: NDArray[np.object_],
    number: NDArray[np.int64],
    facts: pd.DataFrame,
) -> pd.DataFrame:
    """Return one row for each project: names, sums, what is known of its estate."""
    of = rows.groupby(number, sort=True)
    first = of[["project_name", "project_origin", "estate_id", "estate_name"]].first()
    biggest = rows.assign(_number=number).sort_values(
        ["_number", "floor_area_m2", "building_id"], ascending=[True, False, True]
    )
    # an estate on a border belongs to the district that holds most of its floor area
    areas = biggest.groupby(["_number", "district_name"], sort=True)["floor_area_m2"].sum()
    main = areas.reset_index().sort_values(
        ["_number", "floor_area_m2", "district_name"], ascending=[True, False, True]
    )
    district = main.drop_duplicates("_number")["district_name"].to_numpy()
    sums = of[["building_count", "household_count", "floor_area_m2", "shop_floor_area_m2"]].sum()
    estimated = rows["floor_area_m2"].to_numpy() * rows["is_estimated"].to_numpy()
    one_of = biggest.groupby("_number", sort=True)[
        ["subdistrict_name", "community_name", "management_type"]
    ].first()
    estate_facts = facts.drop_duplicates("estate_id").set_index("estate_id")
    estate_facts = estate_facts.reindex(first["estate_id"])
    count = len(ids)
    area = sums["floor_area_m2"].to_numpy(dtype=float)
    return pd.DataFrame(
        {
            "project_id": ids,
            "project_name": first["project_name"].to_numpy(),
            "project_origin": first["project_origin"].to_numpy(),
            "district_name": district,
            "subdistrict_name": one_of["subdistrict_name"].to_numpy(),
            "community_name": one_of["community_name"].to_numpy(),
            "management_type": one_of["management_type"].to_numpy(),
            "estate_id": first["estate_id"].to_numpy(),
            "estate_name": first["estate_name"].to_numpy(),
            "building_count": sums["building_count"].to_numpy(dtype=float).astype(np.int64),
            "household_count": sums["household_count"].to_numpy(dtype=float),
            "floor_area_m2": area,
            "shop_floor_area_m2": sums["shop_floor_area_m2"].to_numpy(dtype=float),
            "parking_space_count": estate_facts["parking_space_count"].to_numpy(dtype=float),
            "idle_room_area_m2": estate_facts["idle_room_area_m2"].to_numpy(dtype=float),
            "estimated_share": np.minimum(sum_by(number, estimated, count) / area, 1.0),
            "construction_year_earliest": of["construction_year_p50"].min().to_numpy(),
            "construction_year_latest": of["construction_year_p50"].max().to_numpy(),
            "construction_basis": _distinct(rows["construction_year_basis_type"], number, count),
            "heritage_name": of["heritage_name"].first().to_numpy(),
            "hazard_grade_code": of["hazard_grade_code"].max().to_numpy(),
        }
    )


def sum_by(number: NDArray[np.int64], amount: Floats, count: int) -> Floats:
    """Return the sum of each project."""
    return np.asarray(np.bincount(number, weights=amount, minlength=count), dtype=float)


def _distinct(kinds: pd.Series, number: NDArray[np.int64], count: int) -> NDArray[np.object_]:
    """Return the different words of each project, sorted, with | between them."""
    pairs = pd.DataFrame({"number": number, "kind": kinds.to_numpy(dtype=object)}).dropna()
    pairs = pairs.drop_duplicates().sort_values(["number", "kind"])
    texts = np.full(count, "", dtype=object)
    for one, kind in pairs.itertuples(index=False, name=None):
        texts[one] += f"|{kind}" if texts[one] else kind
    return texts


def _lifts_called_for(
    rows: pd.DataFrame, number: NDArray[np.int64], settings: PlanSettings
) -> NDArray[np.int64]:
    """Return the stairwells of each project that call for a lift, whether their owners agree or not."""
    count = int(number.max()) + 1
    called = np.zeros(count)
    for measure in settings.measures.values():
        if measure.consent == "lift":
            known = calls_for(rows, measure) * rows["stairwell_count"].to_numpy(dtype=float)
            called += np.bincount(number, weights=known, minlength=count)
    return np.round(called).astype(np.int64)
