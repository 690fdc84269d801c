"""Building footprints: geometry, use, storeys, height, year."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd
import shapely

from pipeline.contracts.raw import FeatureTable, OsmExtract
from pipeline.geo.datum import into_working_crs
from pipeline.intake.features import areas, field
from pipeline.intake.osm_areas import Area, node_locator, relation_area, way_area
from pipeline.intake.rejects import Rejects
from pipeline.intake.years import read_year
from pipeline.settings.city import Source
from pipeline.settings.intake import (
    FootprintRule,
    HousingRule,
    IntakeSettings,
    StoreyRule,
    YearRule,
)

_DESCRIBING = (
    "building_name", "building_use_type", "storey_count", "height_m", "construction_year_text",
)  # fmt: skip
_NUMBER = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(m|米|层|f|楼)?\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Footprints:
    """What one source of footprints yields.

    ``buildings`` has every attribute of the table ``buildings`` but the district and estate.
    """

    buildings: gpd.GeoDataFrame
    supporting_count: int
    """Elements that are no building themselves: corners, member ways, entrances."""


def footprints_from_osm(
    extract: OsmExtract,
    name: str,
    source: Source,
    settings: IntakeSettings,
    working_crs: str,
    rejects: Rejects,
) -> Footprints:
    """Return one building for each way or relation that bears a use tag and encloses an area."""
    x, y = into_working_crs(
        extract.node_x, extract.node_y, datum=source.datum, crs=source.crs, working_crs=working_crs
    )
    locate = node_locator(extract, x, y)
    use_fields = source.columns["building_use_type"]
    ways = {way.id: way for way in extract.ways}
    candidates: list[tuple[str, str, Mapping[str, str], Area]] = []
    for way in extract.ways:
        if _first(way.tags, use_fields):
            candidates.append((f"W{way.id}", f"way/{way.id}", way.tags, way_area(way, locate)))
    for relation in extract.relations:
        if _first(relation.tags, use_fields):
            area = relation_area(relation, ways, locate)
            candidates.append((f"R{relation.id}", f"relation/{relation.id}", relation.tags, area))

    points = [key for key, tags in sorted(extract.node_tags.items()) if _first(tags, use_fields)]
    for key in points:
        rejects.row(f"node/{key}", "point_without_outline", "a building mapped as a point")

    rows: list[dict[str, object]] = []
    shapes: list[shapely.Geometry] = []
    for building_id, source_row, tags, area in sorted(candidates, key=lambda c: c[0]):
        fault = area_fault(area, settings.footprints)
        if fault:
            rejects.row(source_row, *fault)
            continue
        if area.is_repaired:
            rejects.notice(source_row, "outline_repaired", "the outline crossed itself")
        texts = {column: _first(tags, fields) for column, fields in source.columns.items()}
        has_other_use = _first(tags, settings.housing.other_use_fields) is not None
        rows.append(
            {
                "building_id": building_id,
                "source_name": name,
                "source_row": source_row,
                **attributes(texts, has_other_use, settings, source_row, rejects),
            }
        )
        shapes.append(area.shape)
    return Footprints(
        gpd.GeoDataFrame(pd.DataFrame(rows), geometry=shapes, crs=working_crs),
        extract.element_count - len(candidates) - len(points),
    )


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
    columns = ["building_id", *_DESCRIBING]
    texts = {column: field(table.fields, source, column).tolist() for column in columns}
    uses = [name for name in settings.housing.other_use_fields if name in table.fields.columns]
    has_other = (table.fields[uses] != "").any(axis=1).tolist() if uses else None
    rows: list[dict[str, object]] = []
    shapes: list[shapely.Geometry] = []
    for number, area in enumerate(areas(table, source, working_crs)):
        source_row = str(number + 1)
        fault = area_fault(area, settings.footprints)
        if fault:
            rejects.row(source_row, *fault)
            continue
        if area.is_repaired:
            rejects.notice(source_row, "outline_repaired", "the outline crossed itself")
        said = {column: values[number] or None for column, values in texts.items()}
        rows.append(
            {
                "building_id": said["building_id"] or f"{name}-{source_row}",
                "source_name": name,
                "source_row": source_row,
                **attributes(
                    said, bool(has_other and has_other[number]), settings, source_row, rejects
                ),
            }
        )
        shapes.append(area.shape)
    return Footprints(gpd.GeoDataFrame(pd.DataFrame(rows), geometry=shapes, crs=working_crs), 0)


def area_fault(area: Area, rule: FootprintRule) -> tuple[str, str] | None:
    """Return why an outline cannot be a building, or nothing."""
    if area.shape is None:
        return area.fault, area.detail
    size_m2 = shapely.area(area.shape)
    if size_m2 < rule.min_area_m2:
        return "footprint_too_small", f"{size_m2:.1f} m²"
    if size_m2 > rule.max_area_m2:
        return "footprint_too_large", f"{size_m2:.0f} m²"
    return None


def attributes(
    texts: Mapping[str, str | None],
    has_other_use: bool,
    settings: IntakeSettings,
    source_row: str,
    rejects: Rejects,
) -> dict[str, object]:
    """Return the attributes of one building from what its source writes, by our columns."""
    use = texts.get("building_use_type") or ""
    return {
        "building_name": texts.get("building_name"),
        "building_use_type": use,
        "has_lift": None,
        **housing(use, has_other_use, settings.housing),
        **storeys(
            texts.get("storey_count"),
            texts.get("height_m"),
            settings.storeys,
            source_row,
            rejects,
        ),
        **construction_year(
            texts.get("construction_year_text"), settings.years, source_row, rejects
        ),
    }


def housing(use: str, has_other_use: bool, rule: HousingRule) -> dict[str, object]:
    """Return whether a building is housing, and why."""
    if use in rule.recorded_use_types:
        origin = "recorded"
    elif use in rule.assumed_use_types and not has_other_use:
        origin = "assumed"
    else:
        origin = "not_housing"
    return {"is_housing": origin != "not_housing", "housing_origin": origin}


def storeys(
    count_text: str | None,
    height_text: str | None,
    rule: StoreyRule,
    source_row: str,
    rejects: Rejects,
) -> dict[str, object]:
    """Return storeys and height with the origin of the storeys.

    Recorded storeys come first, then the recorded height divided by the storey height.
    """
    count = positive_number(count_text, "storey_count", source_row, rejects)
    height_m = positive_number(height_text, "height_m", source_row, rejects)
    if height_m is not None and not 2 <= height_m <= 700:
        rejects.value(source_row, "height_m", "impossible_height", f"{height_m:g} m")
        height_m = None
    origin = "unknown"
    if count is not None and count in rule.default_counts:
        rejects.value(source_row, "storey_count", "mapping_default", f"{count:g} storeys")
    elif count is not None and not 1 <= count <= rule.highest_count:
        rejects.value(source_row, "storey_count", "impossible_storeys", f"{count:g} storeys")
    elif count is not None:
        origin = "recorded"
    if origin == "unknown":
        count = None
        if height_m is not None:
            count, origin = max(1.0, height_m / rule.storey_height_m), "from_height"
    return {
        "storey_count": None if count is None else math.floor(count + 0.5),
        "storey_count_origin": origin,
        "height_m": height_m,
    }


def construction_year(
    text: str | None, rule: YearRule, source_row: str, rejects: Rejects
) -> dict[str, object]:
    """Return the year, its bounds and its origin from the text of the source."""
    reading = read_year(text, earliest=rule.earliest, latest=rule.latest)
    if reading.fault:
        rejects.value(source_row, "construction_year", reading.fault, (text or "")[:200])
    year, origin = None, "unknown"
    if reading.low is not None and reading.high is not None:
        span_yr = reading.high - reading.low
        origin = "recorded" if span_yr == 0 else "vague"
        if span_yr > rule.max_vague_span_yr:
            origin = "bounded"
        else:
            year = reading.low + span_yr // 2
    return {
        "construction_year_text": text,
        "construction_year_low": reading.low,
        "construction_year_high": reading.high,
        "construction_year": year,
        "construction_year_origin": origin,
    }


def _first(fields: Mapping[str, str], names: list[str]) -> str | None:
    return next((fields[name].strip() for name in names if fields.get(name, "").strip()), None)


def positive_number(
    text: str | None, field_name: str, source_row: str, rejects: Rejects
) -> float | None:
    """Return a number that may carry a unit of storeys or metres; what cannot be read is told."""
    if text is None:
        return None
    match = _NUMBER.match(text)
    if not match:
        rejects.value(source_row, field_name, "unreadable_number", text[:200])
        return None
    return float(match[1])
