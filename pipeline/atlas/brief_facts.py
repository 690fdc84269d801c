"""What a district's brief says in numbers: totals, tiers, decades, needs, and its top areas."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.atlas.brief_plan import AreaPlan, PlanYear, area_plans, plan_years
from pipeline.geo.raster import Floats
from pipeline.settings.score import Criterion

TOP_AREA_COUNT = 10
NEED_COUNT = 5
FIRST_DECADE = 1950


@dataclass(frozen=True)
class Totals:
    """Sums over some buildings; a sum over nothing known is empty, never zero."""

    building_count: int
    floor_area_m2: float | None
    floor_known_count: int
    household_count: int | None
    household_known_count: int


@dataclass(frozen=True)
class Area:
    """One of the areas at the top of a district's list."""

    number: int
    row_type: str
    name: str
    building_count: int
    tier_1_count: int
    household_count: int | None
    floor_area_m2: float | None
    mean_points: float | None
    rank_best: int | None
    rank_low: float | None
    rank_high: float | None
    """Median ranks of its buildings in the best and worst 5 % of the draws; empty if none were made."""
    plan: AreaPlan | None
    """Empty if nothing was planned."""
    needs: tuple[str, ...]
    """The two criteria that bring it most points."""
    longitude_deg: float
    latitude_deg: float


@dataclass(frozen=True)
class Decades:
    """Buildings by decade of construction."""

    labels: tuple[str, ...]
    counts: tuple[int, ...]
    unknown_count: int
    inferred_count: int


@dataclass(frozen=True)
class DistrictFacts:
    """Everything that a brief tells of its district."""

    district_id: str
    district_name: str
    district_rank: int | None
    district_count: int
    mean_points: float | None
    whole: Totals
    tiers: tuple[Totals, ...]
    tracks: Mapping[str, Totals]
    """Those that have buildings."""
    decades: Decades
    needs: tuple[tuple[str, float], ...]
    """Mean points of the criteria in tier 1, largest first."""
    areas: tuple[Area, ...]
    stand_in_count: int
    plan_years: tuple[PlanYear, ...]
    """Empty if nothing was planned."""


def totals(rows: pd.DataFrame) -> Totals:
    """Return the sums of some rows of the building list."""
    floor, homes = (
        rows[name].to_numpy(dtype=float, na_value=np.nan)
        for name in ("floor_area_m2", "household_count")
    )
    has_floor, has_homes = ~np.isnan(floor), ~np.isnan(homes)
    return Totals(
        len(rows),
        float(np.where(has_floor, floor, 0).sum()) if has_floor.any() else None,
        int(has_floor.sum()),
        int(homes[has_homes].sum()) if has_homes.any() else None,
        int(has_homes.sum()),
    )


def decades(year: Floats, basis: "pd.Series[str]") -> Decades:
    """Return how many buildings were built in each decade, the earliest ones together.

    A building whose year is a distribution counts where its middle lies.
    """
    known = np.isfinite(year)
    decade = (np.floor(year[known] / 10) * 10).astype(int)
    early = decade < FIRST_DECADE
    labels, counts = [], []
    if early.any():
        labels.append(f"<{FIRST_DECADE}")
        counts.append(int(early.sum()))
    if (~early).any():
        first = min(decade[~early]) if not early.any() else FIRST_DECADE
        for start in range(int(first), int(decade.max()) + 1, 10):
            labels.append(f"{start}–{start % 100 + 9:02d}")
            counts.append(int((decade == start).sum()))
    inferred = int(basis.isin(["inferred", "baseline"]).sum())
    return Decades(tuple(labels), tuple(counts), int((~known).sum()), inferred)


def mean_points(rows: pd.DataFrame, names: Sequence[str]) -> list[tuple[str, float]]:
    """Return criteria with their mean points over some rows, largest first; empty without rows."""
    return _largest(rows[[f"{name}_points" for name in names]].to_numpy(dtype=float), names)


