"""The what-if command: load what the last run wrote, ask, write the answer, tell it."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table as Grid

from pipeline import flow
from pipeline.command.report import console
from pipeline.contracts.check import conform, inspect
from pipeline.contracts.tables import WHAT_IF
from pipeline.measure.what_if import (
    METRES_THAT_COUNT_M,
    MINUTES_THAT_COUNT_MIN,
    READS,
    WhatIf,
    what_if,
)
from pipeline.problem import Problem
from pipeline.settings.change import Change
from pipeline.settings.whole import Settings
from pipeline.store import files, state
from pipeline.store.csv import write_csv
from pipeline.store.places import Places

_TOP_COUNT = 10


def answer(places: Places, settings: Settings, change: Change, file: Path, name: str) -> WhatIf:
    """Work out a change against what the last run wrote, and write the table and its totals.

    Raises
    ------
    Problem
        If the city has not been ranked with these settings and files, or the change does not fit it.
    """
    refuse_unmeasured(places, settings)
    recorded = flow.recorded(places)
    with state.single_run(places.lock_file):
        tables = {table: recorded.table(table) for table in READS}
        ground = recorded.raster("ground")
        shown = file.relative_to(places.root).as_posix()
        found = what_if(tables, ground, settings, change, file=shown)
        table = conform(WHAT_IF, found.table)
        inspect(WHAT_IF, table, stage_name="what-if", crs=settings.city.crs)
        ledger = {
            "change": name,
            "city": settings.city.name_en,
            "is_synthetic": settings.city.is_synthetic,
            **found.ledger,
        }
        with files.Batch() as batch:
            batch.write({places.what_if_csv(name): partial(write_csv, WHAT_IF, table)})
            batch.add(places.what_if_ledger(name), files.json_bytes(ledger))
    return WhatIf(table, ledger)


def refuse_unmeasured(places: Places, settings: Settings) -> None:
    """Stop unless the tables that walks are measured on are those of these settings and raw files."""
    reasons = flow.why(places, settings)
    for stage in ("intake", "measure"):
        if reasons[stage]:
            raise Problem(
                places.city_folder,
                f"{stage} is not up to date: {reasons[stage][0]}",
                expected="the tables of a finished run with the same settings and raw files",
                fix=f"make rank CITY={places.city}, then ask again",
            )


def show_answer(
    places: Places, settings: Settings, found: WhatIf, name: str, seconds: float
) -> None:
    """Print who gains and loses, how much, and where the whole table lies."""
    out, ledger = console(), found.ledger
    out.print(f"{ledger['title_zh']} {ledger['title_en']}", markup=False, style="bold")
    if settings.city.is_synthetic:
        out.print("合成数据 SYNTHETIC DATA: an invented city, not a real register", markup=False)
    for record in ledger["actions"]:
        out.print(_told(record), markup=False)
    for note in ledger["notes"]:
        out.print(f"NOTE 注意: {note}", markup=False, style="bold yellow")
    if not len(found.table):
        out.print(
            "nothing changes 无任何变化: no building's walk to any mapped facility differs by "
            f"more than {MINUTES_THAT_COUNT_MIN:g} min or {METRES_THAT_COUNT_M:g} m",
            markup=False,
        )
    else:
        labels = {
            key: f"{one.label_zh} {one.label_en}"
            for key, one in settings.measure.facilities.items()
        }
        unit = "户 households" if ledger["weighted_by"] == "households" else "栋 buildings"
        out.print(
            f"better 改善 {ledger['better_count']:,} · worse 变差 {ledger['worse_count']:,} · "
            f"gain a way 新通 {ledger['gains_way_count']:,} · lose their way 断路 "
            f"{ledger['loses_way_count']:,} · newly in reach 新覆盖 {ledger['first_mapped_count']:,} "
            f"of {ledger['rows_in']:,} buildings 栋; sums over 合计按 {unit}",
            markup=False,
        )
        if ledger["buildings_without_weight"]:
            out.print(
                f"NOTE 注意: {ledger['buildings_without_weight']:,} buildings without a household "
                "count are left out of the sums 未计户数的楼栋不计入合计",
                markup=False,
            )
        by_type = {labels[key]: sums for key, sums in ledger["by_facility_type"].items()}
        out.print(_grid("to 目的地", by_type))
        roads = dict(list(ledger["by_road_name"].items())[:_TOP_COUNT])
        out.print(_grid("road 道路", roads))
        out.print(_buildings(found, settings.measure.walking.climb_penalty_min_per_m))
    csv = places.what_if_csv(name).relative_to(places.root).as_posix()
    out.print(f"table 明细: {csv} ({seconds:.1f} s)", markup=False)


def _told(record: Mapping[str, Any]) -> str:
    name = record.get("name", "")
    if record["does"] in ("add_lift", "add_link"):
        ends = " → ".join(
            f"{end['road_name'] or end['edge_id']} {end['elevation_m']:.0f} m"
            f" ({end['distance_m']:.0f} m off)"
            for end in (record["from"], record["to"])
        )
        back = "–" if record["back_min"] is None else f"{record['back_min']:.1f}"
        return (
            f"+ {record['kind']} {name}: {ends}; rise 高差 {record['rise_m']:.1f} m, length 水平 "
            f"{record['length_m']:.0f} m, {record['there_min']:.1f} / {back} min"
        )
    if record["does"] == "add_amenity":
        return f"+ {record['type']} {name}"
    told = f"− {record['does'].removeprefix('close_')} {record['id']} {name}".rstrip()
    return (
        f"{told}; rise on this terrain 高差 {record['rise_m']:.1f} m"
        if "rise_m" in record
        else told
    )


def _grid(what: str, groups: Mapping[str, Mapping[str, Any]]) -> Grid:
    grid = Grid(title_justify="left")
    grid.add_column(what)
    for head in (
        "better 改善",
        "worse 变差",
        "newly 新增",
        "lost 断路",
        "min out 出门省时",
        "min home 回家省时",
        "climb out m 出门少爬",
        "climb home m 回家少爬",
    ):
        grid.add_column(head, justify="right")
    for key, sums in groups.items():
        grid.add_row(
            escape(key),
            f"{sums['better_count']:,}",
            f"{sums['worse_count']:,}",
            f"{sums['gains_way_count'] + sums['first_mapped_count']:,}",
            f"{sums['loses_way_count']:,}",
            f"{sums['out_saved_min']:+,.1f}",
            f"{sums['home_saved_min']:+,.1f}",
            f"{sums['climb_out_saved_m']:+,.0f}",
            f"{sums['climb_saved_m']:+,.0f}",
        )
    return grid


def _buildings(found: WhatIf, penalty: float) -> Grid:
    """Return the buildings whose best or worst walk, out or home, changes most."""
    rows = found.table
    saved = {
        way: (rows[f"walk_{way}_saved_min"] + penalty * rows[climb]).abs()
        for way, climb in (("out", "climb_out_saved_m"), ("back", "climb_saved_m"))
    }
    most = rows.assign(size=saved["out"].combine(saved["back"], max)).sort_values(
        ["size", "building_id"], ascending=[False, True], kind="stable", na_position="last"
    )
    most = most.drop_duplicates("building_id").head(_TOP_COUNT)
    grid = Grid(title_justify="left")
    for head in (
        "building 建筑",
        "road 道路",
        "to 目的地",
        "out min 出门分钟",
        "home min 回家分钟",
        "climb out m 出门爬升",
        "climb home m 回家爬升",
    ):
        grid.add_column(head)
    for row in most.to_dict("records"):
        name = row["building_name"] if isinstance(row["building_name"], str) else row["building_id"]
        road = row["road_name"] if isinstance(row["road_name"], str) else ""
        grid.add_row(
            escape(name),
            escape(road),
            row["facility_type"],
            _change(row["walk_out_before_min"], row["walk_out_after_min"], 1),
            _change(row["walk_back_before_min"], row["walk_back_after_min"], 1),
            _change(row["climb_out_before_m"], row["climb_out_after_m"], 0),
            _change(row["climb_before_m"], row["climb_after_m"], 0),
        )
    return grid


def _change(before: float, after: float, decimals: int) -> str:
    return " → ".join("–" if one != one else f"{one:.{decimals}f}" for one in (before, after))
