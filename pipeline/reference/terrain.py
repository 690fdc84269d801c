"""The ground: parallel ridges, two rivers that meet, terraces and cliffs.

Heights are metres above sea level. The ground is defined at every point, not only on the grid of
the elevation model, so cliffs narrower than a cell exist in truth and are blurred in the model, as
in life.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.interpolate import CubicSpline
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from pipeline.reference.chance import Bools, Floats, NoiseField, noise_field, stream
from pipeline.reference.settings import Land, ReferenceSettings, SurfaceModel

FIELD_SPACING_M = 60.0


@dataclass(frozen=True)
class Frame:
    """Where a tile of the city lies and how much of the full-size layout it holds.

    ``size_share`` multiplies all distances of the layout (1 = full size).
    """

    left_m: float
    bottom_m: float
    column_count: int
    row_count: int
    cell_size_m: float
    confluence_x_m: float
    confluence_y_m: float
    size_share: float

    @property
    def bounds_m(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top."""
        right = self.left_m + self.column_count * self.cell_size_m
        return self.left_m, self.bottom_m, right, self.top_m

    @property
    def top_m(self) -> float:
        """Northern edge."""
        return self.bottom_m + self.row_count * self.cell_size_m

    def place(self, points_km: Floats) -> Floats:
        """Return EPSG:32648 coordinates of layout points (n × 2)."""
        origin = np.array([self.confluence_x_m, self.confluence_y_m])
        return np.asarray(origin + np.asarray(points_km) * 1000 * self.size_share)

    def holds(self, x_m: Floats, y_m: Floats, margin_m: float = 0.0) -> Bools:
        """Return whether points lie inside, ``margin_m`` from the edge."""
        left, bottom, right, top = self.bounds_m
        inside = (x_m > left + margin_m) & (x_m < right - margin_m)
        return np.asarray(inside & (y_m > bottom + margin_m) & (y_m < top - margin_m))


@dataclass(frozen=True)
class River:
    """Centre line sampled closely, with half width and surface height at each sample."""

    points: Floats
    half_width_m: Floats
    water_m: Floats

    @property
    def line(self) -> shapely.LineString:
        """The centre line."""
        return shapely.LineString(self.points)


