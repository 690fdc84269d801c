"""``make years-eval`` on dirty, foreign and hopeless files."""

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from tests.conftest import Project

COUNT = 900


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    found = Project(tmp_path_factory.mktemp("judged") / "project")
    # many small fits: fewer trees say the same of towns as plain as these
    found.edit("config/default.yaml", "tree_count: 80", "tree_count: 15")
    return found


def town() -> gpd.GeoDataFrame:
    """Houses on a grid near Utrecht; deeper ones are newer, and so are those in the east."""
    rng = np.random.default_rng(8)
    column, row = np.divmod(np.arange(COUNT), 30)
    year = np.floor(1900 + column + 60 * rng.random(COUNT))
    depth = 6 + (year - 1900) / 10
    east, north = 136_000 + 120.0 * column, 455_000 + 120.0 * row
    shapes = [shapely.box(x, y, x + 9, y + d) for x, y, d in zip(east, north, depth, strict=True)]
    fields = {"bouwjaar": year, "wijk": np.where(column < 15, "West", "Oost")}
    return gpd.GeoDataFrame(fields, geometry=shapes, crs="EPSG:28992")


def judged(project: Project, frame: gpd.GeoDataFrame, name: str, *options: str) -> str:
    path = project.root / name
    frame.to_parquet(path)
    found = project.run_in_copy("years-eval", "--file", str(path), "--year", "bouwjaar", *options)
    assert found.returncode == 0, found.stderr
    page = project.root / "data" / "processed" / "years_eval" / path.stem / "index.html"
    assert "<script" not in page.read_text(encoding="utf-8")
    return found.stdout


def test_form_tells_the_year_and_that_is_said(project: Project) -> None:
    said = judged(project, town(), "good.parquet", "--group", "wijk")
    assert f"rows {COUNT}, used {COUNT}" in said
    assert "worth it" in said and "not worth it" not in said


def test_each_pattern_of_gaps_is_judged_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pipeline.command.years_eval import evaluate
    from pipeline.command.years_gaps import gap_table, show_gaps
    from pipeline.store.configuration import read_settings
    from tests.conftest import REPOSITORY

    settings = read_settings(REPOSITORY / "config", "reference", "base")
    years = settings.measure.years
    model = years.model.model_copy(update={"tree_count": 5, "fold_count": 2})
    rule = settings.measure.model_copy(update={"years": years.model_copy(update={"model": model})})
    path = tmp_path / "town.parquet"
    town().to_parquet(path)
    found = evaluate(path, "bouwjaar", "wijk", settings.model_copy(update={"measure": rule}))
    gaps = gap_table(found, 1)
    # two districts are too few to hide whole ones
    assert list(gaps["gap_pattern"]) == ["random", "squares", "quarters", "publishers"]
    assert gaps["held_share"].between(0.8, 1).all() and gaps["deal_number"].eq(1).all()
    assert (gaps["chance_error_by_luck"] < gaps["chance_error_by_luck_p95"]).all()
    assert (gaps["groups_in_block_band_count"] >= gaps["groups_in_band_count"]).all()
    assert gaps["hidden_block_count"].iloc[0] == COUNT, "one by one, each is a block"
    show_gaps(gaps)
    said = capsys.readouterr().out
    assert all(name in said for name in gaps["gap_pattern"])


def test_years_by_lot_are_not_worth_it(project: Project) -> None:
    frame = town()
    frame["bouwjaar"] = np.random.default_rng(1).permutation(frame["bouwjaar"])
    assert "not worth it" in judged(project, frame, "lot.parquet")


def test_dirt_is_counted_and_a_restated_year_is_left_aside(project: Project) -> None:
    frame = town().to_crs("EPSG:4326")
    year = frame["bouwjaar"].astype(int).astype(str).astype(object)
    year[:10], year[10:20], year[20:30], year[30:40], year[40:50] = "0", "9999", "194", None, "oud"
    shapes = list(frame.geometry)
    shapes[100], shapes[101], shapes[102] = None, shapely.Polygon(), shapes[103]
    shapes[104] = shapely.force_3d(shapes[104])
    shapes[105] = shapes[105].centroid
    frame = frame.assign(
        bouwjaar=year,
        renovatie=frame["bouwjaar"] + 1,
        volgorde=frame["bouwjaar"].rank(method="first"),
        kleur="<img src=x onerror=alert(1)>",
    ).set_geometry(gpd.GeoSeries(shapes, crs="EPSG:4326"))
    said = judged(project, frame, "dirty.parquet")
    assert (
        "rows 900, impossible year 30, no usable shape 2, no year 10, not one year 10, "
        "same shape as an earlier row 1, used 847" in said
    )
    page = (project.root / "data/processed/years_eval/dirty/index.html").read_text("utf-8")
    assert "renovatie" in page and "volgorde" in page and "restates the year" in page
    assert "<img" not in page


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda f: f.head(150), "too few"),
        (lambda f: f.assign(bouwjaar="?"), "no row has both"),
        (lambda f: f.drop(columns="bouwjaar"), "has no column 'bouwjaar'"),
        (lambda f: f.set_geometry(gpd.GeoSeries([None] * len(f), crs=f.crs)), "no coordinates"),
    ],
)
def test_what_cannot_be_judged_ends_in_one_message(
    project: Project, change: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame], expected: str
) -> None:
    path = project.root / "bad.parquet"
    change(town()).to_parquet(path)
    found = project.run_in_copy("years-eval", "--file", str(path), "--year", "bouwjaar")
    assert found.returncode == 2
    assert expected in found.stderr and "Traceback" not in found.stderr


