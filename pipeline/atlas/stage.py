"""Stage 6, atlas: offline pages on which people read, search and question the ranking."""

from dataclasses import replace

import geopandas as gpd
import pandas as pd

from pipeline.atlas.map_page import Neighbours, map_page
from pipeline.atlas.packing import Pack, Way
from pipeline.atlas.points import Used, used_criteria
from pipeline.atlas.reports import cut_to_report, report_pages
from pipeline.atlas.scene import Scene, city_scene
from pipeline.atlas.squeezing import LESS_EFFORT
from pipeline.beside import Beside
from pipeline.contracts.stage import Inputs, Outputs
from pipeline.contracts.tables import BUILDING_RANKING, DISTRICTS
from pipeline.pages.addresses import INDEX, QUALITY, brief_name, district_page_name
from pipeline.settings.whole import Settings


def run(inputs: Inputs) -> Outputs:
    """Return the pages.

    A district has a map of its own if it has buildings in the programme and is not the whole city.
    """
    settings: Settings = inputs.settings
    districts: gpd.GeoDataFrame = inputs.tables[DISTRICTS]
    listed: pd.DataFrame = inputs.tables[BUILDING_RANKING]
    used = used_criteria(settings.score.criteria, inputs.ledgers["score"]["weights"])
    names = dict(zip(districts["district_id"], districts["district_name"], strict=True))
    settled = set(listed["district_name"])
    apart = [key for key, name in names.items() if name in settled] if len(names) > 1 else []
    addresses = [INDEX, QUALITY, *map(district_page_name, apart), *map(brief_name, names)]
    near = Neighbours(tuple(addresses), names)
    told = replace(inputs, tables={}, sources={}, rasters={}, beside=Beside())
    maps = [INDEX, *map(district_page_name, apart)]
    reports = inputs.beside.call(report_pages, cut_to_report(inputs), used, maps)
    scene = city_scene(inputs, used)
    apart_pages = inputs.beside.call(district_pages, scene, told, used, near, apart)
    text, ledger = map_page(scene, told, used, near)
    parts = apart_pages.result()
    pages = {INDEX: text} | {name: parts[name] for name in sorted(parts)} | reports.result()
    ledger["district_page_bytes"] = {name: len(pages[name].encode()) for name in parts}
    return Outputs(pages=pages, ledger=ledger)


def district_pages(
    scene: Scene, inputs: Inputs, used: tuple[Used, ...], near: Neighbours, district_ids: list[str]
) -> dict[str, str]:
    """Return the map of each of these districts by its address.

    Only the first tries how its columns become shortest: the others are like it.
    """
    ways: dict[str, Way] = {}
    return {
        district_page_name(key): map_page(
            scene.part(key), inputs, used, near, key, Pack(ways=ways, effort=LESS_EFFORT)
        )[0]
        for key in district_ids
    }
