"""Years of construction from several sources: the first that says one counts, the others only check it.

Order: register, estate records, the footprint's own field, the year a listing gives for the estate, and
last a raster of built-up land. Nothing is averaged; what contradicts the source that counts is told.
"""

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from pipeline.contracts.raw import FeatureTable
from pipeline.contracts.source_columns import field
from pipeline.geo.raster import Floats, Raster
from pipeline.intake.features import as_list
from pipeline.intake.rejects import Rejects
from pipeline.intake.years import YearReading, read_year
from pipeline.settings.city import Source
from pipeline.settings.intake import YearRule

_YEAR, _TEXT = "construction_year", "construction_year_text"
Claims = list[tuple[str, dict[int, tuple[str, YearReading]]]]


class YearSources:
    """Collects what each source says of each building's year; ``fused`` decides."""

    def __init__(self, footprints: pd.DataFrame, rule: YearRule) -> None:
        self._rule = rule
        self._text = _texts(footprints)
        own: dict[str, dict[int, tuple[str, YearReading]]] = {}
        names = footprints["source_name"].tolist()
        for row, text in enumerate(self._text):
            if text and (said := self._read(text)).low is not None:
                own.setdefault(names[row], {})[row] = (text, said)
        self._registers: Claims = []
        self._records: Claims = []
        self._listings: Claims = []
        self._own: Claims = sorted(own.items())
        self._built_up: list[tuple[str, Floats]] = []

    def _read(self, text: str) -> YearReading:
        return read_year(text, earliest=self._rule.earliest, latest=self._rule.latest)

    def add_register(self, name: str, buildings: pd.DataFrame) -> None:
        """Take in what a register has just laid over the texts; of two, the later one counts."""
        now, said = _texts(buildings), {}
        for row, (before, text) in enumerate(zip(self._text, now, strict=True)):
            if text and text != before and (reading := self._read(text)).low is not None:
                said[row] = (text, reading)
        self._text = now
        self._registers.insert(0, (name, said))

    def add_estates(
        self,
        name: str,
        table: FeatureTable,
        source: Source,
        buildings: pd.DataFrame,
        rejects: Rejects,
    ) -> None:
        """Take in the years of estate records and listings, widened: estates grow in phases."""
        keys = field(table.fields, source, "estate_id").tolist()
        estate_ids = buildings["estate_id"].tolist()
        for column, slack_yr, into in (
            (_TEXT, self._rule.estate_slack_yr, self._records),
            ("listing_year", self._rule.listing_slack_yr, self._listings),
        ):
            of_estate: dict[str, tuple[str, YearReading]] = {}
            for row, (key, text) in enumerate(
                zip(keys, field(table.fields, source, column).tolist(), strict=True)
            ):
                said = self._read(text)
                if said.fault:
                    rejects.value(str(row + 1), column, said.fault, text[:200])
                if key and said.low is not None and said.high is not None:
                    wide = YearReading(
                        said.low - slack_yr, min(said.high + slack_yr, self._rule.latest)
                    )
                    of_estate.setdefault(key, (text, wide))
            found = {row: of_estate[key] for row, key in enumerate(estate_ids) if key in of_estate}
            into.append((name, found))

    def add_built_up(self, name: str, raster: Raster, buildings: gpd.GeoDataFrame) -> None:
        """Take in the first year in which a raster sees each place built up.

        Land that was built up in the raster's first year may be older; that says nothing. Rebuilding is
        not seen either, so a year is a lower bound, never the year itself.
        """
        middle = buildings.geometry.centroid.to_crs(raster.crs)
        column = np.floor((middle.x.to_numpy() - raster.west_m) / raster.cell_m).astype(np.int64)
        row = np.floor((raster.north_m - middle.y.to_numpy()) / raster.cell_m).astype(np.int64)
        rows, columns = raster.values.shape
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        year = np.full(len(buildings), np.nan)
        year[inside] = raster.values[row[inside], column[inside]]
        told = (year > self._rule.built_up_censored_year) & (year <= self._rule.latest)
        self._built_up.append((name, np.where(told, year - self._rule.built_up_slack_yr, np.nan)))

    def fused(
        self, buildings: gpd.GeoDataFrame, all_rejects: Mapping[str, Rejects]
    ) -> gpd.GeoDataFrame:
        """Return buildings with the year that counts, its origin and the source it comes from.

        A contradiction is told under the row of a footprint, or else under the building's number.
        """
        order = [*self._registers, *self._records, *self._own, *self._listings]
        ids = as_list(buildings["building_id"])
        names, rows = as_list(buildings["source_name"]), as_list(buildings["source_row"])
        chosen: dict[int, tuple[str, str, YearReading]] = {}
        for wants_year in (
            True,
            False,
        ):  # bounds too far apart count only where nothing else is said
            for name, said in order:
                for row, (text, reading) in said.items():
                    if row not in chosen and self._has_year(reading) >= wants_year:
                        chosen[row] = (name, text, reading)
        for name, said in order:
            for row, (text, reading) in said.items():
                first, first_text, counts = chosen[row]
                if first != name and not _agree(reading, counts):
                    all_rejects[name].notice(
                        rows[row] if names[row] == name else ids[row],
                        "year_contradicted",
                        f"{text} here, {first_text} in {first}, which counts",
                    )
        for name, bound in self._built_up:
            for row in np.flatnonzero(np.isfinite(bound)).tolist():
                low = int(bound[row])
                if row not in chosen:
                    chosen[row] = (name, "", YearReading(low, self._rule.latest))
                elif (chosen[row][2].high or low) < low:
                    detail = f"not built up before {low}, but {chosen[row][1]} in {chosen[row][0]}"
                    all_rejects[name].notice(ids[row], "year_contradicted", detail)
        return _laid(buildings, chosen, self._rule)

    def _has_year(self, reading: YearReading) -> bool:
        return reading.high - reading.low <= self._rule.max_vague_span_yr  # type: ignore[operator]


def _agree(one: YearReading, two: YearReading) -> bool:
    return one.low <= two.high and two.low <= one.high  # type: ignore[operator]


def _texts(buildings: pd.DataFrame) -> list[str]:
    return as_list(buildings[_TEXT].fillna(""))


def _laid(
    buildings: gpd.GeoDataFrame, chosen: Mapping[int, tuple[str, str, YearReading]], rule: YearRule
) -> gpd.GeoDataFrame:
    columns: dict[str, list[Any]] = {
        name: [None] * len(buildings)
        for name in (_YEAR, f"{_YEAR}_low", f"{_YEAR}_high", f"{_YEAR}_source_name")
    }
    origin = ["unknown"] * len(buildings)
    text: list[Any] = [said or None for said in _texts(buildings)]
    for row, (name, said, reading) in chosen.items():
        low, high = reading.low, reading.high
        assert low is not None and high is not None
        columns[f"{_YEAR}_low"][row], columns[f"{_YEAR}_high"][row] = low, high
        columns[f"{_YEAR}_source_name"][row] = name
        text[row] = said or text[row]
        span_yr = high - low
        if span_yr <= rule.max_vague_span_yr:
            columns[_YEAR][row] = low + span_yr // 2
            origin[row] = "recorded" if span_yr == 0 else "vague"
        else:
            origin[row] = "bounded"
    series = {name: pd.Series(v, buildings.index, dtype=object) for name, v in columns.items()}
    return buildings.assign(
        **series,
        **{_TEXT: pd.Series(text, buildings.index, dtype=object)},
        construction_year_origin=origin,
    )
