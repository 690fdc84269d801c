"""The brief of a district: one sheet of A4 for the meeting that decides about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from markupsafe import Markup

from pipeline.atlas.brief_facts import Area, DistrictFacts, Totals
from pipeline.atlas.brief_map import map_key
from pipeline.atlas.brief_plan import WAN_CNY, AreaPlan
from pipeline.pages.charts import bars, columns
from pipeline.pages.document import figure, page
from pipeline.pages.drawing import percent
from pipeline.pages.terms import ROW_TYPES, SCENARIOS, SHORT_TRACKS, named, term
from pipeline.pages.words import Words, as_html
from pipeline.settings.score import Criterion
from pipeline.settings.whole import Settings

_STYLE = (files("pipeline.pages") / "static" / "brief.css").read_text(encoding="utf-8")
_RIGHT_WIDTH = 330.0


@dataclass(frozen=True)
class Context:
    """What all briefs of a run share."""

    settings: Settings
    criteria: Mapping[str, Criterion]
    weights: Mapping[str, float]
    scenario: str
    attribution: Sequence[str]
    year_notes: Words
    """How well the years are known in the whole run."""


def brief_page(
    facts: DistrictFacts,
    drawn_map: Markup,
    context: Context,
    *,
    links: Sequence[tuple[str, Words]],
) -> str:
    """Return the whole page of one district."""
    city = context.settings.city
    title = Words(
        f"{facts.district_name}老旧住宅改造简报",
        f"Brief on old housing: {facts.district_name}",
    )
    tiers = [named(tier) for tier in context.settings.atlas.tiers]
    sheet = [
        _headline(title, facts, context),
        _keys(facts),
        _block(
            "picture",
            _block("left", figure(drawn_map, caption=map_key(tiers))),
            _block("right", *_right(facts, context, tiers)),
        ),
        _areas(facts, context),
        *_plan(facts),
        *_basis(facts, context),
    ]
    banner = None
    if city.is_synthetic:
        banner = Words(
            "合成数据：虚构城市，不代表任何真实建筑",
            "Synthetic data: an invented city, nothing in it is real",
        )
    elif city.note_zh:
        banner = Words(city.note_zh, city.note_en)
    shown = [_banner(banner), *sheet] if banner else sheet
    return page(title, [_block("sheet", *shown)], links=links, style=_STYLE, has_own_title=True)


def _block(name: str, *parts: Markup) -> Markup:
    return Markup('<div class="{}">{}</div>').format(name, Markup("").join(parts))


def _banner(words: Words) -> Markup:
    return Markup('<div class="banner clip" role="note">{}</div>').format(words.html())


def _headline(title: Words, facts: DistrictFacts, context: Context) -> Markup:
    city = context.settings.city
    place, scenario = Words("", ""), term(SCENARIOS, context.scenario)
    is_one_of_many = facts.district_count > 1 and facts.district_rank is not None
    if is_one_of_many and facts.mean_points is not None:
        place = Words(
            f"平均得分 {facts.mean_points:.1f}，{facts.district_count} 区中第 {facts.district_rank} · ",
            f"mean score {facts.mean_points:.1f}, place {facts.district_rank} "
            f"of {facts.district_count} districts · ",
        )
    under = Words(
        f"{place.zh}{city.name_zh} · 情景 {scenario.zh}",
        f"{place.en}{city.name_en} · scenario {scenario.en}",
    )
    mark = Markup('<h1 title="{}">{}</h1><p class="under">{}</p>')
    return mark.format(facts.district_name, title.html(), under.html())


def _keys(facts: DistrictFacts) -> Markup:
    whole, first = facts.whole, facts.tiers[0]
    floor = _known(whole.floor_known_count, whole, Words("建筑面积", "floor area"))
    homes = _known(whole.household_known_count, whole, Words("住户", "households"))
    wan, doors = Words("万㎡", "万m² (×10,000)"), Words("户", "")
    cells = [
        (Words("住宅楼", "buildings"), f"{whole.building_count:,}", Words("栋", "")),
        (floor, _area(whole.floor_area_m2), wan),
        (homes, _count(whole.household_count), doors),
        (Words("第一档楼栋", "buildings in tier 1"), f"{first.building_count:,}", Words("栋", "")),
        (Words("第一档住户", "households in tier 1"), _count(first.household_count), doors),
    ]
    mark = Markup("<div><dt>{}</dt><dd>{} <small>{}</small></dd></div>")
    drawn = [mark.format(name.html(), value, unit.html()) for name, value, unit in cells]
    return Markup('<dl class="keys">{}</dl>').format(Markup("").join(drawn))


def _known(known: int, whole: Totals, name: Words) -> Words:
    """Return the name, with the share of buildings it is known for where that is not all."""
    if known == whole.building_count:
        return name
    share = percent(known / whole.building_count) if whole.building_count else "0%"
    return Words(f"{name.zh}（{share} 栋已知）", f"{name.en} ({share} known)")


def _right(facts: DistrictFacts, context: Context, tiers: Sequence[Words]) -> list[Markup]:
    parts = [_tier_table(facts, context, tiers)]
    known = facts.decades
    if known.labels:
        guessed = known.inferred_count / max(facts.whole.building_count, 1)
        caption = Words(
            f"建成年代（栋；推断 {percent(guessed)}，不明 {known.unknown_count:,} 栋）",
            f"decade built ({percent(guessed)} inferred, {known.unknown_count:,} unknown)",
        )
        chart = columns(
            known.labels, known.counts, x_label=Words("", ""), y_label=Words("", ""),
            width=_RIGHT_WIDTH, height=120,
        )  # fmt: skip
        parts.append(figure(chart, caption=caption, is_above=True))
    else:
        text = Words("建成年代：没有记录", "decade of construction: not recorded")
        parts.append(Markup('<p class="basis">{}</p>').format(text.html()))
    if facts.needs:
        names = [named(context.criteria[name]) for name, _ in facts.needs]
        values = [points for _, points in facts.needs]
        chart = bars(
            names, values, width=_RIGHT_WIDTH, label_width=172, row=18,
            shown=[f"{points:.1f}" for points in values],
        )  # fmt: skip
        caption = Words("第一档的主要需求（平均得分）", "main needs of tier 1 (mean points)")
        parts.append(figure(chart, caption=caption, is_above=True))
    return parts


def _tier_table(facts: DistrictFacts, context: Context, tiers: Sequence[Words]) -> Markup:
    rows = [
        (tier.colour, words, sums)
        for tier, words, sums in zip(context.settings.atlas.tiers, tiers, facts.tiers, strict=True)
    ]
    others = [
        ("", term(SHORT_TRACKS, name), sums)
        for name, sums in facts.tracks.items()
        if name != "ranked" and sums.building_count
    ]
    head = (
        Words("紧急程度（图例）", "urgency (key)"), Words("栋", "build-ings"), Words("万㎡", "万m²"),
        Words("户", "house-holds"),
    )  # fmt: skip
    body = []
    for colour, words, sums in (*rows, *others):
        fill = Markup(' style="background:{}"').format(colour) if colour else Markup("")
        name = Markup('<i class="swatch"{}></i>{}').format(fill, words.html())
        body.append((name, *_sums(sums)))
    return _plain_table(head, body, widths=("auto", "11.5mm", "12mm", "14.5mm"), first_number=1)


def _sums(sums: Totals) -> tuple[str, str, str]:
    return f"{sums.building_count:,}", _area(sums.floor_area_m2), _count(sums.household_count)


def _areas(facts: DistrictFacts, context: Context) -> Markup:
    has_band = any(area.rank_low is not None for area in facts.areas)
    has_plan = any(area.plan is not None for area in facts.areas)
    last = Words("名次区间", "rank band") if has_band else Words("最前名次", "best rank")
    kind = (
        [Words("计划年", "planned"), Words("万元", "万 yuan")]
        if has_plan
        else [Words("类别", "kind")]
    )
    head = [
        Words("序", "no."), Words("片区", "area"), Words("栋", "build-ings"),
        Words("户", "house-holds"), Words("万㎡", "万m²"), Words("第一档", "in tier 1"),
        Words("均分", "mean score"), last, *kind, Words("主要需求", "main needs"),
    ]  # fmt: skip
    body = [_area_row(area, context, has_band=has_band, has_plan=has_plan) for area in facts.areas]
    caption = Words(
        f"最急的 {len(facts.areas)} 个片区" if facts.areas else "没有可列出的片区（栋数不足）",
        f"The {len(facts.areas)} most urgent areas"
        if facts.areas
        else "No area is large enough to list",
    )
    common = ("6mm", "auto", "11mm", "13mm", "11mm", "12mm", "11mm", "22mm")
    widths = (*common, *(("19mm", "15mm", "37mm") if has_plan else ("14mm", "51mm")))
    numbers = (2, 3, 4, 5, 6, 7, 9) if has_plan else (2, 3, 4, 5, 6, 7)
    return _plain_table(head, body, widths=widths, numbers=numbers, caption=caption)


def _area_row(
    area: Area, context: Context, *, has_band: bool, has_plan: bool
) -> tuple[object, ...]:
    rank = None if area.rank_best is None or has_band else f"{area.rank_best:,}"
    if area.rank_low is not None and area.rank_high is not None:
        rank = f"{area.rank_low:,.0f}–{area.rank_high:,.0f}"
    labels = [named(context.criteria[name]) for name in area.needs]
    needs = Words("、".join(one.zh for one in labels), "; ".join(one.en for one in labels))
    told = Markup('<span class="small clip" title="{}">{}</span>').format(needs.zh, needs.html())
    return (
        str(area.number), area.name, f"{area.building_count:,}",
        _count(area.household_count), _area(area.floor_area_m2), f"{area.tier_1_count:,}",
        None if area.mean_points is None else f"{area.mean_points:.1f}", rank,
        *(_planned(area.plan) if has_plan else (term(ROW_TYPES, area.row_type),)),
        told if labels else None,
    )  # fmt: skip


def _planned(plan: AreaPlan | None) -> tuple[object, object]:
    """Return the planned years and the cost in 万元, as offices count it."""
    if plan is None or plan.first_year is None:
        return Words("储备", "reserve"), None
    years = str(plan.first_year)
    if plan.last_year != plan.first_year:
        years += f"–{plan.last_year}"
    return years, _wan(plan.cost_cny)


def _plan(facts: DistrictFacts) -> list[Markup]:
    """Return the plan's years side by side; nothing if there is no plan."""
    years = facts.plan_years
    if not years:
        return []
    head = [Words("年度计划", "annual plan"), *(Words(str(y.year), str(y.year)) for y in years)]
    head.append(Words("合计", "total"))
    begun = [float(year.begun_building_count) for year in years]
    paid, public = [y.payment_cny / WAN_CNY for y in years], [y.public_cny / WAN_CNY for y in years]
    lines = (
        (Words("开工（栋）", "begun (buildings)"), begun),
        (Words("投资（万元）", "payments (万 yuan)"), paid),
        (Words("其中财政资金（万元）", "of it public (万 yuan)"), public),
    )
    body = [(words, *(f"{v:,.0f}" for v in [*values, sum(values)])) for words, values in lines]
    widths = ("44mm", *["auto"] * (len(years) + 1))
    return [_plain_table(head, body, widths=widths, first_number=1)]


