"""Proposed sites as works of the projects that host them: each serves the buildings of its table.

Facilities and public lifts come by the same two tables: ``PROPOSED_SITES`` says where something would
stand and what it costs, ``SITE_SERVICE`` which measurement of which building it changes, and to what.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.tables import PROPOSED_SITES, SITE_SERVICE
from pipeline.plan.cost import WHOLE_PROJECT, SiteService, Works
from pipeline.plan.prices import row_prices_cny
from pipeline.settings.plan import PlanSettings

NO_WORK = -1
"""Stands for the work of a site that no planned project hosts."""


def with_sites(
    found: Works,
    tables: Mapping[Any, Any],
    rows: pd.DataFrame,
    project: NDArray[np.int64],
    settings: PlanSettings,
) -> Works:
    """Return the works with those of the proposed sites.

    ``tables`` may lack both tables of sites; ``rows`` are the planned buildings, ``project`` the
    project of each. A site belongs to the project of its host building; where that is not planned,
    to the one that holds most of the households it serves; to none if it serves no planned building.
    """
    proposed, service = tables.get(PROPOSED_SITES), tables.get(SITE_SERVICE)
    keys = [k for k, one in settings.measures.items() if one.quantity == "proposed_sites"]
    if proposed is None or service is None or not len(proposed):
        return found
    row_of = pd.Index(rows["building_id"])
    sites = pd.Index(proposed["site_id"])
    site, building = (
        sites.get_indexer(service["site_id"]),
        row_of.get_indexer(service["building_id"]),
    )
    there = (site >= 0) & (building >= 0)
    site, building = site[there], building[there]
    host = _host_rows(proposed, site, building, rows, project, row_of)
    is_work = (host >= 0) & proposed["works_type"].isin(keys).to_numpy(dtype=bool)
    which = np.flatnonzero(is_work)
    measure = pd.Index(list(settings.measures)).get_indexer(proposed["works_type"])[which]
    cents = _cents(proposed.iloc[which], measure, rows.iloc[host[which]], settings)
    parts = (
        (found.project, project[host[which]]),
        (found.measure, measure),
        (found.building, np.full(which.size, WHOLE_PROJECT)),
        (found.quantity, proposed["site_quantity"].to_numpy(dtype=float)[which]),
        (found.cents, cents),
    )
    whole = [np.concatenate(part) for part in parts]
    order = np.lexsort((whole[2], whole[1], whole[0]))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    work_of_site = np.full(len(proposed), NO_WORK)
    work_of_site[which] = place[len(found.project) :]
    kept = is_work[site]
    served = SiteService(
        work_of_site[site[kept]],
        building[kept],
        service["effect_column_name"].to_numpy(dtype=object)[there][kept],
        service["value_after"].to_numpy(dtype=float)[there][kept],
        work_of_site,
        proposed["site_id"].to_numpy(dtype=object),
    )
    of, kind, at, quantity, cost = (part[order] for part in whole)
    return Works(of, kind, at, quantity, cost, served)


def _host_rows(
    proposed: pd.DataFrame,
    site: NDArray[np.int64],
    building: NDArray[np.int64],
    rows: pd.DataFrame,
    project: NDArray[np.int64],
    row_of: pd.Index,
) -> NDArray[np.int64]:
    """Return the planned building that stands for each site, −1 where there is none."""
    host = row_of.get_indexer(pd.Index(proposed["host_building_id"]))
    served = pd.DataFrame(
        {
            "site": site,
            "project": project[building],
            "row": building,
            "households": rows["household_count"].to_numpy(dtype=float)[building],
        }
    )
    sums = served.groupby(["site", "project"]).agg(
        households=("households", "sum"), row=("row", "min")
    )
    most = sums.reset_index().sort_values(
        ["site", "households", "project"], ascending=[True, False, True]
    )
    most = most.drop_duplicates("site")
    beside = np.full(len(proposed), -1)
    beside[most["site"].to_numpy(dtype=np.int64)] = most["row"].to_numpy(dtype=np.int64)
    return np.where(host >= 0, host, beside)


def _cents(
    proposed: pd.DataFrame,
    measure: NDArray[np.int64],
    hosts: pd.DataFrame,
    settings: PlanSettings,
) -> NDArray[np.int64]:
    """Return what each site costs: as its table says, else by the price list."""
    measures = list(settings.measures.values())
    listed = row_prices_cny(settings, hosts["district_name"])[measure, np.arange(len(hosts))]
    heritage = hosts["heritage_name"].notna().to_numpy(dtype=bool)
    dearer = np.array([one.heritage_cost_factor for one in measures])[measure]
    factor = proposed["site_cost_factor"].astype("float64").fillna(1.0).to_numpy()
    listed = listed * np.where(heritage, dearer, 1.0) * factor
    listed = listed * proposed["site_quantity"].to_numpy(dtype=float)
    stated = proposed["stated_cost_cny"].astype("float64").to_numpy()
    return np.round(np.where(np.isnan(stated), listed, stated) * 100).astype(np.int64)
