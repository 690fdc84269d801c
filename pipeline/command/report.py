"""What the terminal shows: a line per stage, and a short table at the end."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.status import Status
from rich.table import Table

from pipeline.command.loss_block import show_losses, show_unused_files
from pipeline.contracts.stage import Stage
from pipeline.flow import Step
from pipeline.problem import Problem, visible
from pipeline.settings.whole import Settings
from pipeline.store.places import Places

TRACK_WORDS = {
    "ranked": "ranked 参与排序",
    "reserve": "reserve, after the cut-off 储备",
    "hazard": "dangerous, repair or rebuild 危房",
    "excluded": "left out with a reason 不纳入",
}


MOST_NAMES = 12


class Progress:
    """Says which stage runs: a live line on a terminal, plain lines when piped."""

    def __init__(self) -> None:
        self._console = console()
        self._status: Status | None = None

    def begin(self, stage: Stage, reasons: tuple[str, ...]) -> None:
        """Show that a stage begins."""
        self.end()
        line = f"{stage.name:8} {stage.title} … ({_first(reasons)})"
        if self._console.is_terminal:
            self._status = self._console.status(escape(line))
            self._status.start()
        else:
            self._console.print(line, markup=False)

    def end(self) -> None:
        """Take the live line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None


class _Console(Console):
    """A console that shows what is no visible sign by its number: data may command a terminal."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text), style, control)


def console() -> Console:
    """Return the console for what people read; wide enough for paths when piped."""
    if sys.stdout.isatty():
        return _Console(highlight=False)
    return _Console(highlight=False, width=200, soft_wrap=True)


def show_problem(problem: Problem) -> None:
    """Print a fault to standard error."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(
        f"shancheng: {problem.text()}",
        markup=False,
        style="bold red" if sys.stderr.isatty() else "",
    )


def show_run(
    places: Places,
    settings: Settings,
    steps: Sequence[Step],
    ledgers: Mapping[str, Mapping[str, Any]],
    seconds: float,
) -> None:
    """Print what the run did and found."""
    out = console()
    done = ", ".join(f"{s.stage.name} {s.seconds:.1f} s" for s in steps if s.has_run)
    out.print(f"stages run: {done or 'none, nothing changed'}", markup=False)
    city = settings.city
    if city.is_synthetic:
        out.print("合成数据 SYNTHETIC DATA: an invented city, not a real register", markup=False)
    out.print(_summary(places, settings, ledgers, seconds))
    out.print(_top(ledgers["plan"]))
    show_plan(ledgers["plan"]["annual"])
    left = ledgers["score"]["criteria_left_out"]
    if left:
        out.print(f"criteria left out 未计入: {by_reason(left)}", markup=False)
    weights = ", ".join(
        f"{name} {share:.1%}" for name, share in ledgers["score"]["weights"].items()
    )
    out.print(f"weights 权重: {weights}", markup=False)
    if ledgers["measure"]["ground_filter_left_out"]:
        cell_m = ledgers["measure"]["terrain_cell_m"]
        out.print(
            f"NOTICE 提示: 高程格网 {cell_m:g} 米，比地面滤波窗口粗，未滤波，屋顶与树木仍在其中。 "
            f"The terrain's cells ({cell_m:g} m) are too coarse for the ground filter "
            f"({settings.measure.terrain.opening_window_m:g} m): it was left out, and roofs and trees "
            "stay in the heights. Take a finer terrain model, or set measure.terrain.",
            markup=False,
        )
    for notice in ledgers["score"]["notices"]:
        out.print(f"NOTICE 提示: {notice['text_zh']} {notice['text_en']}", markup=False)
    out.print(_how_sure(ledgers["score"]["robustness"]), markup=False)
    for line in strayed_totals(settings, ledgers):
        out.print(line, markup=False, style="bold yellow")
    show_losses(out, ledgers["intake"], settings)
    show_unused_files(out, places, settings)


def by_reason(left_out: Mapping[str, str]) -> str:
    """Return criteria that do not count, in one line: each reason once, then those it holds for.

    Of many the first are named; the quality page names all.
    """
    named: dict[str, list[str]] = {}
    for name, reason in left_out.items():
        named.setdefault(reason, []).append(name)
    return "; ".join(f"{reason}: {_some(names)}" for reason, names in named.items())


def _some(names: list[str]) -> str:
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:MOST_NAMES])} and {len(names) - MOST_NAMES} more"