def _largest(points: Floats, names: Sequence[str]) -> list[tuple[str, float]]:
    if not len(points):
        return []
    pairs = list(zip(names, points.mean(axis=0).tolist(), strict=True))
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def needed_columns(names: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the columns of the building list that a brief looks at; a narrow table is cut faster."""
    wanted = {
        "building_id", "district_name", "estate_id", "road_name", "tier_number", "track_type",
        "floor_area_m2", "household_count", "construction_year_p50", "stand_in_count",
        "construction_year_basis_type", "quadrant_type", "project_id", "planned_year",
        *(f"{name}_points" for name in names),
    }  # fmt: skip
    return [name for name in known if name in wanted]


def district_facts(
    district_id: str,
    district_name: str,
    ranked: pd.DataFrame,
    priority: pd.DataFrame,
    criteria: Mapping[str, Criterion],
    *,
    projects: pd.DataFrame,
    summary: pd.DataFrame,
) -> DistrictFacts:
    """Return what the brief of one district tells.

    Parameters
    ----------
    ranked
        Rows of the building list in this district, with ``area_id`` of ``area_keys``.
    priority
        The whole district list.
    criteria
        Those that count.
    projects, summary
        Tables of the annual plan; without rows if there is none.
    """
    districts = priority[priority["row_type"] == "district"]
    own = districts[districts["district_name"] == district_name]
    tier = ranked["tier_number"].astype("Int64").fillna(0).to_numpy(dtype=np.int64)
    track = ranked["track_type"].to_numpy(dtype=object)
    amounts = ranked[["floor_area_m2", "household_count"]]
    names = list(criteria)
    return DistrictFacts(
        district_id,
        district_name,
        _whole(own["district_rank"].iloc[0]) if len(own) else None,
        len(districts),
        _real(own["score_mean_points"].iloc[0]) if len(own) else None,
        totals(amounts),
        tuple(totals(amounts[tier == number]) for number in range(1, 6)),
        {name: totals(amounts[track == name]) for name in sorted(set(track))},
        decades(
            np.asarray(ranked["construction_year_p50"], dtype=float),
            ranked["construction_year_basis_type"],
        ),
        tuple(mean_points(ranked[tier == 1], names)[:NEED_COUNT]),
        tuple(top_areas(district_name, ranked, priority, names, projects)),
        int((ranked["stand_in_count"] > 0).sum()),
        plan_years(summary, district_name),
    )


def top_areas(
    district_name: str,
    ranked: pd.DataFrame,
    priority: pd.DataFrame,
    names: Sequence[str],
    projects: pd.DataFrame,
) -> list[Area]:
    """Return the first areas of a district's list, in its order."""
    rows = priority[
        (priority["district_name"] == district_name) & (priority["row_type"] != "district")
    ].sort_values("area_rank")
    shown = list(rows["area_id"].head(TOP_AREA_COUNT))
    number = {key: at for at, key in enumerate(dict.fromkeys(shown))}
    place = pd.Index(list(number)).get_indexer(pd.Index(ranked["area_id"]))
    points = ranked[[f"{name}_points" for name in names]].to_numpy(dtype=float)
    plans = area_plans(ranked, projects, shown) if len(projects) else {}
    found = []
    for row in rows.head(TOP_AREA_COUNT).to_dict("records"):
        largest = _largest(points[place == number[row["area_id"]]], names)
        found.append(
            Area(
                int(row["area_rank"]),
                str(row["row_type"]),
                str(row["area_name"]),
                int(row["building_count"]),
                int(row["tier_1_count"]),
                _whole(row["household_sum_count"]),
                _real(row["floor_area_sum_m2"]),
                _real(row["score_mean_points"]),
                _whole(row["rank_best"]),
                _real(row["rank_p05_median"]),
                _real(row["rank_p95_median"]),
                plans.get(str(row["area_id"])),
                tuple(name for name, mean in largest[:2] if mean > 0),
                float(row["longitude_deg"]),
                float(row["latitude_deg"]),
            )
        )
    return found


def _real(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)
