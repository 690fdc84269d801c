"""Footprints far from all the others, and a working CRS that is not made for where they lie."""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Geod

from pipeline.geo.crs import MOST_STRETCH, length_scale, parsed, way_to_wgs84
from pipeline.geo.datum import into_working_crs
from pipeline.geo.raster import Floats
from pipeline.geo.strays import GAP_M, groups, strays
from pipeline.intake.rejects import Rejects
from pipeline.problem import Problem


def refuse_false_lengths(buildings: gpd.GeoDataFrame, working_crs: str) -> None:
    """Stop if the working CRS is of an unknown datum or falsifies lengths where the buildings lie."""
    middle = np.median(_middles(buildings), axis=0)
    longitude, latitude = _degrees(middle[None, :], working_crs)[0]
    if not np.isfinite([longitude, latitude]).all():
        return
    crs = parsed(working_crs)
    where = f"city.crs: {working_crs}"
    expected = "a projected CRS in metres made for this place, e.g. its UTM zone"
    if not way_to_wgs84(crs, (longitude, latitude, longitude, latitude)).is_known:
        raise Problem(
            where, f"no transformation from its datum, {crs.datum.name}, to WGS 84 is known here",
            expected=expected, fix="correct city.crs; sources may stay in their own",
        )  # fmt: skip
    scale = length_scale(crs, longitude, latitude)
    if np.isfinite(scale) and abs(scale - 1) > MOST_STRETCH:
        raise Problem(
            where, f"makes lengths {scale:.3f} times as long at {longitude:.2f}°, {latitude:.2f}°, "
            "where the footprints lie",
            expected=expected, fix="correct city.crs, or the crs of the footprints",
        )  # fmt: skip


def without_strays(
    buildings: gpd.GeoDataFrame,
    districts: gpd.GeoDataFrame | None,
    all_rejects: Mapping[str, Rejects],
) -> gpd.GeoDataFrame:
    """Return the buildings that lie where the city is; the others are rejected as misplaced.

    What a district outline holds is not misplaced.

    Raises
    ------
    Problem
        If there is no outline and the buildings lie in two places far apart.
    """
    middles = _middles(buildings)
    is_stray = strays(middles)
    if districts is not None and is_stray.any():
        outlines = shapely.union_all(districts.geometry.to_numpy())
        is_stray &= ~shapely.intersects(outlines, shapely.points(middles))
    main = middles[~is_stray]
    if districts is None:
        _refuse_two_places(main)
    if not is_stray.any():
        return buildings
    city = _degrees(np.median(main, axis=0)[None, :], str(buildings.crs))[0]
    for number in np.flatnonzero(is_stray).tolist():
        row = buildings.iloc[number]
        east, north = _degrees(middles[number][None, :], str(buildings.crs))[0]
        away_m = Geod(ellps="WGS84").inv(city[0], city[1], east, north)[2]
        all_rejects[row["source_name"]].row(
            row["source_row"], "misplaced_feature",
            f"{away_m / 1000:,.0f} km from all others, at {east:.4f}°, {north:.4f}°",
        )  # fmt: skip
    return buildings[~is_stray].reset_index(drop=True)


def _refuse_two_places(middles: Floats) -> None:
    group = groups(middles, GAP_M)
    main = middles[group == 0]
    width = float(np.hypot(*np.ptp(main, axis=0)))
    for number in range(1, int(group.max()) + 1):
        own = middles[group == number]
        apart = float(_apart_m(own, main).min())
        if apart > max(GAP_M, width):
            raise Problem(
                "the footprints",
                f"lie in two places: {len(own):,} of {len(middles):,} are {apart / 1000:,.0f} km from "
                "the others",
                expected="one city", fix="add its boundary as a source, or take the others out",
            )  # fmt: skip


def _apart_m(points: Floats, main: Floats) -> Floats:
    """Return how far points lie from the box around others."""
    low, high = main.min(axis=0), main.max(axis=0)
    apart = np.maximum(np.maximum(low - points, points - high), 0)
    return np.asarray(np.hypot(apart[:, 0], apart[:, 1]))


def _middles(buildings: gpd.GeoDataFrame) -> Floats:
    return np.asarray(shapely.get_coordinates(shapely.centroid(buildings.geometry.to_numpy())))


def _degrees(points: Floats, working_crs: str) -> Floats:
    x, y = into_working_crs(
        points[:, 0], points[:, 1], datum="wgs84", crs=working_crs, working_crs="EPSG:4326"
    )
    return np.column_stack([x, y])
