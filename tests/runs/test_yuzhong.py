"""The whole job on the real district."""

import json
import re
import sqlite3
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterstats import zonal_stats

from pipeline.store.configuration import read_settings
from tests.conftest import REPOSITORY, Project


@pytest.fixture(scope="module")
def yuzhong(tmp_path_factory: pytest.TempPathFactory, yuzhong_raw: Path) -> Project:
    """Yuzhong, ranked."""
    project = Project(tmp_path_factory.mktemp("yuzhong"))
    result = project.run("rank", "--city", "yuzhong", "--raw", str(yuzhong_raw))
    assert result.returncode == 0, result.stderr
    project.said = result.stdout  # type: ignore[attr-defined]
    return project


@pytest.fixture(scope="module")
def folder(yuzhong: Project) -> Path:
    return yuzhong.root / "data" / "processed" / "yuzhong" / "base"


@pytest.fixture(scope="module")
def ranking(folder: Path) -> pd.DataFrame:
    return pd.read_csv(
        folder / "building_ranking.csv", encoding="utf-8-sig", dtype={"building_id": str}
    )


def test_the_ledger_balances_with_the_raw_replies(folder: Path, yuzhong_raw: Path) -> None:
    ledger = json.loads((folder / "ledger.json").read_text(encoding="utf-8"))
    paths = {name: source["path"] for name, source in ledger["sources"].items()}
    rejects = pd.read_csv(folder / "rejects.csv", encoding="utf-8-sig")
    rows = rejects[rejects["scope_type"] == "row"]
    for name, counts in ledger["stages"]["intake"]["sources"].items():
        if paths[name].startswith("overpass/"):
            reply = json.loads((yuzhong_raw / paths[name]).read_text(encoding="utf-8"))
            assert counts["rows_in"] == len(reply["elements"])
        parts = counts["rows_supporting"] + counts["rows_out"] + counts["rows_rejected"]
        assert counts["rows_in"] == parts
        assert counts["rows_rejected"] == sum(counts["rejected_by_reason"].values())
        assert counts["rows_rejected"] == (rows["source_name"] == name).sum()
    assert rows["reason_code"].notna().all()


def test_every_building_of_the_reply_is_somewhere(folder: Path, yuzhong_raw: Path) -> None:
    reply = json.loads((yuzhong_raw / "overpass/buildings.json").read_text(encoding="utf-8"))
    tagged = {
        f"{e['type']}/{e['id']}" for e in reply["elements"] if "building" in e.get("tags", {})
    }
    assert len(tagged) == 2043
    kept = pd.read_parquet(folder.parent / "buildings.parquet", columns=["source_row"])
    rejects = pd.read_parquet(folder.parent / "rejects.parquet")
    lost = rejects[(rejects["scope_type"] == "row") & (rejects["source_name"] == "buildings")]
    assert set(kept["source_row"]) | set(lost["source_row"]) == tagged
    assert not set(kept["source_row"]) & set(lost["source_row"])
    assert (rejects["reason_code"] == "mapping_default").sum() == 549


def test_points_add_up_to_the_score_on_every_row(ranking: pd.DataFrame) -> None:
    points = [c for c in ranking.columns if c.endswith("_points") and c != "score_points"]
    assert len(points) >= 5
    total = sum((ranking[c] * 1000).round().astype(int) for c in points)
    assert (total == (ranking["score_points"] * 1000).round().astype(int)).all()
    ranked = ranking[ranking["rank"].notna()]
    assert ranked["score_points"].is_monotonic_decreasing
    assert ranked["rank"].tolist() == list(range(1, len(ranked) + 1))
    others = ranking[len(ranked) :]
    assert set(others["track_type"]) <= {"reserve", "hazard", "excluded"}
    assert others["track_reason_code"].notna().all()


def test_csv_parquet_geopackage_and_map_show_the_same_buildings(
    folder: Path, ranking: pd.DataFrame, yuzhong: Project
) -> None:
    ids = set(ranking["building_id"])
    table = pd.read_parquet(folder / "building_ranking.parquet")
    assert set(table["building_id"]) == ids
    layer = gpd.read_file(folder / "ranking.gpkg", layer="buildings")
    assert set(layer["building_id"]) == ids
    assert layer.crs == "EPSG:32648"
    pd.testing.assert_series_equal(
        layer.set_index("building_id")["rank"].sort_index(),
        table.set_index("building_id")["rank"].sort_index(),
        check_dtype=False,
        check_index_type=False,
    )
    with sqlite3.connect(folder / "ranking.gpkg") as database:
        styled = {row[0] for row in database.execute("select f_table_name from layer_styles")}
    database.close()
    assert "buildings" in styled
    assert (yuzhong.root / "maps/yuzhong/base/index.html").stat().st_size > 100_000


