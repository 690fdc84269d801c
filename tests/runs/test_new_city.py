"""make new-city: from a folder of files to a first ranking, without writing a line."""

import shutil
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely.affinity

from pipeline.settings.whole import Settings
from pipeline.store.configuration import read_settings
from tests import bureau, foreign_town
from tests.conftest import REPOSITORY, Project


def table(project: Project, city: str, name: str) -> pd.DataFrame:
    path = project.root / "data" / "processed" / city / f"{name}.parquet"
    return pd.read_parquet(path).set_index("building_id").sort_index()


def compare_sources(guessed: Settings, written: Settings) -> None:
    """Every source that a person wrote is there, read in the same way, with at least its columns."""
    for name, source in written.sources.items():
        what = source.path, source.role
        same = [one for one in guessed.sources.values() if (one.path, one.role) == what]
        assert len(same) == 1, name
        for key in ("format", "datum", "crs", "encoding"):
            assert getattr(same[0], key) == getattr(source, key), (name, key)
        for column, fields in source.columns.items():
            assert [one for one in same[0].columns[column] if one in fields] == fields, (
                name,
                column,
            )
        for column, words in source.values.items():
            assert {word: same[0].values[column].get(word) for word in words} == words, name
    assert len(guessed.sources) <= len(written.sources) + 1
    assert guessed.city.crs == written.city.crs
    assert guessed.city.is_synthetic == written.city.is_synthetic
    assert guessed.intake.housing == written.intake.housing
    assert guessed.intake.storeys == written.intake.storeys


def test_yuzhong_is_read_as_its_hand_written_profile_reads_it(
    tmp_path: Path, yuzhong_raw: Path
) -> None:
    project = Project(tmp_path / "project")
    made = project.run("new-city", "--name", "guessed", "--raw", str(yuzhong_raw))
    assert made.returncode == 0, made.stderr
    config = project.root / "config"
    compare_sources(
        read_settings(config, "guessed", "base"), read_settings(config, "yuzhong", "base")
    )
    # that trunks are closed to walkers here is what a person knows
    known = (config / "cities" / "yuzhong.yaml").read_text("utf-8").partition("  streets:")[2]
    project.edit(
        "config/cities/guessed.yaml", "\nintake:\n",
        "\nintake:\n  streets:" + known.partition("  housing:")[0],
    )  # fmt: skip
    for city in ("guessed", "yuzhong"):
        ranked = project.run("rank", "--city", city, "--raw", str(yuzhong_raw))
        assert ranked.returncode == 0, ranked.stderr
    one, other = (table(project, city, "measurements") for city in ("guessed", "yuzhong"))
    # 42 station entrances stand among the footways too, some of them just beyond the district
    moved = [name for name in other.columns if name.startswith("rail_entrance")]
    pd.testing.assert_frame_equal(one.drop(columns=moved), other.drop(columns=moved))
    one, other = (table(project, city, "base/ranking") for city in ("guessed", "yuzhong"))
    assert (one["score_points"] != other["score_points"]).sum() <= 20
    assert (one["tier_number"].fillna(0) != other["tier_number"].fillna(0)).sum() <= 20


def test_the_built_in_city_is_read_as_its_hand_written_profile_reads_it(tmp_path: Path) -> None:
    raw = REPOSITORY / "data" / "raw" / "reference"
    if not raw.is_dir():
        pytest.skip("the built-in city is not made yet: make city")
    project = Project(tmp_path / "project")
    made = project.run("new-city", "--name", "guessed", "--raw", str(raw))
    assert made.returncode == 0, made.stderr
    config = project.root / "config"
    compare_sources(
        read_settings(config, "guessed", "base"), read_settings(config, "reference", "base")
    )
    said = made.stdout
    assert (
        "? 坐标基准 datum of boundary, communities, estates, heritage_areas, subdistricts" in said
    )
    assert "amenities_gcj02" not in said.split("datum of")[1].split(":")[0]  # its name says gcj02
    assert "made_from.json: JSON of another kind" in said
    text = (config / "cities" / "guessed.yaml").read_text(encoding="utf-8")
    assert "datum: gcj02" in text
    for line in text.splitlines():
        if line.startswith("      ") and ": [" in line:
            assert line.rstrip().endswith("# guess"), line


def test_a_town_of_another_country_goes_through_with_a_short_profile(tmp_path: Path) -> None:
    """Footprints, terrain, a regional extract; no boundary, no register, nothing in Chinese."""
    project = Project(tmp_path / "project")
    raw = tmp_path / "raw"
    foreign_town.write(raw)
    made = project.run("new-city", "--name", "almada", "--raw", str(raw))
    assert made.returncode == 0, made.stderr
    assert "datum of" not in made.stdout  # only China's maps are shifted
    text = (project.root / "config" / "cities" / "almada.yaml").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 40
    ranked = project.run("rank", "--city", "almada", "--raw", str(raw))
    assert ranked.returncode == 0, ranked.stderr
    found = table(project, "almada", "base/building_ranking")
    assert len(found) == 108  # of 120 every tenth is a shop
    assert set(found["district_name"]) == {"almada"}
    assert found["slope_deg"].between(8.4, 8.6).all()  # atan 0.15 = 8.53°
    assert found.loc["B0119", "storey_count"] == 2 + 119 % 6
    assert found.loc["B0119", "construction_year"] == 1930 + 119 % 80
    assert found.loc["B0119", "main_road_climb_m"] > found.loc["B0001", "main_road_climb_m"] + 40


