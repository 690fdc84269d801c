"""Hills, rivers, cliffs, and a network one can walk."""

import itertools

import geopandas as gpd
import numpy as np
import osmium
import pytest
import rasterio
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from pipeline.reference.terrain import cell_centres, make_frame, make_terrain


@pytest.fixture(scope="module")
def terrain(settings):
    return make_terrain(settings, make_frame(settings.land, 0, 1, 1.0), 0)


@pytest.fixture(scope="module")
def ground(whole):
    with rasterio.open(whole.truth / "ground_30m.tif") as file:
        return file.read(1).astype(float)


@pytest.fixture(scope="module")
def surface(whole):
    with rasterio.open(whole.raw / "dem_30m_synthetic_合成.tif") as file:
        return file.read(1).astype(float)


def test_rivers_lie_between_160_and_180_m_and_fall_downstream(terrain, surface):
    on_water = terrain.river_m(*cell_centres(terrain.frame)) < 0
    assert 0.02 < on_water.mean() < 0.12
    assert surface[on_water].min() >= 160
    assert surface[on_water].max() <= 180
    yangtze = terrain.rivers[0]
    assert (np.diff(yangtze.water_m) < 0).all()


def test_jialing_ends_on_the_yangtze(terrain):
    yangtze, jialing = terrain.rivers
    assert yangtze.line.distance(shapely.Point(jialing.points[-1])) < 1.0
    assert yangtze.water_m.min() <= jialing.water_m[-1] <= yangtze.water_m.max()


def test_four_parallel_ridges_rise_above_the_valleys(ground):
    assert 480 < np.percentile(ground, 99) < 800
    assert 200 < np.median(ground) < 300
    # some lines from west to east meet three chains of mountains or more
    high = ground > 420
    starts = (np.diff(high.astype(int), axis=1) == 1).sum(axis=1) + high[:, 0]
    assert starts.max() >= 3


def test_ridges_strike_north_north_east(ground):
    rows, columns = np.nonzero(ground > np.percentile(ground, 97))
    # within one chain the crest moves east as it goes north: rows count southwards
    western = columns < ground.shape[1] * 0.3
    slope = np.polyfit(rows[western], columns[western], 1)[0]
    assert 5 < np.degrees(np.arctan(-slope)) < 35


def test_cliffs_stand_inside_the_city(whole, ground, terrain):
    north, east = np.gradient(ground, 30.0)
    steep = np.degrees(np.arctan(np.hypot(north, east))) > 25
    assert 0.004 < steep.mean() < 0.10
    homes = gpd.read_parquet(whole.truth / "buildings.parquet", columns=["x_m", "y_m", "geometry"])
    x, y = homes["x_m"].to_numpy(), homes["y_m"].to_numpy()
    sides = [terrain.ground_m(x + dx, y + dy) for dx, dy in ((60, 0), (-60, 0), (0, 60), (0, -60))]
    drop = np.ptp(np.array(sides), axis=0)
    assert (drop > 15).sum() > 2000


def test_surface_model_stands_above_the_ground_where_houses_and_trees_are(whole, ground, surface):
    homes = gpd.read_parquet(
        whole.truth / "buildings.parquet", columns=["x_m", "y_m", "storey_count", "geometry"]
    )
    with rasterio.open(whole.truth / "ground_30m.tif") as file:
        left, top = file.bounds.left, file.bounds.top
    row = ((top - homes["y_m"]) // 30).astype(int).to_numpy()
    column = ((homes["x_m"] - left) // 30).astype(int).to_numpy()
    lift = (surface - ground)[row, column]
    tall = homes["storey_count"].to_numpy() >= 15
    assert lift[tall].mean() > lift[~tall].mean() + 2
    assert lift[~tall].mean() > 1.5
    # but never by the full height of a tower of fifteen storeys or more
    assert lift[tall].mean() < 30
    ridge = ground > 480
    assert (surface - ground)[ridge].mean() > 3


class Links(osmium.SimpleHandler):
    def __init__(self):
        super().__init__()
        self.lines, self.pairs, self.places = [], [], {}

    def way(self, way):
        if "highway" not in way.tags:
            return  # the rivers
        places = [(n.ref, n.lon, n.lat) for n in way.nodes]
        self.places.update({ref: (lon, lat) for ref, lon, lat in places})
        refs = [ref for ref, _, _ in places]
        self.pairs += itertools.pairwise(refs)
        self.lines.append((way.tags["highway"], [(lon, lat) for _, lon, lat in places]))


@pytest.fixture(scope="module")
def network(whole):
    links = Links()
    links.apply_file(str(whole.raw / "streets_synthetic_合成.osm.pbf"), locations=True)
    return links


def test_nearest_streets_of_the_buildings_hang_together(whole, network):
    refs = np.array(list(network.places))
    points = gpd.GeoSeries.from_xy(*np.array(list(network.places.values())).T, crs="EPSG:4326")
    points = points.to_crs("EPSG:32648")
    pairs = np.searchsorted(np.sort(refs), np.array(network.pairs))
    order = np.argsort(refs)
    _, part = connected_components(
        coo_matrix((np.ones(len(pairs)), pairs.T), shape=(refs.size,) * 2), directed=False
    )
    homes = gpd.read_parquet(whole.truth / "buildings.parquet", columns=["x_m", "y_m", "geometry"])
    tree = cKDTree(np.column_stack([points.x, points.y])[order])
    away, nearest = tree.query(homes[["x_m", "y_m"]].to_numpy())
    biggest = np.bincount(part).argmax()
    assert (part[nearest] == biggest).mean() > 0.99
    assert np.percentile(away, 99) < 120


def test_streets_keep_clear_of_houses_as_in_yuzhong(whole, network):
    lines = gpd.GeoSeries([shapely.LineString(line) for _, line in network.lines], crs="EPSG:4326")
    lines = lines.to_crs("EPSG:32648").to_numpy()
    homes = gpd.read_parquet(whole.truth / "buildings.parquet", columns=["geometry"])
    line, home = shapely.STRtree(homes.geometry.to_numpy()).query(lines, predicate="intersects")
    # in Yuzhong 5.7 % of the footprints are crossed by a street
    assert np.unique(home).size / len(homes) < 0.057
    length = shapely.length(lines)
    steps = np.array([kind == "steps" for kind, _ in network.lines])
    # in Yuzhong stairs make up 2.0 % of the length of streets and paths
    assert 0.008 < length[steps].sum() / length.sum() < 0.05
    assert line.size == home.size
