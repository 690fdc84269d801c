"""Cities in the layouts of their countries: from a folder to a ranking without a line written."""

from pathlib import Path

import pandas as pd

from pipeline.settings.whole import Settings
from pipeline.store.configuration import read_settings
from tests import foreign_town, national_towns
from tests.conftest import Project

COUNT = foreign_town.ROWS * foreign_town.COLUMNS


def new_city(project: Project, name: str, raw: Path, *more: str) -> tuple[str, Settings]:
    made = project.run("new-city", "--name", name, "--raw", str(raw), *more)
    assert made.returncode == 0, made.stdout + made.stderr
    return made.stdout, read_settings(project.root / "config", name, "base")


def ranked(project: Project, name: str, raw: Path) -> pd.DataFrame:
    result = project.run("rank", "--city", name, "--raw", str(raw))
    assert result.returncode == 0, result.stdout + result.stderr
    path = project.root / "data" / "processed" / name / "base" / "building_ranking.parquet"
    return pd.read_parquet(path).set_index("building_id").sort_index()


def test_a_french_town_in_bd_topo(tmp_path: Path) -> None:
    """USAGE1 with a class that says nothing, NATURE that does; lakes; a zipped tile of heights."""
    project, raw = Project(tmp_path / "project"), tmp_path / "raw"
    raw.mkdir()
    usage = [
        "Commercial et services",
        "Annexe",
        "Indifférencié",
        "Indifférencié",
        *["Résidentiel"] * 6,
    ]
    natures = {2: "Industriel, agricole ou commercial", 3: "Indifférenciée"}
    national_towns.houses(
        ID=[f"BATIMENT{n:04d}" for n in range(COUNT)],
        NATURE=[natures.get(n % 10, "Indifférenciée") for n in range(COUNT)],
        USAGE1=[usage[n % 10] for n in range(COUNT)],
        USAGE2=[""] * COUNT,
        ETAT=["En service"] * COUNT,
        DATE_APP=[f"{1930 + n % 80}-01-01" for n in range(COUNT)],
        NB_LOGTS=[4] * COUNT,
        NB_ETAGES=[2 + n % 6 for n in range(COUNT)],
        HAUTEUR=[3.1 * (2 + n % 6) for n in range(COUNT)],
    ).to_file(raw / "BATIMENT.shp", encoding="utf-8")
    national_towns.lines(
        NATURE=("Route à 1 chaussée", "Route à 1 chaussée", "Escalier"), IMPORTANCE=("2", "5", "5"),
        SENS=("Double sens",) * 3, NOM_COLL_G=("Avenue du Port", "Rue Haute", "Montée"),
    ).to_file(raw / "TRONCON_DE_ROUTE.shp", encoding="utf-8")  # fmt: skip
    national_towns.ponds(90, NATURE="Mare", PERSISTANC="Permanent").to_file(raw / "SURFACE_EAU.shp")
    national_towns.write_tile(raw, zipped=True)
    said, settings = new_city(project, "ville", raw)
    sources = settings.sources
    assert {name: (one.path, one.format) for name, one in sources.items()} == {
        "footprints": ("BATIMENT.shp", "shapefile"),
        "streets": ("TRONCON_DE_ROUTE.shp", "shapefile"),
        "terrain": ("N38W010.SRTMGL3.hgt.zip", "srtm_hgt"),
    }  # fmt: skip
    assert "SURFACE_EAU.shp: water 水域, not buildings" in said
    assert sources["streets"].joined == ["highway_type"]
    assert "USAGE1 alone does not tell the use of 24 buildings, NATURE says more" in said
    # as the question asks for it: what both fields together mean
    profile = project.root / "config" / "cities" / "ville.yaml"
    text = profile.read_text(encoding="utf-8")
    text = text.replace("building_use_type: [USAGE1]", "building_use_type: [USAGE1, NATURE]", 1)
    text = text.replace(
        "role: footprints,", "role: footprints, joined: [building_use_type],", 1
    ).replace(
        "building_use_type: {",
        'building_use_type: {"Indifférencié > Indifférenciée": residential, '
        '"Indifférencié > Industriel, agricole ou commercial": industrial, ', 1,
    )  # fmt: skip
    profile.write_text(text, encoding="utf-8")
    found = ranked(project, "ville", raw)
    # of ten houses one is a shop, one an annex, one industrial by its nature
    assert len(found) == 84
    kept = [int(key.removeprefix("BATIMENT")) % 10 for key in found.index]
    assert set(kept) == {3, 4, 5, 6, 7, 8, 9}
    high = found.loc["BATIMENT0119"]
    assert (high["storey_count"], high["construction_year"]) == (2 + 119 % 6, 1930 + 119 % 80)
    # nine rows of 40 m at 0.15, and a house's own edge: climb from the one main road, along the foot
    assert 45 < high["main_road_climb_m"] < 65
    assert found["slope_deg"].median() > 7.5  # atan 0.15 = 8.53°, in whole metres on cells of 90 m


