"""Every file opens as described, and only as described."""

import json

import geopandas as gpd
import osmium
import pandas as pd
import pyogrio
import pytest
import rasterio

GBK = ("housing_register", "renovation_ledger", "clearance_plans")
MARKED = ("inspection", "consent", "census_communities", "estate_survey")


def path_of(made, stem):
    return next(path for path in made.raw.iterdir() if path.name.startswith(f"{stem}_synthetic"))


@pytest.mark.parametrize("stem", GBK)
def test_bureau_tables_are_gbk_and_not_utf8(town, stem):
    raw = path_of(town, stem).read_bytes()
    raw.decode("gbk")
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")


@pytest.mark.parametrize("stem", MARKED)
def test_survey_tables_carry_a_byte_order_mark(town, stem):
    assert path_of(town, stem).read_bytes().startswith(b"\xef\xbb\xbf")


def test_footprints_are_a_gbk_shapefile_that_does_not_say_so(town):
    path = town.raw / "footprints_synthetic_合成.shp"
    assert not path.with_suffix(".cpg").exists()
    assert path.with_suffix(".dbf").read_bytes()[29] == 0
    info = pyogrio.read_info(path, encoding="GBK")
    assert list(info["fields"]) == [
        "楼栋编号",
        "小区编号",
        "建筑用途",
        "地上层数",
        "建筑高度",
        "备注",
    ]
    assert info["crs"] == "EPSG:4545"
    frame = pyogrio.read_dataframe(path, encoding="GBK")
    assert set(frame["建筑用途"]) <= {"住宅", "商业", "办公", "学校", "医院", "工业", "自建房"}
    assert frame["楼栋编号"].str.match(r"^50\d{4}-(\d{4}-\d{3}|Q\d{6})$").all()


def test_register_and_footprints_share_their_numbers(town):
    register = pd.read_csv(path_of(town, "housing_register"), encoding="gbk", dtype=str)
    prints = pyogrio.read_dataframe(town.raw / "footprints_synthetic_合成.shp", encoding="GBK")
    assert set(register["楼栋编号"]) <= set(prints["楼栋编号"])
    assert register["楼栋编号"].nunique() == 870


def test_terrain_is_a_30_m_raster_in_utm(town):
    with rasterio.open(town.raw / "dem_30m_synthetic_合成.tif") as file:
        assert file.crs.to_epsg() == 32648
        assert file.res == (30.0, 30.0)
        assert file.dtypes == ("float32",)
        assert file.nodata == -9999.0


def test_layers_have_their_chinese_columns(town):
    wanted = {
        "amenities_gcj02": "类别",
        "estates": "小区编号",
        "districts": "区县",
        "subdistricts": "街道",
        "communities": "社区编号",
        "heritage_areas": "保护类别",
    }
    for stem, column in wanted.items():
        frame = pyogrio.read_dataframe(path_of(town, stem))
        assert column in frame.columns
        assert frame.geometry.is_valid.all()
        assert len(frame) > 0
        assert json.loads(path_of(town, stem).read_text("utf-8"))["synthetic"] is True


def test_amenities_are_shifted_like_chinese_web_maps(town):
    given = pyogrio.read_dataframe(path_of(town, "amenities_gcj02")).drop_duplicates("设施编号")
    given = given[given.geometry.x > 90].to_crs("EPSG:32648").set_index("设施编号")
    truth = pd.read_parquet(town.truth / "amenities.parquet").set_index("设施编号")
    assert truth["amenity_type"].nunique() >= 12
    truth = truth.loc[given.index]
    east, north = given.geometry.x - truth["x_m"], given.geometry.y - truth["y_m"]
    # GCJ-02 in Chongqing lies some 350 m east and 280 m south of WGS-84 (published offsets)
    assert east.between(250, 480).all()
    assert north.between(-400, -180).all()


def test_communities_partition_the_land(town):
    parts = {
        stem: pyogrio.read_dataframe(path_of(town, stem)).to_crs("EPSG:32648")
        for stem in ("communities", "subdistricts", "districts")
    }
    areas = [frame.geometry.area.sum() for frame in parts.values()]
    assert areas[0] == pytest.approx(areas[1], rel=1e-4)
    assert areas[0] == pytest.approx(areas[2], rel=1e-4)
    left, bottom, right, top = parts["communities"].total_bounds
    assert areas[0] == pytest.approx((right - left) * (top - bottom), rel=0.02)


def test_estate_outlines_hold_their_buildings(town):
    outlines = pyogrio.read_dataframe(path_of(town, "estates")).to_crs("EPSG:32648")
    outlines = outlines.set_index("小区编号").geometry
    truth = gpd.read_parquet(town.truth / "buildings.parquet")
    mine = truth[truth["estate_id"].isin(outlines.index)]
    inside = mine.geometry.within(outlines.loc[mine["estate_id"]].buffer(0.1), align=False)
    assert inside.all()


class Tally(osmium.SimpleHandler):
    def __init__(self):
        super().__init__()
        self.nodes, self.ways, self.tags = {}, [], set()

    def node(self, node):
        self.nodes[node.id] = dict(node.tags)

    def way(self, way):
        self.ways.append(([n.ref for n in way.nodes], dict(way.tags)))


@pytest.fixture(scope="module")
def streets(town):
    tally = Tally()
    tally.apply_file(str(town.raw / "streets_synthetic_合成.osm.pbf"))
    return tally


def test_streets_hold_every_kind_of_link(streets):
    kinds = {tags.get("highway", "water") for _, tags in streets.ways}
    assert {"primary", "residential", "service", "footway", "steps", "elevator", "water"} <= kinds
    assert any(tags.get("bridge") == "yes" for _, tags in streets.ways)
    assert any("conveying" in tags for _, tags in streets.ways)
    assert any("step_count" in tags and "incline" in tags for _, tags in streets.ways)
    points = [tags for tags in streets.nodes.values() if tags]
    assert {"bus_stop", "elevator"} <= {tags.get("highway") for tags in points}
    assert {"station", "subway_entrance"} <= {tags.get("railway") for tags in points}


def test_every_way_refers_to_nodes_that_exist(streets):
    assert all(ref in streets.nodes for refs, _ in streets.ways for ref in refs)
    assert all(len(refs) >= 2 for refs, _ in streets.ways)
