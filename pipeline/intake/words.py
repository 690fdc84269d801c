"""The words of a source: which of them config or profile declare, and which nobody does."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from pipeline.contracts.source_columns import by_plain_word, plain_word
from pipeline.intake.rejects import Rejects
from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.settings.intake import HousingRule

UNKNOWN_WORD, TYPE_NOT_USED = "unknown_word", "type_not_used"
UNKNOWN_STREET_CLASS = "unknown_street_class"
_LIST = re.compile(r"[;；,，、/／|｜+＋&＆]")
_SHOWN_WORDS = 12


@dataclass(frozen=True)
class UseWords:
    """What the words for the use of a building mean: the rule's lists and a source's translations."""

    rule: HousingRule
    values: Mapping[str, str]
    """What the source writes → what config calls it."""

    @cached_property
    def _kind_of(self) -> dict[str, str]:
        kinds = (
            ("unspecific", self.rule.unspecific_use_types),
            ("other", self.rule.other_use_types),
            ("assumed", self.rule.assumed_use_types),
            ("recorded", self.rule.recorded_use_types),
        )
        return {plain_word(word): kind for kind, words in kinds for word in words}

    @cached_property
    def _translated(self) -> dict[str, str]:
        return by_plain_word(self.values)

    def kind(self, use: str) -> str:
        """Return recorded, assumed, other, unspecific or unknown for a single word."""
        word = plain_word(use)
        ours = plain_word(self._translated.get(word, ""))
        return self._kind_of.get(word) or self._kind_of.get(ours) or "unknown"

    def housing(self, use: str, has_other_use: bool) -> tuple[str, tuple[str, ...]]:
        """Return why a building is housing or not, and the words that nobody declared.

        Of a list such as ``apartments;commercial`` one part that says housing is enough; an
        unspecific part beside another use says no housing. The origin is recorded, assumed or
        not_housing.
        """
        parts = [use] if self.kind(use) != "unknown" else listed(use)
        kinds = [self.kind(part) for part in parts]
        if "recorded" in kinds:
            return "recorded", ()
        if "assumed" in kinds and "other" not in kinds and not has_other_use:
            return "assumed", ()
        strange = [part for part, kind in zip(parts, kinds, strict=True) if kind == "unknown"]
        return "not_housing", tuple(dict.fromkeys(strange))


def listed(text: str) -> list[str]:
    """Return the parts of a list of words; a single word is a list of one, nothing is none."""
    return [part.strip() for part in _LIST.split(text) if part.strip()]


def unknown_words(rejects: Rejects) -> dict[str, dict[str, int]]:
    """Return the words of a source that nobody declared: {column: {word: count}}.

    Most frequent first. Kinds of facility that are not used count too, under ``amenity_type``.
    """
    counts: dict[str, Counter[str]] = {}
    left_out = rejects.left_out
    for row, _, column, reason, word in rejects.records:
        if reason == UNKNOWN_WORD and column and row not in left_out:
            counts.setdefault(column, Counter())[word] += 1
        elif reason == TYPE_NOT_USED:
            counts.setdefault("amenity_type", Counter())[word] += 1
        elif reason == UNKNOWN_STREET_CLASS:
            counts.setdefault("highway_type", Counter())[word.removeprefix("highway=")] += 1
    return {
        column: dict(sorted(words.items(), key=lambda item: (-item[1], item[0])))
        for column, words in sorted(counts.items())
    }


def kindred_words(words: Mapping[str, int], declared: Iterable[str]) -> dict[str, int]:
    """Return the words that hold a declared one, as 人民医院 holds 医院 and general hospital hospital.

    Declared words of one letter tell nothing. What is declared as a kind that nobody needs is not
    kindred any more.
    """
    known = [plain_word(one) for one in declared if len(plain_word(one)) > 1]
    return {
        word: count
        for word, count in words.items()
        if any(one in plain_word(word) for one in known)
    }


def words_text(words: Mapping[str, int], most: int = _SHOWN_WORDS) -> str:
    """Return words with their counts for people."""
    shown = [f"{word} {count:,}" for word, count in list(words.items())[:most]]
    return ", ".join(shown) + (f" and {len(words) - most} more" if len(words) > most else "")


def refuse_unknown_words(
    name: str,
    source: Source,
    words: Mapping[str, Mapping[str, int]],
    stated: Mapping[str, int],
    most_share: float,
) -> None:
    """Stop if more than a share of a column's words is not known.

    Parameters
    ----------
    words
        Unknown words of the source: {column: {word: count}}.
    stated
        Column → how many rows state something that the unknown ones are a share of; a column that
        is absent here never stops a run.

    Raises
    ------
    Problem
        With the words, their counts and what to write into the profile.
    """
    for column, counts in words.items():
        strange, told = sum(counts.values()), stated.get(column, 0)
        if column not in stated or strange <= most_share * told:
            continue
        first = next(iter(counts))
        raise Problem(
            source.path,
            f"{strange:,} of {told:,} {_WHAT.get(column, f'values of {column}')} are words that "
            f"nobody declared: {words_text(counts)}",
            expected=f"at most {most_share:.0%} (intake.losses.max_unknown_word_share)",
            fix=f"in the profile, sources.{name}.values: {{{column}: {{{first}: "
            f"{_EXAMPLE.get(column, '…')}}}}}, each word with what it means",
        )


_WHAT = {"building_use_type": "uses that are or may be housing"}
_EXAMPLE = {
    "building_use_type": "residential, or another word of intake.housing such as commercial",
    "has_lift": "yes or no",
    "is_walled": "yes or no",
}


def count_words(texts: Iterable[str]) -> dict[str, int]:
    """Return how often each text stands in a column, most frequent first; blanks do not count."""
    found = Counter(text.strip() for text in texts if text.strip())
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
