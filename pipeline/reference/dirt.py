"""Planted faults: the dirt of real deliveries, at known rates, each one recorded.

Every function returns the soiled table and one record per fault: ``fault_kind``, ``source_file``,
``row_key`` (the number of the building or facility), ``row_number`` (0-based data row in the file),
``column_name`` and the text or number that would have been right (``true_text``).
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import shapely

from pipeline.reference.chance import Ints, exact_sample, stream
from pipeline.reference.settings import Dirt, ReferenceSettings

IMPOSSIBLE_YEARS = ("0", "9999", "194", "2091")
MU_M2 = 2000 / 3  # one 亩
HOUSING, YEAR = "住宅面积(平方米)", "建成年代"


def _records(
    kind: str, source: str, keys: pd.Series, rows: Ints, column: str, truth: list[str]
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "fault_kind": kind,
            "source_file": source,
            "row_key": keys.to_numpy(),
            "row_number": rows,
            "column_name": column,
            "true_text": truth,
        }
    )


def _put(table: pd.DataFrame, rows: Ints, column: str, values: np.ndarray) -> None:
    """Set some cells of a column of a table that this module owns."""
    whole = table[column].to_numpy().copy()
    whole[rows] = values
    table[column] = whole


def _apart(rng: np.random.Generator, free: Ints, size: int, share: float) -> tuple[Ints, Ints]:
    """Return rows for one fault kind and the rows still clean, so that no cell is soiled twice."""
    count = min(free.size, max(1, round(size * share))) if share > 0 else 0
    chosen = np.sort(rng.choice(free, size=count, replace=False))
    return chosen, np.setdiff1d(free, chosen)


def soil_register(
    settings: ReferenceSettings,
    register: pd.DataFrame,
    blank_years: Ints,
    true_year: Ints,
    source: str,
    tile: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the register with faults, and their records; copies stand at random places."""
    rng = stream(settings.seed, "register dirt", tile)
    dirt, size = settings.dirt, len(register)
    soiled = register.copy()
    found = []

    def note(kind: str, rows: Ints, column: str, truth: list[str]) -> None:
        found.append(_records(kind, source, register["楼栋编号"].iloc[rows], rows, column, truth))

    note("year_missing", blank_years, YEAR, [str(y) for y in true_year[blank_years]])
    dated = np.setdiff1d(np.arange(size), blank_years)
    rows, _ = _apart(rng, dated, size, dirt.impossible_year)
    _put(soiled, rows, YEAR, np.resize(np.array(IMPOSSIBLE_YEARS, dtype=object), rows.size))
    note("impossible_year", rows, YEAR, [str(y) for y in true_year[rows]])

    area = register[HOUSING].astype(float).to_numpy()
    free = np.arange(size)
    for kind, share, wrong in _area_faults(dirt):
        rows, free = _apart(rng, free, size, share)
        texts = [wrong(area[row], k) for k, row in enumerate(rows)]
        _put(soiled, rows, HOUSING, np.array(texts, dtype=object))
        note(kind, rows, HOUSING, [f"{area[row]:.2f}" for row in rows])

    rows, _ = _apart(rng, np.arange(size), size, dirt.swapped_lon_lat)
    for column, other in (("经度", "纬度"), ("纬度", "经度")):
        _put(soiled, rows, column, register[other].to_numpy()[rows])
    note("swapped_lon_lat", rows, "经度", [str(v) for v in register["经度"].to_numpy()[rows]])
    for kind, column, share in (
        ("storeys_missing", "地上层数", dirt.storeys_missing),
        ("households_missing", "户数", dirt.households_missing),
    ):
        rows, _ = _apart(rng, np.arange(size), size, share)
        _put(soiled, rows, column, np.full(rows.size, "", dtype=object))
        note(kind, rows, column, [str(v) for v in register[column].to_numpy()[rows]])

    repeated = exact_sample(rng, size, dirt.duplicate_row)
    return _with_repeats(rng, soiled, repeated, found, source, "楼栋编号", "duplicate_row")


def _area_faults(dirt: Dirt) -> list[tuple[str, float, Callable[[float, int], str]]]:
    return [
        ("area_in_wan_m2", dirt.area_in_wan_m2, lambda area, _: f"{area / 1e4:.4f}"),
        ("area_in_mu", dirt.area_in_mu, lambda area, _: f"{area / MU_M2:.3f}"),
        (
            "area_factor_ten",
            dirt.area_factor_ten,
            lambda area, k: f"{area * 10:.2f}" if k % 2 else f"{area / 10:.2f}",
        ),
    ]


