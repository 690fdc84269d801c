"""Make a foreign file of footprints fit to judge the year method on: every row used or told why not."""

import re
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipeline.geo.raster import Floats
from pipeline.intake.years import read_year
from pipeline.measure.years import plain
from pipeline.problem import Problem
from pipeline.settings.intake import YearRule as ReadingRule
from pipeline.years.facts import YearFacts
from pipeline.years.shape import density_columns, shape_columns
from pipeline.years.units import Ints

_YEAR_WORDS = re.compile(
    r"year|jahr|jaar|annee|ann[eé]e|anno|a[nñ]o|date|datum|fecha|built|build_?y|baujahr|bouwjaar|constr|renov|"
    r"epoch|period|(^|_)era($|_)|年|日期|建成|竣工|beginning|start|end$|(^|_)age($|_)|vintage",
    re.IGNORECASE,
)
_ID_WORDS = re.compile(
    r"(^|_)(id|fid|gid|oid|objectid|code|ref|num|nr|pid|bbl|bin)\d*$|编号|序号", re.IGNORECASE
)
_PARCEL_MEDIAN_M2 = 2_000.0
_MOST_CLASSES = 200
_MANY = "too many different words"
_HOUSE_NUMBER, _LEAST_SHARING = r"\b\d+\w{0,2}\b|[#,./-]", 3


@dataclass(frozen=True)
class KnownYears:
    """Buildings of known year with what may tell it.

    ``names`` are codes of words that many rows share, such as streets. ``told`` counts rows by what
    became of them and lists columns used and ignored; ``notes`` are words for the reader.
    """

    year: Floats
    points: Floats
    columns: dict[str, Floats]
    names: dict[str, Ints]
    group: np.ndarray
    told: dict[str, Any]
    notes: list[tuple[str, str]]

    @property
    def facts(self) -> YearFacts:
        """Return what the method that ranks sees of the rows: no estates, each building alone."""
        places = pd.Series([f"{x:.1f} {y:.1f}" for x, y in self.points], dtype=object)
        places += " " + places.groupby(places).cumcount().astype(str)
        key = pd.util.hash_array(places.to_numpy(dtype=object))
        return YearFacts(
            known_year=self.year, low_year=self.year, high_year=self.year,
            unit_of_building=np.arange(len(self.year)), unit_key=key, building_key=key,
            points=self.points, district=np.unique(self.group, return_inverse=True)[1].reshape(-1),
            columns=self.columns, names=self.names,
        )  # fmt: skip


def known_years(
    frame: gpd.GeoDataFrame, file: str, year_field: str, group_field: str, rule: ReadingRule
) -> KnownYears:
    """Return the usable rows of a file.

    Raises
    ------
    Problem
        If a named column is absent, or coordinates mean nothing.
    """
    for wanted in filter(None, (year_field, group_field)):
        if wanted not in frame.columns or wanted == "geometry":
            names = ", ".join(str(name) for name in frame.columns if name != "geometry")
            raise Problem(file, f"has no column {wanted!r}", expected=f"one of: {names}")
    told: dict[str, Any] = {"rows": len(frame)}
    notes: list[tuple[str, str]] = []
    frame = _in_metres(_in_order(frame, year_field), file, notes)
    shapes = _areas_of_collections(shapely.force_2d(frame.geometry.to_numpy()))
    kind = shapely.get_type_id(shapes)
    is_point, is_area = np.isin(kind, [0, 4]), np.isin(kind, [3, 6])
    there = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
    middle = shapely.get_coordinates(
        shapely.centroid(np.where(there, shapes, shapely.Point(np.nan, np.nan)))
    )
    is_placed = there & np.isfinite(middle).all(axis=1) & (is_point | is_area)
    year, fault, middle_count = _years(frame[year_field], rule)
    # a shape may stand there several times, once without a year
    tells = is_placed & (fault == "")
    shape_key = pd.Series(shapely.to_wkb(shapes))
    again = np.zeros(len(frame), dtype=bool)
    again[tells] = shape_key[tells].duplicated().to_numpy()
    reasons = np.select(
        [~is_placed, again], ["no usable shape", "same shape as an earlier row"], default=fault
    )
    for reason in np.unique(reasons[reasons != ""]):
        told[str(reason)] = int((reasons == reason).sum())
    used = reasons == ""
    told["used"] = int(used.sum())
    if middle_count:
        notes.append(
            (f"{middle_count} 行是年份区间：取其中点。",
             f"{middle_count} rows state a span of years: its middle is taken.")
        )  # fmt: skip
    if not used.any():
        raise Problem(
            file, f"no row has both a shape and a year in {year_field!r}",
            expected=f"years between {rule.earliest} and {rule.latest}; found: "
            + ", ".join(map(str, frame[year_field].dropna().astype(str).unique()[:5])),
        )  # fmt: skip
    area = np.where(is_area, shapely.area(shapes), np.nan)
    placed = is_placed & ~shape_key.duplicated().to_numpy()
    columns = shape_columns(np.where(is_area, shapes, shapely.Polygon())[used])
    columns = {name: np.where(is_area[used], values, np.nan) for name, values in columns.items()}
    columns |= density_columns(middle[used], middle[placed], np.nan_to_num(area[placed]))
    outlined = area[used & is_area]
    if not len(outlined):
        notes.append(
            ("只有点，没有轮廓：不用形状。", "Points without outlines: shape is not used.")
        )
    elif np.median(outlined) > _PARCEL_MEDIAN_M2:
        notes.append(
            ("面积中位数超过 2,000 平方米：可能是地块而非建筑轮廓。",
             "The median area exceeds 2,000 m²: these may be parcels, not footprints.")
        )  # fmt: skip
    columns |= {"east_m": middle[used, 0], "north_m": middle[used, 1]}
    skip = {year_field, group_field, "geometry"}
    extra, shared, ignored = _attributes(
        pd.DataFrame(frame[used]).drop(columns=list(skip & set(frame))), year[used]
    )
    told["columns_used"], told["columns_ignored"] = sorted({*extra, *shared}), ignored
    group = (
        frame[group_field]
        .astype("string")
        .str.strip()
        .fillna("")
        .replace("", "–")
        .to_numpy(dtype=str)[used]
        if group_field
        else np.full(int(used.sum()), "–")
    )
    return KnownYears(
        year[used],
        middle[used],
        columns | {f"file: {n}": v for n, v in extra.items()},
        {f"file: {n}": v for n, v in shared.items()},
        group,
        told,
        notes,
    )


