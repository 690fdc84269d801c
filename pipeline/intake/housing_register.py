"""The housing register, checked against the footprints it describes.

A register row belongs to the footprint of the same building number. What the register says goes
before what the footprint says. A floor area that footprint and storeys contradict is not believed:
a plain mistake of unit is converted and marked, anything else is left out.
"""

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.geo.datum import into_working_crs
from pipeline.geo.raster import Floats
from pipeline.intake.features import field
from pipeline.intake.footprints import construction_year, positive_number, storeys
from pipeline.intake.rejects import Rejects
from pipeline.settings.city import Source
from pipeline.settings.intake import IntakeSettings, RegisterRule

WAN_M2, MU_M2 = 10_000.0, 2000.0 / 3
_WHOLE = {
    "household_count": (0, 10_000),
    "stairwell_count": (1, 200),
    "entry_storey_number": (1, 150),
}
_TEXTS = (
    "estate_id", "estate_name", "manager_name", "building_structure_type", "subdistrict_name",
    "community_name",
)  # fmt: skip
_WATCHED = ("construction_year_text", "storey_count", "household_count", "recorded_floor_area_m2")


@dataclass(frozen=True)
class Registered:
    """Buildings with what the register says, and how many rows found a footprint."""

    buildings: gpd.GeoDataFrame
    used_count: int
    missing_values: dict[str, int]
    """Rows of the register that leave a column empty."""


