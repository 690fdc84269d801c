"""Features of vector files brought into the working CRS."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from pipeline.contracts.raw import FeatureTable
from pipeline.geo.crs import crs_of
from pipeline.geo.datum import into_working_crs
from pipeline.geo.raster import Floats
from pipeline.intake.osm_areas import Area, repaired
from pipeline.settings.city import Source


def places_among(texts: pd.Series, keys: pd.Series) -> NDArray[np.int64]:
    """Return where each text stands among the keys, −1 where it does not."""
    # Arrow looks texts up in a tenth of the time that a Python dict takes
    wanted, there = (
        pa.array(one, from_pandas=True).cast(pa.large_string()) for one in (texts, keys)
    )
    found = pc.index_in(wanted, value_set=there, skip_nulls=True)
    return pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)


def laid_by(values: Floats, place: NDArray[np.int64]) -> Floats:
    """Return the value at each place, NaN where the place is −1."""
    return np.append(values, np.nan)[place]  # −1 takes the last


def as_list(texts: pd.Series) -> list[str]:
    """Return a column of texts as a list, four times as fast as ``tolist`` does on Arrow's."""
    return list(texts.to_numpy(dtype=object))


def projected(shapes: NDArray[np.object_], source: Source, working_crs: str) -> NDArray[np.object_]:
    """Return shapes in the working CRS, 2-D."""
    own = crs_of(source)

    def project(points: Floats) -> Floats:
        x, y = into_working_crs(
            points[:, 0], points[:, 1], datum=source.datum, crs=own, working_crs=working_crs
        )
        return np.column_stack([x, y])

    is_flat = not (shapely.has_z(shapes) | shapely.has_m(shapes)).any()
    return shapely.transform(shapes if is_flat else shapely.force_2d(shapes), project)


def areas(table: FeatureTable, source: Source, working_crs: str) -> list[Area]:
    """Return the area of each feature, or the reason why there is none."""
    is_missing = shapely.is_missing(table.shapes) | shapely.is_empty(table.shapes)
    shapes = table.shapes.copy()
    shapes[is_missing] = shapely.Polygon()
    shapes = projected(shapes, source, working_crs)
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    is_unusable = np.zeros(len(shapes), dtype=bool)
    is_unusable[owner[~np.isfinite(points).all(axis=1)]] = True
    shapes[is_unusable] = shapely.Polygon()
    # a geodatabase calls every outline a collection of one
    alone = (shapely.get_type_id(shapes) == 6) & (shapely.get_num_geometries(shapes) == 1)
    shapes[alone] = shapely.get_geometry(shapes[alone], 0)
    sound = (
        ~is_missing & (shapely.get_type_id(shapes) == 3) & shapely.is_valid(shapes)
        & (shapely.area(shapes) > 0)
    )  # fmt: skip
    found = [Area(shape) for shape in shapely.normalize(shapes)]
    for number in np.flatnonzero(~sound).tolist():
        shape = shapes[number]
        if is_missing[number]:
            found[number] = Area(None, "no_shape", "the feature has no shape")
        elif is_unusable[number]:
            found[number] = Area(None, "position_unusable", "a coordinate is not a number")
        elif shapely.get_type_id(shape) in (3, 6):
            found[number] = repaired(shape)
        else:
            found[number] = Area(None, "no_area", f"the shape is a {shape.geom_type}")
    return found


def row_names(table: pd.DataFrame) -> list[str]:
    """Return the number of each row as people count: the first below a header is 1."""
    return [str(number + 1) for number in range(len(table))]
