"""Water areas, which nobody walks across."""

from collections.abc import Mapping

import geopandas as gpd
import shapely

from pipeline.contracts.raw import OsmExtract
from pipeline.geo.raster import Floats
from pipeline.intake.osm_areas import node_locator, outlines
from pipeline.intake.rejects import Rejects


def water_from_osm(
    extract: OsmExtract, position: Floats, working_crs: str, rejects: Rejects, known: set[str]
) -> tuple[gpd.GeoDataFrame, int]:
    """Return the water areas of one source, and how many elements are tagged as such.

    ``position`` is that of the extract's nodes, in the working CRS. ``known`` holds areas that an
    earlier source brought already.
    """
    locate = node_locator(extract, position)
    found = outlines(extract, locate, _is_water)
    kept: dict[str, shapely.Geometry] = {}
    for key, row, _, area in found:
        if key in known:
            rejects.row(row, "repeated_water", "an earlier source brings the same area")
        elif area.shape is None:
            rejects.row(row, area.fault, area.detail)
        else:
            kept[key] = area.shape
            known.add(key)
    table = gpd.GeoDataFrame(
        {"water_id": list(kept)}, geometry=list(kept.values()), crs=working_crs
    )
    return table.astype({"water_id": "str"}), len(found)


def _is_water(tags: Mapping[str, str]) -> bool:
    return (
        tags.get("natural") == "water"
        or tags.get("waterway") in ("riverbank", "dock")
        or tags.get("landuse") in ("reservoir", "basin")
    ) and "highway" not in tags
