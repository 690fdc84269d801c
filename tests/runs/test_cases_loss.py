"""No delivery is ranked while a source lost a column and nobody was told.

Each delivery of ``../shared/data/cases`` with the made-up district goes through new-city and intake in
this process. The district has 60 buildings of known years and storeys; where fewer come through,
somebody must be asked or told.
"""

import shutil
from pathlib import Path

import pytest

from pipeline.beside import Beside
from pipeline.check.losses import (
    empty_columns,
    loss_text,
    losses,
    strange_words,
    unstated_uses,
    words_text,
)
from pipeline.contracts.stage import Inputs, Outputs
from pipeline.contracts.tables import BUILDINGS
from pipeline.intake.stage import run
from pipeline.new_city.profile import NewCity, new_city
from pipeline.problem import Problem
from pipeline.settings.city import OSM_FORMATS
from pipeline.settings.whole import Settings
from pipeline.store.configuration import read_new_city_words, read_settings
from pipeline.store.looks import look_into
from pipeline.store.sources import RawSources
from tests.conftest import REPOSITORY, SHARED, real_data

CASES = SHARED / "cases"
DELIVERIES = sorted(
    folder.relative_to(CASES).as_posix()
    for folder in CASES.glob("*/*")
    if folder.is_dir() and not folder.name.startswith("yz_")  # real Yuzhong, moved: other tests
)
BUILDING_COUNT = 60
FEW = 0.95 * BUILDING_COUNT


def made(config: Path, raw: Path) -> NewCity:
    """Write the profile that new-city makes of a folder."""
    settings = read_settings(config, "reference", "base")
    looks, unread = look_into(raw)
    words, measures = read_new_city_words(config), settings.consent.measures
    found = new_city("case", looks, unread, words, settings.intake, measures)
    (config / "cities" / "case.yaml").write_text(found.text, "utf-8")
    return found


def intake_of(config: Path, raw: Path) -> tuple[Settings, Outputs]:
    settings = read_settings(config, "case", "base")
    read = RawSources(raw, settings.sources, settings.city.crs, settings.intake.region_margin_m)
    inputs = Inputs(
        tables={}, sources=read, rasters={}, settings=settings, ledgers={}, scenario="base",
        beside=Beside(),
    )  # fmt: skip
    return settings, run(inputs)


def told_of(settings: Settings, out: Outputs) -> str:
    """What check and rank say of losses."""
    share = settings.intake.losses.notable_share
    lines = [
        *(loss_text(loss) for loss in losses(out.ledger, share)),
        *(words_text(words) for words in strange_words(out.ledger)),
        *unstated_uses(out.ledger, share),
    ]
    empty = [f"{name}.{column}" for name, column, _ in empty_columns(out.ledger)]
    return "\n".join([*(line.en for line in lines), *empty])


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    real_data("cases")
    folder = tmp_path_factory.mktemp("cases") / "config"
    shutil.copytree(REPOSITORY / "config", folder)
    return folder


@pytest.mark.filterwarnings("ignore:geometry column type:RuntimeWarning")
@pytest.mark.parametrize("delivery", DELIVERIES)
def test_what_is_lost_is_asked_or_told(delivery: str, config: Path) -> None:
    raw = CASES / delivery
    try:
        found = made(config, raw)
        settings, out = intake_of(config, raw)
    except Problem as problem:  # stopped with a message: nothing is ranked
        assert problem.text()
        return
    told = told_of(settings, out) + "\n" + "\n".join((*found.questions, *map(str, found.unused)))
    for name, account in out.ledger["sources"].items():
        in_ = account["rows_in"]
        assert in_ == account["rows_supporting"] + account["rows_out"] + account["rows_rejected"]
        for column, one in account.get("columns", {}).items():
            if one["taken"] < 0.95 * one["stated_in_used_rows"]:
                assert f"{name}.{column}" in told, (name, column, one)
    buildings = out.tables[BUILDINGS]
    stated = {"construction_year": "construction_year_low", "storey_count": "storey_count"}
    for what, column in stated.items():
        known = int(buildings[column].notna().sum())
        asked = what in told or "rows used" in told or what not in _mapped(settings)
        assert known >= FEW or asked, (
            f"{known} of {BUILDING_COUNT} have {what}, and nobody was told"
        )
    housing = int(buildings["is_housing"].sum())
    about_uses = "building_use_type" in told or "state no use" in told or "rows used" in told
    assert housing >= FEW or about_uses, f"{housing} are housing, and nobody was told"


def _mapped(settings: Settings) -> str:
    """Return which columns the profile reads of footprints and registers.

    OpenStreetMap's columns stand in every profile, whether any building has such a tag or not.
    """
    roles = ("footprints", "housing_register")
    return " ".join(
        column
        for one in settings.sources.values()
        if one.role in roles and one.format not in OSM_FORMATS
        for column in one.columns
    )