def _wan(cny: float | None) -> str | None:
    return None if cny is None else f"{cny / WAN_CNY:,.0f}"


def _plain_table(
    head: Sequence[Words],
    body: Sequence[Sequence[object]],
    *,
    widths: Sequence[str],
    numbers: Sequence[int] = (),
    first_number: int | None = None,
    caption: Words | None = None,
) -> Markup:
    """Return a table of fixed columns; what does not fit is said in full when pointed at."""
    right = set(numbers) if first_number is None else set(range(first_number, len(head)))
    drawn_widths = Markup("").join(
        Markup('<col style="width:{}">').format(width) for width in widths
    )
    cells_of_head = Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(_side(place in right), words.html())
        for place, words in enumerate(head)
    )
    rows = []
    for row in body:
        cells = Markup("").join(
            Markup("<td{}{}>{}</td>").format(_side(place in right), _whole(cell), as_html(cell))
            for place, cell in enumerate(row)
        )
        rows.append(Markup("<tr>{}</tr>").format(cells))
    named = Markup("<caption>{}</caption>").format(caption.html()) if caption else Markup("")
    mark = (
        '<div class="wide"><table>{}<colgroup>{}</colgroup><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    )
    return Markup(mark).format(named, drawn_widths, cells_of_head, Markup("").join(rows))


def _side(is_number: bool) -> Markup:
    return Markup(' class="number"') if is_number else Markup("")


def _whole(cell: object) -> Markup:
    if isinstance(cell, Markup) or not isinstance(cell, str | Words):
        return Markup("")
    said = f"{cell.zh} · {cell.en}" if isinstance(cell, Words) else cell
    return Markup(' title="{}"').format(said) if len(said) > 8 else Markup("")


def _basis(facts: DistrictFacts, context: Context) -> list[Markup]:
    whole = facts.whole.building_count
    weights = sorted(context.weights.items(), key=lambda pair: (-pair[1], pair[0]))
    top = [(named(context.criteria[name]), share) for name, share in weights[:4]]
    rest = sum(share for _, share in weights[4:])
    said_zh = "、".join(f"{label.zh} {share:.0%}" for label, share in top)
    said_en = ", ".join(f"{label.en} {share:.0%}" for label, share in top)
    stand_ins = facts.stand_in_count
    lines = [
        Words(
            f"得分 0–100：各项需求 × 权重之和。权重：{said_zh}，其余 {len(weights) - len(top)} 项合计"
            f" {rest:.0%}；权重为示例，可调整。先看档次，再看名次：相邻名次差别很小。",
            f"Score 0–100: need × weight, summed. Weights: {said_en}, the other "
            f"{len(weights) - len(top)} together {rest:.0%}; illustrative, they can be changed. Read "
            "tiers before ranks: neighbours differ by little.",
        ),
        Words(
            f"本区 {whole:,} 栋中 {stand_ins:,} 栋至少一项缺测、采用替代值。{context.year_notes.zh}",
            f"Of {whole:,} buildings {stand_ins:,} lack a value and take a stand-in. "
            f"{context.year_notes.en}",
        ),
        Words(
            f"排序不等于决定。详见数据质量与方法（quality.html）。数据：{'；'.join(context.attribution)}",
            f"A ranking is no decision. See data quality and method (quality.html). Data: "
            f"{'; '.join(context.attribution)}",
        ),
    ]
    return [Markup('<p class="basis clip">{}</p>').format(words.html()) for words in lines]


def _area(square_m: float | None) -> str:
    """Return floor area in 万m², as Chinese offices count it."""
    if square_m is None:
        return "–"
    wan = square_m / 10_000
    return f"{wan:,.0f}" if wan >= 100 else f"{wan:.1f}"


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"