@pytest.mark.parametrize("content", [b"", b"no file of footprints", b"PK\x03\x04 cut"])
def test_what_is_no_file_of_footprints_says_so(
    project: Project, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "broken.gpkg"
    path.write_bytes(content)
    found = project.run_in_copy("years-eval", "--file", str(path), "--year", "x")
    assert found.returncode == 2
    assert "broken.gpkg: this is" in found.stderr and "expected" in found.stderr
    assert "Traceback" not in found.stderr


def test_the_same_page_from_rows_in_another_order(project: Project) -> None:
    frame = town()
    pages = []
    for turned in (frame, frame.sample(frac=1, random_state=2).reset_index(drop=True)):
        judged(project, turned, "order.parquet")
        pages.append((project.root / "data/processed/years_eval/order/index.html").read_bytes())
    assert pages[0] == pages[1]


def test_where_only_neighbours_tell_the_mixture_is_no_worse_than_they(project: Project) -> None:
    """A model that trusts coordinates or noise too far would lose to the ten nearest."""
    rng = np.random.default_rng(4)
    frame = town()
    east, north = frame.centroid.x / 700, frame.centroid.y / 900
    year = np.floor(1930 + 40 * np.sin(east) * np.cos(north) + rng.normal(0, 6, COUNT))
    frame = frame.assign(bouwjaar=year, hoogte=rng.normal(9, 3, COUNT))
    said = judged(project, frame.set_geometry(frame.centroid), "points.parquet")
    blocked = {
        line.split("│")[1].strip(): float(line.split("│")[2])
        for line in said.splitlines()
        if line.startswith("│")
    }
    assert blocked["this method"] <= 1.03 * blocked["10 nearest"]
    assert "Points without outlines" in said


@pytest.mark.parametrize("kind", ["wkt", "degrees", "metres", "layers", "plain"])
def test_tables_with_shapes_or_places_and_files_of_several_layers_are_read(
    tmp_path: Path, kind: str
) -> None:
    from pipeline.store.footprint_files import read_footprint_file

    frame = town().head(20)
    path = tmp_path / {"layers": "a.gpkg", "plain": "a.parquet"}.get(kind, "a.csv")
    table = pd.DataFrame(frame.drop(columns="geometry"))
    if kind == "wkt":
        table.assign(WKT=frame.to_wkt()["geometry"]).to_csv(path, index=False)
    elif kind == "degrees":
        middle = frame.centroid.to_crs("EPSG:4326")
        table.assign(lon=middle.x, lat=middle.y).to_csv(path, index=False)
    elif kind == "metres":
        table.assign(X=frame.centroid.x, Y=frame.centroid.y).to_csv(path, index=False, sep=";")
    elif kind == "layers":
        frame.head(1).to_file(path, layer="a_note")
        frame.to_file(path, layer="houses")
    else:
        table.assign(geometry=frame.to_wkb()["geometry"]).to_parquet(path)
    found = read_footprint_file(path)
    assert len(found) == 20
    assert {"bouwjaar", "wijk"} <= set(found.columns)
    assert found.geometry.notna().all()


def test_years_are_read_from_dates_spans_and_numbers_as_files_write_them() -> None:
    from pipeline.command.years_file import known_years
    from pipeline.store.configuration import read_settings
    from tests.conftest import REPOSITORY

    rule = read_settings(REPOSITORY / "config", "reference", "base").intake.years
    said = [
        "1950-03-01T00:00:00",
        "01/06/1961",
        "1970-1979",
        "1985.0",
        "19920315",
        "--01-01",
        "?",
        "0",
    ]
    frame = town().head(len(said)).assign(bouwjaar=said)
    found = known_years(frame, "x", "bouwjaar", "", rule)
    assert sorted(found.year.tolist()) == [1950, 1961, 1974, 1985, 1992]
    assert any("span of years" in english for _, english in found.notes)


def test_of_a_shape_that_stands_twice_the_row_with_a_year_counts() -> None:
    from pipeline.command.years_file import known_years
    from pipeline.store.configuration import read_settings
    from tests.conftest import REPOSITORY

    rule = read_settings(REPOSITORY / "config", "reference", "base").intake.years
    frame = town().iloc[[0, 0, 1, 2]].assign(bouwjaar=["", "1931", "1941", "1951"])
    found = known_years(frame, "x", "bouwjaar", "", rule)
    assert sorted(found.year.tolist()) == [1931, 1941, 1951]
    assert found.told["no year"] == 1


def test_pandas_reads_the_years_of_dates() -> None:
    from pipeline.command.years_file import known_years
    from pipeline.store.configuration import read_settings
    from tests.conftest import REPOSITORY

    rule = read_settings(REPOSITORY / "config", "reference", "base").intake.years
    frame = town().head(3).assign(bouwjaar=pd.to_datetime(["1950-03-01", None, "1999-12-31"]))
    found = known_years(frame, "x", "bouwjaar", "", rule)
    assert sorted(found.year.tolist()) == [1950, 1999]