def show_plan(ledger: Mapping[str, Any]) -> None:
    """Print in a few lines what is planned, how good that is, and who waits."""
    out = console()
    if not ledger["project_count"]:
        out.print("annual plan 年度计划: no building is on a planned track", markup=False)
        return
    years = ledger["by_year"]
    span = f"{years[0]['plan_year']:.0f}–{years[-1]['plan_year']:.0f}"
    public = sum(row["public_cny"] for row in years)
    budget = sum(row["budget_cny"] for row in years)
    out.print(
        f"annual plan 年度计划 {span}: {ledger['planned_count']:,} of {ledger['project_count']:,} "
        f"projects 项目, {ledger['planned_household_count']:,} households 户, "
        f"{ledger['planned_cost_cny'] / 1e8:,.2f} 亿元 (public 财政 {public / 1e8:,.2f}, "
        f"budget 预算 {budget / 1e8:,.2f})",
        markup=False,
    )
    gain = ledger["gain_over_greedy_share"]
    beside = f", {gain:+.2%} over greedy 比贪心" if gain is not None else ""
    if ledger["gap_share"] is not None:
        out.print(
            f"need relieved 解除需求 {ledger['relieved']:,.0f}, at most {ledger['gap_share']:.3%} "
            f"below the best 与最优差距{beside}; left for the public after revenue 扣除收益后财政负担 "
            f"{ledger['residual_public_cny'] / 1e8:,.2f} 亿元",
            markup=False,
        )
    waits = ", ".join(f"{name} {count:,}" for name, count in ledger["waiting_by_reason"].items())
    out.print(
        f"waiting 未列入: {waits or 'none'}; stand-ins 估算 {ledger['estimated_share']:.1%} "
        "of floor area 建筑面积",
        markup=False,
    )


def _summary(
    places: Places, settings: Settings, ledgers: Mapping[str, Mapping[str, Any]], seconds: float
) -> Table:
    intake, measure, plan = ledgers["intake"], ledgers["measure"], ledgers["plan"]
    footprints = [name for name, source in settings.sources.items() if source.role == "footprints"]
    counts = [intake["sources"][name] for name in footprints]
    rejected = sum(count["rows_rejected"] for count in counts)
    kept = intake["tables"]["buildings"]
    table = Table(
        title=f"{settings.city.name_zh} {settings.city.name_en} · {places.scenario}",
        show_header=False,
        title_justify="left",
    )
    table.add_column()
    table.add_column()
    floor = plan["floor_area_known_m2"]
    area = "unknown" if floor is None else f"{floor:,} m²"
    table.add_row("buildings in 建筑", f"{kept + rejected:,}")
    table.add_row("in the programme 参评", f"{plan['rows_out']:,}")
    for track, words in TRACK_WORDS.items():
        table.add_row(f"  {words}", f"{ledgers['score']['tracks'][track]:,}")
    table.add_row("not housing 非住宅", f"{measure['not_housing']:,}")
    table.add_row("rejected 剔除", f"{rejected:,}")
    known = plan["floor_area_known_for"]
    table.add_row("floor area 建筑面积", f"{area}, known for {known:,} of {plan['rows_out']:,}")
    table.add_row("without street access 无路可达", f"{len(measure['without_street_access']):,}")
    table.add_row("lists 清单", _short(places, places.scenario_folder))
    table.add_row("map 地图", _short(places, places.maps_folder / "index.html"))
    table.add_row("seconds 用时", f"{seconds:.1f}")
    return table


def _how_sure(told: Mapping[str, Any]) -> str:
    if "top_count" not in told:
        return "how sure 稳健性: no building is ranked"
    line = (
        f"how sure 稳健性: of the top {told['top_count']:,}, {told['surely_top_count']:,} stay "
        f"there in 95 % of {told['draws']:,} draws; half of all ranks vary by less than "
        f"{told['median_band_width_share']:.0%} of the list"
    )
    reason = told.get("band_reason_en")
    return f"{line}; {reason}" if reason else line


def _top(plan: Mapping[str, Any]) -> Table:
    table = Table(title="most urgent 最急", title_justify="left")
    for name in (
        "district 区",
        "area 片区",
        "buildings 栋数",
        "mean score 均分",
        "best rank 最前名次",
    ):
        table.add_column(name, justify="left" if name[0] in "da" else "right")
    for row in plan["top"]:
        table.add_row(
            escape(row["district_name"]),
            escape(row["area_name"]),
            f"{row['building_count']:,}",
            f"{row['score_mean_points']:.1f}",
            f"{row['rank_best']:,}",
        )
    return table


def strayed_totals(settings: Settings, ledgers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a warning for each total that strays from what the profile expects."""
    expected, plan = settings.city.expected, ledgers["plan"]
    pairs = [
        ("buildings in the programme", expected.ranked_building_count, plan["rows_out"]),
        ("floor area, m²", expected.floor_area_m2, plan["floor_area_known_m2"]),
    ]
    told = []
    for name, wanted, found in pairs:
        if wanted is None:
            continue
        off = abs((found or 0) - wanted) / wanted
        if off > expected.tolerance_share:
            told.append(
                f"WARNING 注意: {name} {found or 0:,}, but the profile expects {wanted:,.0f} "
                f"({off:.1%} off, more than {expected.tolerance_share:.0%})"
            )
    return told


def show_why(reasons: Mapping[str, Sequence[str]]) -> None:
    """Print why each stage would run now."""
    out = console()
    for name, told in reasons.items():
        if not told:
            out.print(f"{name}: up to date", markup=False)
        for number, reason in enumerate(told):
            if number == 12:
                out.print(f"{name}: … and {len(told) - 12} more reasons", markup=False)
                break
            out.print(f"{name}: {reason}", markup=False)


def _short(places: Places, path: Path) -> str:
    return path.relative_to(places.root).as_posix()


def _first(reasons: tuple[str, ...]) -> str:
    more = f", and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    return reasons[0] + more