def _areas_of_collections(shapes: np.ndarray) -> np.ndarray:
    """Return shapes with the areas of mixed collections in their place, empty where they have none."""
    found = shapes.copy()
    for row in np.flatnonzero(shapely.get_type_id(shapes) == 7):
        parts = shapely.get_parts(shapes[row])
        areas = shapely.get_parts(parts[np.isin(shapely.get_type_id(parts), [3, 6])])
        found[row] = shapely.MultiPolygon(list(areas))
    return found


def _in_order(frame: gpd.GeoDataFrame, year_field: str) -> gpd.GeoDataFrame:
    """Return the rows by shape, then year: the findings must not depend on how a file is sorted."""
    shape = pd.Series(shapely.to_wkb(frame.geometry.to_numpy(), hex=True)).fillna("")
    text = frame[year_field].astype("string").fillna("").reset_index(drop=True)
    order = pd.DataFrame({"shape": shape, "year": text}).sort_values(["shape", "year"]).index
    return frame.iloc[order].reset_index(drop=True)


def _in_metres(
    frame: gpd.GeoDataFrame, file: str, notes: list[tuple[str, str]]
) -> gpd.GeoDataFrame:
    bounds = frame.total_bounds
    if not np.isfinite(bounds).all():
        raise Problem(file, "its shapes have no coordinates", expected="footprints on the earth")
    if frame.crs is None:
        in_degrees = bounds[0] >= -180 and bounds[2] <= 180 and bounds[1] >= -90 and bounds[3] <= 90
        if not in_degrees:
            notes.append(
                ("文件未注明坐标系：按米处理。", "The file states no CRS: taken as metres.")
            )
            return frame
        frame = frame.set_crs("EPSG:4326")
        notes.append(
            ("文件未注明坐标系：按经纬度处理。", "The file states no CRS: taken as degrees.")
        )
    try:
        return frame.to_crs(_zone(frame))
    except Exception as error:
        raise Problem(
            file, f"its coordinates do not fit its CRS ({str(error)[:120]})",
            expected="coordinates in the CRS that the file states",
            fix="set the right CRS and save it again",
        ) from None  # fmt: skip


def _zone(frame: gpd.GeoDataFrame) -> Any:
    """Return the UTM zone of the middle row: a few stray places must not pull it."""
    shapes = frame.geometry.to_numpy()
    there = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
    places = shapely.bounds(shapes[there])[:, :2]
    middle = np.median(places[np.isfinite(places).all(axis=1)], axis=0)
    return gpd.GeoSeries([shapely.Point(middle)], crs=frame.crs).estimate_utm_crs()


_DATE = re.compile(
    r"^\s*(\d{4})-\d{1,2}(?:-\d{1,2})?(?:[T ][\d:.,]*(?:Z|[+-]\d{2}:?\d{2})?)?\s*$"
    r"|^\s*\d{1,2}[-/.]\d{1,2}[-/.](\d{4})(?:[T ].*)?\s*$"
)


