"""Every word that the configuration can bring to the page is known in both languages."""

import re
from typing import get_args

import pytest

from pipeline.settings.city import Role
from tests.conftest import REPOSITORY

STATIC = REPOSITORY / "pipeline" / "atlas" / "static"


def blocks() -> list[set[str]]:
    text = (STATIC / "texts.js").read_text(encoding="utf-8")
    half = text.index("role_terrain", text.index("role_terrain") + 1)
    start = text.rindex("en:", 0, half) if "en:" in text[:half] else half
    return [
        set(re.findall(r"^\s+(\w+):", part, re.MULTILINE)) for part in (text[:start], text[start:])
    ]


@pytest.mark.parametrize("role", get_args(Role))
def test_every_role_of_a_source_has_a_name_in_both_languages(role: str) -> None:
    assert all(f"role_{role}" in words for words in blocks())


def test_both_languages_know_the_same_words() -> None:
    chinese, english = blocks()
    assert chinese ^ english <= {"zh", "en"}
