"""The page of ``make years-eval``: errors, coverage, reliability, regimes, what it rests on."""

import numpy as np
from markupsafe import Markup

from pipeline.command.years_eval import Findings, reliability_rows
from pipeline.command.years_words import estimate_words, reason_words
from pipeline.pages.charts import Series, lines
from pipeline.pages.document import Words, figure, heading, page, paragraph, table
from pipeline.pages.terms import YEAR_REGIMES

_METHODS = (
    ("model", Words("本方法", "this method")),
    ("group", Words("分组中位数", "group median")),
    ("nearest_10", Words("最近 10 栋均值", "10 nearest neighbours")),
)
_ERROR_HEAD = (
    Words("栋数", "buildings"), Words("本方法误差（年）", "error, this method (yr)"),
    Words("分组中位数", "group median"), Words("最近 10 栋", "10 nearest"),
    Words("区间命中（%）", "intervals that hold it (%)"), Words("区间宽（年）", "width (yr)"),
)  # fmt: skip
_FEW = 30


def years_page(found: Findings) -> str:
    """Return the whole page."""
    parts = [
        *_verdict(found),
        *_errors(found),
        *_groups(found),
        *_chance(found),
        *_made_from(found),
    ]
    return page(
        Words(f"建成年份推断检验：{found.file}", f"Year inference judged: {found.file}"), parts
    )


def _verdict(found: Findings) -> list[Markup]:
    name, best = min(
        ((name, found.error(name)) for name in ("group", "nearest_10")), key=lambda pair: pair[1]
    )
    label = dict(_METHODS)[name]
    gain = round((1 - found.error("model") / best) * 100) if best else 0
    if found.verdict == "model":
        words = Words(
            f"值得推断：误差比较好的基线（{label.zh}）小 {gain}%。",
            f"Worth it: the error is {gain}% below the better baseline's ({label.en}).",
        )
    else:
        change = (
            (f"小 {gain}%", f"{gain}% less") if gain >= 0 else (f"大 {-gain}%", f"{-gain}% more")
        )
        words = Words(
            f"不值得推断：误差只比较好的基线（{label.zh}）{change[0]}，应沿用基线。",
            f"Not worth it: {change[1]} error than the better baseline ({label.en}); keep that.",
        )
    told, error = found.known.told, found.error("model")
    width = float(np.median(found.width_yr))
    covered = float(found.is_covered.mean())
    off = found.chance_error
    year = found.rule.cutoff_year
    parts = [
        paragraph(words, is_warning=found.verdict != "model"),
        paragraph(
            Words(
                f"文件 {told['rows']:,} 行中用了 {told['used']:,} 行。"
                f"一栋楼的年份若不知道，推断平均差 {error:.1f} 年；"
                f"90% 区间实际命中 {covered:.1%}，半数区间不宽于 {width:.0f} 年；"
                f"“{year} 年底前建成”的概率平均偏 {off * 100:.1f} 个百分点。",
                f"{told['used']:,} of {told['rows']:,} rows are used. "
                f"Where a year is not known, the inferred one is off by {error:.1f} years on average; "
                f"90% intervals hold {covered:.1%} of the years, half of them in {width:.0f} years; "
                f"the chance of being built by {year} is off by {off * 100:.1f} percentage points.",
            )
        ),
    ]
    return parts + [paragraph(Words(zh, en), is_warning=True) for zh, en in found.known.notes]


def _errors(found: Findings) -> list[Markup]:
    rows = [
        (words, round(found.error(name), 2), round(found.error(name, blocked=False), 2))
        for name, words in _METHODS
    ]
    head = (
        "",
        Words("整块留出", "held out by squares"),
        Words("随机留出（偏乐观）", "at random (flatters)"),
    )
    why = Words(
        f"整块留出：按边长 {found.block_m:.0f} 米的方格（共 {found.block_count} 格）"
        "整格隐去年份再推断，所用方法与排序完全相同。随机留出时邻居的年份都在，任何方法都显得好，仅供对照。",
        f"Held out by squares: the years of whole squares of {found.block_m:.0f} m "
        f"({found.block_count} of them) are hidden and inferred, by the very method that ranks. "
        "At random, neighbours' years remain and flatter any method.",
    )
    caption = Words("平均绝对误差（年）", "mean absolute error (years)")
    return [heading(Words("误差", "Error")), paragraph(why), table(head, rows, caption=caption)]


