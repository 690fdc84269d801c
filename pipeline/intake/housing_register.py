"""The housing register, checked against the footprints it describes.

A register row belongs to the footprint of the same building number. What the register says goes
before what the footprint says. A floor area that footprint and storeys contradict is not believed:
a plain mistake of unit is converted and marked, anything else is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pipeline.geo.crs import crs_of
from pipeline.geo.datum import into_working_crs
from pipeline.geo.raster import Floats
from pipeline.intake.attributes import construction_year, dealt_out, storeys
from pipeline.intake.features import as_list, places_among
from pipeline.intake.losses import taken_counts
from pipeline.intake.register_cells import Cells, Flags, cells_of
from pipeline.intake.register_rows import (
    USUAL_AREA_M2,
    added_up,
    check_known,
    check_merged,
    check_rows,
    check_sums,
    is_added_up,
)
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
_YEARS = (
    "construction_year_low", "construction_year_high", "construction_year",
    "construction_year_origin",
)  # fmt: skip
_MAX_AREA_M2, _MAX_SHOP_M2 = 1e12, 5e6
_WATCHED = ("construction_year_text", "storey_count", "household_count", "recorded_floor_area_m2")


@dataclass(frozen=True)
class Registered:
    """Buildings with what the register says, and how many rows found a footprint."""

    buildings: gpd.GeoDataFrame
    used_count: int
    missing_values: dict[str, int]
    """Rows of the register that leave a column empty."""
    taken: dict[str, int]
    """Column → rows whose value was taken over."""


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
    all_cells = cells_of(rows, source, rejects, {"building_id": buildings["building_id"]})
    check_known(all_cells, buildings["building_id"])
    check_rows(all_cells, buildings["building_id"])
    check_merged(all_cells)
    usable = all_cells.usable(
        ["building_id"], {"building_id": buildings["building_id"]}, unknown="no_footprint",
        may_repeat=is_added_up(source),
    )  # fmt: skip
    cells = all_cells.kept(usable)
    used_count, row_counts = len(cells.rows), None
    place = places_among(cells.texts("building_id"), buildings["building_id"])
    if not len(place):
        return Registered(buildings, 0, dict.fromkeys(_WATCHED, 0), {})
    if is_added_up(source):
        cells, row_counts = added_up(cells, settings.register_checks)
        place = places_among(cells.texts("building_id"), buildings["building_id"])
    _tell_twice(cells, buildings["is_registered"].to_numpy(dtype=bool)[place])
    said = _columns(cells, settings, rejects)
    shapes = buildings.geometry.to_numpy()[place]
    counted = pd.Series(said["storey_count"], dtype="Float64").to_numpy(
        dtype=float, na_value=np.nan
    )
    own = buildings["storey_count"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)[place]
    capacity_m2 = shapely.area(shapes) * np.where(np.isnan(counted), own, counted)
    said |= floor_areas(cells, capacity_m2, settings.register_checks, row_counts)
    _tell_positions(cells, shapes, working_crs, settings.register_checks)
    missing = {column: int((cells.texts(column) == "").sum()) for column in _WATCHED}
    texts = {column: cells.texts(column).replace("", pd.NA) for column in _TEXTS}
    told = pd.DataFrame(said | texts)
    if row_counts is not None:  # what a building takes was stated by each of its rows
        told = told.loc[np.repeat(np.arange(len(told)), row_counts)]
    taken = taken_counts(told, list(source.columns))
    return Registered(_laid_over(buildings, place, said, texts), used_count, missing, taken)


def _tell_twice(cells: Cells, is_again: Flags) -> None:
    """Tell of buildings that an earlier register describes too; what this one states goes before."""
    names, ids = cells.row_names(), as_list(cells.texts("building_id"))
    for number in np.flatnonzero(is_again).tolist():
        detail = f"{ids[number]} stands in an earlier register; what this one states counts"
        cells.rejects.notice(names[number], "in_two_registers", detail)


def _columns(cells: Cells, settings: IntakeSettings, rejects: Rejects) -> dict[str, list[Any]]:
    """Return what the register states, None where it states nothing that can be used."""
    rule, names = settings.register_checks, cells.row_names()
    said: dict[str, list[Any]] = {}
    for column, (low, high) in _WHOLE.items():
        said[column] = _or_none(cells.numbers(column, low, high, whole=True), int)
    said["shop_floor_area_m2"] = _or_none(
        cells.numbers("shop_floor_area_m2", 0, _MAX_SHOP_M2, usual=USUAL_AREA_M2), float
    )
    lift = cells.codes("has_lift", {word: float(yes) for word, yes in rule.yes_no_words.items()})
    said["has_lift"] = _or_none(lift, bool)
    grades = cells.codes(
        "hazard_grade_code", {word: float(n) for n, word in enumerate(rule.hazard_words)}
    )
    said["hazard_grade_code"] = _or_none(grades, lambda n: rule.hazard_words[int(n)])
    heights = dealt_out(
        [(text or None, None) for text in cells.number_texts("storey_count")],
        lambda pair: storeys(*pair, settings.storeys),
        names,
        rejects,
    )
    is_told = [origin == "recorded" for origin in heights["storey_count_origin"]]
    for column in ("storey_count", "storey_count_origin"):
        values = zip(heights[column], is_told, strict=True)
        said[column] = [value if told else None for value, told in values]
    years = dealt_out(
        [text or None for text in as_list(cells.year_texts("construction_year_text"))],
        lambda text: construction_year(text, settings.years),
        names,
        rejects,
    )
    return said | years


def _or_none(values: Floats, kind: Callable[[float], Any]) -> list[Any]:
    return [None if value != value else kind(value) for value in values.tolist()]


def floor_areas(
    cells: Cells,
    capacity_m2: Floats,
    rule: RegisterRule,
    row_counts: NDArray[np.int64] | None = None,
) -> dict[str, list[Any]]:
    """Return the stated floor areas that footprint × storeys bears out, and their origin.

    ``capacity_m2`` is footprint × storeys, NaN where storeys are not known; then the text is
    believed. Stated in 万m² or 亩 instead of m² it is converted.
    """
    area = cells.numbers(
        "recorded_floor_area_m2", np.nextafter(0, 1), _MAX_AREA_M2, usual=USUAL_AREA_M2
    )

    def is_borne_out(m2: Floats) -> Flags:
        with np.errstate(invalid="ignore"):
            share = m2 / capacity_m2
        return (rule.min_area_share <= share) & (share <= rule.max_area_share)

    if row_counts is not None:
        check_sums(cells, area, capacity_m2, row_counts)
    is_told = ~np.isnan(area)
    believed = is_told & (np.isnan(capacity_m2) | is_borne_out(area))
    found = np.where(believed, area, np.nan)
    origin = np.where(believed, "recorded", "unknown").astype("<U9")
    doubted = is_told & ~believed
    reasons = np.where(
        is_borne_out(area * 10) | is_borne_out(area / 10), "area_factor_ten", "area_contradicted"
    )
    for unit_m2, reason in ((MU_M2, "area_in_mu"), (WAN_M2, "area_in_wan_m2")):
        converts = doubted & is_borne_out(area * unit_m2)
        found[converts], origin[converts] = (area * unit_m2)[converts], "converted"
        reasons = np.where(converts, reason, reasons)
    names, texts = cells.row_names(), as_list(cells.texts("recorded_floor_area_m2"))
    for number in np.flatnonzero(doubted).tolist():
        detail = f"{texts[number]} against {capacity_m2[number]:.0f} m² of footprint × storeys"
        detail += ", converted" if origin[number] == "converted" else ""
        cells.rejects.value(names[number], "recorded_floor_area_m2", str(reasons[number]), detail)
    return {
        "recorded_floor_area_m2": _or_none(found, float),
        "recorded_floor_area_origin": origin.tolist(),
    }


def _tell_positions(
    cells: Cells, shapes: NDArray[np.object_], working_crs: str, rule: RegisterRule
) -> None:
    """Tell of positions that are not the footprint's; the footprint's own is used throughout."""
    straight, turned = _position_gaps_m(cells, shapes, working_crs)
    most = rule.max_position_gap_m
    is_told = ~((straight <= most) | (np.isnan(straight) & np.isnan(turned)))
    names = cells.row_names()
    for number in np.flatnonzero(is_told).tolist():
        if turned[number] <= most:
            reason, detail = "swapped_lon_lat", "longitude and latitude change places"
        else:
            gap = straight[number]
            known = np.isfinite(gap)
            reason = "position_contradicted"
            detail = f"{gap:.0f} m from the footprint" if known else "not on earth"
        cells.rejects.value(names[number], "longitude_deg", reason, detail)


def _position_gaps_m(
    cells: Cells, shapes: NDArray[np.object_], working_crs: str
) -> tuple[Floats, Floats]:
    """Return how far each stated position is from its footprint, as written and turned, metres."""
    own = shapely.get_coordinates(shapely.centroid(shapes))
    longitude, latitude = (
        pd.to_numeric(pd.Series(cells.number_texts(name)), errors="coerce").to_numpy(dtype=float)
        for name in ("longitude_deg", "latitude_deg")
    )
    gaps = []
    for x, y in ((longitude, latitude), (latitude, longitude)):
        possible = (np.abs(x) <= 180) & (np.abs(y) <= 90)
        east, north = into_working_crs(
            np.where(possible, x, np.nan),
            np.where(possible, y, np.nan),
            datum=cells.source.datum,
            crs=crs_of(cells.source),
            working_crs=working_crs,
        )
        gaps.append(np.hypot(*np.where(np.isfinite([east, north]), [east, north] - own.T, np.nan)))
    return gaps[0], gaps[1]


def _laid_over(
    buildings: gpd.GeoDataFrame,
    place: NDArray[np.int64],
    said: dict[str, list[Any]],
    texts: dict[str, pd.Series],
) -> gpd.GeoDataFrame:
    """Return the buildings with what the register states in place of their own.

    A year goes over whole, with its bounds and origin, or not at all.
    """
    is_registered = buildings["is_registered"].to_numpy(dtype=bool, copy=True)
    is_registered[place] = True
    has_year = pd.notna(np.array(said["construction_year_low"], dtype=object))
    row = np.full(len(buildings), -1, dtype=np.int64)
    row[place] = np.arange(len(place))
    laid: dict[str, Any] = {}
    for name, column in texts.items():
        own = pd.Series(column.array.take(row, allow_fill=True), index=buildings.index)
        laid[name] = own.fillna(buildings[name])
    for name, listed in said.items():
        laid[name] = buildings[name].astype(object).to_numpy(copy=True)
        told = np.array(listed, dtype=object)
        is_given = has_year if name in _YEARS else pd.notna(told)
        laid[name][place[is_given]] = told[is_given]
    return buildings.assign(is_registered=is_registered, **laid)
