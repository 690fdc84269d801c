"""Read elevation models."""

from pathlib import Path

import numpy as np

from pipeline.geo.raster import Raster
from pipeline.problem import Problem
from pipeline.settings.city import Source
from pipeline.store.replies import AGAIN


def read_geotiff(path: Path, name: str, source: Source) -> Raster:
    """Return a GeoTIFF as a raster: north up, square cells, in the CRS that the profile states."""
    import rasterio
    from rasterio.errors import RasterioError

    try:
        with rasterio.open(path) as file:
            found_crs = file.crs
            transform = file.transform
            band = file.read(1, masked=True)
    except (RasterioError, OSError) as error:
        raise Problem(
            path, f"cannot be read as a raster ({error})", expected="a GeoTIFF", fix=AGAIN
        ) from None
    if found_crs is None or found_crs != rasterio.crs.CRS.from_user_input(source.crs):
        raise Problem(
            path,
            f"its CRS is {found_crs.to_string() if found_crs else 'not stated in the file'}",
            expected=f"{source.crs}, as sources.{name}.crs says",
            fix=f"correct sources.{name}.crs in the profile, or reproject the raster",
        )
    if transform.b or transform.d or transform.a <= 0 or abs(transform.a + transform.e) > 1e-6:
        raise Problem(
            path, "the raster is rotated or its cells are not square",
            expected="a north-up grid of square cells", fix="warp it to one, e.g. with gdalwarp",
        )  # fmt: skip
    values = np.where(np.ma.getmaskarray(band), np.nan, band.data.astype(np.float32))
    if source.nodata is not None:
        values[values == np.float32(source.nodata)] = np.nan
    values[~np.isfinite(values)] = np.nan
    if np.isnan(values).all():
        raise Problem(
            path, "every cell is empty (nodata)", expected="heights in metres",
            fix=f"check the file and sources.{name}.nodata in the profile",
        )  # fmt: skip
    return Raster(values, transform.c, transform.f, transform.a, source.crs)