def _groups(found: Findings) -> list[Markup]:
    era, group = Words("年代", "era"), Words("分组", "group")
    regime = Words("依据", "regime")
    parts = []
    for title, first, rows in (
        (Words("按推断年代", "By predicted era"), era, found.era_rows(found.blocked.model)),
        (Words("按实际年代", "By true era"), era, found.era_rows(found.known.year)),
        (Words("按分组", "By group"), group, found.group_rows()),
        (Words("按依据", "By regime"), regime, found.rows_by(found.blocked.regime)),
    ):
        shown = [
            (
                YEAR_REGIMES.get(name, name), count, *(round(e, 1) for e in errors),
                round(held * 100, 1), round(width, 1),
            )
            for name, count, *errors, held, width in rows
        ]  # fmt: skip
        parts.append(table((first, *_ERROR_HEAD), shown, caption=title))
    note = Words(
        "按实际年代看，最老和最新的往往误差大、命中低：推断偏向中间。使用时只知推断年代，应看第一张表。",
        "By true era the oldest and newest often fare worst, since estimates lean to the middle. "
        "In use only the predicted era is known: read the first table.",
    )
    title = Words("误差与区间命中率", "Error, and how often intervals hold")
    return [heading(title), paragraph(note), *_bands(found), *parts]


def _bands(found: Findings) -> list[Markup]:
    bands = found.bands()
    if not bands.group_count:
        return []
    return [
        paragraph(
            Words(
                f"不少于 100 栋的分组、年代、依据和类别共 {bands.group_count} 个，"
                f"其中 {bands.binomial_count} 个命中率在 90% 的 99% 二项区间内（假定各栋独立）；"
                f"同一方格往往一起对或一起错（相关 {bands.correlation:.2f}），"
                f"计入这一点后为 {bands.block_count} 个。",
                f"Of {bands.group_count} groups, eras, regimes and classes of a hundred buildings or "
                f"more, {bands.binomial_count} lie within the 99 % binomial band about 90 %, as if "
                f"buildings were hidden singly. A square tends to be right or wrong together "
                f"(correlation {bands.correlation:.2f}); with that counted in, {bands.block_count} do.",
            )
        )
    ]


def _chance(found: Findings) -> list[Markup]:
    rows = reliability_rows(found)
    year = found.rule.cutoff_year
    drawn = [row for row in rows if row[2] >= _FEW]
    title = Words(f"{year} 年底前建成的概率", f"Probability of being built by {year}")
    floor = found.chance_floor
    why = Words(
        f"平均偏 {found.chance_error * 100:.1f} 个百分点。即使概率完全正确，"
        f"只有 {found.block_count} 个方格时也会显得偏 {floor.mean * 100:.1f} 个百分点"
        f"（二十次中有一次超过 {floor.usual * 100:.1f}）：低于此数的偏差在本文件上无法判断。",
        f"Off by {found.chance_error * 100:.1f} percentage points on average. "
        f"On {found.block_count} squares even right chances would seem off by "
        f"{floor.mean * 100:.1f} (by more than {floor.usual * 100:.1f} in one case of 20): "
        "what is less cannot be told on this file.",
    )
    parts = [heading(title), paragraph(why)]
    if len(drawn) > 1:
        chart = lines(
            [Series(Words("本方法", "this method"), [r[0] for r in drawn], [r[1] for r in drawn])],
            x_label=Words("推断的概率", "stated probability"),
            y_label=Words("实际比例", "observed share"),
            diagonal=True,
        )
        caption = Words(
            f"越贴近对角线越可信；不足 {_FEW} 栋的档不画",
            f"the nearer to the diagonal, the better; bins below {_FEW} buildings are not drawn",
        )
        parts.append(figure(chart, caption=caption))
    head = (
        Words("推断（%）", "stated (%)"),
        Words("实际（%）", "observed (%)"),
        Words("栋数", "buildings"),
    )
    shown = [(round(a * 100, 1), round(b * 100, 1), n) for a, b, n in rows]
    return [*parts, table(head, shown, caption=title)]


def _made_from(found: Findings) -> list[Markup]:
    told = found.known.told
    counts = [(reason_words(n), count) for n, count in told.items() if isinstance(count, int)]
    ignored = [(name, reason_words(why)) for name, why in told["columns_ignored"].items()]
    mixture = [
        (estimate_words(name), round(share * 100))
        for name, share in sorted(found.blocked.mixture.items(), key=lambda item: -item[1])
        if round(share * 100)
    ]
    return [
        heading(Words("依据", "What it rests on")),
        table(
            (Words("估计", "estimate"), Words("份额（%）", "share (%)")), mixture,
            caption=Words("推断由哪些估计混合而成", "estimates that the inferred year is mixed from"),
        ),
        table(
            (Words("行", "rows"), Words("数量", "count")), counts,
            caption=Words("文件各行的去向", "what became of the rows"),
        ),
        *_not_used(ignored),
    ]  # fmt: skip


def _not_used(ignored: list[tuple[str, Words]]) -> list[Markup]:
    title = Words("未用的列", "columns not used")
    if not ignored:
        return []
    head = (Words("未用的列", "column not used"), Words("原因", "reason"))
    return [table(head, ignored, caption=title)]
