"""Stage 4, plan: the lists that people decide on."""

import pandas as pd

from pipeline.contracts.stage import Inputs, Outputs
from pipeline.contracts.tables import (
    BUILDING_RANKING,
    BUILDINGS,
    DISTRICT_PRIORITY,
    MEASUREMENTS,
    RANKING,
)
from pipeline.plan.lists import building_list, district_priority, with_areas
from pipeline.settings.plan import PlanSettings


def run(inputs: Inputs) -> Outputs:
    """Return the building list and the district list."""
    settings: PlanSettings = inputs.settings.plan
    measurements: pd.DataFrame = inputs.tables[MEASUREMENTS]
    ranked = building_list(inputs.tables[BUILDINGS], measurements, inputs.tables[RANKING])
    cells = measurements.set_index("building_id")["cell_id"]
    cell_id = ranked["building_id"].map(cells)
    areas = with_areas(ranked, cell_id)
    districts = district_priority(areas, settings)
    origin = "合成 synthetic" if inputs.settings.city.is_synthetic else "delivered"
    ranked, districts = (table.assign(data_origin=origin) for table in (ranked, districts))
    floor = ranked["floor_area_m2"].sum(min_count=1)
    top = districts[districts["row_type"] != "district"].sort_values(
        ["score_mean_points", "rank_best", "area_id"], ascending=[False, True, True]
    )
    shown = ["district_name", "area_name", "building_count", "score_mean_points", "rank_best"]
    ledger = {
        "rows_in": len(inputs.tables[RANKING]),
        "rows_out": len(ranked),
        "floor_area_known_m2": None if pd.isna(floor) else round(float(floor)),
        "floor_area_known_for": int(ranked["floor_area_m2"].notna().sum()),
        "areas_listed": len(top),
        "top": top[shown].head(10).to_dict("records"),
    }
    return Outputs(tables={BUILDING_RANKING: ranked, DISTRICT_PRIORITY: districts}, ledger=ledger)
