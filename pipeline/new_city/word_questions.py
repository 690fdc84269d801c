"""Ask about the words of a file that neither config nor the list of known words explains."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence

from pipeline.contracts.source_columns import plain_word
from pipeline.intake.words import UseWords, count_words, words_text
from pipeline.new_city.roles import Guess
from pipeline.settings.intake import IntakeSettings

_YES_NO = ("has_lift", "is_walled")
Unknown = Callable[[str], Sequence[str]]
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_COMPANY_MARKS = ("公司", "集团", "物业", "服务", "管家", "置业", "地产")
_HINTS = {
    "manager_name": (
        "无",
        "无 if nobody manages, 社区代管 if the community does, else leave it 无人管理写 无",
    ),
    "building_use_type": (
        "residential",
        "residential if it is housing, commercial or another of intake.housing.other_use_types if not "
        "住宅写 residential，非住宅写 commercial 等",
    ),
    "has_lift": ("yes", "yes or no"),
    "is_walled": ("yes", "yes or no"),
}


def word_questions(
    sources: Sequence[tuple[str, Guess]], rule: IntakeSettings, measures: Collection[str]
) -> list[str]:
    """Return a question for each column with words that nobody declared, with their counts.

    Parameters
    ----------
    sources
        Name and guess of each source, what the guess translates included.
    rule
        The words that config knows.
    measures
        The works that owners may be asked about.
    """
    is_registered = any(guess.role == "housing_register" for _, guess in sources)
    questions = []
    for label, guess in sources:
        for column, fields in _columns(guess).items():
            is_use = column == "building_use_type"
            if is_use and is_registered:
                continue  # the register says which buildings are housing
            cells = _cells(guess, column, fields[0])
            values = guess.values.get(column, {})
            if is_use:
                codes = {cell: n for cell, n in cells.items() if cell.isdigit() and cell in values}
                if codes and guess.layout is None:
                    questions.append(_codes_question(label, guess, codes))
            if column in _YES_NO:
                questions += _about_blanks(label, guess, column, cells, rule)
            unknown = _unknown(column, guess, rule, measures)
            if unknown is None:
                continue
            strange: Counter[str] = Counter()
            for cell, count in cells.items():
                strange.update(dict.fromkeys(unknown(cell), count))
            if strange:
                words = dict(sorted(strange.items(), key=lambda item: (-item[1], item[0])))
                questions.append(_question(label, guess, column, words, sum(cells.values())))
    return questions


def _about_blanks(
    label: str, guess: Guess, column: str, cells: dict[str, int], rule: IntakeSettings
) -> list[str]:
    """Return what to ask where a column only ever says yes, and leaves the other cells blank."""
    meant = {plain_word(word): yes for word, yes in rule.register_checks.yes_no_words.items()}
    blank_count = len(guess.look.fields) - sum(cells.values())
    is_yes_only = bool(cells) and all(meant.get(plain_word(cell)) for cell in cells)
    if not is_yes_only or blank_count <= 0 or "" in guess.values.get(column, {}):
        return []
    yes_count, words = sum(cells.values()), ", ".join(cells)
    return [
        f"{label} ({guess.look.path}): {column} 只有“是”没有“否” says yes {yes_count:,} times "
        f"({words}) and never no; its {blank_count:,} blanks count as not known 空白按未知计. If a "
        f'blank means no, write 空白表示无则写入 sources.{label}.values: {{{column}: {{"": "no"}}}}'
    ]


def _columns(guess: Guess) -> dict[str, list[str]]:
    return {column: fields for column, (fields, _) in guess.columns.items() if fields}


def _cells(guess: Guess, column: str, field: str) -> dict[str, int]:
    if guess.look.tags:
        return count_words(tags.get(field, "") for tags in guess.look.tags)
    if field not in guess.look.fields:
        return {}
    return count_words(guess.texts(column))


def _unknown(
    column: str, guess: Guess, rule: IntakeSettings, measures: Collection[str]
) -> Unknown | None:
    """Return what tells the unknown words of a cell; none for columns of free text."""
    values = guess.values.get(column, {})
    checks = rule.register_checks
    if column == "building_use_type":
        uses = UseWords(rule.housing, values)
        return lambda cell: uses.housing(cell, False)[1]
    known: Collection[str]
    if column in _YES_NO:
        known = checks.yes_no_words
    elif column == "hazard_grade_code":
        known = checks.hazard_words
    elif column.endswith("_fault_share"):
        known = checks.fault_words
    elif column == "manager_name":
        managers = {plain_word(word) for word in (*checks.manager_words, *values)}
        return lambda cell: () if plain_word(cell) in managers or _is_company(cell) else (cell,)
    elif column == "measure_type":
        known = measures
    else:
        return None
    plain = {plain_word(word) for word in (*known, *values)}
    return lambda cell: () if plain_word(cell) in plain else (cell,)


def _is_company(name: str) -> bool:
    """Return whether a manager's name is that of a company; only Chinese words can be told apart."""
    if not _CHINESE.search(name):
        return True
    return name[0] not in "无没未" and any(mark in name for mark in _COMPANY_MARKS)


def _question(label: str, guess: Guess, column: str, words: dict[str, int], count: int) -> str:
    first = next(iter(words))
    example, hint = _HINTS.get(column, ("…", "each with what it means"))
    return (
        f"{label} ({guess.look.path}): 未识别的用词 {sum(words.values()):,} of {count:,} values of "
        f"{column} are words that nobody declared: {words_text(words)}. Write sources.{label}.values: "
        f"{{{column}: {{{first}: {example}}}}}; {hint}"
    )


def _codes_question(label: str, guess: Guess, codes: dict[str, int]) -> str:
    return (
        f"{label} ({guess.look.path}): 数字代码 codes of use {words_text(codes)} were taken for those "
        "of GB/T 17986.1 (11 成套住宅 …) or GB/T 21010 (0701 …): compare values.building_use_type"
    )
