"""Building footprints: geometry, use, storeys, height, year."""

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.contracts.raw import FeatureTable, OsmExtract
from pipeline.contracts.source_columns import field
from pipeline.intake.attributes import attributes
from pipeline.intake.features import areas, as_list, row_names
from pipeline.intake.losses import stated_texts
from pipeline.intake.osm_areas import Area, Outline, node_locator, node_positions, outlines
from pipeline.intake.rejects import Rejects
from pipeline.intake.years import mended_years
from pipeline.settings.city import Source
from pipeline.settings.intake import FootprintRule, IntakeSettings

_DESCRIBING = (
    "building_name", "building_use_type", "storey_count", "height_m", "construction_year_text",
)  # fmt: skip


@dataclass(frozen=True)
class Footprints:
    """What one source of footprints yields.

    ``buildings`` has every attribute of the table ``buildings`` but the district and estate.
    """

    buildings: gpd.GeoDataFrame
    supporting_count: int
    """Elements that are no building themselves: corners, member ways, entrances."""
    stated: pd.DataFrame
    """Cells of all that could be buildings by our columns, the row's name as index."""


def footprints_from_osm(
    extract: OsmExtract,
    name: str,
    source: Source,
    settings: IntakeSettings,
    working_crs: str,
    rejects: Rejects,
) -> Footprints:
    """Return one building for each way or relation that bears a use tag and encloses an area."""
    locate = node_locator(extract, node_positions(extract, source, working_crs))
    use_fields = source.columns["building_use_type"]
    candidates = outlines(extract, locate, lambda tags: _first(tags, use_fields) is not None)

    points = [key for key, tags in sorted(extract.node_tags.items()) if _first(tags, use_fields)]
    for key in points:
        rejects.row(f"node/{key}", "point_without_outline", "a building mapped as a point")

    candidates.sort(key=lambda c: c[0])
    drawn = [area for _, _, _, area in candidates]
    kept = kept_outlines(drawn, [row for _, row, _, _ in candidates], settings, rejects)
    used = [candidates[place] for place in kept]
    texts = {
        column: [_first(tags, fields) for _, _, tags, _ in used]
        for column, fields in source.columns.items()
    }
    other = settings.housing.other_use_fields
    has_other_use = [_first(tags, other) is not None for _, _, tags, _ in used]
    source_rows = [row for _, row, _, _ in used]
    columns = {"building_id": [key for key, _, _, _ in used], "source_name": name}
    words = source.values.get("building_use_type", {})
    columns |= attributes(texts, has_other_use, settings, source_rows, rejects, words)
    shapes = [area.shape for _, _, _, area in used]
    return Footprints(
        gpd.GeoDataFrame(pd.DataFrame(columns), geometry=shapes, crs=working_crs),
        extract.element_count - len(candidates) - len(points),
        _stated(candidates, source),
    )


def _stated(candidates: list[Outline], source: Source) -> pd.DataFrame:
    texts = {
        column: [_first(tags, fields) or "" for _, _, tags, _ in candidates]
        for column, fields in source.columns.items()
    }
    return pd.DataFrame(texts, index=[row for _, row, _, _ in candidates], dtype="str")


def footprints_from_features(
    table: FeatureTable,
    name: str,
    source: Source,
    settings: IntakeSettings,
    working_crs: str,
    rejects: Rejects,
) -> Footprints:
    """Return one building for each feature of a vector file that encloses an area.

    Its key is the source's own building number, or the row where there is none.
    """
    drawn = areas(table, source, working_crs)
    rows = row_names(table.fields)
    kept = kept_outlines(drawn, rows, settings, rejects)
    texts = {
        column: [text or None for text in as_list(field(table.fields, source, column).iloc[kept])]
        for column in ("building_id", *_DESCRIBING)
    }
    years = texts["construction_year_text"]
    mended = dict(
        zip(said := [*filter(None, dict.fromkeys(years))], mended_years(said), strict=True)
    )
    texts["construction_year_text"] = [mended.get(text or "", text) for text in years]
    uses = [name for name in settings.housing.other_use_fields if name in table.fields.columns]
    has_other = (table.fields[uses] != "").any(axis=1).to_numpy()[kept].tolist()
    source_rows = [rows[place] for place in kept]
    keys = [
        key or f"{name}-{row}" for key, row in zip(texts["building_id"], source_rows, strict=True)
    ]
    columns = {"building_id": keys, "source_name": name}
    words = source.values.get("building_use_type", {})
    columns |= attributes(texts, has_other, settings, source_rows, rejects, words)
    shapes = [drawn[place].shape for place in kept]
    buildings = gpd.GeoDataFrame(pd.DataFrame(columns), geometry=shapes, crs=working_crs)
    return Footprints(buildings, 0, stated_texts(table, source))


def kept_outlines(
    outlines: list[Area], source_rows: list[str], settings: IntakeSettings, rejects: Rejects
) -> list[int]:
    """Return the positions of the outlines that can be buildings; the others are rejected."""
    rule = settings.footprints
    size_m2 = shapely.area(np.array([area.shape for area in outlines], dtype=object))
    can_be = (size_m2 >= rule.min_area_m2) & (size_m2 <= rule.max_area_m2)  # no shape, no size
    is_repaired = np.array([area.is_repaired for area in outlines], dtype=bool)
    for place in np.flatnonzero(~can_be | is_repaired).tolist():
        fault = area_fault(outlines[place], float(size_m2[place]), rule)
        if fault:
            rejects.row(source_rows[place], *fault)
        else:
            rejects.notice(source_rows[place], "outline_repaired", "the outline crossed itself")
    return np.flatnonzero(can_be).tolist()


def area_fault(area: Area, size_m2: float, rule: FootprintRule) -> tuple[str, str] | None:
    """Return why an outline cannot be a building, or nothing."""
    if area.shape is None:
        return area.fault, area.detail
    if size_m2 < rule.min_area_m2:
        return "footprint_too_small", f"{size_m2:.1f} m²"
    if size_m2 > rule.max_area_m2:
        return "footprint_too_large", f"{size_m2:.0f} m²"
    return None


def _first(fields: Mapping[str, str], names: list[str]) -> str | None:
    return next((fields[name].strip() for name in names if fields.get(name, "").strip()), None)
