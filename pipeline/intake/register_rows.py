"""What a row of a housing register is: a building, a stairwell, or a flat.

The rows of a building are added up where the profile says so. Where it says nothing and rows of one
building differ, the run stops and asks: neither sum nor first row may be taken without a word.
"""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.keys import no_match_told
from pipeline.contracts.merged_cells import as_if_merged
from pipeline.contracts.source_columns import distinct
from pipeline.geo.raster import Floats
from pipeline.intake.features import places_among
from pipeline.intake.register_cells import Cells, is_layout
from pipeline.problem import Problem
from pipeline.settings.city import ADDED_COLUMNS, Source
from pipeline.settings.intake import RegisterRule

USUAL_AREA_M2 = (15.0, 100_000.0)
"""Of a flat to a tower block: decides whether 2,100 is two thousand or two and a tenth."""
_BOUNDS = {
    "household_count": (0.0, 10_000.0), "recorded_floor_area_m2": (0.0, 1e12),
    "shop_floor_area_m2": (0.0, 5e6),
}  # fmt: skip
_LARGEST = ("storey_count",)
_NUMBERS = ("stairwell_count", "entry_storey_number", "longitude_deg", "latitude_deg")
_USUAL_SHARE = 0.95
"""Of a floor area in footprint × storeys."""
_NEARLY_ALL = 0.9
_MOST_DIFFERING_SHARE, _FEW_BUILDINGS = 0.01, 3


def is_added_up(source: Source) -> bool:
    """Return whether several rows make a building."""
    return source.one_row_per in ("stairwell", "flat")


def check_known(cells: Cells, known: pd.Series) -> None:
    """Stop if none of the building numbers stands in the footprints."""
    keys = cells.texts("building_id")
    fields = cells.source.columns.get("building_id", ())
    filled = [key for key in distinct(keys)[0] if key and not is_layout(key, fields)]
    if not filled or (places_among(keys, known) >= 0).any():
        return
    name = cells.rejects.source_name
    found, fix = no_match_told(filled, distinct(known.astype("str"))[0])
    raise Problem(
        cells.source.path,
        f"none of its {len(filled):,} different building numbers stands in the footprints: {found}",
        expected=f"the numbers of the footprints in sources.{name}.columns.building_id",
        fix=fix.replace("state key_form", f"state sources.{name}.key_form"),
    )  # fmt: skip


def check_rows(cells: Cells, known: pd.Series) -> None:
    """Stop if what a row is must be asked: buildings have several, and they differ."""
    if cells.source.one_row_per is not None:
        return
    name, keys = cells.rejects.source_name, cells.texts("building_id")
    is_known = places_among(keys, known) >= 0
    rows = cells.rows[is_known]
    again = pd.Series(keys[is_known].to_numpy(), index=rows.index)[~rows.duplicated()]
    repeated = again[again.duplicated(keep=False)]
    count = repeated.nunique()
    if count < _FEW_BUILDINGS or count <= _MOST_DIFFERING_SHARE * is_known.sum():
        return
    first = str(repeated.iloc[0])
    same = cells.rows.loc[repeated.index[repeated == first]]
    differing = [str(field) for field in same.columns if len(set(same[field])) > 1]
    raise Problem(
        cells.source.path,
        f"{first} stands in {len(same)} rows that differ in {', '.join(differing)[:200]}; so do "
        f"{count - 1:,} more buildings",
        expected="one row a building, or a word on what a row is",
        fix=f"state sources.{name}.one_row_per: stairwell or flat (the rows of a building are added "
        "up), or building (the first row counts, the others are listed as rejected)",
    )  # fmt: skip


def check_merged(cells: Cells) -> None:
    """Stop if several columns look as if cells had been merged downwards and the profile says nothing.

    Only .xlsx and .xls tell which cells are merged; in other files the values stand once.
    """
    if cells.source.fill_down is not None:
        return
    # what adds up belongs to all rows that a merged cell spans, not to each
    used = {
        field for column, fields in cells.source.columns.items() for field in fields
        if column not in ADDED_COLUMNS
    }  # fmt: skip
    blank, is_plain = as_if_merged(cells.rows[[name for name in cells.rows if name in used]])
    if is_plain:
        filled = int((cells.rows[blank[0]] != "").sum())
        raise Problem(
            cells.source.path,
            f"{', '.join(blank)} stand in {filled:,} of {len(cells.rows):,} rows with blanks below, "
            "as merged cells leave them 疑为合并单元格",
            expected="a value in each row, or a word on whether one holds for the rows below",
            fix=f"state sources.{cells.rejects.source_name}.fill_down: [{', '.join(blank)}], or [] if "
            "blanks mean that nothing is known",
        )  # fmt: skip


