"""The part of the quality page about the annual plan: what it holds, what waits, how good it is."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from pipeline.atlas.brief_plan import WAN_CNY
from pipeline.pages.charts import bars
from pipeline.pages.document import columns, figure, heading, paragraph, table
from pipeline.pages.terms import BATCHES, ENTRIES, FUNDS, READINESS, WAITS, term
from pipeline.pages.words import Words


def plan_part(annual: Mapping[str, Any]) -> list[Markup]:
    """Return the plan's figures, from the ledger of plan; said to be not computed if there are none."""
    parts = [heading(Words("年度计划", "Annual plan"), anchor="plan")]
    if not annual.get("project_count"):
        return [*parts, paragraph(Words("没有可排的项目。", "There is no project to plan."))]
    parts += [paragraph(words) for words in (_held(annual), *_quality(annual))]
    money = annual.get("planned_by_source_cny") or {}
    if money:
        chart = bars(
            [term(FUNDS, name) for name in money],
            [float(value) / WAN_CNY for value in money.values()],
        )
        title = Words("计划内投资的来源（万元）", "who pays for the plan (万 yuan = 10,000 yuan)")
        parts.append(figure(chart, caption=title))
    number = Words("项目数", "projects")
    tables = [
        table((title, number), [(term(words, code), int(n)) for code, n in found.items()],
              caption=title)
        for title, words, found in (
            (Words("状态", "state"), BATCHES, annual.get("projects_by_batch") or {}),
            (Words("储备原因", "why it waits"), WAITS, annual.get("waiting_by_reason") or {}),
            (Words("怎样才能列入", "what would bring it in"), ENTRIES,
             annual.get("waiting_by_entry") or {}),
            (Words("意愿", "owners' consent"), READINESS, annual.get("readiness") or {}),
        )
        if found
    ]  # fmt: skip
    return [*parts, columns(tables), *_years(annual)]


def _held(annual: Mapping[str, Any]) -> Words:
    cost = annual["planned_cost_cny"] / WAN_CNY
    return Words(
        f"共 {annual['project_count']:,} 个项目，计划内 {annual['planned_count']:,} 个、"
        f"{annual['planned_building_count']:,} 栋、{annual['planned_household_count']:,} 户，"
        f"投资 {cost:,.0f} 万元（{annual.get('price_year', '')} 年价）。",
        f"{annual['planned_count']:,} of {annual['project_count']:,} projects are planned: "
        f"{annual['planned_building_count']:,} buildings, {annual['planned_household_count']:,} "
        f"households, {cost:,.0f} 万 yuan at prices of {annual.get('price_year', '')}.",
    )


def _quality(annual: Mapping[str, Any]) -> list[Words]:
    """Return how far the plan can be from the best one, and how much of it rests on stand-ins."""
    said = []
    gap, gain = annual.get("gap_share"), annual.get("gain_over_greedy_share")
    if gap is not None:
        said.append(
            Words(
                f"按消解的需求计，离理论最优最多差 {gap:.3%}。",
                f"In need relieved it is at most {gap:.3%} short of the best possible plan.",
            )
        )
    if gain is not None:
        said.append(
            Words(
                f"比“按每元解除的需求依次选到钱用完”多 {gain:.1%}。",
                f"It relieves {gain:.1%} more than taking works by relief per yuan until the money is "
                "gone.",
            )
        )
    alike = annual.get("bound_agreement_share")
    if alike is not None:
        said.append(
            Words(
                f"资金把握由线性上界反复求解得出；不作抽取时，它与计划对 {alike:.1%} 的项目取舍一致。",
                "Chances of money come from the plan's linear bound, solved again in every draw; "
                f"without any draw it treats {alike:.1%} of the projects as the plan does.",
            )
        )
    guessed = annual.get("estimated_share")
    if guessed is not None:
        said.append(
            Words(
                f"造价与户数所依据的数据中，{guessed:.1%}（按面积）为估算。",
                f"{guessed:.1%} (by floor area) of the data behind cost and households are estimates.",
            )
        )
    return said


def _years(annual: Mapping[str, Any]) -> list[Markup]:
    years = annual.get("by_year") or []
    if not years:
        return []
    head = (
        Words("年度", "year"), Words("开工项目", "projects begun"), Words("户", "households"),
        Words("投资（万元）", "payments (万 yuan)"), Words("财政（万元）", "public (万 yuan)"),
        Words("财政预算（万元）", "public budget (万 yuan)"), Words("结余（万元）", "left (万 yuan)"),
    )  # fmt: skip
    rows = [
        (str(one["plan_year"]), int(one["project_count"]), int(one["household_plan_count"]),
         *(_wan(one.get(name)) for name in
           ("payment_cny", "public_cny", "budget_cny", "budget_left_cny")))
        for one in years
    ]  # fmt: skip
    return [
        table(
            head,
            rows,
            caption=Words("分年度（结余转入下年）", "by year (what is left is carried on)"),
        )
    ]


def _wan(cny: float | None) -> int | None:
    return None if cny is None else round(cny / WAN_CNY)