def _years(column: pd.Series, rule: ReadingRule) -> tuple[Floats, np.ndarray, int]:
    """Return the year of each row, why it is not used ("" where it is), and how many are middles.

    Of a span of years the middle counts, up to the span that a run would take for a year.
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        column = column.dt.year
    text = column.astype("string").str.strip()
    if pd.api.types.is_bool_dtype(column):
        column = text
    number = plain(pd.to_numeric(column, errors="coerce")).copy()
    is_serial = (number >= 16_000_101) & (number <= 21_001_231)  # 19560301
    number[is_serial] = np.floor(number[is_serial] / 10_000)
    is_middle = np.zeros(len(column), dtype=bool)
    for row in np.flatnonzero(np.isnan(number) & text.notna().to_numpy()):
        said = str(text.iloc[row])
        if date := _DATE.match(said):
            number[row] = float(date.group(1) or date.group(2))
            continue
        span = read_year(said, earliest=rule.earliest, latest=rule.latest)
        if span.low is None or span.high is None or span.high - span.low > rule.max_vague_span_yr:
            continue
        number[row] = (span.low + span.high) // 2
        is_middle[row] = span.low < span.high
    is_empty = text.isna().to_numpy() | (text.fillna("") == "").to_numpy()
    is_whole = number == np.floor(number)
    fault = np.select(
        [
            np.isnan(number) & is_empty,
            np.isnan(number),
            ~is_whole | (number < rule.earliest) | (number > rule.latest),
        ],
        ["no year", "not one year", "impossible year"],
        default="",
    )
    return number, fault, int((is_middle & (fault == "")).sum())


def _attributes(
    fields: pd.DataFrame, year: Floats
) -> tuple[dict[str, Floats], dict[str, Ints], dict[str, str]]:
    """Return further columns that may tell the year, codes of shared names, and why others are ignored.

    Columns that restate the year, or are numbered in the order of building, would flatter the method.
    """
    used: dict[str, Floats] = {}
    names: dict[str, Ints] = {}
    ignored: dict[str, str] = {}
    for name in map(str, fields.columns):
        column = _numbers_of_words(fields[name])
        if _YEAR_WORDS.search(name):
            ignored[name] = "its name speaks of time"
        elif _ID_WORDS.search(name):
            ignored[name] = "its name is that of a key"
        elif pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
            values = plain(column)
            fault = _number_fault(values, year)
            ignored |= {name: fault} if fault else {}
            used |= {} if fault else {name: values}
        elif pd.api.types.is_string_dtype(column) or column.dtype == object:
            codes, classes = pd.factorize(column.astype("string"), sort=True)
            values = np.asarray(np.where(codes < 0, np.nan, codes), dtype=np.float64)
            fault = _class_fault(codes, len(classes), year)
            if fault == _MANY:
                shared = _shared_names(column)
                if shared is not None:
                    names[name] = shared
                    continue
            ignored |= {name: fault} if fault else {}
            used |= {} if fault else {name: values}
        else:
            ignored[name] = "neither number nor word"
    return used, names, ignored


def _shared_names(column: pd.Series) -> Ints | None:
    """Return codes of what three rows or more share once house numbers are off, or nothing.

    At least half of the rows must share a name: a street tells years, a key or a note does not.
    """
    plain_name = column.astype("string").str.lower().str.replace(_HOUSE_NUMBER, " ", regex=True)
    plain_name = plain_name.str.split().str.join(" ")
    codes = pd.factorize(plain_name.mask(plain_name == ""), sort=True)[0]
    size = np.bincount(codes[codes >= 0], minlength=1)
    is_shared = (codes >= 0) & (size[codes] >= _LEAST_SHARING)
    if is_shared.mean() < 0.5 or (size >= _LEAST_SHARING).sum() < 2:
        return None
    return np.where(is_shared, codes, -1).astype(np.int64)


def _numbers_of_words(column: pd.Series) -> pd.Series:
    """Return a column of words that are all numbers as numbers: CSV knows no types."""
    if not (pd.api.types.is_string_dtype(column) or column.dtype == object):
        return column
    number = pd.to_numeric(column, errors="coerce")
    said = (column.astype("string").str.strip().fillna("") != "").to_numpy(dtype=bool)
    return number if said.any() and number[said].notna().all() else column


def _number_fault(values: Floats, year: Floats) -> str:
    known = np.isfinite(values)
    if known.mean() < 0.05 or np.unique(values[known]).size < 2:
        return "empty or constant"
    if ((values[known] >= 1500) & (values[known] <= 2100)).mean() > 0.5 and (
        np.abs(values[known] - year[known]) <= 30
    ).mean() > 0.3:
        return "looks like a year"
    if np.ptp(year[known]) == 0:
        return ""
    order = pd.Series(values[known]).corr(pd.Series(year[known]), method="spearman")
    if abs(order) > 0.95:
        return "restates the year"
    is_key = np.unique(values[known]).size > 0.98 * known.sum() and (values[known] % 1 == 0).all()
    return "every row another whole number: a key" if is_key else ""


def _class_fault(codes: np.ndarray, class_count: int, year: Floats) -> str:
    known = codes >= 0
    if known.mean() < 0.05 or class_count < 2:
        return "empty or constant"
    if class_count > _MOST_CLASSES:
        return _MANY
    total = np.var(year[known])
    size = np.bincount(codes[known], minlength=class_count)
    mean = np.bincount(codes[known], year[known], class_count) / np.maximum(size, 1)
    between = np.sum(size * (mean - year[known].mean()) ** 2) / max(known.sum(), 1)
    return "restates the year" if total > 0 and between / total > 0.85 else ""