def _with_repeats(
    rng: np.random.Generator,
    table: pd.DataFrame,
    repeated: Ints,
    found: list[pd.DataFrame],
    source: str,
    key: str,
    kind: str,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table with copies somewhere below their rows, and records with final rows."""
    size = len(table)
    place = repeated + (size - repeated) * rng.random(repeated.size)
    position = np.concatenate([np.arange(size, dtype=float), place + 0.5])
    order = np.argsort(position, kind="stable")
    final = np.empty(order.size, dtype=np.int64)
    final[order] = np.arange(order.size)
    both = pd.concat([table, table.iloc[repeated]], ignore_index=True).iloc[order]
    moved = [each.assign(row_number=final[each["row_number"].to_numpy()]) for each in found]
    copies = _records(
        kind, source, table[key].iloc[repeated], final[size:], "", [str(v) for v in final[repeated]]
    )
    return both.reset_index(drop=True), pd.concat([*moved, copies], ignore_index=True)


def soil_footprints(
    settings: ReferenceSettings, footprints: pd.DataFrame, source: str, tile: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return footprints with bow-ties, footprints pushed into a neighbour, and repeated ones."""
    rng = stream(settings.seed, "footprint dirt", tile)
    dirt, size = settings.dirt, len(footprints)
    outlines = footprints["outline"].to_numpy(dtype=object).copy()
    key = footprints["楼栋编号"]
    corner_count = shapely.get_num_coordinates(outlines)
    rows, free = _apart(rng, np.flatnonzero(corner_count == 5), size, dirt.bow_tie_ring)
    for row in rows:
        ring = shapely.get_coordinates(outlines[row])
        # the last two corners change places: the classic slip when digitising
        outlines[row] = shapely.Polygon(ring[[0, 1, 3, 2, 0]])
    found = [
        _records("bow_tie_ring", source, key.iloc[rows], rows, "geometry", _texts(footprints, rows))
    ]

    centres = shapely.get_coordinates(shapely.centroid(footprints["outline"].to_numpy()))
    tree = shapely.STRtree(footprints["outline"].to_numpy())
    pairs = tree.query(footprints["outline"].to_numpy(), predicate="dwithin", distance=14.0)
    pairs = pairs[:, pairs[0] != pairs[1]]
    movable, first = np.unique(pairs[0], return_index=True)
    neighbour = dict(zip(movable.tolist(), pairs[1][first].tolist(), strict=True))
    rows, _ = _apart(rng, np.intersect1d(movable, free), size, dirt.overlapping_footprint)
    # a footprint that another one is pushed into stays where it is
    rows = rows[~np.isin(rows, [neighbour[int(row)] for row in rows])]
    for row in rows:
        outlines[row] = _pushed(
            outlines[row], footprints["outline"].iloc[neighbour[int(row)]], centres[row]
        )
    found.append(
        _records(
            "overlapping_footprint",
            source,
            key.iloc[rows],
            rows,
            "geometry",
            _texts(footprints, rows),
        )
    )
    soiled = footprints.assign(outline=outlines)
    repeated = exact_sample(rng, size, dirt.duplicate_footprint)
    return _with_repeats(rng, soiled, repeated, found, source, "楼栋编号", "duplicate_footprint")


def _pushed(
    outline: shapely.Polygon, neighbour: shapely.Polygon, centre: np.ndarray
) -> shapely.Polygon:
    """Return the outline moved towards its neighbour until the two overlap by some metres."""
    near = shapely.get_coordinates(shapely.shortest_line(outline, neighbour))
    step = near[1] - near[0]
    gap = float(np.hypot(*step))
    toward = step / gap if gap > 0 else np.array([1.0, 0.0])
    inner = shapely.get_coordinates(neighbour.centroid)[0] - centre
    toward = toward + 0.4 * inner / max(float(np.hypot(*inner)), 1e-9)
    move = toward / np.hypot(*toward) * (gap + 4.0)
    return shapely.transform(outline, lambda xy: np.round(xy + move, 2))


def _texts(footprints: pd.DataFrame, rows: Ints) -> list[str]:
    return list(shapely.to_wkt(footprints["outline"].to_numpy()[rows], rounding_precision=2))


def soil_amenities(
    settings: ReferenceSettings, amenities: pd.DataFrame, source: str, tile: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return facilities with swapped coordinates and repeated rows."""
    rng = stream(settings.seed, "amenity dirt", tile)
    soiled = amenities.copy()
    rows = exact_sample(rng, len(amenities), settings.dirt.swapped_amenity)
    for column, other in (("longitude", "latitude"), ("latitude", "longitude")):
        _put(soiled, rows, column, amenities[other].to_numpy()[rows])
    truth = [str(v) for v in amenities["longitude"].to_numpy()[rows]]
    found = [
        _records(
            "swapped_amenity", source, amenities["设施编号"].iloc[rows], rows, "longitude", truth
        )
    ]
    repeated = exact_sample(rng, len(amenities), settings.dirt.duplicate_amenity)
    return _with_repeats(rng, soiled, repeated, found, source, "设施编号", "duplicate_amenity")