def test_a_dutch_town_in_bag(tmp_path: Path) -> None:
    """Several uses in one field, states of a building, no storeys; an ASCII grid as terrain."""
    project, raw = Project(tmp_path / "project"), tmp_path / "raw"
    foreign_town.write(raw)
    for old in ("building_footprints.shp", "building_footprints.dbf", "dem25.tif"):
        (raw / old).unlink()
    uses = ["winkelfunctie", "", "woonfunctie,winkelfunctie", *["woonfunctie"] * 7]
    national_towns.houses(
        identificatie=[f"0363100012{n:06d}" for n in range(COUNT)],
        bouwjaar=[1930 + n % 80 for n in range(COUNT)],
        status=["Pand gesloopt" if n == 9 else "Pand in gebruik" for n in range(COUNT)],
        gebruiksdoel=[uses[n % 10] for n in range(COUNT)],
        aantal_verblijfsobjecten=[4] * COUNT,
    ).to_file(raw / "pand.gpkg", layer="pand")
    rows = [20 + 0.15 * (1000 - 25 * (n + 0.5)) for n in range(60)]
    head = (
        f"ncols 60\nnrows 60\nxllcorner {foreign_town.WEST - 400}\nyllcorner "
        f"{foreign_town.SOUTH - 500}\ncellsize 25\nNODATA_value -9999\n"
    )
    cells = "\n".join(" ".join([f"{height:.2f}"] * 60) for height in rows)
    (raw / "maaiveld.asc").write_text(head + cells + "\n", encoding="ascii")
    said, settings = new_city(project, "stad", raw)
    sources = settings.sources
    assert (sources["terrain"].path, sources["terrain"].format) == (
        "maaiveld.asc",
        "esri_ascii_grid",
    )
    assert sources["footprints"].columns == {
        "building_id": ["identificatie"], "building_use_type": ["gebruiksdoel"],
        "construction_year_text": ["bouwjaar"],
    }  # fmt: skip
    assert "gebruiksdoel alone does not tell the use of 1 buildings, status says more" in said
    assert "woonfunctie > Pand gesloopt 1" in said
    found = ranked(project, "stad", raw)
    assert len(found) == 96  # of ten one is a shop, one has no use: a shed
    assert found.loc["0363100012000119", "construction_year"] == 1930 + 119 % 80
    assert found["slope_deg"].between(8.4, 8.6).all()  # atan 0.15 = 8.53°


def test_a_chinese_delivery_with_facilities_in_files_of_their_own(tmp_path: Path) -> None:
    """公交站.csv and 医院.csv without a column of types; 用途 with 子类; parcels are asked about."""
    project, raw = Project(tmp_path / "project"), tmp_path / "raw"
    foreign_town.write(raw)
    for old in ("building_footprints.shp", "building_footprints.dbf"):
        (raw / old).unlink()
    under = ["车库", *["多层住宅"] * 9]
    national_towns.houses(
        楼栋编号=[f"渝{n:03d}" for n in range(COUNT)], 层数=[6] * COUNT, 建成年代=["1985年"] * COUNT,
        用途=["住宅"] * COUNT, 子类=[under[n % 10] for n in range(COUNT)],
    ).to_file(raw / "房屋.gpkg", layer="房屋")  # fmt: skip
    national_towns.houses(宗地号=[str(n) for n in range(COUNT)]).to_file(
        raw / "宗地.gpkg", layer="a"
    )
    national_towns.stops(5).to_csv(raw / "公交站.csv", index=False, encoding="gbk")
    national_towns.stops(3).to_csv(raw / "医院分布表.csv", index=False, encoding="utf-8-sig")
    national_towns.stops(3).to_csv(raw / "药店.csv", index=False, encoding="utf-8")
    said, settings = new_city(project, "zhen", raw)
    given = {one.path: one for one in settings.sources.values() if one.role == "amenities"}
    assert given["公交站.csv"].constants == {"amenity_type": "bus_stop"}
    assert given["医院分布表.csv"].constants == {"amenity_type": "hospital"}
    assert "药店.csv" not in given and "药店.csv: by its name pharmacy, no kind" in said
    assert "宗地.gpkg holds parcels of land" in said
    assert [one.path for one in settings.sources.values() if one.role == "footprints"] == [
        "房屋.gpkg"
    ]
    assert (
        "用途 alone does not tell the use of 12 buildings, 子类 says more: 住宅 > 车库 12" in said
    )
    found = ranked(project, "zhen", raw)
    assert len(found) == 120  # as long as nobody says that the garages count
    places = pd.read_parquet(project.root / "data/processed/zhen/amenities.parquet")
    counted = places[places["source_name"] != "amenities_region"]["amenity_type"].value_counts()
    assert counted.to_dict() == {"bus_stop": 5, "hospital": 3}