@dataclass(frozen=True)
class Terrain:
    """The bare ground of one tile; fields are rasters of ``FIELD_SPACING_M``, south row first."""

    frame: Frame
    rivers: tuple[River, River]
    smooth_m: Floats
    river_gap_m: Floats
    ridge_m: Floats
    terracing_share: Floats
    water_level_m: Floats
    step_m: float
    riser_share: float

    def _at(self, field: Floats, x_m: Floats, y_m: Floats) -> Floats:
        column = (x_m - self.frame.left_m) / FIELD_SPACING_M
        row = (y_m - self.frame.bottom_m) / FIELD_SPACING_M
        return np.asarray(map_coordinates(field, [row, column], order=1, mode="nearest"))

    def smooth_ground_m(self, x_m: Floats, y_m: Floats) -> Floats:
        """Return the ground without terraces."""
        return self._at(self.smooth_m, x_m, y_m)

    def smooth_gradient(self, x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
        """Return rise per metre east and north of the ground without terraces."""
        reach = FIELD_SPACING_M
        east = self.smooth_ground_m(x_m + reach, y_m) - self.smooth_ground_m(x_m - reach, y_m)
        north = self.smooth_ground_m(x_m, y_m + reach) - self.smooth_ground_m(x_m, y_m - reach)
        return east / (2 * reach), north / (2 * reach)

    def ground_m(self, x_m: Floats, y_m: Floats) -> Floats:
        """Return the bare ground, or the water surface on the rivers."""
        smooth = self.smooth_ground_m(x_m, y_m)
        level = smooth / self.step_m
        tread = np.floor(level)
        part = level - tread
        rise = np.clip((part - 1 + self.riser_share) / self.riser_share, 0, 1)
        terraced = self.step_m * (tread + 0.2 * part + 0.8 * rise * rise * (3 - 2 * rise))
        share = self._at(self.terracing_share, x_m, y_m)
        ground = smooth + share * (terraced - smooth)
        return np.where(self.river_m(x_m, y_m) <= 0, self.water_m(x_m, y_m), ground)

    def water_m(self, x_m: Floats, y_m: Floats) -> Floats:
        """Return the surface height of the nearer river."""
        return self._at(self.water_level_m, x_m, y_m)

    def river_m(self, x_m: Floats, y_m: Floats) -> Floats:
        """Return the distance to the nearer bank; negative on the water."""
        return self._at(self.river_gap_m, x_m, y_m)

    def ridge_rise_m(self, x_m: Floats, y_m: Floats) -> Floats:
        """Return how much of the height is mountain chain."""
        return self._at(self.ridge_m, x_m, y_m)

    def grid_m(self) -> Floats:
        """Return the bare ground at the cell centres, north row first."""
        x, y = cell_centres(self.frame)
        return self.ground_m(x, y)


def cell_centres(frame: Frame) -> tuple[Floats, Floats]:
    """Return x and y of the cell centres as rasters, north row first."""
    half = frame.cell_size_m / 2
    x = frame.left_m + half + frame.cell_size_m * np.arange(frame.column_count)
    y = frame.top_m - half - frame.cell_size_m * np.arange(frame.row_count)
    return tuple(np.meshgrid(x, y))


def make_frame(land: Land, tile: int, tile_count: int, size_share: float) -> Frame:
    """Return the frame of a tile; tiles stand side by side, the first holds the real confluence."""
    columns = int(np.ceil(np.sqrt(tile_count)))
    across, up = tile % columns, tile // columns
    # alternate west and east so that many tiles stay near the zone's central meridian
    across = (across + 1) // 2 * (1 if across % 2 else -1)
    cell = float(land.cell_size_m)
    column_count = max(60, round(land.width_m * size_share / cell))
    row_count = max(60, round(land.height_m * size_share / cell))
    left = land.confluence_x_m - land.confluence_from_left_share * column_count * cell
    bottom = land.confluence_y_m - land.confluence_from_bottom_share * row_count * cell
    left = round(left / cell) * cell + across * column_count * cell
    bottom = round(bottom / cell) * cell + up * row_count * cell
    return Frame(
        left,
        bottom,
        column_count,
        row_count,
        cell,
        land.confluence_x_m + across * column_count * cell,
        land.confluence_y_m + up * row_count * cell,
        size_share,
    )


def _river(
    rng: np.random.Generator, frame: Frame, land: Land, points_km: Floats, half_width_m: float
) -> River:
    jitter = rng.normal(0, land.meander_jitter_km, points_km.shape).clip(-0.6, 0.6)
    # the peninsula keeps its shape: bends near the confluence move little
    jitter *= np.clip(np.hypot(*points_km.T) / 10, 0.25, 1)[:, None]
    knots = frame.place(points_km + jitter)
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(knots, axis=0).T))])
    sample = np.linspace(0, along[-1], int(along[-1] / 25) + 2)
    points = CubicSpline(along, knots)(sample)
    share = sample / along[-1]
    widths = half_width_m * frame.size_share * (1 + 0.12 * np.sin(share * 37 + rng.uniform(0, 6)))
    water = land.upstream_water_m + share * (land.downstream_water_m - land.upstream_water_m)
    return River(points, widths, water)


def make_rivers(settings: ReferenceSettings, frame: Frame, tile: int) -> tuple[River, River]:
    """Return the Yangtze and the Jialing; the Jialing ends on the Yangtze's centre line."""
    land = settings.land
    rng = stream(settings.seed, "rivers", tile)
    yangtze = _river(rng, frame, land, np.array(land.yangtze_km), land.yangtze_half_width_m)
    jialing = _river(rng, frame, land, np.array(land.jialing_km), land.jialing_half_width_m)
    mouth = int(np.argmin(np.hypot(*(yangtze.points - frame.place(np.array([1.4, 0.5]))).T)))
    tail = np.linspace(jialing.points[-1], yangtze.points[mouth], 60)[1:]
    points = np.vstack([jialing.points, tail])
    share = np.linspace(0, 1, len(points))
    water = land.upstream_water_m + share * (yangtze.water_m[mouth] - land.upstream_water_m)
    widths = np.concatenate([jialing.half_width_m, np.full(59, jialing.half_width_m[-1])])
    return yangtze, River(points, widths, water)


def _ridges(frame: Frame, land: Land, x: Floats, y: Floats, bend: NoiseField) -> Floats:
    turn = np.radians(land.strike_deg)
    east = (x - frame.confluence_x_m) * np.cos(turn) - (y - frame.confluence_y_m) * np.sin(turn)
    east = east / frame.size_share / 1000 + 0.35 * bend(x, y)
    rise = np.zeros_like(x)
    for ridge in land.ridges:
        gap = (east - ridge.offset_km) / ridge.half_width_km
        # one mountain, two crests with a trough between them, as in the fold belt
        crest = np.exp(-(gap**2)) - 0.30 * np.exp(-((gap / 0.28) ** 2))
        rise = np.maximum(rise, ridge.height_m * crest)
    return np.asarray(rise * (1 + 0.14 * bend(y * 0.37 + frame.left_m, y)))


