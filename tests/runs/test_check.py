"""``make check CITY=…``: what is wrong is named with evidence, what is right is not accused."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely

from pipeline.check.facts import heights_in_feet
from pipeline.check.layers import NAME_OF_AREA, OUTLINES, Layer, layer_of
from pipeline.check.misplaced import Misplaced
from pipeline.check.placing import misplaced_layers
from pipeline.check.readings import declared_reading, placed
from pipeline.geo.datum import bd09_from_gcj02, gcj02_from_wgs84, into_working_crs
from pipeline.geo.raster import Floats
from pipeline.settings.whole import Settings
from pipeline.store.configuration import read_settings
from pipeline.store.sources import read_sources
from tests.conftest import REPOSITORY, Project

UTM = "EPSG:32648"


def _layers(raw: Path, settings: Settings) -> list[Layer]:
    chosen = {
        name: source for name, source in settings.sources.items() if source.format != "geotiff"
    }
    read = read_sources(raw, chosen, settings.city.crs, settings.intake.region_margin_m)
    found = [layer_of(name, chosen[name], read[name]) for name in sorted(chosen)]
    return [layer for layer in found if layer is not None]


@pytest.fixture(scope="session")
def yuzhong(yuzhong_raw: Path) -> list[Layer]:
    return _layers(yuzhong_raw, read_settings(REPOSITORY / "config", "yuzhong", "base"))


@pytest.fixture(scope="session")
def built_in(tmp_path_factory: pytest.TempPathFactory) -> list[Layer]:
    from pipeline.reference.city import make_city
    from pipeline.reference.write import read_settings as reference_settings

    folder = tmp_path_factory.mktemp("built_in")
    chosen = reference_settings(REPOSITORY / "config" / "reference.yaml")
    chosen = chosen.model_copy(update={"scale": 0.1})
    make_city(chosen, folder / "raw", folder / "truth", lambda line: None)
    return _layers(folder / "raw", read_settings(REPOSITORY / "config", "reference", "base"))


def _declared(layers: list[Layer], name: str, **told: str) -> list[Layer]:
    """Return the layers with another declaration of one."""
    return [
        replace(one, source=one.source.model_copy(update=told)) if one.name == name else one
        for one in layers
    ]


def _bent(layers: list[Layer], names: set[str], *, twice: bool = False) -> list[Layer]:
    """Return layers whose degrees were bent to GCJ-02, or BD-09, while the profile says WGS-84."""

    def bend(xy: Floats) -> Floats:
        x, y = gcj02_from_wgs84(xy[:, 0], xy[:, 1])
        return np.column_stack(bd09_from_gcj02(x, y) if twice else (x, y))

    return [
        replace(
            one, shapes=shapely.transform(one.shapes, bend),
            roadside=shapely.transform(one.roadside, bend),
        ) if one.name in names else one
        for one in layers
    ]  # fmt: skip


def _told(found: list[Misplaced]) -> dict[str, str]:
    return {
        one.source_name: one.better.differs_from(one.declared) if one.better else "?"
        for one in found
    }


def test_right_layers_are_not_accused(yuzhong: list[Layer], built_in: list[Layer]) -> None:
    assert not misplaced_layers(yuzhong, UTM)
    assert not misplaced_layers(built_in, UTM)


@pytest.mark.parametrize("name", ["streets_walk", "streets_drive", "shops_and_sights"])
def test_a_bent_layer_of_the_real_district_is_named(name: str, yuzhong: list[Layer]) -> None:
    (found,) = misplaced_layers(_bent(yuzhong, {name}), UTM)
    assert _told([found]) == {name: "datum: gcj02"}
    assert found.better_share > found.share
    assert found.move_m == pytest.approx(480, abs=20)  # GCJ-02's offset in central Chongqing
    assert _told(misplaced_layers(_bent(yuzhong, {name}, twice=True), UTM)) == {name: "datum: bd09"}


def test_bent_footprints_are_named_and_not_everything_else(yuzhong: list[Layer]) -> None:
    both = {"buildings", "buildings_as_facilities"}  # one file
    assert _told(misplaced_layers(_bent(yuzhong, both), UTM)) == {"buildings": "datum: gcj02"}
    wrong = _declared(yuzhong, "buildings", datum="gcj02")
    assert _told(misplaced_layers(wrong, UTM)) == {"buildings": "datum: wgs84"}


def _redrawn(layers: list[Layer], name: str, change: Callable[[Floats], Floats]) -> list[Layer]:
    return [
        replace(one, shapes=shapely.transform(one.shapes, change)) if one.name == name else one
        for one in layers
    ]


def test_layers_moved_by_a_constant_or_mirrored_are_named(yuzhong: list[Layer]) -> None:
    """0.0031° are 300 m east at 29.55° N; who moves the footprints moves them against all streets."""
    name, move = "streets_walk", np.array([0.0031, 0.0])
    east = {"streets_walk": "moved by 300 m west and", "streets_drive": "moved by 300 m west and"}
    (found,) = misplaced_layers(_redrawn(yuzhong, name, lambda xy: xy + move), UTM)
    assert _told([found])[name].startswith(east[name])
    assert found.move_m == pytest.approx(300, abs=10) and found.or_else == ("buildings",)
    assert found.better_share > 0.99 > found.share
    back = _told(misplaced_layers(_redrawn(yuzhong, "buildings", lambda xy: xy + move), UTM))
    assert {key: text[:21] for key, text in back.items()} == dict.fromkeys(
        east, "moved by 300 m east a"
    )
    west, south, right, north = shapely.total_bounds(
        next(one for one in yuzhong if one.name == name).shapes
    )
    for sign, around, said in (
        ((-1, 1), (west + right, 0), "mirrored east-west"),
        ((1, -1), (0, south + north), "mirrored north-south"),
        ((-1, 1), (0, 0), "mirrored east-west"),
    ):
        turned = _redrawn(yuzhong, name, lambda xy, s=sign, a=around: xy * s + a)
        assert _told(misplaced_layers(turned, UTM)) == {name: said}


def test_the_built_in_citys_bent_facilities_are_named(built_in: list[Layer]) -> None:
    wrong = _declared(built_in, "amenities", datum="wgs84")
    assert _told(misplaced_layers(wrong, UTM)) == {"amenities": "datum: gcj02"}
    for names in ({"streets", "stops_and_stations"}, {"housing_register"}):  # one file, and another
        found = misplaced_layers(_bent(built_in, names), UTM)
        assert _told(found) == dict.fromkeys(names, "datum: gcj02")
    wrong = _declared(built_in, "footprints", datum="gcj02")
    assert _told(misplaced_layers(wrong, UTM)) == {"footprints": "datum: wgs84"}


def _bus_stops(roads: Layer, count: int, seed: int = 4) -> Layer:
    """Return stops as a bureau lists them: at the kerb, now left, now right of a drivable road."""
    random = np.random.default_rng(seed)
    lines = shapely.transform(roads.roadside, lambda xy: placed(xy, declared_reading(roads), UTM))
    chosen = random.choice(lines, count)
    kerb = [
        shapely.get_coordinates(shapely.line_interpolate_point(one, 0.4, normalized=True))[0]
        for one in chosen
    ]
    at = np.array(kerb) + random.normal(0, 4, (count, 2))
    longitude, latitude = into_working_crs(
        at[:, 0], at[:, 1], datum="wgs84", crs=UTM, working_crs="EPSG:4326"
    )
    stops = shapely.points(longitude, latitude)
    source = roads.source.model_copy(
        update={"role": "amenities", "path": "公交站.csv", "format": "csv"}
    )
    return Layer("bus_stops", source, "points", stops, stops)


def _as(layers: list[Layer], name: str, datum: str, *, bent: bool = False) -> dict[str, str]:
    """Return what is told when one layer, bent or not, is declared in a datum."""
    changed = _bent(layers, {name}) if bent else layers
    return _told(misplaced_layers(_declared(changed, name, datum=datum), UTM))


def test_bus_stops_are_placed_by_the_drivable_roads(
    yuzhong: list[Layer], built_in: list[Layer]
) -> None:
    for layers, streets, count in ((yuzhong, "streets_drive", 60), (built_in, "streets", 400)):
        roads = next(one for one in layers if one.name == streets)
        stops = [*layers, _bus_stops(roads, count)]
        assert _as(stops, "bus_stops", "wgs84") == {}
        assert _as(stops, "bus_stops", "gcj02", bent=True) == {}
        assert _as(stops, "bus_stops", "wgs84", bent=True) == {"bus_stops": "datum: gcj02"}
        assert _as(stops, "bus_stops", "bd09", bent=True) == {"bus_stops": "datum: gcj02"}
        assert _as(stops, "bus_stops", "gcj02") == {"bus_stops": "datum: wgs84"}


def test_five_and_twenty_stops_tell_their_datum_and_right_ones_are_not_accused(
    yuzhong: list[Layer],
) -> None:
    names = "buildings", "streets_drive"
    part = [one for one in yuzhong if one.name in names]
    for seed in range(4):
        stops = _bus_stops(part[1], 25, seed)
        assert _as([*part, stops], "bus_stops", "wgs84", bent=True) == {"bus_stops": "datum: gcj02"}
        assert _as([*part, stops], "bus_stops", "wgs84") == {}
        # five are too few to tell
        assert _as([*part, _bus_stops(part[1], 5, seed)], "bus_stops", "wgs84", bent=True) == {}


@pytest.mark.parametrize("tolerance_m", [50, 200])
def test_a_boundary_drawn_roughly_is_no_boundary_drawn_elsewhere(
    tolerance_m: float, yuzhong: list[Layer]
) -> None:
    rough = [
        replace(one, shapes=shapely.simplify(one.shapes, tolerance_m / 100_000))
        if one.name == "boundary" else one
        for one in yuzhong if one.name in ("buildings", "boundary")
    ]  # fmt: skip
    assert _as(rough, "boundary", "wgs84") == {}
    assert _as(rough, "boundary", "wgs84", bent=True) == {"boundary": "datum: gcj02"}


def test_a_bent_boundary_is_told_by_the_footprints_that_it_cuts_off(yuzhong: list[Layer]) -> None:
    (found,) = misplaced_layers(_bent(yuzhong, {"boundary"}), UTM)
    assert _told([found]) == {"boundary": "datum: gcj02"}
    assert found.share < 0.9 and found.better_share > 0.99
    assert _as(yuzhong, "boundary", "gcj02") == {"boundary": "datum: wgs84"}
    assert _as(yuzhong, "boundary", "gcj02", bent=True) == {}


def test_no_right_boundary_is_accused_whatever_part_of_the_footprints_it_holds(
    yuzhong: list[Layer],
) -> None:
    random = np.random.default_rng(3)
    footprints = next(one for one in yuzhong if one.kind == OUTLINES)
    places = shapely.centroid(footprints.shapes)
    boundary = next(one for one in yuzhong if one.name == "boundary")
    for _ in range(30):
        centre = places[random.integers(len(places))]
        outline = centre.buffer(random.uniform(0.004, 0.02), quad_segs=int(random.integers(1, 5)))
        layers = [replace(boundary, shapes=np.array([outline], dtype=object)), footprints]
        assert not misplaced_layers(layers, UTM)
        held = footprints.part(shapely.intersects(outline, footprints.shapes))
        assert not misplaced_layers([layers[0], held], UTM)


@pytest.mark.parametrize("name", ["districts", "subdistricts", "communities"])
def test_bent_districts_are_told_by_names_and_by_the_other_borders(
    name: str, built_in: list[Layer]
) -> None:
    assert _as(built_in, name, "wgs84", bent=True) == {name: "datum: gcj02"}
    assert _as(built_in, name, "gcj02") == {name: "datum: wgs84"}
    alone = [one for one in built_in if one.source.role not in NAME_OF_AREA or one.name == name]
    if name != "districts":  # the register names subdistrict and community
        assert _as(alone, name, "wgs84", bent=True) == {name: "datum: gcj02"}
    assert _as(alone, name, "wgs84") == {}


def test_all_outlines_bent_alike_are_told_by_the_registers_names(built_in: list[Layer]) -> None:
    names = {"districts", "subdistricts", "communities"}
    found = _told(misplaced_layers(_bent(built_in, names), UTM))
    assert found == dict.fromkeys(names, "datum: gcj02")


def test_swapped_axes_feet_zones_and_degrees_are_named(yuzhong: list[Layer]) -> None:
    def changed(change: object, **told: str) -> dict[str, str]:
        layers = [
            replace(one, shapes=shapely.transform(one.shapes, change))
            if one.name == "shops_and_sights" else one
            for one in yuzhong
        ]  # fmt: skip
        return _told(misplaced_layers(_declared(layers, "shops_and_sights", **told), UTM))

    source = next(one for one in yuzhong if one.name == "shops_and_sights")

    def metres(xy: Floats) -> Floats:
        return placed(xy, declared_reading(source), UTM)

    name = "shops_and_sights"
    assert changed(lambda xy: xy[:, ::-1]) == {name: "axes exchanged"}
    assert changed(lambda xy: metres(xy) / 0.3048, crs=UTM) == {name: "feet taken as metres"}
    assert changed(metres, crs="EPSG:32649") == {name: "crs: EPSG:32648"}
    assert changed(metres, crs="EPSG:4326") == {name: "crs: EPSG:32648"}
    assert changed(lambda xy: xy, crs=UTM) == {name: "crs: EPSG:4326 (degrees taken as metres)"}
    assert changed(lambda xy: xy + 40) == {name: "?"}


def test_no_right_layer_is_accused_in_a_hundred_parts_of_both_cities(
    yuzhong: list[Layer], built_in: list[Layer]
) -> None:
    random = np.random.default_rng(8)
    for layers in (yuzhong, built_in):
        at = {
            one.name: placed(
                shapely.get_coordinates(shapely.point_on_surface(one.shapes)),
                declared_reading(one), UTM,
            )
            for one in layers
        }  # fmt: skip
        footprints = next(one for one in layers if one.kind == OUTLINES)
        large = [one.name for one in layers if one.kind != "borders" and len(one.shapes) >= 200]
        for number in range(50):
            centre = at[footprints.name][random.integers(len(footprints.shapes))]
            gap = {name: np.abs(points - centre).max(axis=1) for name, points in at.items()}
            wanted = gap[large[number % len(large)]]
            half = np.sort(wanted)[min(int(random.integers(200, 600)), len(wanted)) - 1]
            part = [
                one.part(gap[one.name] <= half) for one in layers if (gap[one.name] <= half).any()
            ]
            assert not misplaced_layers(part, UTM), (number, centre, half)


def test_heights_in_feet_are_told(yuzhong: list[Layer]) -> None:
    from tests.minitown import formats

    table = formats.buildings()
    from pipeline.contracts.raw import FeatureTable

    fields = table.drop(columns="geometry").assign(
        高度=[str(3 * 5 * 3.28084)] * len(table), 层数="5"
    )
    source = yuzhong[0].source.model_copy(
        update={"columns": {"height_m": ["高度"], "storey_count": ["层数"]}}
    )
    raw = FeatureTable(fields, table.geometry.to_numpy())
    assert heights_in_feet(source, raw) == pytest.approx(9.84, abs=0.01)
    fields = fields.assign(高度=str(3.0 * 5))
    assert heights_in_feet(source, FeatureTable(fields, raw.shapes)) is None


def _check(project: Project) -> tuple[int, str, str]:
    result = project.run("check", "--city", "minitown")
    assert "Traceback" not in result.stderr
    return result.returncode, result.stdout + result.stderr, result.stderr


def test_a_sound_town_passes_and_nothing_but_the_page_is_written(project: Project) -> None:
    code, said, _ = _check(project)
    assert code == 0, said
    # by hand: a twin, a kiosk, an open ring and a house far off; five times "many", four times 9999
    assert "A ranking can be made, but data was lost on the way" in said
    assert "buildings: 33 of 37 rows used, 4 left out (11%)" in said
    assert "storey_count: 20 values in the rows used, 15 taken, 5 lost (25%)" in said
    assert "unreadable number 5, e.g. row way/105: many" in said
    assert "26 values in the rows used, 22 taken, 4 lost (15%): impossible year 4" in said
    assert list(project.outputs()) == ["data/processed/minitown/check.html"]
    page = project.outputs()["data/processed/minitown/check.html"].decode()
    assert "<svg" in page
    assert "same footprint twice" in page
    assert "remove the copy" in page
    assert "CC0" in page
    assert "&lt;img" in page or "<img src=x" not in page
    assert "<script" not in page
    _, _, _ = _check(project)
    assert project.outputs()["data/processed/minitown/check.html"].decode() == page


def test_a_layer_elsewhere_or_unmet_totals_fail_with_one(project: Project) -> None:
    file = project.raw / "pois.json"
    reply = json.loads(file.read_text("utf-8"))
    for one in reply["elements"][1:]:  # were all of them elsewhere, the run would stop
        one["lon"], one["lat"] = one["lat"], one["lon"] % 90
    file.write_text(json.dumps(reply), "utf-8")
    text = "  note_en: for tests\n"
    expected = "  expected: {ranked_building_count: 500}\n"
    project.edit("config/cities/minitown.yaml", text, text + expected)
    code, said, _ = _check(project)
    assert code == 1
    assert "A ranking made now would be wrong" in said
    assert "sources.pois" in said
    assert "the profile expects 500" in said


def test_files_that_cannot_be_read_fail_with_two_and_all_are_told(project: Project) -> None:
    for name in ("pois.json", "streets.json"):
        (project.raw / name).write_bytes((project.raw / name).read_bytes()[:100])
    shutil.copy(project.raw / "pois.json", project.raw / "terrain.tif")
    code, said, _ = _check(project)
    assert code == 2
    for name in ("pois.json", "streets.json", "terrain.tif"):
        assert name in said
