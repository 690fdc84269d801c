"""Stage 4, plan: the lists that people decide on."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.beside import Beside, Task
from pipeline.contracts.stage import Inputs, ListFamily, Outputs
from pipeline.contracts.tables import (
    BUILDING_RANKING,
    BUILDINGS,
    COMMUNITY_PRIORITY,
    DISTRICT_BUILDINGS,
    DISTRICT_PRIORITY,
    DISTRICTS,
    ESTATE_PRIORITY,
    FACILITY_SITES,
    MEASUREMENTS,
    PROPOSED_SITES,
    RANKING,
    Table,
)
from pipeline.pages.addresses import page_stem
from pipeline.plan.annual import of_ranking
from pipeline.plan.area_plans import area_plans, with_plans
from pipeline.plan.lists import (
    building_list,
    community_priority,
    district_priority,
    estate_priority,
    with_areas,
)
from pipeline.plan.outputs import BY_BUILDING, WORKBOOK, planned
from pipeline.plan.priced import Priced, cut_to_read, priced
from pipeline.plan.prices import refuse_unknown_districts
from pipeline.plan.site_list import facility_list
from pipeline.settings.plan import PlanSettings


def prepare(tables: Mapping[Table, Any], settings: Any, beside: Beside) -> Task[Priced | None]:
    """Begin what needs no scores: the projects, their works and cost."""
    refuse_unknown_districts(settings.plan, set(tables[DISTRICTS]["district_name"]))
    return beside.keep(priced, cut_to_read(tables, settings.plan), settings)


def run(inputs: Inputs) -> Outputs:
    """Return the lists of buildings, estates, communities and districts, and the annual plan."""
    settings: PlanSettings = inputs.settings.plan
    measurements: pd.DataFrame = inputs.tables[MEASUREMENTS]
    buildings = inputs.tables[BUILDINGS]
    origin = "合成 synthetic" if inputs.settings.city.is_synthetic else "delivered"
    ranking = inputs.tables[RANKING]
    plan = inputs.beside.call(
        planned,
        inputs.prepared,
        ranking[of_ranking(ranking.columns.tolist())],
        inputs.settings,
        inputs.scenario,
    )
    listed = building_list(buildings, measurements, ranking)
    cells = measurements.set_index("building_id")["cell_id"]
    placed = with_areas(listed, listed["building_id"].map(cells))
    areas = estate_priority(placed)
    sums = {
        ESTATE_PRIORITY: areas,
        COMMUNITY_PRIORITY: community_priority(placed),
        DISTRICT_PRIORITY: district_priority(placed, areas, settings),
    }
    annual = plan.result()
    listed = listed.join(annual.by_building[list(BY_BUILDING)], on="building_id")
    plans = area_plans(placed, annual.by_building, annual.tables)
    sums = {table: with_plans(frame, plans) for table, frame in sums.items()}
    sites = facility_list(inputs.tables[PROPOSED_SITES], annual.by_site, buildings, settings)
    tables = {BUILDING_RANKING: listed, **sums, FACILITY_SITES: sites}
    tables = {table: frame.assign(data_origin=origin) for table, frame in tables.items()}
    return Outputs(
        tables=tables | dict(annual.tables),
        workbooks={WORKBOOK: inputs.beside.call(annual.workbook)},
        lists=(district_lists(tables[BUILDING_RANKING], buildings),),
        ledger=_ledger(listed, tables[DISTRICT_PRIORITY]) | {"annual": annual.ledger},
    )


def district_lists(listed: pd.DataFrame, buildings: pd.DataFrame) -> ListFamily:
    """Return the building list of each district."""
    shown = DISTRICT_BUILDINGS.column_names
    points = [name for name in listed.columns if name.endswith("_points") and name not in shown]
    kept = listed[[*[name for name in listed.columns if name in shown], *points]]
    district_id = listed["building_id"].map(buildings.set_index("building_id")["district_id"])
    names = district_id.map(
        {one: f"districts/{page_stem(one)}.csv" for one in district_id.unique()}
    )
    return ListFamily(DISTRICT_BUILDINGS, kept, names)


def _ledger(listed: pd.DataFrame, districts: pd.DataFrame) -> dict[str, Any]:
    floor = listed["floor_area_m2"].sum(min_count=1)
    top = districts[districts["row_type"] != "district"].sort_values(
        ["score_mean_points", "rank_best", "area_id"], ascending=[False, True, True]
    )
    shown = ["district_name", "area_name", "building_count", "score_mean_points", "rank_best"]
    return {
        "rows_in": len(listed),
        "rows_out": len(listed),
        "floor_area_known_m2": None if pd.isna(floor) else round(float(floor)),
        "floor_area_known_for": int(listed["floor_area_m2"].notna().sum()),
        "areas_listed": len(top),
        "top": top[shown].head(10).to_dict("records"),
    }
