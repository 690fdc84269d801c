"""Terrain models as offices send them: scaled, without nodata, turned, or no terrain at all."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning
from rasterio.transform import Affine

from pipeline.geo.raster import Raster, bilinear
from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.store.looks import look_into
from pipeline.store.sources import read_source
from pipeline.store.study_area import StudyArea
from tests import crs_town

AREA = StudyArea(crs_town.CRS)
PLANE = crs_town.ground_m()
WEST, NORTH = crs_town.WEST - 150, crs_town.SOUTH + crs_town.SIZE_M + 150
"""The north-west corner; the ground is 200 m + 0.15 m per metre north of SOUTH."""


def read(folder: Path, *more: str, **changes: object) -> Raster:
    whole = {
        "path": "dem.tif", "more_paths": list(more), "role": "terrain", "format": "geotiff",
        "datum": "wgs84", "crs": crs_town.CRS, "encoding": None, "publisher": "x", "licence": "x",
        "attribution": "x", "date": "2026",
    }  # fmt: skip
    found = read_source(folder, "terrain", Source.model_validate(whole | changes), AREA)
    assert isinstance(found, Raster)
    return found


def height_at(raster: Raster, north_m: float) -> float:
    x, y = np.array([crs_town.WEST + 200.0]), np.array([crs_town.SOUTH + north_m])
    return float(bilinear(raster, x, y)[0])


@pytest.mark.parametrize("mark", [-1.0, -99.0, 0.0])
def test_a_plateau_of_a_usual_mark_is_not_taken_for_ground(mark: float, tmp_path: Path) -> None:
    """Some 60 of the ground's cells hold a number that offices write for empty, undeclared."""
    holed = PLANE.copy()
    holed[10:18, 10:18] = mark
    crs_town.write_terrain(tmp_path / "dem.tif", holed)
    with pytest.raises(Problem, match=f"holds {mark:g} in .* of its cells"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("values", "told"),
    [((PLANE * 10).astype(np.int16), {"scales": (0.1,)}),
     (((PLANE + 500) * 10).astype(np.uint16), {"scales": (0.1,), "offsets": (-500.0,)}),
     ((PLANE * 10).astype(np.int32), {"units": ("dm",)}),
     ((PLANE * 100).astype(np.int32), {"units": ("cm",)}),
     ((PLANE * 100).astype(np.int32), {"scales": (0.1,), "units": ("分米",)}),
     (PLANE.astype(np.float64), {"units": ("metre",), "crs": "EPSG:32648+5773"}),
     (PLANE, {"crs": None})],
)  # fmt: skip
def test_scale_offset_and_unit_are_honoured(
    values: np.ndarray, told: dict[str, Any], tmp_path: Path
) -> None:
    crs_town.write_terrain(tmp_path / "dem.tif", values, **told)
    assert height_at(read(tmp_path), 400.0) == pytest.approx(260.0, abs=0.1)
    (look,), _ = look_into(tmp_path)
    assert not look.not_terrain and look.values is not None
    assert look.values[0] == pytest.approx(float(PLANE.min()), abs=0.1)


@pytest.mark.parametrize("empty", [0, -9999, 32767, -32768, 3.4028234663852886e38, 9999, -99999])
def test_an_undeclared_empty_value_is_named_and_counts_once_stated(
    empty: float, tmp_path: Path
) -> None:
    values = PLANE.copy()
    values[:9, :20] = empty
    crs_town.write_terrain(tmp_path / "dem.tif", values)
    share = 180 / values.size
    with pytest.raises(Problem, match=rf"holds .* in {share:.1%} of its cells") as told:
        read(tmp_path)
    assert f"sources.terrain.nodata: {float(np.float32(empty))!r}" in told.value.fix
    assert f"{float(np.float32(empty)):.9g}" in told.value.found
    raster = read(tmp_path, nodata=float(empty))
    assert np.isnan(raster.values).sum() == 180
    (look,), _ = look_into(tmp_path)
    assert look.nodata == float(np.float32(empty)) and not look.not_terrain


def test_real_shores_cliffs_and_towers_raise_no_alarm(tmp_path: Path) -> None:
    shore = np.maximum(PLANE - 230, 0)
    cliff = np.where(PLANE > 240, PLANE + 60, PLANE)
    tower = PLANE + np.where(np.indices(PLANE.shape).sum(axis=0) == 77, 120, 0)
    for values in (shore, cliff, tower.astype(np.float32), np.full_like(PLANE, 12.0)):
        crs_town.write_terrain(tmp_path / "dem.tif", values)
        assert np.array_equal(read(tmp_path).values, values)


def test_spikes_and_heights_in_decimetres_stop_the_run(tmp_path: Path) -> None:
    values = PLANE.copy()
    values[40, 40] = 6000
    crs_town.write_terrain(tmp_path / "dem.tif", values)
    with pytest.raises(Problem, match=r"holds 6000 in 0.01\d*% of its cells, 5,7\d\d m off"):
        read(tmp_path)
    crs_town.write_terrain(tmp_path / "dem.tif", PLANE * 10)
    with pytest.raises(Problem, match=r"rises by 1\.5 m a metre"):
        read(tmp_path, nodata=-1.0)
    (look,), _ = look_into(tmp_path)
    assert "rises by 1.5 m a metre" in look.not_terrain


@pytest.mark.parametrize("vertical", ["EPSG:32648+6360", "EPSG:32648+8228"])
def test_a_vertical_crs_in_feet_counts_as_feet(vertical: str, tmp_path: Path) -> None:
    crs_town.write_terrain(tmp_path / "dem.tif", PLANE / np.float32(0.3048), crs=vertical)
    with pytest.raises(Problem, match="heights are in feet"):
        read(tmp_path)
    crs_town.write_terrain(tmp_path / "dem.tif", PLANE, units=("fathom",))
    with pytest.raises(Problem, match="its heights are in 'fathom'"):
        read(tmp_path)


