"""Ask where the class of buildings does not tell their use, and a second field of theirs may."""

from collections import Counter
from collections.abc import Sequence

from pipeline.contracts.source_columns import JOINT, by_plain_word
from pipeline.intake.words import UseWords, words_text
from pipeline.new_city.layouts import values_with
from pipeline.new_city.names import plain
from pipeline.new_city.roles import Guess
from pipeline.settings.intake import HousingRule
from pipeline.settings.new_city import NewCityWords

_USE = "building_use_type"
_MOST_WORDS = 60
"""A field with more different words is no class but a remark or a name."""
_HOUSING, _OTHER = ("recorded", "assumed"), "other"


def second_column_questions(
    sources: Sequence[tuple[str, Guess]], words: NewCityWords, rule: HousingRule
) -> list[str]:
    """Return a question for each source of footprints whose use two fields tell together only.

    That is where the class is no known word and the second field parts its buildings, or where the
    class says housing and the second field's word says none.
    """
    told = []
    for label, guess in sources:
        if guess.role != "footprints" or _USE not in guess.columns or "joined" in guess.table:
            continue
        first = guess.columns[_USE][0][0]
        if first not in guess.look.fields:
            continue
        known = by_plain_word(values_with(guess.layout, _USE, words.values.get(_USE, {})))
        for second in _second_fields(guess, first, words):
            pairs = _telling_pairs(guess, first, second, UseWords(rule, known))
            if pairs:
                told.append(_question(label, guess, (first, second), pairs))
                break
    return told


def _second_fields(guess: Guess, first: str, words: NewCityWords) -> list[str]:
    wanted = [*(guess.layout.second if guess.layout else ()), *words.second_columns]
    fields = {plain(str(name)): str(name) for name in guess.look.fields.columns}
    found = [fields[one] for name in wanted if (one := plain(name)) in fields]
    return [name for name in dict.fromkeys(found) if name != first]


def _telling_pairs(guess: Guess, first: str, second: str, uses: UseWords) -> dict[str, int]:
    """Return the pairs of words of which the first alone misleads or tells nothing, with counts."""
    rows = guess.look.fields[[first, second]].astype("str").apply(lambda cells: cells.str.strip())
    if rows[second].nunique() > _MOST_WORDS:
        return {}
    counts = Counter(zip(rows[first], rows[second], strict=True))
    open_words: dict[str, set[str]] = {}
    found = {}
    for (one, other), count in counts.items():
        if not one or not other:
            continue
        origin, strange = uses.housing(one, False)
        if strange or uses.kind(one) == "unspecific":
            open_words.setdefault(one, set()).add(other)
            found[one, other] = count
        elif origin in _HOUSING and uses.kind(other) == _OTHER:
            found[one, other] = count
    telling = {
        f"{one}{JOINT}{other}": count for (one, other), count in found.items()
        if one not in open_words or len(open_words[one]) > 1
    }  # fmt: skip
    return dict(sorted(telling.items(), key=lambda item: (-item[1], item[0])))


def _question(label: str, guess: Guess, fields: tuple[str, str], pairs: dict[str, int]) -> str:
    first, second = fields
    example = next(iter(pairs))
    return (
        f"{label} ({guess.look.path}): 仅凭 {first} 无法判断用途 {first} alone does not tell the use "
        f"of {sum(pairs.values()):,} buildings, {second} says more: {words_text(pairs)}. If both "
        f"count, write columns: {{{_USE}: [{first}, {second}]}}, joined: [{_USE}] and under "
        f'values.{_USE} each of these with what it means, e.g. "{example}": commercial; a pair that '
        f"is left out means what {first} says"
    )
