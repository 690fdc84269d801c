"""The plan command: the same projects under another budget, without measuring or scoring again."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.table import Table as Grid

from pipeline import flow
from pipeline.command.report import console, show_plan
from pipeline.contracts.check import conform, inspect
from pipeline.contracts.tables import PLAN_PROJECTS, RANKING
from pipeline.plan.annual import of_ranking
from pipeline.plan.outputs import WORKBOOK, Planned, planned
from pipeline.plan.priced import cut_to_read, priced
from pipeline.problem import Problem
from pipeline.settings.whole import Settings
from pipeline.store import files, state
from pipeline.store.csv import write_csv
from pipeline.store.places import Places

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?(?:e[+]?\d+)?)\s*(亿元?|万元?|元)?", re.IGNORECASE)
_UNITS = {"亿": 1e8, "万": 1e4, "元": 1.0, "": 1.0}
_STAGE = next(stage for stage in flow.STAGES if stage.name == "plan")


@dataclass(frozen=True)
class Replanned:
    """A plan under another budget, the folder with its lists, and the plan of config beside it."""

    folder: Path
    ledger: Mapping[str, Any]
    of_config: Mapping[str, Any]
    added: int
    dropped: int


def parse_budget(text: str, years: int) -> list[float]:
    """Return yuan for each year: one amount is shared out over the years, a list gives each of them.

    Raises
    ------
    Problem
        If it is no amount, or a list of another length.
    """
    amounts = []
    for part in re.split(r"[,，;；]", text):
        match = _AMOUNT.fullmatch(part.strip())
        if match is None:
            raise Problem(
                f"BUDGET={text}", f"{part.strip()!r} is no amount",
                expected="yuan for all years together, or one amount a year with commas between",
                fix="e.g. BUDGET=150亿, BUDGET=1.5e10 or BUDGET=20亿,30亿,30亿,40亿,30亿",
            )  # fmt: skip
        amounts.append(float(match[1]) * _UNITS[(match[2] or "")[:1]])
    if len(amounts) == 1:
        return [round(amounts[0] / years, 2)] * years
    if len(amounts) != years:
        raise Problem(
            f"BUDGET={text}", f"lists {len(amounts)} amounts",
            expected=f"one for all years together, or {years}, one for each year of the plan",
        )  # fmt: skip
    return amounts


def replan(places: Places, settings: Settings, budget_cny: Sequence[float]) -> Replanned:
    """Plan anew under a budget and write the lists into a folder of their own.

    The plan of config is known to the solver, so that a larger budget never relieves less need.

    Raises
    ------
    Problem
        If the city has not been ranked with these settings and files, or the rules clash.
    """
    _refuse_stale(places, settings)
    schedule = settings.plan.schedule.model_copy(update={"budget_cny": list(budget_cny)})
    richer = settings.model_copy(
        update={"plan": settings.plan.model_copy(update={"schedule": schedule})}
    )
    recorded = flow.recorded(places)
    with state.single_run(places.lock_file):
        tables = {table: recorded.table(table) for table in _STAGE.reads}
        before = recorded.table(PLAN_PROJECTS)
        earlier = before.set_index("project_id")[["planned_year", "works_count", "cost_cny"]]
        years = earlier["planned_year"].astype("float64")
        projects = priced(cut_to_read(tables, richer.plan), richer)
        ranking = tables[RANKING]
        ranking = ranking[of_ranking(ranking.columns.tolist())]
        found = planned(projects, ranking, richer, places.scenario, [earlier])
        folder = places.scenario_folder / folder_name(budget_cny)
        _write(places, folder, found, settings)
    after = found.tables[PLAN_PROJECTS].set_index("project_id")["planned_year"].notna()
    was = years.notna().reindex(after.index, fill_value=False)
    of_config = recorded.ledger(_STAGE)["annual"]
    return Replanned(
        folder, found.ledger, of_config, int((after & ~was).sum()), int((was & ~after).sum())
    )


def folder_name(budget_cny: Sequence[float]) -> str:
    """Return the folder of a plan under a budget: amounts in 万元, one if all years are alike."""
    parts = [f"{amount / 1e4:.6f}".rstrip("0").rstrip(".") for amount in budget_cny]
    same = len(set(parts)) == 1
    return f"budget_{len(parts)}x{parts[0]}" if same else "budget_" + "_".join(parts)


def _write(places: Places, folder: Path, found: Planned, settings: Settings) -> None:
    files.make_folder(folder)
    with files.Batch() as batch:
        for table, frame in found.tables.items():
            whole = conform(table, frame)
            inspect(table, whole, stage_name="plan", crs=settings.city.crs)
            batch.write(
                {folder / f"{table.name}{places.mark}.csv": partial(write_csv, table, whole)}
            )
        stem, suffix = WORKBOOK.rsplit(".", 1)
        batch.add(folder / f"{stem}{places.mark}.{suffix}", found.workbook())
        batch.add(folder / "plan.ledger.json", files.json_bytes(found.ledger))


def _refuse_stale(places: Places, settings: Settings) -> None:
    reasons = flow.why(places, settings)
    for stage in flow.STAGES[: flow.STAGES.index(_STAGE) + 1]:
        if reasons[stage.name]:
            raise Problem(
                places.city_folder,
                f"{stage.name} is not up to date: {reasons[stage.name][0]}",
                expected="the tables of a finished run with the same settings and raw files",
                fix=f"{_rank(places)}, then plan again",
            )


def _rank(places: Places) -> str:
    words = f"make rank CITY={places.city}"
    return words if places.scenario == "base" else f"{words} SCENARIO={places.scenario}"


def show_plan_of_config(places: Places, settings: Settings, seconds: float) -> None:
    """Print the plan that the last run made."""
    _refuse_stale(places, settings)
    ledger = flow.recorded(places).ledger(_STAGE)["annual"]
    show_plan(ledger)
    _years(ledger)
    _lists(places, places.scenario_folder, seconds)


def show_replanned(places: Places, found: Replanned, seconds: float) -> None:
    """Print a plan under another budget and how it differs from the plan of config."""
    show_plan(found.ledger)
    _years(found.ledger)
    if found.of_config.get("planned_count") is not None:
        more = found.ledger["relieved"] - found.of_config["relieved"]
        console().print(
            f"beside the plan of config 与配置方案相比: need relieved 解除需求 {more:+,.0f}, "
            f"{found.added:,} projects more 新列入, {found.dropped:,} no longer 不再列入",
            markup=False,
        )
    _lists(places, found.folder, seconds)


def _years(ledger: Mapping[str, Any]) -> None:
    if not ledger["project_count"]:
        return
    table = Grid(title="万元 10,000 yuan", title_justify="left")
    heads = ("year 年", "starts 开工", "households 户", "invested 投资", "public 财政", "budget 预算",
             "left 结余")  # fmt: skip
    for head in heads:
        table.add_column(head, justify="right")
    for row in ledger["by_year"]:
        money = (row[f"{name}_cny"] for name in ("payment", "public", "budget", "budget_left"))
        table.add_row(
            f"{row['plan_year']:.0f}",
            f"{row['project_count']:,.0f}",
            f"{row['household_plan_count']:,.0f}",
            *(f"{amount / 1e4:,.2f}" for amount in money),
        )
    console().print(table)


def _lists(places: Places, folder: Path, seconds: float) -> None:
    shown = folder.relative_to(places.root).as_posix()
    console().print(
        f"lists 清单: {shown}/annual_list{places.mark}.csv, .xlsx ({seconds:.1f} s)", markup=False
    )
