"""Read any file of footprints as it is, whatever its fields: for judging a method, not for a run."""

import warnings
from pathlib import Path
from typing import Any

from pipeline.problem import Problem


def read_footprint_file(path: Path) -> Any:
    """Return a GeoDataFrame of the file's only or first layer, fields with their own types.

    Whatever GDAL reads (shapefile, GeoJSON, GeoPackage, FlatGeobuf, a zip with one of them), or
    GeoParquet.

    Raises
    ------
    Problem
        If there is no such file, it cannot be read, or it holds no shapes.
    """
    import geopandas as gpd
    import pyogrio

    if not path.is_file():
        raise Problem(path, "there is no such file", fix="FILE=path to a file of footprints")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if path.suffix.lower() in (".parquet", ".geoparquet"):
                frame = gpd.read_parquet(path)
            else:
                frame = pyogrio.read_dataframe(path, use_arrow=True)
    except MemoryError:
        raise
    except Exception as error:
        # GDAL, Arrow and pandas raise a dozen kinds for a damaged file
        raise Problem(
            path, f"cannot be read ({str(error)[:200]})",
            expected="shapefile, GeoJSON, GeoPackage, FlatGeobuf or GeoParquet",
            fix="copy the file again, with all its parts",
        ) from None  # fmt: skip
    if not isinstance(frame, gpd.GeoDataFrame) or not len(frame):
        raise Problem(path, "holds no features with a shape", expected="footprints")
    return frame if frame.geometry.name == "geometry" else frame.rename_geometry("geometry")
