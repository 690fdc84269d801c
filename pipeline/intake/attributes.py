"""What a source writes of a building: use, storeys, height, year.

Sources repeat themselves, so each different text is read once and its reading dealt out to the rows.
"""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from pipeline.contracts.written_numbers import decimal_mark, read_number, reads_two_ways
from pipeline.intake.rejects import Rejects
from pipeline.intake.words import UNKNOWN_WORD, UseWords
from pipeline.intake.years import read_year
from pipeline.settings.intake import IntakeSettings, StoreyRule, YearRule

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Reading:
    """Values by our columns, and what could not be used: field, reason, detail."""

    values: Mapping[str, Any]
    faults: tuple[tuple[str, str, str], ...] = ()


def attributes(
    texts: Mapping[str, Sequence[str | None]],
    has_other_use: Sequence[bool],
    settings: IntakeSettings,
    source_rows: Sequence[str],
    rejects: Rejects,
    use_words: Mapping[str, str],
) -> dict[str, list[Any]]:
    """Return the attributes of buildings, one list a column, from what their source writes.

    Parameters
    ----------
    texts
        Our columns as written, None where nothing stands; a column may be absent.
    has_other_use
        Whether another field of the row names a use that is no housing.
    source_rows
        What each row is called in the list of rejects.
    use_words
        What the source writes for a use → what config calls it.
    """
    words = UseWords(settings.housing, use_words)
    nothing: list[str | None] = [None] * len(source_rows)

    def said(column: str) -> Sequence[str | None]:
        return texts.get(column, nothing)

    uses = [use or "" for use in said("building_use_type")]
    return {
        "source_row": list(source_rows),
        "building_name": list(said("building_name")),
        "building_use_type": uses,
        "has_lift": list(nothing),
        **dealt_out(
            list(zip(uses, has_other_use, strict=True)),
            lambda key: housing(*key, words),
            source_rows,
            rejects,
        ),
        **dealt_out(
            list(zip(said("storey_count"), said("height_m"), strict=True)),
            lambda pair: storeys(*pair, settings.storeys),
            source_rows,
            rejects,
        ),
        **dealt_out(
            said("construction_year_text"),
            lambda text: construction_year(text, settings.years),
            source_rows,
            rejects,
        ),
    }


def dealt_out(
    keys: Sequence[Key],
    read: Callable[[Key], Reading],
    source_rows: Sequence[str],
    rejects: Rejects,
) -> dict[str, list[Any]]:
    """Return the columns of each key's reading, and tell the faults of every row."""
    place_of = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    readings = [read(key) for key in place_of]
    place = np.array([place_of[key] for key in keys], dtype=np.int64)
    is_faulty = np.array([bool(reading.faults) for reading in readings], dtype=bool)
    for number in np.flatnonzero(is_faulty[place]).tolist():
        for fault in readings[place[number]].faults:
            rejects.value(source_rows[number], *fault)
    names = readings[0].values if readings else {}
    columns = {name: [reading.values[name] for reading in readings] for name in names}
    return {
        name: np.array(values, dtype=object)[place].tolist() for name, values in columns.items()
    }


def housing(use: str, has_other_use: bool, words: UseWords) -> Reading:
    """Return whether a building is housing, and why; a word that nobody declared is told.

    Where a register says what is housing, the words of footprints do not matter.
    """
    origin, strange = words.housing(use, has_other_use)
    faults = tuple(("building_use_type", UNKNOWN_WORD, word[:200]) for word in strange)
    return Reading(
        {"is_housing": origin != "not_housing", "housing_origin": origin},
        () if words.rule.must_be_registered else faults,
    )


def storeys(count_text: str | None, height_text: str | None, rule: StoreyRule) -> Reading:
    """Return storeys and height with the origin of the storeys.

    Recorded storeys come first, then the recorded height divided by the storey height.
    """
    faults: list[tuple[str, str, str]] = []
    count = positive_number(count_text, "storey_count", faults)
    height_m = positive_number(height_text, "height_m", faults)
    if height_m is not None and not 2 <= height_m <= 700:
        faults.append(("height_m", "impossible_height", f"{height_m:g} m"))
        height_m = None
    origin = "unknown"
    if count is not None and count in rule.default_counts:
        faults.append(("storey_count", "mapping_default", f"{count:g} storeys"))
    elif count is not None and not 1 <= count <= rule.highest_count:
        faults.append(("storey_count", "impossible_storeys", f"{count:g} storeys"))
    elif count is not None:
        origin = "recorded"
    if origin == "unknown":
        count = None
        if height_m is not None:
            count, origin = max(1.0, height_m / rule.storey_height_m), "from_height"
    values = {
        "storey_count": None if count is None else math.floor(count + 0.5),
        "storey_count_origin": origin,
        "height_m": height_m,
    }
    return Reading(values, tuple(faults))


def construction_year(text: str | None, rule: YearRule) -> Reading:
    """Return the year, its bounds and its origin from the text of the source."""
    reading = read_year(text, earliest=rule.earliest, latest=rule.latest)
    faults: tuple[tuple[str, str, str], ...] = ()
    if reading.fault:
        faults = (("construction_year", reading.fault, (text or "")[:200]),)
    year, origin = None, "unknown"
    if reading.low is not None and reading.high is not None:
        span_yr = reading.high - reading.low
        origin = "recorded" if span_yr == 0 else "vague"
        if span_yr > rule.max_vague_span_yr:
            origin = "bounded"
        else:
            year = reading.low + span_yr // 2
    values = {
        "construction_year_text": text,
        "construction_year_low": reading.low,
        "construction_year_high": reading.high,
        "construction_year": year,
        "construction_year_origin": origin,
    }
    return Reading(values, faults)


def positive_number(
    text: str | None, field_name: str, faults: list[tuple[str, str, str]]
) -> float | None:
    """Return a number that may carry a unit of storeys or metres; what cannot be read is told."""
    if text is None:
        return None
    mark = decimal_mark([text]) or "."
    number = read_number(text, mark)
    if number is None or number < 0 or (reads_two_ways(text) and "," in text):
        faults.append((field_name, "unreadable_number", text[:200]))
        return None
    return number
