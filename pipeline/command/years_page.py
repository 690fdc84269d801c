"""The page of ``make years-eval``: errors, coverage, reliability, importance."""

from markupsafe import Markup

from pipeline.command.years_eval import Findings, reliability_rows
from pipeline.pages.charts import Series, bars, lines
from pipeline.pages.document import Words, figure, heading, page, paragraph, table

_METHODS = (
    ("model", Words("本方法", "this method")),
    ("group", Words("分组中位数", "group median")),
    ("nearest_10", Words("最近 10 栋均值", "10 nearest neighbours")),
)
_ERROR_HEAD = (
    Words("栋数", "buildings"), Words("本方法误差（年）", "error, this method (yr)"),
    Words("分组中位数", "group median"), Words("最近 10 栋", "10 nearest"),
    Words("区间覆盖率", "intervals that hold it"), Words("区间宽（年）", "width (yr)"),
)  # fmt: skip


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
    best = min(found.error(name) for name in ("group", "nearest_10"))
    gain = round((1 - found.error("model") / best) * 100) if best else 0
    if found.verdict == "model":
        words = Words(
            f"值得推断：误差比较好的基线小 {gain}%。",
            f"Worth it: the error is {gain}% below the better baseline's.",
        )
        parts = [paragraph(words)]
    else:
        words = Words(
            f"不值得推断：误差只比较好的基线小 {gain}%，应沿用基线。",
            f"Not worth it: only {gain}% less error than the better baseline; keep the baseline.",
        )
        parts = [paragraph(words, is_warning=True)]
    return parts + [paragraph(Words(zh, en)) for zh, en in found.known.notes]


def _errors(found: Findings) -> list[Markup]:
    rows = [
        (words, round(found.error(name), 2), round(found.error(name, blocked=False), 2))
        for name, words in _METHODS
    ]
    squares = (
        f"{found.block_count} 个边长 {found.block_m:.0f} 米的方格",
        f"{found.block_count} squares of {found.block_m:.0f} m",
    )
    head = (
        "",
        Words("整块留出", "held out by squares"),
        Words("随机留出（偏乐观）", "at random (flatters)"),
    )
    caption = Words(
        f"平均绝对误差（年）；整块留出：{squares[0]}",
        f"mean absolute error (years); held out by {squares[1]}",
    )
    return [heading(Words("误差", "Error")), table(head, rows, caption=caption)]


def _groups(found: Findings) -> list[Markup]:
    parts = []
    for title, first, rows in (
        (
            Words("按实际年代", "By true era"),
            Words("年代", "era"),
            found.era_rows(found.known.year),
        ),
        (
            Words("按推断年代", "By predicted era"),
            Words("年代", "era"),
            found.era_rows(found.blocked.model),
        ),
        (Words("按分组", "By group"), Words("分组", "group"), found.group_rows()),
    ):
        parts += [heading(title, level=3), table((first, *_ERROR_HEAD), rows, caption=title)]
    covered = round(float(found.is_covered.mean()), 3)
    told = Words(
        f"90% 区间的总覆盖率：{covered:.1%}。", f"90% intervals hold {covered:.1%} of all years."
    )
    return [heading(Words("误差与覆盖率", "Error and coverage")), paragraph(told), *parts]


def _chance(found: Findings) -> list[Markup]:
    rows = reliability_rows(found)
    year = found.rule.cutoff_year
    chart = lines(
        [Series(Words("本方法", "this method"), [r[0] for r in rows], [r[1] for r in rows])],
        x_label=Words("推断的概率", "stated probability"),
        y_label=Words("实际比例", "observed share"),
        diagonal=True,
    )
    title = Words(f"{year} 年底前建成的概率", f"Probability of being built by {year}")
    head = (Words("推断", "stated"), Words("实际", "observed"), Words("栋数", "buildings"))
    shown = [(round(a, 3), round(b, 3), n) for a, b, n in rows]
    return [heading(title), figure(chart, caption=title), table(head, shown, caption=title)]


def _made_from(found: Findings) -> list[Markup]:
    told = found.known.told
    grown = found.blocked.importance_yr
    counts = [(name, count) for name, count in told.items() if isinstance(count, int)]
    ignored = list(told["columns_ignored"].items())
    title = Words(
        "打乱一列后误差增加（年）", "Growth of the error when a column is shuffled (years)"
    )
    return [
        heading(Words("依据", "What it rests on")),
        figure(bars(list(grown), [round(v, 3) for v in grown.values()]), caption=title),
        table(
            (Words("行", "rows"), Words("数量", "count")), counts,
            caption=Words("文件各行的去向", "what became of the rows"),
        ),
        table(
            (Words("未用的列", "column not used"), Words("原因", "reason")), ignored,
            caption=Words("未用的列", "columns not used"),
        ),
    ]  # fmt: skip
