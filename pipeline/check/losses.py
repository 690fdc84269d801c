"""What a run did not use of its sources: rows and values lost on the way, words nobody declared.

Made from the ledger of intake, so that every command says the same.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.pages.terms import REASONS, term
from pipeline.pages.words import Words
from pipeline.settings.city import OSM_FORMATS, Source
from pipeline.settings.intake import LossRule

_NEEDLESS_ROWS = {"not_walkable", "repeated_way", "repeated_water", "repeated_facility"}
"""Rows that nobody walks on, or that an earlier source brings."""
_DECLARED_ROWS = {*_NEEDLESS_ROWS, "type_not_used"}
"""Rows that are told only where the source has no others."""
_DECLARED_VALUES = {"mapping_default"}
"""Values that the profile itself says mean nothing."""
_RARE_ROLES = ("streets", "amenities")
_FACILITIES = "amenity_type"
_SHOWN_REASONS, _SHOWN_WORDS, _SHOWN_FIELDS = 3, 8, 6


@dataclass(frozen=True)
class Loss:
    """Rows of a source, or values of one of its columns, that were stated and not used."""

    source_name: str
    column: str
    """Empty: the rows themselves."""
    stated: int
    used: int
    reasons: Mapping[str, int]
    example: str

    @property
    def share(self) -> float:
        """Share of what was stated that is lost."""
        return (self.stated - self.used) / self.stated

    @property
    def is_words_only(self) -> bool:
        """Whether words that nobody declared are the only reason; those are told by themselves."""
        return set(self.reasons) == {"unknown_word"}

    @property
    def is_whole(self) -> bool:
        """Whether nothing came through of what was meant to: motorways and twins are not."""
        reasons = set(self.reasons)
        return self.used == 0 and (not reasons or not reasons <= _NEEDLESS_ROWS)


@dataclass(frozen=True)
class StrangeWords:
    """Words of a column that neither config nor the profile declares, most frequent first."""

    source_name: str
    column: str
    counts: Mapping[str, int]
    is_kindred: bool = False
    """Whether each holds a word that is declared, as 人民医院 holds 医院: most likely meant, too."""

    @property
    def is_harmless(self) -> bool:
        """Whether such words are expected: a list of places holds many kinds that nobody needs."""
        return self.column == _FACILITIES and not self.is_kindred


def losses(ledger: Mapping[str, Any], notable_share: float) -> list[Loss]:
    """Return the notable losses of all sources, rows before columns.

    Parameters
    ----------
    ledger
        That of intake.
    notable_share
        ``intake.losses.notable_share``: what loses no more is not told.
    """
    return [
        loss
        for name, account in sorted(ledger["sources"].items())
        for loss in _of_source(name, account)
        if loss.share > notable_share
    ]


def _of_source(name: str, account: Mapping[str, Any]) -> Iterator[Loss]:
    rejected = account["rejected_by_reason"]
    reasons = {r: n for r, n in rejected.items() if r not in _DECLARED_ROWS}
    lost = sum(reasons.values())
    stated = account["rows_out"] + lost
    if rejected and not account["rows_out"]:
        yield Loss(name, "", account["rows_rejected"], 0, rejected, "")
    elif lost:
        yield Loss(name, "", stated, stated - lost, reasons, "")
    for column, one in account.get("columns", {}).items():
        reasons = {r: n for r, n in one.get("reasons", {}).items() if r not in _DECLARED_VALUES}
        declared = sum(n for r, n in one.get("reasons", {}).items() if r in _DECLARED_VALUES)
        stated = one["stated_in_used_rows"] - declared
        if stated > 0 and one["taken"] < stated:
            most = max(reasons, key=lambda reason: (reasons[reason], reason), default="")
            example = one.get("examples", {}).get(most, "")
            yield Loss(name, column, stated, one["taken"], reasons, example)


def sparse_columns(
    ledger: Mapping[str, Any], sources: Mapping[str, Source], sparse_share: float
) -> list[Words]:
    """Return what is to be said of each column that hardly any row of its file fills.

    Names of streets and facilities, and tags of OpenStreetMap, may be rare; they are not told.
    """
    return [
        Words(
            f"{name}.{column}：{account['rows_in']:,} 行中仅 {one['stated']:,} 行有值，"
            f"请核对该列（如合并单元格）与 columns.{column}",
            f"{name}.{column}: {one['stated']:,} of {account['rows_in']:,} rows state anything; see "
            f"the column (merged cells?) and columns.{column}",
        )
        for name, account in sorted(ledger["sources"].items())
        if sources[name].role not in _RARE_ROLES and sources[name].format not in OSM_FORMATS
        for column, one in account.get("columns", {}).items()
        if one["stated"] < sparse_share * account["rows_in"]
    ]


def strange_words(ledger: Mapping[str, Any]) -> list[StrangeWords]:
    """Return the words that nobody declared, by source and column, kindred ones apart."""
    found = []
    for name, account in sorted(ledger["sources"].items()):
        kindred = account.get("kindred_facility_words", {})
        if kindred:
            found.append(StrangeWords(name, _FACILITIES, kindred, is_kindred=True))
        for column, counts in account.get("unknown_words", {}).items():
            apart = kindred if column == _FACILITIES else {}
            rest = {word: count for word, count in counts.items() if word not in apart}
            if rest:
                found.append(StrangeWords(name, column, rest))
    return found


def whole_sources(ledger: Mapping[str, Any], notable: list[Loss]) -> list[str]:
    """Return what each source without a notable loss brought, as ``name used/stated``."""
    told = {loss.source_name for loss in notable}
    return [
        f"{name} {account['rows_out']:,}/{account['rows_in'] - account['rows_supporting']:,}"
        for name, account in sorted(ledger["sources"].items())
        if name not in told
    ]


def unread_fields_line(ledger: Mapping[str, Any]) -> str:
    """Return in one line the fields that hold values and that no setting reads; empty if none."""
    told = []
    for name, account in sorted(ledger["sources"].items()):
        fields = [_printable(one) for one in account.get("unread_fields", [])]
        more = len(fields) - _SHOWN_FIELDS
        if fields:
            told.append(
                f"{name}: {', '.join(fields[:_SHOWN_FIELDS])}" + (f" +{more}" if more > 0 else "")
            )
    return f"fields no setting reads 未用的字段: {'; '.join(told)}" if told else ""


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)[:40]


def invisible_signs_line(ledger: Mapping[str, Any]) -> str:
    """Return in one line how many cells of each source held signs that nobody sees, now dropped."""
    counts = {
        name: one.get("invisible_signs", 0) for name, one in sorted(ledger["sources"].items())
    }
    told = [f"{name} {count:,}" for name, count in counts.items() if count]
    return (
        f"cells with invisible signs, taken out 已去除不可见字符: {', '.join(told)}" if told else ""
    )


def loss_text(loss: Loss) -> Words:
    """Return a loss in words: how much, why, and an example."""
    top = sorted(loss.reasons.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN_REASONS]
    named = [(term(REASONS, reason), count) for reason, count in top]
    zh = "、".join(f"{words.zh} {count:,}" for words, count in named)
    en = ", ".join(f"{words.en} {count:,}" for words, count in named)
    example_zh = f"，例（行）{loss.example}" if loss.example else ""
    example_en = f", e.g. row {loss.example}" if loss.example else ""
    lost = loss.stated - loss.used
    if loss.column:
        return Words(
            f"{loss.source_name}.{loss.column}：所用行中有值 {loss.stated:,}，采用 {loss.used:,}，"
            f"丢失 {lost:,}（{loss.share:.0%}）：{zh or '原因不明'}{example_zh}",
            f"{loss.source_name}.{loss.column}: {loss.stated:,} values in the rows used, {loss.used:,} "
            f"taken, {lost:,} lost ({loss.share:.0%}): {en or 'no reason on record'}{example_en}",
        )
    return Words(
        f"{loss.source_name}：{loss.stated:,} 行中采用 {loss.used:,}，剔除 {lost:,}"
        f"（{loss.share:.0%}）：{zh}",
        f"{loss.source_name}: {loss.used:,} of {loss.stated:,} rows used, {lost:,} left out "
        f"({loss.share:.0%}): {en}",
    )


def _shown(strange: StrangeWords) -> tuple[str, int]:
    """Return the most frequent words with their counts, and how many more there are."""
    counts = list(strange.counts.items())
    shown = ", ".join(f"{word or '–'} {count:,}" for word, count in counts[:_SHOWN_WORDS])
    return shown, max(len(counts) - _SHOWN_WORDS, 0)


def words_text(strange: StrangeWords) -> Words:
    """Return words that nobody declared with their counts, and where to declare them."""
    shown, more = _shown(strange)
    where = f"sources.{strange.source_name}.values.{strange.column}"
    return Words(
        f"{strange.source_name}.{strange.column}：未识别的用词：{shown}"
        + (f" 等 {len(strange.counts)} 个" if more else "") + f"；在 {where} 中对应",
        f"{strange.source_name}.{strange.column}: words nobody declared: {shown}"
        + (f" and {more} more" if more else "") + f"; declare them under {where}",
    )  # fmt: skip


def unused_kinds(strange: StrangeWords) -> str:
    """Return in one line the kinds of facility that are not used, and where one of them is declared."""
    shown, more = _shown(strange)
    where = f"sources.{strange.source_name}.values.{strange.column}"
    return f"{shown}{f' … +{more}' if more else ''} ({where})"


def unstated_uses(ledger: Mapping[str, Any], notable_share: float) -> list[Words]:
    """Return what is to be said of footprints whose use nobody states; they do not count as housing."""
    found = []
    for name, uses in sorted(ledger.get("uses", {}).items()):
        count, all_of = uses["not_stated"], sum(uses.values())
        if count > notable_share * all_of:
            found.append(
                Words(
                    f"{name}：{all_of:,} 栋中 {count:,} 栋未写明用途，不按住宅计；如是住宅，"
                    "写入 intake.housing.assumed_use_types",
                    f"{name}: {count:,} of {all_of:,} footprints state no use and do not count as "
                    "housing; intake.housing.assumed_use_types makes them so",
                )
            )
    return found


def _strays(ledger: Mapping[str, Any], told: Collection[str]) -> Iterator[Words]:
    """Return what is to be said of features far from the city, however few, where no loss says it."""
    for name, account in sorted(ledger["sources"].items()):
        count = account["rejected_by_reason"].get("misplaced_feature", 0)
        if count and name not in told:
            yield Words(
                f"{name}：{count:,} 个要素远离城区，已剔除（位置见 rejects.csv）",
                f"{name}: {count:,} left out, far from all others (rejects.csv tells where)",
            )


def _without_terrain(ledger: Mapping[str, Any], notable_share: float) -> Iterator[Words]:
    count, all_of = ledger.get("without_terrain", 0), ledger.get("tables", {}).get("buildings", 0)
    if count > notable_share * all_of:
        yield Words(
            f"地形：{all_of:,} 栋中 {count:,} 栋处无高程（空值或范围之外），其坡度与爬升缺失",
            f"terrain: empty at {count:,} of {all_of:,} buildings, whose slope and climb are missing",
        )
    streets = ledger.get("streets_without_terrain", {})
    empty_m, looked_m = streets.get("empty_m", 0), streets.get("looked_at_m", 0)
    if empty_m > notable_share * looked_m:
        yield Words(
            f"地形：建筑周边 {looked_m / 1000:,.1f} 公里道路中 {empty_m / looked_m:.0%} 处"
            "无高程：空洞处按周围高程均匀内插，范围之外按平地计，步行与爬升为估计值",
            f"terrain: empty under {empty_m / looked_m:.0%} of {looked_m / 1000:,.1f} km of streets by "
            "buildings; over holes they are taken to rise evenly, beyond its edge to be flat, so walks "
            "and climbs there are estimates",
        )


def _steep_roads(
    ledger: Mapping[str, Any], sources: Mapping[str, Source], rule: LossRule
) -> Iterator[Words]:
    """Return what is to be said of a terrain on which roads are steeper than vehicles can drive."""
    name = next((name for name, one in sorted(sources.items()) if one.role == "terrain"), "")
    roads = ledger.get("steep_roads", {})
    looked_m, steep_m = roads.get("looked_at_m", 0), roads.get("steep_m", 0)
    if not name or sources[name].height_unit or steep_m <= rule.max_steep_road_share * looked_m:
        return
    share, grade = f"{steep_m / looked_m:.0%}", f"{rule.steep_road_grade:.0%}"
    yield Words(
        f"地形 {name}：{looked_m / 1000:,.1f} 公里车行道路中 {share} 的坡度超过 {grade}，"
        f"高程可能为英尺；如是，写 sources.{name}.height_unit: ft，确为米则写 m",
        f"terrain {name}: {share} of {looked_m / 1000:,.1f} km of roads for vehicles rise by more than "
        f"{grade}, so its heights may be feet: write sources.{name}.height_unit: ft, or m if not",
    )


def _contradicted_years(ledger: Mapping[str, Any], notable_share: float) -> Iterator[Words]:
    """Return what is to be said of sources whose years are not those that count."""
    for name, account in sorted(ledger["sources"].items()):
        count = account.get("notices", {}).get("year_contradicted", 0)
        if count > notable_share * account["rows_out"]:
            yield Words(
                f"{name}：{count:,} 栋的建成年代与另一来源不一致，以哪个为准见 rejects.csv",
                f"{name}: {count:,} of its years contradict another source; rejects.csv tells which "
                "one counts",
            )


def told_losses(
    ledger: Mapping[str, Any], sources: Mapping[str, Source], rule: LossRule
) -> list[Words]:
    """Return everything that check and rank say of losses, rows and values first.

    ``ledger`` is that of intake. Kinds of facility that are not used are no loss.
    """
    found = losses(ledger, rule.notable_share)
    return [
        *(loss_text(loss) for loss in found if not loss.is_words_only),
        *_strays(ledger, {loss.source_name for loss in found if not loss.column}),
        *(words_text(words) for words in strange_words(ledger) if not words.is_harmless),
        *_steep_roads(ledger, sources, rule),
        *_without_terrain(ledger, rule.notable_share),
        *_contradicted_years(ledger, rule.notable_share),
        *unstated_uses(ledger, rule.notable_share),
        *sparse_columns(ledger, sources, rule.sparse_share),
    ]