def test_elevation_agrees_with_rasterstats(folder: Path, yuzhong_raw: Path) -> None:
    buildings = gpd.read_parquet(folder.parent / "buildings.parquet")
    measured = pd.read_parquet(folder.parent / "measurements.parquet").set_index("building_id")
    large = buildings[buildings["is_housing"] & (buildings.area > 4000)].set_index("building_id")
    with rasterio.open(yuzhong_raw / "dem/srtm_utm48n_30m.tif") as dem:
        stats = zonal_stats(
            large.geometry,
            dem.read(1),
            affine=dem.transform,
            nodata=-32768,
            stats=["mean", "count"],
        )
    whole = np.array([one["mean"] for one in stats], dtype=float)
    ours = measured.loc[large.index, "elevation_m"].to_numpy()
    # rasterstats takes whole cells whose middle is inside; shares of cells differ by a few metres
    assert len(whole) > 10
    assert np.nanmedian(np.abs(whole - ours)) < 2.0


def test_years_storeys_and_names_came_through(folder: Path) -> None:
    buildings = pd.read_parquet(folder.parent / "buildings.parquet")
    named = buildings.set_index("building_name")["construction_year"]
    assert named["张家花园189号"] == 1950
    assert named["王陵基别墅旧址 红楼"] == 1924
    by_origin = buildings["construction_year_origin"].value_counts()
    assert (by_origin["recorded"], by_origin["vague"]) == (14, 2)
    assert buildings["storey_count"].min() > 1


EXAMPLE_ROW = re.compile(
    r"^\| (?P<name>[^|*]+) \| (?P<measured>[\d.]+) [^|]*\| (?P<none>[\d.]+) – (?P<worst>[\d.]+) [^|]*"
    r"\| (?P<need>[\d.]+) \| (?P<weight>[\d.]+) % \| (?P<points>[\d.]+) \|$",
    re.MULTILINE,
)


@pytest.mark.parametrize(
    ("name", "label"), [("README.md", "label_en"), ("README.zh-CN.md", "label_zh")]
)
def test_the_worked_example_holds_by_hand_and_in_the_run(
    name: str, label: str, folder: Path, ranking: pd.DataFrame
) -> None:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    rows = [match.groupdict() for match in EXAMPLE_ROW.finditer(text)]
    building_id = re.search(r"W\d{9}", text)
    assert building_id is not None
    building = ranking.set_index("building_id").loc[building_id.group()]
    criteria = read_settings(REPOSITORY / "config", "yuzhong", "base").score.criteria
    by_label = {getattr(one, label): key for key, one in criteria.items()}
    total = 0.0
    for row in rows:
        told = {key: float(row[key]) for key in ("measured", "none", "worst", "need", "weight")}
        by_hand = (told["measured"] - told["none"]) / (told["worst"] - told["none"])
        assert min(max(by_hand, 0), 1) == pytest.approx(told["need"], abs=3e-4)
        assert told["need"] * told["weight"] == pytest.approx(float(row["points"]), abs=0.005)
        assert building[f"{by_label[row['name']]}_points"] == float(row["points"])
        total += float(row["points"])
    counted = [c for c in ranking.columns if c.endswith("_points") and c != "score_points"]
    assert len(rows) == len(counted)
    assert total == pytest.approx(building["score_points"], abs=1e-9)
    assert f"**{building['score_points']:.3f}**" in text
    assert (ranking["score_points"] > building["score_points"]).sum() == building["rank"] - 1 == 554
    assert [building[c] for c in ("tier_number", "rank_p05", "rank_p95")] == [3, 267, 961]
    assert f"{building['top_share']:.0%}".rstrip("%") == "1"


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_project_by_hand_holds_by_hand_and_in_the_run(
    name: str, folder: Path, ranking: pd.DataFrame
) -> None:
    """Prices, shares and effects as the README says them; measurements and results from the run."""
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    key = "adjacent-W1031567901"
    assert key in text
    table = pd.read_parquet(folder / "plan_projects.parquet").set_index("project_id").loc[key]
    works = pd.read_parquet(folder / "plan_works.parquet")
    works = works[works["project_id"] == key].set_index("works_type")
    quantity, cost = works["works_quantity"], works["cost_cny"]
    soft = 1.11 * 1.05
    by_hand = {
        "environment": quantity["environment"] * 125 * 1.02**2 * soft,
        "management": quantity["management"] * 900 * 1.02,
        "hillside_path": quantity["hillside_path"] * 60_000 * 1.02 * soft,
    }
    assert set(by_hand) == set(works.index)
    for one, amount in by_hand.items():
        assert amount == pytest.approx(cost[one], abs=0.01)
    own = ranking[ranking["project_id"] == key].set_index("building_id")
    full = pd.read_parquet(folder / "building_ranking.parquet").set_index("building_id")
    climb = full.loc[own.index, "main_road_climb_m"]
    need, after = (np.clip((part * climb - 3) / 27, 0, 1) for part in (1.0, 0.8))
    weights = {"slope": 4, "climb": 13, "rail_climb": 3, "rail_walk": 4, "school": 1, "hospital": 2,
               "convenience_shop": 2}  # fmt: skip
    weight = weights["climb"] / sum(weights.values())
    floor = full.loc[own.index, "floor_area_m2"]
    floor = floor.fillna(6 * full.loc[own.index, "footprint_area_m2"])  # six storeys, nobody knows
    size = np.ceil(floor.to_numpy(dtype=float) / 70)  # 70 m² a household
    assert size.sum() == table["household_plan_count"]
    assert float(floor.sum()) == pytest.approx(table["floor_area_plan_m2"], abs=0.01)
    relief = float((size * (need - after)).sum() * weight)
    assert relief == pytest.approx(table["relief_households"], abs=0.01)
    price = json.loads((folder / "plan.ledger.json").read_text("utf-8"))["annual"]
    price = price["households_per_million_cny"]
    million = table["public_cny"] / 1e6
    worth = [
        (relief * 0.97**year, million * (0.6 * price[year] + 0.4 * price[year + 1]))
        for year in (2, 3)
    ]
    assert worth[0][0] - worth[0][1] == pytest.approx(table["replacement_households"], abs=0.01)
    assert worth[0][0] - worth[0][1] > worth[1][0] - worth[1][1]
    assert [table["ready_year"], table["planned_year"]] == [2028, 2028]
    assert [table["package_type"], table["readiness_type"]] == ["improving", "not_asked"]
    assert table["works_count"] == table["works_called_count"]
    said = [
        f"{table['floor_area_plan_m2']:,.2f} m²", f"{table['household_plan_count']} ",
        *(f"| {amount:,.0f} |" for amount in cost), f"{table['cost_cny']:,.0f}",
        f"{table['public_cny']:,.0f}", f"{relief:.2f}", f"{relief / million:.2f}",
        *(f"{one:.2f} − {two:.2f} = {one - two:.2f}" for one, two in worth),
        *(f"{one:.3f}" for one in price[2:]), *(f"{one:.2f}" for one in [*climb, *(0.8 * climb)]),
        *(f"{one:.4f}" for one in [*need, *after, *(need - after)]),
    ]  # fmt: skip
    assert [words for words in said if words not in text] == []