def added_up(cells: Cells, rule: RegisterRule) -> tuple[Cells, NDArray[np.int64]]:
    """Return one row a building, and of how many rows each is made.

    Households and areas are summed; the most storeys and the worst grade count, and of anything else
    the first cell that is filled. Where cells of a building differ, that is told.
    A sum of which a part is missing is missing; where a column's values stand in one row of each
    building they are the building's.
    Without a column of households every flat is one; without one of stairwells every row is one.
    """
    source = cells.source
    keys = cells.texts("building_id")
    place = pd.factorize(keys)[0]
    first_row = pd.Series(np.arange(len(place))).groupby(place).first().to_numpy()
    names = cells.row_names()
    row_counts = np.bincount(place)
    texts: dict[str, pd.Series] = {}
    for column in {**source.columns, **source.constants}:
        if column in ADDED_COLUMNS:
            values = cells.numbers(
                column, *_BOUNDS[column], usual=USUAL_AREA_M2 if "area" in column else None
            )
            texts[column] = _sums(cells, column, values, place, first_row)
        elif column in _LARGEST:
            numbers = pd.to_numeric(pd.Series(cells.number_texts(column)), errors="coerce")
            most = numbers.groupby(place).max()
            texts[column] = most.map(
                lambda number: format(number, ".15g"), na_action="ignore"
            ).fillna("")
            _tell(cells, column, numbers, place, first_row, names)
        else:
            said = pd.Series(
                cells.number_texts(column) if column in _NUMBERS else cells.texts(column).to_numpy(),
                dtype="str",
            )  # fmt: skip
            said = said.mask(said == "")
            if column == "hazard_grade_code":
                grade = said.map({word: n for n, word in enumerate(rule.hazard_words)}).fillna(-1)
                order = np.lexsort((-grade.to_numpy(), place))
                worst = order[np.searchsorted(place[order], np.arange(len(first_row)))]
                texts[column] = said.iloc[worst].fillna("").reset_index(drop=True)
            else:
                texts[column] = said.groupby(place).first().fillna("")
            _tell(cells, column, said, place, first_row, names)
    if source.one_row_per == "flat" and "household_count" not in texts:
        texts["household_count"] = pd.Series(row_counts).astype("str")
    if source.one_row_per == "stairwell" and "stairwell_count" not in texts:
        texts["stairwell_count"] = pd.Series(row_counts).astype("str")
    table = pd.DataFrame({column: text.to_numpy() for column, text in texts.items()}, dtype="str")
    own = {"columns": {column: [column] for column in texts}, "values": {}, "constants": {},
           "decimal_mark": "."}  # fmt: skip
    joined = Cells(
        table, source.model_copy(update=own), cells.rejects, cells.numbers_of_rows()[first_row]
    )
    return joined, row_counts


def _sums(
    cells: Cells,
    column: str,
    values: Floats,
    place: NDArray[np.int64],
    first_row: NDArray[np.int64],
) -> pd.Series:
    grouped = pd.Series(values).groupby(place)
    known, size = grouped.count().to_numpy(), np.bincount(place)
    several = size > 1
    # merged cells leave one value for all rows; a lone gap does not make the rest the whole
    stands_once = several.any() and (known[several] <= 1).mean() >= _NEARLY_ALL
    is_whole = (known == size) | ((known == 1) & stands_once)
    sums = grouped.sum().to_numpy()
    names = cells.row_names()
    for number in np.flatnonzero(~is_whole & (known > 0)).tolist():
        detail = f"{known[number]} of the building's {size[number]} rows state it"
        cells.rejects.value(names[first_row[number]], column, "sum_incomplete", detail)
    return pd.Series(
        [
            f"{total:.4f}" if whole and count else ""
            for total, whole, count in zip(sums, is_whole, known, strict=True)
        ],
        dtype="str",
    )  # fmt: skip


def _tell(
    cells: Cells, column: str, said: pd.Series, place: NDArray[np.int64],
    first_row: NDArray[np.int64], names: list[str],
) -> None:  # fmt: skip
    """Tell of buildings whose rows say different things."""
    different = said.groupby(place).nunique().to_numpy()
    for number in np.flatnonzero(different > 1).tolist():
        detail = f"{different[number]} different values of {column} in the rows of the building"
        cells.rejects.notice(names[first_row[number]], "rows_differ", detail)


def check_sums(
    cells: Cells,
    area_m2: Floats,
    capacity_m2: Floats,
    row_counts: NDArray[np.int64],
) -> None:
    """Stop if areas summed over a building's rows are less likely than an equal part of each.

    Then every row repeats the whole building's area.
    """
    share = area_m2 / capacity_m2
    several = np.isfinite(share) & (row_counts > 1) & (share > 0)
    if not several.any():
        return
    summed = float(np.median(share[several]))
    alone = float(np.median((share / row_counts)[several]))
    if summed > 1 and abs(math.log(alone / _USUAL_SHARE)) < abs(math.log(summed / _USUAL_SHARE)):
        name = cells.rejects.source_name
        raise Problem(
            cells.source.path,
            "every row states the floor area of the whole building: summed over its rows it is "
            f"{summed:.2f} of footprint × storeys (median), counted once {alone:.2f}",
            expected=f"areas of a {cells.source.one_row_per} each",
            fix=f"state sources.{name}.one_row_per: building",
        )  # fmt: skip