def picture(bands: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, (bands, 90, 90)).astype(np.uint8)


def test_pictures_are_no_terrain(tmp_path: Path) -> None:
    path = tmp_path / "dem.tif"
    for bands, photometric in ((3, "RGB"), (4, "RGB"), (3, "MINISBLACK"), (1, "PALETTE")):
        crs_town.write_terrain(path, picture(bands), photometric=photometric)
        if photometric == "PALETTE":
            with rasterio.open(path, "r+") as file:
                file.write_colormap(1, {n: (n, 0, 0, 255) for n in range(256)})
        with pytest.raises(Problem, match=r"picture|bands of"):
            read(tmp_path)
        (look,), _ = look_into(tmp_path)
        assert look.not_terrain
    heights = np.stack([PLANE, np.full_like(PLANE, 255)])
    crs_town.write_terrain(path, heights)
    with rasterio.open(path, "r+") as file:
        file.colorinterp = (ColorInterp.gray, ColorInterp.alpha)
    assert height_at(read(tmp_path), 400.0) == pytest.approx(260.0)


def test_a_model_that_is_turned_or_has_oblong_cells_is_read(tmp_path: Path) -> None:
    path = tmp_path / "dem.tif"
    south = crs_town.SOUTH - 150
    crs_town.write_terrain(path, PLANE[::-1], transform=Affine(10, 0, WEST, 0, 10, south))
    assert np.array_equal(read(tmp_path).values, PLANE)
    crs_town.write_terrain(
        path, PLANE[:, ::-1], transform=Affine(-10, 0, WEST + 900, 0, -10, NORTH)
    )
    assert np.array_equal(read(tmp_path).values, PLANE)
    oblong = crs_town.ground_m(cell=5.0)[:, ::4]
    crs_town.write_terrain(path, oblong, transform=Affine(20, 0, WEST, 0, -5, NORTH))
    assert height_at(read(tmp_path), 400.0) == pytest.approx(260.0, abs=0.05)
    angle = np.radians(20)
    turned = (
        Affine.translation(WEST + 100, NORTH - 50) @ Affine.rotation(-20) @ Affine.scale(10, -10)
    )
    rows, columns = np.indices((90, 90)) + 0.5
    north = NORTH - 50 - 10 * columns * np.sin(angle) - 10 * rows * np.cos(angle) - crs_town.SOUTH
    crs_town.write_terrain(path, (200 + 0.15 * north).astype(np.float32), transform=turned)
    assert height_at(read(tmp_path), 200.0) == pytest.approx(230.0, abs=0.05)
    with pytest.warns(NotGeoreferencedWarning):
        crs_town.write_terrain(path, transform=Affine.identity())
    with pytest.raises(Problem, match="its cells have no position"):
        read(tmp_path)


def test_tiles_lie_side_by_side_or_agree(tmp_path: Path) -> None:
    flat = np.full_like(PLANE, 200)
    for path, values, left in (
        ("dem.tif", PLANE[:, :46], 0), ("east.tif", PLANE[:, 44:], 44), ("flat.tif", flat[:, 30:], 30),
    ):  # fmt: skip
        grid = Affine(10, 0, WEST + left * 10, 0, -10, NORTH)
        crs_town.write_terrain(tmp_path / path, values, transform=grid)
    assert np.array_equal(read(tmp_path, "east.tif").values, PLANE)
    with pytest.raises(Problem, match=r"flat\.tif: lies over other files of this terrain in 27%"):
        read(tmp_path, "flat.tif")
    crs_town.write_terrain(tmp_path / "flat.tif", np.full((45, 45), 200, dtype=np.float32))
    with pytest.raises(Problem, match="lies over other files of this terrain"):
        read(tmp_path, "flat.tif")


@pytest.mark.parametrize("shape", [(1, 90), (90, 1), (2, 90)])
def test_a_strip_is_no_terrain(shape: tuple[int, int], tmp_path: Path) -> None:
    grid = Affine(10, 0, WEST, 0, -10, NORTH)
    crs_town.write_terrain(tmp_path / "dem.tif", PLANE[: shape[0], : shape[1]], transform=grid)
    with pytest.raises(Problem, match=rf"has {shape[0]} × {shape[1]} cells"):
        read(tmp_path)


def test_small_integers_and_fractions_with_gaps_are_heights_too(tmp_path: Path) -> None:
    low = ((PLANE - 150) / 2).astype(np.uint8)
    signed = ((PLANE - 200) / 2).astype(np.int8)
    gaps = PLANE.astype(np.float64)
    gaps[:5] = np.nan
    for values in (low, signed, gaps):
        crs_town.write_terrain(tmp_path / "dem.tif", values)
        assert np.array_equal(read(tmp_path).values, values.astype(np.float32), equal_nan=True)


def test_new_city_takes_no_relief_shading_for_terrain(tmp_path: Path) -> None:
    grey = (128 + 90 * np.sin(np.indices(PLANE.shape)[0] / 7)).astype(np.uint8)
    crs_town.write_terrain(tmp_path / "a.tif", grey)
    crs_town.write_terrain(tmp_path / "坡度.tif", np.full_like(PLANE, 8.5))
    looks, _ = look_into(tmp_path)
    told = [one.not_terrain for one in looks]
    assert told[0].startswith("is grey in 8 bits") and told[1].startswith("is called '坡度'")