def test_chances_of_money_go_with_the_plan(folder: Path) -> None:
    """All projects wait for a survey until 2028, and the money of two years cannot be spent: that was
    counted as if it could, so that projects were said to be sure that wait for want of money."""
    projects = pd.read_parquet(folder / "plan_projects.parquet")
    is_planned = projects["planned_year"].notna()
    assert 50 < is_planned.sum() < 500
    assert (projects.loc[is_planned, "funded_share"] > 0.05).all()
    assert (projects.loc[~is_planned, "funded_share"] < 0.95).all()
    ledger = json.loads((folder / "plan.ledger.json").read_text(encoding="utf-8"))
    assert ledger["annual"]["bound_agreement_share"] > 0.98


def test_the_terminal_tells_what_a_planner_needs(yuzhong: Project) -> None:
    said = yuzhong.said  # type: ignore[attr-defined]
    for words in ("2,043", "1,878", "渝中区", "data/processed/yuzhong/base", "criteria left out"):
        assert words in said
    assert "\x1b[" not in said


def test_the_priority_list_starts_with_the_district_then_its_top_areas(folder: Path) -> None:
    listed = pd.read_csv(folder / "district_priority.csv", encoding="utf-8-sig")
    assert listed["row_type"].tolist()[0] == "district"
    assert listed["area_rank"].tolist()[1:] == list(range(1, len(listed)))
    assert listed["score_mean_points"].tolist()[1:] == sorted(
        listed["score_mean_points"].tolist()[1:], reverse=True
    )
    assert (listed["ranked_count"] >= 5).all()
    tracks = listed[["ranked_count", "reserve_count", "hazard_count", "excluded_count"]].sum(axis=1)
    assert (tracks == listed["building_count"]).all()
    tiers = listed[[f"tier_{number}_count" for number in range(1, 6)]].sum(axis=1)
    assert (tiers == listed["ranked_count"]).all()
    assert (folder / "district_priority.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_the_brief_and_the_page_of_quality_tell_what_the_lists_tell(
    yuzhong: Project, folder: Path, ranking: pd.DataFrame
) -> None:
    maps = yuzhong.root / "maps" / "yuzhong" / "base"
    (brief_file,) = (maps / "briefs").glob("*.html")
    assert brief_file.stat().st_size <= 300_000
    brief = brief_file.read_text(encoding="utf-8")
    listed = pd.read_csv(folder / "district_priority.csv", encoding="utf-8-sig")
    areas = listed[listed["row_type"] != "district"].head(10)
    shown = re.findall(r"<tr><td[^>]*>(\d+)</td><td[^>]*>([^<]*)</td>", brief)
    assert [name for _, name in shown] == areas["area_name"].to_list()
    assert f"{len(ranking):,} <small>" in brief
    tiers = ranking["tier_number"].value_counts()
    for number in range(1, 6):
        assert f'<td class="number">{tiers[number]:,}</td>' in brief
    quality = (maps / "quality.html").read_text(encoding="utf-8")
    rejects = pd.read_csv(folder / "rejects.csv", encoding="utf-8-sig")
    defaults = (rejects["reason_code"] == "mapping_default").sum()
    assert f'<td class="number">{defaults:,}</td>' in quality
    some = int((ranking["stand_in_count"] > 0).sum())
    assert f"{some:,} 栋（" in quality
    assert "GB 50180-2018: a 5-minute walk is 300 m" in quality
