"""Reading windows of public elevation tiles, named as the Copernicus bucket names them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from pyproj import Transformer
from rasterio.io import MemoryFile
from rasterio.shutil import copy
from rasterio.warp import Resampling, reproject
from scipy.ndimage import map_coordinates

from pipeline.fetch.client import Client
from pipeline.fetch.rasters import tile_addresses, window_raster
from pipeline.problem import Problem
from pipeline.settings.fetch import RasterService
from pipeline.store.configuration import read_fetch_settings
from tests.conftest import Project
from tests.loopback import Loopback, serving

CELL_DEG = 1 / 1200  # three seconds: a ninth of the real tiles' bytes
CRS = "EPSG:32648"
CORNER = shapely.box(106.97, 29.97, 107.03, 30.03)  # where four tiles meet


def surface_m(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """A hill and a valley, smooth enough for three-second cells."""
    return 300 + 120 * np.sin((lon - 107) * 60) + 80 * np.cos((lat - 30) * 75)


def tile(lat: int, lon: int, values: np.ndarray | None = None) -> bytes:
    """Return a one-degree tile as the bucket keeps it: cells lie around whole degrees, COG, float32."""
    size = round(1 / CELL_DEG)
    west, north = lon - CELL_DEG / 2, lat + 1 + CELL_DEG / 2
    transform = rasterio.Affine(CELL_DEG, 0, west, 0, -CELL_DEG, north)
    if values is None:
        x = west + (np.arange(size) + 0.5) * CELL_DEG
        y = north - (np.arange(size) + 0.5) * CELL_DEG
        values = surface_m(*np.meshgrid(x, y))
    with MemoryFile() as plain, MemoryFile() as optimised:
        with plain.open(
            driver="GTiff", width=size, height=size, count=1, dtype="float32", crs="EPSG:4326",
            transform=transform,
        ) as file:  # fmt: skip
            file.write(values.astype("float32"), 1)
        with plain.open() as file:
            copy(file, optimised.name, driver="COG", compress="deflate", blocksize=256)
        return bytes(optimised.read())


def name(lat: int, lon: int) -> str:
    return f"Copernicus_DSM_COG_10_N{lat:02d}_00_E{lon:03d}_00_DEM.tif"


@pytest.fixture(scope="module")
def tiles() -> dict[str, bytes]:
    return {name(lat, lon): tile(lat, lon) for lat in (29, 30) for lon in (106, 107)}


@pytest.fixture
def server(yuzhong_raw: Path, tiles: dict[str, bytes]) -> Iterator[Loopback]:
    with serving(yuzhong_raw, dict(tiles)) as state:
        yield state


def service(server: Loopback, project: Project, **changes: object) -> RasterService:
    """The settings as published, but for the host; folders of the bucket are kept in the address."""
    server.configure(project.root)
    given = read_fetch_settings(project.root / "config").elevation.model_dump()
    folder = "Copernicus_DSM_COG_10_{ns}{lat:02d}_00_{ew}{lon:03d}_00_DEM"
    given |= {"url": f"{server.url}/files/{folder}/{folder}.tif", "reading": "window"}
    return RasterService(**(given | changes))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def asker(project: Project) -> Client:
    return Client(
        read_fetch_settings(project.root / "config").http, lambda _: None, sleep=lambda _: None
    )


def test_four_tiles_become_one_terrain_without_a_seam(server: Loopback, project: Project) -> None:
    """Against the surface itself; what bilinear reading may miss is its curvature within a cell."""
    content, date, absent = window_raster(
        asker(project), "terrain", service(server, project), CORNER, CRS
    )
    assert (date, absent) == ("2026-04-27", [])
    with MemoryFile(content) as memory, memory.open() as file:
        assert file.crs == CRS
        assert file.transform.a == 30.0 and file.transform.e == -30.0
        assert file.transform.c % 30 == file.transform.f % 30 == 0
        z, transform = file.read(1), file.transform
    assert np.isfinite(z).all()
    rows, columns = np.indices(z.shape)
    x, y = transform * (columns + 0.5, rows + 0.5)
    lon, lat = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(x, y)
    assert lon.min() < 106.96 and lon.max() > 107.04 and lat.min() < 29.96 and lat.max() > 30.04
    assert np.abs(z - surface_m(lon, lat)).max() < 0.25
    asked = [headers for route, headers in server.asked if route.startswith("Copernicus")]
    assert all(headers["Range"].startswith("bytes=") for headers in asked)


def test_only_what_is_needed_travels(server: Loopback, project: Project, yuzhong_raw: Path) -> None:
    noise = np.random.default_rng(1).normal(300, 50, (1200, 1200))
    server.files[name(29, 106)] = tile(29, 106, noise)
    place = shapely.box(106.5, 29.5, 106.51, 29.51)
    content, _, _ = window_raster(
        asker(project), "terrain", service(server, project, margin_m=0.0), place, CRS
    )
    assert {route for route, _ in server.asked} == {name(29, 106)}
    spans = [headers["Range"][6:].split("-") for _, headers in server.asked]
    travelled = sum(int(last) - int(first) + 1 for first, last in spans)
    assert travelled < len(server.files[name(29, 106)]) / 3
    with MemoryFile(content) as memory, memory.open() as file:
        assert np.isfinite(file.read(1)).all()


def test_yuzhongs_own_heights_survive_the_way_through_degrees(
    server: Loopback, project: Project, yuzhong_raw: Path
) -> None:
    """SRTM brought into a tile of degrees and read back; two bilinear readings smooth a little."""
    size = round(1 / CELL_DEG)
    in_degrees = np.full((size, size), np.nan, dtype="float32")
    transform = rasterio.Affine(CELL_DEG, 0, 106 - CELL_DEG / 2, 0, -CELL_DEG, 30 + CELL_DEG / 2)
    with rasterio.open(yuzhong_raw / "dem" / "srtm_utm48n_30m.tif") as dem:
        reproject(
            rasterio.band(dem, 1), in_degrees, dst_transform=transform, dst_crs="EPSG:4326",
            dst_nodata=np.nan, resampling=Resampling.bilinear,
        )  # fmt: skip
        own, own_transform = dem.read(1).astype(float), dem.transform
    server.files[name(29, 106)] = tile(29, 106, in_degrees)
    place = shapely.box(106.5, 29.545, 106.57, 29.565)
    content, _, _ = window_raster(
        asker(project), "terrain", service(server, project, margin_m=0.0), place, CRS
    )
    with MemoryFile(content) as memory, memory.open() as file:
        z, transform = file.read(1), file.transform
    rows, columns = np.indices(z.shape)
    column, row = ~own_transform * (transform * (columns + 0.5, rows + 0.5))
    expected = map_coordinates(own, [row - 0.5, column - 0.5], order=1)
    wrong = np.abs(z - expected)
    assert np.median(wrong) < 5.0  # cells of 90 m in a town of stairs
    shifted = map_coordinates(own, [row - 0.5 + 7, column - 0.5], order=1)  # 200 m beside
    assert np.median(wrong) < 0.6 * np.median(np.abs(z - shifted))


@pytest.mark.parametrize(
    "fault", ["truncated", "reset", "429 1", "504", "never", "garbage", "html", "empty"]
)
def test_faults_within_a_tile(fault: str, server: Loopback, project: Project) -> None:
    """Two are survived; without end they end in one message, never in heights that are wrong."""
    wanted = service(server, project)
    server.configure(project.root, read_timeout_s=0.3)
    route, place = name(29, 106), shapely.box(106.5, 29.5, 106.52, 29.52)
    good, _, _ = window_raster(asker(project), "terrain", wanted, place, CRS)
    reads = server.count(route)
    assert reads >= 2
    server.fail(route, *[fault] * 2)
    content, _, _ = window_raster(asker(project), "terrain", wanted, place, CRS)
    assert content == good
    for healthy in range(reads):  # it fails at the header, and later while GDAL reads
        server.fail(route, *[""] * healthy, fault, fault, fault, fault)
        with pytest.raises(Problem, match=r"127\.0\.0\.1"):
            window_raster(asker(project), "terrain", wanted, place, CRS)


def test_tiles_that_are_not_there_are_named_and_none_at_all_stops(
    server: Loopback, project: Project
) -> None:
    del server.files[name(30, 107)]
    wanted = service(server, project)
    content, _, absent = window_raster(asker(project), "terrain", wanted, CORNER, CRS)
    assert absent == ["N30 E107"]
    with MemoryFile(content) as memory, memory.open() as file:
        assert 0.15 < np.isnan(file.read(1)).mean() < 0.35
    with pytest.raises(Problem, match="no file for this place"):
        window_raster(asker(project), "terrain", wanted, shapely.box(8, 46, 8.01, 46.01), CRS)


def test_tiles_are_named_by_their_south_west_corner(server: Loopback, project: Project) -> None:
    wanted = service(server, project)
    window = (-0.5, -0.5, 0.5, 0.5)
    assert [label for _, label in tile_addresses(wanted, window)] == [
        "S01 W001", "S01 E000", "N00 W001", "N00 E000",
    ]  # fmt: skip
    ten = service(server, project, tile_deg=10)
    assert [label for _, label in tile_addresses(ten, (106.4, 29.4, 106.6, 29.6))] == ["N20 E100"]


def test_a_server_without_ranges_is_told(server: Loopback, project: Project) -> None:
    wanted = service(server, project, url=f"{server.url}/nominatim/search")
    with pytest.raises(Problem, match="reading: whole"):
        window_raster(asker(project), "terrain", wanted, CORNER, CRS)
