"""The plain pages beside the map: a brief for each district, and how good the data is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from pipeline.atlas.areas import area_keys
from pipeline.atlas.brief import Context, brief_page
from pipeline.atlas.brief_facts import district_facts, needed_columns
from pipeline.atlas.brief_map import MOST_HEIGHT, PLAN_HEIGHT, Backdrop, backdrop, district_map
from pipeline.atlas.legend import attribution_texts
from pipeline.atlas.points import Used
from pipeline.atlas.quality import Evidence, quality_page
from pipeline.beside import Beside
from pipeline.contracts.stage import Inputs
from pipeline.contracts.tables import (
    BUILDING_RANKING,
    BUILDINGS,
    DISTRICT_PRIORITY,
    DISTRICTS,
    MEASUREMENTS,
    PLAN_PROJECTS,
    PLAN_SUMMARY,
    REJECTS,
    STREET_EDGES,
    WATER,
)
from pipeline.pages.addresses import INDEX, QUALITY, brief_name, links
from pipeline.pages.words import Words
from pipeline.settings.whole import Settings

_OF_WALKS = ("_walk_out_min", "_walk_back_min", "_walk_m", "_climb_m", "_gap_m", "_min_count")


@dataclass(frozen=True)
class Plan:
    """Tables of the annual plan; without rows where nothing can be planned."""

    projects: pd.DataFrame
    summary: pd.DataFrame


def cut_to_report(inputs: Inputs) -> Inputs:
    """Return what ``report_pages`` reads, to hand it to another interpreter.

    Of the walks only those that are a criterion: they are half of the list.
    """
    tables = inputs.tables
    listed: pd.DataFrame = tables[BUILDING_RANKING]
    measures = {one.measure for one in inputs.settings.score.criteria.values()}
    buildings: gpd.GeoDataFrame = tables[BUILDINGS][["building_id", "geometry"]]
    place = pd.Index(buildings["building_id"]).get_indexer(listed["building_id"])
    edges: gpd.GeoDataFrame = tables[STREET_EDGES][["is_main_road", "geometry"]]
    others = (DISTRICTS, WATER, REJECTS, DISTRICT_PRIORITY, PLAN_PROJECTS, PLAN_SUMMARY)
    cut = {
        BUILDING_RANKING: listed[
            [n for n in listed.columns if n in measures or not str(n).endswith(_OF_WALKS)]
        ],
        BUILDINGS: buildings.iloc[np.sort(place)].reset_index(drop=True),
        MEASUREMENTS: tables[MEASUREMENTS][["building_id", "cell_id"]],
        STREET_EDGES: edges[edges["is_main_road"].to_numpy(dtype=bool)].reset_index(drop=True),
    } | {table: tables[table] for table in others}
    return replace(inputs, tables=cut, sources={}, rasters={}, beside=Beside())


def report_pages(
    inputs: Inputs, used: tuple[Used, ...], maps: Collection[str] = (INDEX,)
) -> dict[str, str]:
    """Return every plain page by its address.

    Parameters
    ----------
    maps
        Addresses of the map pages that lie beside and can be linked to.
    """
    settings: Settings = inputs.settings
    districts: gpd.GeoDataFrame = inputs.tables[DISTRICTS]
    names = dict(zip(districts["district_id"], districts["district_name"], strict=True))
    pages = [*maps, QUALITY, *(brief_name(one) for one in names)]
    context = Context(
        settings,
        {item.name: item.criterion for item in used},
        inputs.ledgers["score"]["weights"],
        inputs.scenario,
        attribution_texts(settings.sources),
        _year_notes(inputs.ledgers.get("measure", {}).get("years", {})),
    )
    listed = _listed(inputs, list(context.criteria))
    behind = backdrop(districts, inputs.tables[WATER], inputs.tables[STREET_EDGES])
    evidence = Evidence(
        settings,
        inputs.ledgers,
        inputs.tables[REJECTS],
        inputs.tables[BUILDING_RANKING],
        inputs.scenario,
        inputs.remarks,
    )
    plan = Plan(inputs.tables[PLAN_PROJECTS], inputs.tables[PLAN_SUMMARY])
    found = {QUALITY: quality_page(evidence, links=links(QUALITY, pages, names))}
    for district_id, name in names.items():
        own = brief_name(district_id)
        found[own] = _brief(
            district_id, name, listed, behind, inputs.tables[DISTRICT_PRIORITY], plan, context,
            links(own, pages, names, only=district_id),
        )  # fmt: skip
    return found


def _listed(inputs: Inputs, names: list[str]) -> gpd.GeoDataFrame:
    """Return the building list with outlines and with the area each building is listed in."""
    whole: pd.DataFrame = inputs.tables[BUILDING_RANKING]
    ranked = whole[needed_columns(names, list(whole.columns))]
    buildings: gpd.GeoDataFrame = inputs.tables[BUILDINGS]
    measured = inputs.tables[MEASUREMENTS].set_index("building_id")["cell_id"]
    shapes = buildings.set_index("building_id").geometry
    place = shapes.index.get_indexer(ranked["building_id"])
    told = ranked.assign(area_id=area_keys(ranked, ranked["building_id"].map(measured)))
    # rows are picked a few hundred times, and plain objects are picked faster than arrow's texts
    texts = [name for name in told.columns if pd.api.types.is_string_dtype(told[name])]
    return gpd.GeoDataFrame(
        told.astype(dict.fromkeys(texts, object)),
        geometry=shapes.to_numpy()[place],
        crs=buildings.crs,
    )


def _brief(
    district_id: str,
    name: str,
    listed: gpd.GeoDataFrame,
    behind: Backdrop,
    priority: pd.DataFrame,
    plan: Plan,
    context: Context,
    neighbours: list[tuple[str, Words]],
) -> str:
    rows = listed[listed["district_name"] == name]
    facts = district_facts(
        district_id, name, pd.DataFrame(rows), priority, context.criteria,
        projects=plan.projects, summary=plan.summary,
    )  # fmt: skip
    at = gpd.GeoSeries.from_xy(
        [area.longitude_deg for area in facts.areas],
        [area.latitude_deg for area in facts.areas],
        crs="EPSG:4326",
    ).to_crs(listed.crs)
    drawn = district_map(
        name,
        rows.geometry.to_numpy(),
        rows["tier_number"].astype("Int64").fillna(0).to_numpy(dtype=np.int64),
        behind,
        inks=[tier.colour for tier in context.settings.atlas.tiers],
        labels=np.stack([at.x.to_numpy(), at.y.to_numpy()], axis=1),
        most_height=PLAN_HEIGHT if facts.plan_years else MOST_HEIGHT,
    )
    return brief_page(facts, drawn, context, links=neighbours)


def _year_notes(years: Mapping[str, Any]) -> Words:
    missing, known = years.get("missing"), years.get("known")
    if not missing or known is None:
        return Words("", "")
    error = years.get("mean_error_yr", {}).get("model")
    if error is None:
        return Words(
            f"全市 {missing:,} 栋没有建成年份记录，已知太少，未作推断。",
            f"In the whole run {missing:,} buildings have no recorded year; too few are known.",
        )
    return Words(
        f"全市 {missing:,} 栋的建成年份为推断，平均误差 {error:.1f} 年。",
        f"In the whole run {missing:,} years are inferred, with a mean error of {error:.1f} years.",
    )