def test_a_shapefile_without_crs_and_code_page_is_placed_and_read(
    tmp_path: Path, yuzhong_raw: Path
) -> None:
    """GBK, no .cpg, no .prj: the bytes tell the encoding, the other files tell the zone."""
    project, raw = Project(tmp_path / "project"), tmp_path / "raw"
    shutil.copytree(yuzhong_raw, raw, copy_function=shutil.copyfile)
    (raw / "overpass" / "buildings.json").unlink()
    middle = gpd.GeoSeries.from_xy([106.55], [29.56], crs="EPSG:4326").to_crs("EPSG:4545")[0]
    house = middle.buffer(8, cap_style="square")
    frame = gpd.GeoDataFrame(
        {"楼栋编号": [f"渝{n}" for n in range(96)], "层数": [6] * 96, "建成年代": ["1985年"] * 96,
         "用途": ["住宅"] * 96},
        geometry=[
            shapely.affinity.translate(house, 40 * (n % 12), 40 * (n // 12)) for n in range(96)
        ],
        crs="EPSG:4545",
    )  # fmt: skip
    frame.to_file(raw / "房屋.shp", encoding="gbk")
    for ending in (".cpg", ".prj"):
        (raw / f"房屋{ending}").unlink()
    made = project.run("new-city", "--name", "bureau", "--raw", str(raw))
    assert made.returncode == 0, made.stderr
    assert "does not state its CRS; EPSG:4545 fits the others" in made.stdout
    source = read_settings(project.root / "config", "bureau", "base").sources["footprints"]
    assert (source.path, source.encoding, source.crs, source.datum) == (
        "房屋.shp", "gbk", "EPSG:4545", "cgcs2000",
    )  # fmt: skip
    assert source.columns == {
        "building_id": ["楼栋编号"], "building_use_type": ["用途"], "storey_count": ["层数"],
        "construction_year_text": ["建成年代"],
    }  # fmt: skip
    assert source.values == {"building_use_type": {"住宅": "residential"}}


def test_a_bureaus_folder_of_many_kinds_is_ranked_as_it_is(tmp_path: Path) -> None:
    """Zip, workbook of two sheets, list of places, GeoPackage of two layers, tiles in degrees."""
    project, raw = Project(tmp_path / "project"), tmp_path / "raw"
    bureau.write(raw)
    made = project.run("new-city", "--name", "bureau", "--raw", str(raw), "--datum", "wgs84")
    assert made.returncode == 0, made.stderr
    assert "datum of" not in made.stdout  # told with DATUM=
    sources = read_settings(project.root / "config", "bureau", "base").sources
    assert {name: (one.path, one.layer) for name, one in sources.items()} == {
        "boundary": ("底图.gpkg", "边界"), "streets": ("底图.gpkg", "道路"),
        "footprints": ("房屋.zip", None), "housing_register": ("登记册.xlsx", "登记"),
        "amenities": ("poi_2024.csv", None), "terrain": ("高程_1.tif", None),
    }  # fmt: skip
    assert sources["terrain"].more_paths == ["高程_2.tif"]
    assert (sources["footprints"].encoding, sources["amenities"].encoding) == ("gbk", "gbk")
    assert sources["amenities"].date == "2024"
    ranked = project.run("rank", "--city", "bureau", "--raw", str(raw))
    assert ranked.returncode == 0, ranked.stderr
    found = table(project, "bureau", "base/building_ranking")
    assert len(found) == 100
    assert found["slope_deg"].between(11.0, 11.6).all()  # atan 0.2 = 11.31°
    high = found.loc[bureau.house_key(9, 4)]
    assert (high["construction_year"], high["storey_count"], high["district_name"]) == (
        1979,
        7,
        "渝中区",
    )
    assert 65 < high["main_road_climb_m"] < 80  # nine rows of 40 m at 0.2, and a house's own edge
    places = pd.read_parquet(project.root / "data/processed/bureau/amenities.parquet")
    assert places["amenity_type"].value_counts().to_dict() == {
        "health_station": 25, "convenience_shop": 25, "primary_school": 25,
    }  # fmt: skip


def test_what_is_missing_and_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    project, raw = Project(tmp_path / "project"), tmp_path / "raw"
    foreign_town.write(raw)
    (raw / "region.osm.pbf").unlink()
    (raw / "broken.gpkg").write_bytes(b"SQLite format 3\x00" + bytes(200))
    (raw / "page.json").write_text("<html>", encoding="utf-8")
    made = project.run("new-city", "--name", "half", "--raw", str(raw))
    assert made.returncode == 0, made.stderr
    assert "no streets" in made.stdout and "make fetch" in made.stdout
    assert "broken.gpkg: " in made.stdout and "page.json: this is a web page" in made.stdout
    ranked = project.run("rank", "--city", "half", "--raw", str(raw))
    assert ranked.returncode == 2
    assert "none has the role streets" in ranked.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [(("--name", "x", "--raw", "nowhere"), "there is no such folder"),
     (("--name", "x y", "--raw", "config"), "not a usable name"),
     (("--name", "x", "--raw", "config", "--datum", "wgs"), "is no datum"),
     (("--name", "yuzhong", "--raw", "config"), "written or changed by hand"),
     (("--name", "x", "--raw", "config/scenarios"), "holds no file that can be read")],
)  # fmt: skip
def test_bad_requests_end_in_one_message(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    result = Project(tmp_path / "project").run("new-city", *words)
    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "project" / "config" / "cities" / "x.yaml").exists()
