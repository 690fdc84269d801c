"""The compare and keep commands: set a run aside, put two side by side, tell what moved whom."""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from rich.markup import escape
from rich.table import Table as Grid

from pipeline import flow
from pipeline.command.compare_page import CAUSES, compare_page
from pipeline.command.report import console
from pipeline.contracts.check import conform, inspect
from pipeline.contracts.tables import BUILDING_RANKING, COMPARISON, RANKING
from pipeline.problem import Problem
from pipeline.score.compare import Run, comparison
from pipeline.settings.whole import Settings
from pipeline.store import files, state
from pipeline.store.csv import write_csv
from pipeline.store.places import Places
from pipeline.store.recorded import DIGESTS, believed

KEPT_FILES = ("ranking.parquet", "building_ranking.parquet", "score.ledger.json")
OUTCOME_WORDS = {
    "entered_top": "entered the top 进入前列",
    "left_top": "left the top 退出前列",
    "rose": "rose 上升",
    "fell": "fell 下降",
    "same": "same rank 不变",
    "gained_rank": "ranked now 新参与排序",
    "lost_rank": "ranked no more 不再排序",
    "new": "new 新增",
    "gone": "gone 消失",
    "never_ranked": "ranked in neither 均未排序",
}
_TOP = 10
_RANKED = flow.STAGES[: [stage.name for stage in flow.STAGES].index("plan") + 1]
"""The stages on whose files a ranking rests."""


@dataclass(frozen=True)
class Compared:
    """Two runs side by side."""

    names: tuple[str, str]
    table: pd.DataFrame
    weights: tuple[dict[str, float], dict[str, float]]


def keep(places: Places, name: str) -> Path:
    """Copy the ranking of the scenario aside under a name, and return the folder.

    Raises
    ------
    Problem
        If the scenario has not been ranked, a file of the run was changed, or the name is taken.
    """
    source, target = places.scenario_folder, places.kept_folder(name)
    _refuse_unranked(source, places, places.scenario)
    if target.exists():
        raise Problem(
            target, "a run is kept under this name already",
            fix="choose another NAME=…, or delete that folder",
        )  # fmt: skip
    with state.single_run(places.lock_file):
        recorded = flow.recorded(places)
        recorded.refuse_changed(_RANKED)
        found = {file: recorded.content(source / file) for file in KEPT_FILES}
        digests = {file: hashlib.sha256(one).hexdigest() for file, one in found.items()}
        with files.Batch() as batch:
            for file, content in found.items():
                batch.add(target / file, content)
            batch.add(target / DIGESTS, files.json_bytes(digests))
    return target


def compare(places: Places, settings: Settings, before: str, after: str) -> Compared:
    """Compare two scenarios or kept runs, and write the table and the page.

    Raises
    ------
    Problem
        If one of them has not been ranked or kept, or a file was changed since.
    """
    with state.single_run(places.lock_file):
        first, second = (_run(places, name) for name in (before, after))
        return _compared(places, settings, first, second, (before, after))


def _compared(
    places: Places, settings: Settings, first: Run, second: Run, names: tuple[str, str]
) -> Compared:
    before, after = names
    table = comparison(first, second, top_share=settings.score.robustness.top_share)
    origin = "合成 synthetic" if settings.city.is_synthetic else "delivered"
    table = conform(COMPARISON, table.assign(data_origin=origin))
    inspect(COMPARISON, table, stage_name="compare", crs=settings.city.crs)
    found = Compared((before, after), table, (dict(first.weights), dict(second.weights)))
    with files.Batch() as batch:
        batch.write({places.compare_csv(before, after): partial(write_csv, COMPARISON, table)})
        page = compare_page(found.names, table, found.weights, settings)
        batch.add(places.compare_page(before, after), page.encode())
    return found


