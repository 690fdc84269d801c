"""What surveys and ledgers say of buildings and estates: faults, consent, past and planned works.

Each register states its keys as the housing register does. A register that is absent leaves its
columns empty: not surveyed is not the same as sound.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from pipeline.contracts.tables import CONSENTS, ESTATE_FACTS
from pipeline.geo.raster import Floats
from pipeline.intake.features import laid_by, places_among
from pipeline.intake.register_cells import Cells, cells_of
from pipeline.intake.register_rows import check_known
from pipeline.intake.rejects import Rejects
from pipeline.settings.city import Source
from pipeline.settings.intake import IntakeSettings

_MAX_COUNT = 100_000
_MAX_AREA_M2 = 1_000_000.0
_WITHOUT: dict[str, str] = {
    "inspection_year": "Int64", "renovated_year": "Int64", "is_in_clearance_plan": "boolean",
    "clearance_year": "Int64", "clearance_status_text": "str",
}  # fmt: skip


@dataclass(frozen=True)
class Surveyed:
    """Buildings with what surveys say of them, the tables beside them, and the rows used."""

    buildings: gpd.GeoDataFrame
    estate_facts: pd.DataFrame
    consents: pd.DataFrame
    used_counts: dict[str, int]


def with_surveys(
    buildings: gpd.GeoDataFrame,
    sources: Mapping[str, Any],
    by_role: Mapping[str, list[tuple[str, Source]]],
    settings: IntakeSettings,
    all_rejects: Mapping[str, Rejects],
) -> Surveyed:
    """Return what every survey of the profile says; of two of a kind the later one counts."""
    words = settings.register_checks.manager_words
    managed = management_type(buildings["manager_name"], words)
    whole = buildings.assign(management_type=managed).assign(
        **{name: pd.Series(pd.NA, buildings.index, dtype=kind) for name, kind in _WITHOUT.items()}
    )
    used: dict[str, int] = {}

    def cells(role: str) -> list[Cells]:
        known = {name: buildings[name] for name in ("building_id", "estate_id")}
        return [
            cells_of(sources[name], source, all_rejects[name], known)
            for name, source in by_role[role]
        ]

    for role, lay in (
        ("inspection", with_inspection),
        ("renovations", with_renovations),
        ("clearance", with_clearance),
    ):
        for one in cells(role):
            if role == "inspection":
                check_known(one, buildings["building_id"])
            whole = lay(whole, one, settings)
    facts = [estate_facts(one, settings) for one in cells("estate_survey")]
    votes = []
    for one in cells("consent"):
        check_known(one, buildings["building_id"])
        votes.append(consents(whole, one, settings))
    for role in ("inspection", "renovations", "clearance", "estate_survey", "consent"):
        for name, _ in by_role[role]:
            used[name] = len(sources[name]) - all_rejects[name].row_count
    return Surveyed(
        whole,
        _first_of_key(facts, ["estate_id"], ESTATE_FACTS.column_names),
        _first_of_key(votes, list(CONSENTS.key), CONSENTS.column_names),
        used,
    )


def with_inspection(
    buildings: pd.DataFrame, cells: Cells, settings: IntakeSettings
) -> pd.DataFrame:
    """Return the buildings with the faults that an inspection found, 0 none to 1 grave.

    Every column ``…_fault_share`` that the profile names is taken.
    """
    kept = cells.usable(["building_id"], {"building_id": buildings["building_id"]})
    words = settings.register_checks.fault_words
    said: dict[str, Floats] = {
        column: cells.codes(column, words)
        for column in sorted(cells.source.columns)
        if column.endswith("_fault_share")
    }
    said["inspection_year"] = cells.years("inspection_year", settings.years)
    return _laid_over(buildings, "building_id", cells.texts("building_id"), said, kept)


def with_renovations(
    buildings: pd.DataFrame, cells: Cells, settings: IntakeSettings
) -> pd.DataFrame:
    """Return the buildings with the latest year in which they, or their whole estate, were renovated.

    A row that names a building counts for it alone, one that names only an estate for all of it.
    """
    building, estate = cells.texts("building_id"), cells.texts("estate_id")
    is_own = (building != "").to_numpy()
    year = cells.years("renovated_year", settings.years)
    latest = pd.Series(np.nan, index=buildings.index)
    for column, keys, mine in (
        ("estate_id", estate, ~is_own),
        ("building_id", building, is_own),
    ):
        known = places_among(keys, buildings[column]) >= 0
        for number in np.flatnonzero(mine & ~known).tolist():
            reason = "unknown_key" if keys.iloc[number] else "no_key"
            cells.rejects.row(
                str(number + 1), reason, f"no building bears {keys.iloc[number]}"[:200]
            )
        by_key = pd.Series(year[mine & known], index=keys[mine & known]).groupby(level=0).max()
        place = places_among(buildings[column], by_key.index.to_series())
        later = pd.Series(
            laid_by(np.asarray(by_key, dtype=np.float64), place), index=buildings.index
        )
        latest = latest.where(~(later > latest) & latest.notna(), later)
    return buildings.assign(renovated_year=latest)


def with_clearance(buildings: pd.DataFrame, cells: Cells, _: IntakeSettings) -> pd.DataFrame:
    """Return the buildings of estates that a clearance plan lists, with its year and state."""
    kept = cells.usable(["estate_id"], {"estate_id": buildings["estate_id"].dropna()})
    year = cells.numbers("clearance_year", 1900, 2100, whole=True)  # plans lie ahead
    keys, state = cells.texts("estate_id"), cells.texts("clearance_status_text")
    listed = _laid_over(buildings, "estate_id", keys, {"clearance_year": year}, kept)
    place = places_among(buildings["estate_id"], keys[kept])
    status = state[kept].replace("", pd.NA).array.take(place, allow_fill=True)
    return listed.assign(clearance_status_text=status, is_in_clearance_plan=place >= 0)


def estate_facts(cells: Cells, settings: IntakeSettings) -> pd.DataFrame:
    """Return one row for each surveyed estate: spaces, idle rooms, wall."""
    kept = cells.usable(["estate_id"], {})
    walled = cells.codes("is_walled", settings.register_checks.yes_no_words)
    facts = pd.DataFrame(
        {
            "estate_id": cells.texts("estate_id"),
            "estate_name": cells.texts("estate_name").replace("", pd.NA),
            "parking_space_count": cells.numbers("parking_space_count", 0, _MAX_COUNT, whole=True),
            "charging_space_count": cells.numbers(
                "charging_space_count", 0, _MAX_COUNT, whole=True
            ),
            "idle_room_area_m2": cells.numbers("idle_room_area_m2", 0, _MAX_AREA_M2),
            "is_walled": pd.Series(walled).astype("Float64").astype("boolean"),
        }
    )
    return facts[kept].reset_index(drop=True)[list(ESTATE_FACTS.column_names)]


def consents(buildings: pd.DataFrame, cells: Cells, settings: IntakeSettings) -> pd.DataFrame:
    """Return one row for each building, measure and survey round: who voted, who agreed.

    More votes than owners, or more in favour than voted, cannot be: such a row is left out.
    """
    keys = ["building_id", "measure_type", "survey_round_number"]
    kept = cells.usable(keys, {"building_id": buildings["building_id"]})
    count = {
        name: cells.numbers(name, 0, _MAX_COUNT, whole=True)
        for name in ("owner_count", "voting_owner_count", "favour_owner_count")
    }
    share = {name: cells.numbers(name, 0, 1) for name in ("voting_area_share", "favour_area_share")}
    cannot_be = (
        (count["voting_owner_count"] > count["owner_count"])
        | (count["favour_owner_count"] > count["voting_owner_count"])
        | (share["favour_area_share"] > share["voting_area_share"])
    )
    rounds = cells.numbers("survey_round_number", 1, 1000, whole=True)
    no_round = np.isnan(rounds) & kept
    for number in np.flatnonzero(kept & (cannot_be | no_round)).tolist():
        cells.rejects.row(
            str(number + 1), "impossible_vote", "counts or shares contradict each other"
        )
    table = pd.DataFrame(
        {
            "building_id": cells.texts("building_id"),
            "measure_type": cells.texts("measure_type"),
            "survey_round_number": rounds,
            "survey_year": cells.years("survey_year", settings.years),
            **count,
            **share,
        }
    )
    return table[kept & ~cannot_be & ~no_round].reset_index(drop=True)[list(CONSENTS.column_names)]


def management_type(manager_name: pd.Series, words: Mapping[str, str]) -> pd.Series:
    """Return who manages: what config says for a word of the register, a company for any other name."""
    kind = manager_name.map(lambda name: words.get(name, "company"), na_action="ignore")
    return kind.astype("str").rename("management_type")


def _first_of_key(
    parts: list[pd.DataFrame], key: list[str], column_names: tuple[str, ...]
) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in column_names})
    return pd.concat(parts, ignore_index=True).drop_duplicates(key, keep="last")


def _laid_over(
    table: pd.DataFrame, key: str, keys: pd.Series, said: dict[str, Floats], kept: np.ndarray
) -> pd.DataFrame:
    row = places_among(table[key], keys[kept])
    return table.assign(**{name: laid_by(values[kept], row) for name, values in said.items()})