def _spine_m(frame: Frame, land: Land, x: Floats, y: Floats) -> Floats:
    line = shapely.LineString(frame.place(np.array(land.spine_km)))
    away = np.hypot(x - line.centroid.x, y - line.centroid.y) / frame.size_share
    rise = np.zeros_like(x)
    near = away < 6000
    gap = shapely.distance(line, shapely.points(x[near], y[near])) / frame.size_share
    rise[near] = land.spine_height_m * np.exp(-((gap / 520) ** 2))
    return rise


def make_terrain(settings: ReferenceSettings, frame: Frame, tile: int) -> Terrain:
    """Return the bare ground of a tile."""
    land = settings.land
    rng = stream(settings.seed, "terrain", tile)
    rivers = make_rivers(settings, frame, tile)
    left, bottom, right, top = frame.bounds_m
    x, y = np.meshgrid(
        np.arange(left, right + FIELD_SPACING_M, FIELD_SPACING_M),
        np.arange(bottom, top + FIELD_SPACING_M, FIELD_SPACING_M),
    )

    def noise(wavelength_m: float) -> NoiseField:
        return noise_field(rng, frame.bounds_m, wavelength_m=wavelength_m)

    upright = np.sqrt(frame.size_share)
    ridge = upright * _ridges(frame, land, x, y, noise(4200 * frame.size_share))
    hills = noise(2100)(x, y) + 0.80 * noise(900)(x, y) + 0.52 * noise(380)(x, y)
    smooth = land.valley_floor_m + 14 * noise(6000)(x, y) + land.hill_amplitude_m * hills
    lowland = 212 + 9 * noise(900)(x, y)
    smooth = lowland + np.logaddexp(0, (smooth - lowland) / 10) * 10
    smooth += ridge * (1 + 0.16 * noise(420)(x, y)) + upright * _spine_m(frame, land, x, y)

    gap = np.full(x.shape, np.inf)
    water = np.zeros(x.shape)
    for river in rivers:
        distance, nearest = cKDTree(river.points).query(
            np.column_stack([x.ravel(), y.ravel()]), workers=2
        )
        bank = (distance - river.half_width_m[nearest]).reshape(x.shape)
        water = np.where(bank < gap, river.water_m[nearest].reshape(x.shape), water)
        gap = np.minimum(gap, bank)
    shore = np.clip(gap, 0, None) / max(frame.size_share, 0.3)
    steep = np.clip(1 + 0.4 * noise(1900)(x, y), 0.3, 1.9)
    highest = water + 4 + steep * (52 * -np.expm1(-shore / 120) + 0.13 * shore)
    lowest = water + 3 + 0.02 * shore.clip(max=1500)
    excess = np.logaddexp(0, (smooth - highest) / 12) * 12
    smooth = np.maximum(smooth - excess, lowest)

    terracing = np.clip(0.5 + 0.42 * noise(1500)(x, y), 0, 0.95)
    return Terrain(
        frame,
        rivers,
        smooth,
        gap,
        ridge,
        terracing,
        water,
        land.terrace_step_m,
        land.riser_share,
    )


def surface_model_m(
    settings: SurfaceModel,
    terrain: Terrain,
    rng: np.random.Generator,
    ground_m: Floats,
    roof_height_m: Floats,
    built_share: Floats,
) -> Floats:
    """Return the elevation model a satellite would deliver, north row first, to 0.1 m.

    Parameters
    ----------
    ground_m
        The terrain's grid.
    roof_height_m, built_share
        Mean roof height over the ground and share of each cell under roofs, north row first.
    """
    x, y = cell_centres(terrain.frame)
    on_water = terrain.river_m(x, y) <= 0
    # woods stand on the ridges and on unbuilt steep ground
    wooded = np.clip(terrain.ridge_rise_m(x, y) / 60, 0, 1) * (1 - built_share)
    trees = settings.tree_height_m * wooded * rng.uniform(0.4, 1.3, ground_m.shape)
    roofs = settings.roof_share_of_height * built_share * roof_height_m
    rough = rng.normal(0, settings.noise_m, ground_m.shape)
    surface = ground_m + trees + roofs + rough
    surface = np.where(on_water, np.clip(ground_m + 0.15 * rough, 160, 180), surface)
    return np.round(surface, 1)
