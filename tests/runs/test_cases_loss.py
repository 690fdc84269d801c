"""No delivery is ranked while a source lost a column and nobody was told.

Each delivery of ``../shared/data/cases`` with the made-up district goes through new-city and intake in
this process. The district has 60 buildings of known years and storeys; where fewer come through,
somebody must be asked or told.
"""

import shutil
from pathlib import Path

import geopandas as gpd
import pytest

from pipeline.beside import Beside
from pipeline.check.losses import told_losses
from pipeline.contracts.stage import Inputs, Outputs
from pipeline.contracts.tables import AMENITIES, BUILDINGS
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
    lines = told_losses(out.ledger, settings.sources, settings.intake.losses)
    return "\n".join(line.en for line in lines)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    real_data("cases")
    folder = tmp_path_factory.mktemp("cases") / "config"
    shutil.copytree(REPOSITORY / "config", folder)
    return folder


@pytest.mark.filterwarnings("ignore:geometry column type:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:The default engine for reading:FutureWarning")
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


def test_words_for_housing_are_known_and_the_doubtful_one_is_asked(config: Path) -> None:
    """Twenty words, three buildings each; only 商品房 may be shops or offices as well."""
    raw = CASES / "use-words" / "use_words"
    found = made(config, raw)
    (asked,) = [one for one in found.questions if "未识别的用词" in one]
    assert "3 of 60 values of building_use_type" in asked
    assert "商品房 3" in asked
    assert asked in found.text
    (codes,) = [one for one in found.questions if "GB/T 17986.1" in one]
    assert "11 3" in codes
    settings, out = intake_of(config, raw)
    assert int(out.tables[BUILDINGS]["is_housing"].sum()) == 57
    assert out.ledger["uses"]["footprints"] == {
        "housing": 57, "other": 0, "not_stated": 0, "unknown": 3,
    }  # fmt: skip
    assert "words nobody declared: 商品房 3" in told_of(settings, out)


def test_a_list_of_uses_is_housing_if_one_part_is(config: Path) -> None:
    """Twelve values of ``building``, five ways each: all but ``no`` and ``yes`` say housing."""
    raw = CASES / "use-words" / "op_uses"
    made(config, raw)
    settings, out = intake_of(config, raw)
    assert int(out.tables[BUILDINGS]["is_housing"].sum()) == 50
    assert "5 of 60 footprints state no use" in told_of(settings, out)


def test_a_layer_of_words_that_nobody_knows_stops_with_their_counts(
    config: Path, tmp_path: Path
) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(CASES / "use-words" / "use_words", raw)
    layer = gpd.read_file(raw / "建筑轮廓.gpkg")
    use = ["综合楼"] * 5 + ["Ⅱ类"] * 4 + ["住宅"] * 51
    (raw / "建筑轮廓.gpkg").unlink()
    layer.assign(建筑用途=use).to_file(raw / "建筑轮廓.gpkg")
    found = made(config, raw)
    assert any("综合楼 5, Ⅱ类 4" in one for one in found.questions)
    with pytest.raises(Problem) as stop:
        intake_of(config, raw)
    said = stop.value.text()
    assert "9 of 60 uses that are or may be housing" in said
    assert "综合楼 5, Ⅱ类 4" in said
    assert "sources.footprints.values: {building_use_type: {综合楼: residential" in said
    profile = config / "cities" / "case.yaml"
    answered = profile.read_text("utf-8").replace(
        "{building_use_type: {住宅: residential}}",
        "{building_use_type: {住宅: residential, 综合楼: apartments, Ⅱ类: commercial}}",
    )
    profile.write_text(answered, "utf-8")
    _, out = intake_of(config, raw)
    assert int(out.tables[BUILDINGS]["is_housing"].sum()) == 56


def test_facilities_beyond_the_border_count_in_every_format(config: Path, tmp_path: Path) -> None:
    """Five hospitals stand 23 m east of the last buildings, outside outline and hull."""
    counts = {}
    for name in ("am_outside", "am_outside_osm"):
        for has_outline in (True, False):
            raw = tmp_path / f"{name}_{has_outline}"
            shutil.copytree(CASES / "amenities-outside" / name, raw)
            if not has_outline:
                (raw / "区界.gpkg").unlink()
            made(config, raw)
            _, out = intake_of(config, raw)
            points = out.tables[AMENITIES].query("amenity_type == 'hospital'").geometry
            assert out.ledger["sources"]["amenities"]["rows_rejected"] == 0
            counts[name, has_outline] = sorted((round(p.x, 1), round(p.y, 1)) for p in points)
    assert len({tuple(places) for places in counts.values()}) == 1, counts