def without_register(buildings: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return buildings of which no register says anything."""
    empty = pd.Series([None] * len(buildings), index=buildings.index, dtype=object)
    no_text = pd.Series(pd.NA, index=buildings.index, dtype="str")
    return buildings.assign(
        **{name: no_text for name in (*_TEXTS, "hazard_grade_code")},
        **{name: empty for name in _WHOLE},
        recorded_floor_area_m2=np.nan,
        recorded_floor_area_origin="unknown",
        shop_floor_area_m2=np.nan,
        is_registered=False,
    )


def with_register(
    buildings: gpd.GeoDataFrame,
    rows: pd.DataFrame,
    source: Source,
    settings: IntakeSettings,
    working_crs: str,
    rejects: Rejects,
) -> Registered:
    """Return the buildings with the register's values laid over their own."""
    said = {
        column: field(rows, source, column).tolist()
        for column in {
            *_TEXTS, *_WHOLE, *_WATCHED, "building_id", "has_lift", "hazard_grade_code",
            "longitude_deg", "latitude_deg", "shop_floor_area_m2",
        }
    }  # fmt: skip
    number_of = {key: i for i, key in enumerate(buildings["building_id"].tolist())}
    middle = shapely.get_coordinates(shapely.centroid(buildings.geometry.to_numpy()))
    off_m = _position_gaps_m(said, source, working_crs, middle, number_of)
    footprint_m2 = shapely.area(buildings.geometry.to_numpy()).tolist()
    own_storeys = buildings["storey_count"].astype("float64").tolist()
    found: dict[int, dict[str, Any]] = {}
    first_row: dict[str, int] = {}
    for i, key in enumerate(said["building_id"]):
        row = str(i + 1)
        if not key:
            rejects.row(row, "no_key", "the row has no building number")
        elif key in first_row:
            rejects.row(row, "duplicate_row", f"building {key} stands in row {first_row[key] + 1}")
        elif key not in number_of:
            rejects.row(row, "no_footprint", f"no footprint bears the number {key}")
        else:
            first_row[key] = i
            place = number_of[key]
            texts = {column: values[i] for column, values in said.items()}
            record = _record(texts, row, settings, rejects)
            capacity_m2 = footprint_m2[place] * record.get("storey_count", own_storeys[place])
            checks = settings.register_checks
            record |= floor_area(texts["recorded_floor_area_m2"], capacity_m2, row, checks, rejects)
            _tell_position(off_m[i], row, checks, rejects)
            found[place] = record
    missing = {column: sum(not said[column][i] for i in first_row.values()) for column in _WATCHED}
    return Registered(_laid_over(buildings, found), len(found), missing)


def _record(
    texts: dict[str, str], row: str, settings: IntakeSettings, rejects: Rejects
) -> dict[str, Any]:
    rule = settings.register_checks
    record: dict[str, Any] = {column: texts[column] or None for column in _TEXTS}
    for column, (low, high) in _WHOLE.items():
        number = positive_number(texts[column] or None, column, row, rejects)
        if number is not None and not (low <= number <= high and number == int(number)):
            rejects.value(row, column, "impossible_number", texts[column])
            number = None
        record[column] = None if number is None else int(number)
    record["shop_floor_area_m2"] = positive_number(
        texts["shop_floor_area_m2"] or None, "shop_floor_area_m2", row, rejects
    )
    lift, grade = texts["has_lift"], texts["hazard_grade_code"]
    if lift and lift not in rule.yes_no_words:
        rejects.value(row, "has_lift", "unknown_word", lift[:200])
    record["has_lift"] = rule.yes_no_words.get(lift)
    if grade and grade not in rule.hazard_words:
        rejects.value(row, "hazard_grade_code", "unknown_word", grade[:200])
    record["hazard_grade_code"] = grade if grade in rule.hazard_words else None
    height = storeys(texts["storey_count"] or None, None, settings.storeys, row, rejects)
    if height["storey_count_origin"] == "recorded":
        record |= {name: height[name] for name in ("storey_count", "storey_count_origin")}
    if texts["construction_year_text"]:
        record |= construction_year(texts["construction_year_text"], settings.years, row, rejects)
    return record


def floor_area(
    text: str, capacity_m2: float, row: str, rule: RegisterRule, rejects: Rejects
) -> dict[str, Any]:
    """Return the stated floor area if footprint × storeys bears it out.

    ``capacity_m2`` is footprint × storeys, NaN where storeys are not known; then the text is
    believed. Stated in 万m² or 亩 instead of m² it is converted.
    """
    unknown = {"recorded_floor_area_m2": None, "recorded_floor_area_origin": "unknown"}
    if not text:
        return unknown
    try:
        area = float(text.replace(",", ""))
    except ValueError:
        rejects.value(row, "recorded_floor_area_m2", "unreadable_number", text[:200])
        return unknown
    if not 0 < area < np.inf:
        rejects.value(row, "recorded_floor_area_m2", "impossible_area", text[:200])
        return unknown

    def is_borne_out(m2: float) -> bool:
        return rule.min_area_share <= m2 / capacity_m2 <= rule.max_area_share

    if np.isnan(capacity_m2) or is_borne_out(area):
        return {"recorded_floor_area_m2": area, "recorded_floor_area_origin": "recorded"}
    detail = f"{text} against {capacity_m2:.0f} m² of footprint × storeys"
    for unit_m2, reason in ((WAN_M2, "area_in_wan_m2"), (MU_M2, "area_in_mu")):
        if is_borne_out(area * unit_m2):
            rejects.value(row, "recorded_floor_area_m2", reason, detail + ", converted")
            area *= unit_m2
            return {"recorded_floor_area_m2": area, "recorded_floor_area_origin": "converted"}
    slip = is_borne_out(area * 10) or is_borne_out(area / 10)
    reason = "area_factor_ten" if slip else "area_contradicted"
    rejects.value(row, "recorded_floor_area_m2", reason, detail)
    return unknown


def _position_gaps_m(
    said: dict[str, list[str]],
    source: Source,
    working_crs: str,
    middle: Floats,
    number_of: dict[str, int],
) -> list[tuple[float, float]]:
    """Return how far each stated position is from its footprint, as written and turned, metres."""
    place = np.array([number_of.get(key, -1) for key in said["building_id"]])
    own = np.where(place[:, None] >= 0, middle[place], np.nan)
    longitude, latitude = (
        pd.to_numeric(pd.Series(said[name], dtype="str"), errors="coerce").to_numpy(dtype=float)
        for name in ("longitude_deg", "latitude_deg")
    )
    gaps = []
    for x, y in ((longitude, latitude), (latitude, longitude)):
        possible = (np.abs(x) <= 180) & (np.abs(y) <= 90)
        east, north = into_working_crs(
            np.where(possible, x, np.nan),
            np.where(possible, y, np.nan),
            datum=source.datum,
            crs=source.crs,
            working_crs=working_crs,
        )
        gaps.append(np.hypot(*np.where(np.isfinite([east, north]), [east, north] - own.T, np.nan)))
    return list(zip(gaps[0].tolist(), gaps[1].tolist(), strict=True))


def _tell_position(
    off_m: tuple[float, float], row: str, rule: RegisterRule, rejects: Rejects
) -> None:
    """Tell of a position that is not the footprint's; the footprint's own is used throughout."""
    straight, turned = off_m
    if straight <= rule.max_position_gap_m or (np.isnan(straight) and np.isnan(turned)):
        return
    if turned <= rule.max_position_gap_m:
        rejects.value(
            row, "longitude_deg", "swapped_lon_lat", "longitude and latitude change places"
        )
    else:
        gap = f"{straight:.0f} m from the footprint" if np.isfinite(straight) else "not on earth"
        rejects.value(row, "longitude_deg", "position_contradicted", gap)


def _laid_over(buildings: gpd.GeoDataFrame, found: dict[int, dict[str, Any]]) -> gpd.GeoDataFrame:
    places = sorted(found)
    said = pd.DataFrame([found[place] for place in places], index=places)
    whole = buildings.assign(
        is_registered=buildings.index.isin(places) | buildings["is_registered"]
    )
    for name in said.columns:
        values = whole[name].astype(object).to_numpy(copy=True)
        given = said[name].astype(object)
        given = given[given.notna()]
        values[given.index.to_numpy(dtype=int)] = given.to_numpy()
        whole[name] = values
    return whole