def _run(places: Places, name: str) -> Run:
    folder = places.city_folder / name
    if (folder / KEPT_FILES[0]).is_file():
        _refuse_unranked(folder, places, name)
        of_run = replace(places, scenario=name)
        recorded = flow.recorded(of_run)
        recorded.refuse_changed(_RANKED)
        found = {file: recorded.content(folder / file) for file in KEPT_FILES}
    else:
        found = _kept_files(places, name)
    ranking, listed = (
        files.read_parquet(io.BytesIO(found[f"{table.name}.parquet"]), has_geometry=False)
        for table in (RANKING, BUILDING_RANKING)
    )
    return Run(ranking, listed, json.loads(found[KEPT_FILES[2]])["weights"])


def _kept_files(places: Places, name: str) -> dict[str, bytes]:
    folder = places.kept_folder(name)
    _refuse_unranked(folder, places, name)
    mend = f"delete {folder} and keep the run again"
    try:
        digests = dict(json.loads((folder / DIGESTS).read_bytes()))
    except (OSError, ValueError):
        raise Problem(
            folder / DIGESTS, "is absent or cannot be read: nothing says that the run is whole",
            fix=mend,
        ) from None  # fmt: skip
    return {file: believed(folder / file, digests.get(file, ""), mend) for file in KEPT_FILES}


def _refuse_unranked(folder: Path, places: Places, name: str) -> None:
    if all((folder / file).is_file() for file in KEPT_FILES):
        return
    known = sorted(
        path.parent.name for path in places.city_folder.glob("*/ranking.parquet")
    ) + sorted(
        path.parent.name for path in places.kept_folder("*").parent.glob("*/ranking.parquet")
    )
    raise Problem(
        f"{places.city}: {name}", "there is no ranking of this name",
        expected=f"one of: {', '.join(known) or 'none yet'}",
        fix=f"make rank CITY={places.city} SCENARIO={name}, or make keep NAME={name} first",
    )  # fmt: skip


def show(found: Compared, places: Places, settings: Settings) -> None:
    """Print who moved, why, and where the table and the page lie."""
    out, table = console(), found.table
    before, after = found.names
    out.print(f"{before} → {after}", markup=False, style="bold")
    if settings.city.is_synthetic:
        out.print("合成数据 SYNTHETIC DATA: an invented city, not a real register", markup=False)
    counts = table["outcome_type"].value_counts()
    told = [f"{words} {counts[key]:,}" for key, words in OUTCOME_WORDS.items() if key in counts]
    out.print(" · ".join(told), markup=False)
    for title, outcome in (("entered 进入", "entered_top"), ("left 退出", "left_top")):
        rows = table[table["outcome_type"] == outcome]
        if len(rows):
            out.print(_grid(f"{title}: {len(rows):,}", rows.head(_TOP), settings))
    for path in (places.compare_csv(before, after), places.compare_page(before, after)):
        out.print(path.relative_to(places.root).as_posix(), markup=False)


def _grid(title: str, rows: pd.DataFrame, settings: Settings) -> Grid:
    grid = Grid(title=title, title_justify="left")
    for head in ("building 建筑", "district 区", "estate 小区", "rank 名次", "cause 主因"):
        grid.add_column(head)
    for row in rows.to_dict("records"):
        grid.add_row(
            escape(_text(row["building_name"]) or row["building_id"]),
            escape(_text(row["district_name"])),
            escape(_text(row["estate_name"])),
            f"{_rank(row['rank_before'])} → {_rank(row['rank_after'])}",
            _cause(row, settings),
        )
    return grid


def _cause(row: Mapping[Any, Any], settings: Settings) -> str:
    words = CAUSES[row["cause_type"]]
    name = _text(row["cause_criterion_name"])
    if not name:
        return f"{words.zh} {words.en}"
    criterion = settings.score.criteria.get(name)
    label = f"{criterion.label_zh} {criterion.label_en}" if criterion else name
    return escape(f"{words.zh} {words.en}: {label}")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _rank(value: Any) -> str:
    return "–" if pd.isna(value) else f"{value:,}"
