"""Every word of the tables and settings that a plain page shows is known in both languages."""

import re
from typing import get_args

import pytest

from pipeline.contracts.columns import COLUMNS
from pipeline.pages.terms import (
    BATCHES,
    ENTRIES,
    ORIGINS,
    QUADRANTS,
    READINESS,
    REASONS,
    ROLES,
    ROW_TYPES,
    SCOPES,
    SHORT_TRACKS,
    TRACKS,
    UNITS,
    WAITS,
    YEAR_REGIMES,
    term,
)
from pipeline.pages.words import Words
from pipeline.settings.city import Role
from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY


def test_every_role_of_a_source_has_a_name() -> None:
    assert set(get_args(Role)) == set(ROLES)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("track_type", TRACKS),
        ("track_type", SHORT_TRACKS),
        ("quadrant_type", QUADRANTS),
        ("construction_year_basis_type", ORIGINS),
        ("construction_year_regime_type", YEAR_REGIMES),
        ("storey_count_origin", ORIGINS),
        ("floor_area_origin", ORIGINS),
        ("scope_type", SCOPES),
        ("batch_type", BATCHES),
        ("readiness_type", READINESS),
        ("wait_reason_code", WAITS),
        ("entry_type", ENTRIES),
    ],
)
def test_every_listed_value_of_a_column_has_a_name(column: str, words: dict[str, Words]) -> None:
    assert set(COLUMNS[column].allowed) <= set(words)


def test_areas_of_the_lists_have_a_name() -> None:
    assert set(COLUMNS["row_type"].allowed) <= {*ROW_TYPES, "district", "community"}


def test_reasons_that_the_map_knows_are_known_here() -> None:
    text = (REPOSITORY / "pipeline" / "atlas" / "static" / "words.js").read_text(encoding="utf-8")
    block = text[text.index("REJECT_WORDS") : text.index("let language")]
    assert set(re.findall(r"(\w+): \"", block)) <= set(REASONS)


def test_reasons_that_intake_gives_are_known_here() -> None:
    calls = re.compile(r"\.(?:row|value|notice)\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
    for path in (REPOSITORY / "pipeline" / "intake").glob("*.py"):
        for call in calls.findall(path.read_text(encoding="utf-8")):
            for code in re.findall(r'(?<!f)"([a-z]+(?:_[a-z0-9]+)+)"', call):
                is_field = code in COLUMNS or code.endswith("_count")
                assert code in REASONS or is_field, (path.name, code)


def test_units_of_criteria_have_a_name() -> None:
    criteria = read_settings(REPOSITORY / "config", "reference", "base").score.criteria
    assert {one.unit for one in criteria.values()} - {""} <= set(UNITS)


def test_an_unknown_word_shows_as_it_is() -> None:
    assert term(REASONS, "never_heard_of") == Words("never heard of", "never heard of")
