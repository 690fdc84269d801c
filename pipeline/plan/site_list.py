"""The list of proposed sites: what each is, whom it serves, and what the plan does about it."""

import numpy as np
import pandas as pd

from pipeline.contracts.tables import FACILITY_SITES
from pipeline.plan.annual import AnnualPlan
from pipeline.plan.sites import NO_WORK
from pipeline.plan.tables import batch_types, taken_works
from pipeline.settings.plan import PlanSettings

BY_SITE = (
    "site_id", "project_id", "site_total_cny", "planned_year", "batch_type", "readiness_type",
    "favour_owner_share",
)  # fmt: skip
"""What the plan says of each proposed site."""


def site_plan(plan: AnnualPlan, settings: PlanSettings) -> pd.DataFrame:
    """Return the columns ``BY_SITE`` of all sites that a planned project hosts, in their order."""
    service = plan.works.service
    which = np.flatnonzero(service.work_of_site != NO_WORK)
    work = service.work_of_site[which]
    project = plan.works.project[work]
    done, _ = taken_works(plan)
    begins = np.isin(work, done) & (plan.start_year[project] >= 0)
    year = pd.Series(plan.start_year[project] + settings.schedule.first_year, dtype="Int64")
    return pd.DataFrame(
        {
            "site_id": service.site_id[which],
            "project_id": plan.projects["project_id"].to_numpy(dtype=object)[project],
            "site_total_cny": plan.works.cents[work] / 100,
            "planned_year": year.mask(~begins).array,
            "batch_type": np.where(begins, batch_types(plan, settings)[project], "reserve"),
            "readiness_type": np.asarray(plan.ready.kind, dtype=object)[project],
            "favour_owner_share": np.asarray(plan.ready.favour_owner_share)[project],
        }
    )


def facility_list(
    proposed: pd.DataFrame,
    by_site: pd.DataFrame,
    buildings: pd.DataFrame,
    settings: PlanSettings,
) -> pd.DataFrame:
    """Return the list of proposed sites (``FACILITY_SITES``), with what the plan does about each."""
    hosts = buildings.drop_duplicates("building_id").set_index("building_id")
    named = hosts.reindex(proposed["host_building_id"])
    labels = {key: f"{one.label_zh} {one.label_en}" for key, one in settings.measures.items()}
    told = proposed.merge(by_site, on="site_id", how="left", validate="one_to_one")
    place = named["estate_name"].fillna(named["building_name"])
    whole = told.assign(
        facility_label_text=told["works_type"].map(labels),
        site_name=place.fillna(pd.Series(named.index, named.index)).to_numpy(),
        **{
            name: named[name].to_numpy()
            for name in ("district_name", "subdistrict_name", "community_name")
        },
        batch_type=told["batch_type"].fillna("reserve"),
        readiness_type=told["readiness_type"].fillna("not_asked"),
        unit_name=told["works_type"].map({k: m.unit_zh for k, m in settings.measures.items()}),
    )
    return whole[[n for n in FACILITY_SITES.column_names if n != "data_origin"]]
