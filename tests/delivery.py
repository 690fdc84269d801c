"""A folder as an office sends it, guessed and taken in without writing outputs."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.contracts.stage import Inputs
from pipeline.contracts.tables import BUILDINGS, REJECTS
from pipeline.intake.stage import run
from pipeline.new_city.profile import NewCity, new_city
from pipeline.settings.whole import Settings
from pipeline.store.configuration import read_new_city_words, read_settings
from pipeline.store.looks import look_into
from pipeline.store.profiles import write_profile
from pipeline.store.sources import RawSources
from tests.conftest import REPOSITORY


@dataclass(frozen=True)
class Taken:
    """What was made of a delivery."""

    guessed: NewCity
    settings: Settings
    buildings: pd.DataFrame
    """By building number."""
    rejects: pd.DataFrame
    ledger: dict[str, Any]


def guessed(raw: Path, scratch: Path, **stated: Any) -> tuple[NewCity, Settings]:
    """Return the profile that new-city writes, with what a person then states for the register."""
    config = scratch / "config"
    if not config.is_dir():
        shutil.copytree(REPOSITORY / "config", config)
    words = read_new_city_words(config)
    known = read_settings(config, "reference", "base")
    looks, unread = look_into(raw)
    found = new_city("t", looks, unread, words, known.intake, known.consent.measures)
    write_profile(config / "cities" / "t.yaml", "new-city", found.text)
    settings = read_settings(config, "t", "base")
    if stated:
        register = settings.sources["housing_register"].model_copy(update=stated)
        settings = settings.model_copy(
            update={"sources": settings.sources | {"housing_register": register}}
        )
    return found, settings


def taken_in(raw: Path, scratch: Path, **stated: Any) -> Taken:
    """Return what intake makes of a folder by the profile that new-city writes for it."""
    found, settings = guessed(raw, scratch, **stated)
    sources = RawSources(raw, settings.sources, settings.city.crs, settings.intake.region_margin_m)
    out = run(Inputs({}, sources, {}, settings))
    return Taken(
        found, settings, out.tables[BUILDINGS].set_index("building_id"), out.tables[REJECTS],
        dict(out.ledger["sources"]),
    )  # fmt: skip
