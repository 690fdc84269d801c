"""Estate outlines as delivered; an estate may have none."""

import geopandas as gpd
import pandas as pd

from pipeline.contracts.raw import FeatureTable
from pipeline.contracts.source_columns import field
from pipeline.intake.features import areas, as_list
from pipeline.intake.rejects import Rejects
from pipeline.settings.city import Source

_COLUMNS = ["estate_id", "estate_name", "source_name", "source_row"]


def estates_from_features(
    table: FeatureTable, name: str, source: Source, working_crs: str, rejects: Rejects
) -> gpd.GeoDataFrame:
    """Return one estate for each feature with a key and an area; the first of a key counts."""
    keys, names = (as_list(field(table.fields, source, c)) for c in ("estate_id", "estate_name"))
    rows, shapes, seen = [], [], set()
    for number, area in enumerate(areas(table, source, working_crs)):
        row = str(number + 1)
        if not keys[number]:
            rejects.row(row, "no_key", "the estate has no number")
        elif area.shape is None:
            rejects.row(row, area.fault, area.detail)
        elif keys[number] in seen:
            rejects.row(row, "repeated_key", f"estate {keys[number]} stands there already")
        else:
            seen.add(keys[number])
            rows.append((keys[number], names[number] or keys[number], name, row))
            shapes.append(area.shape)
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=_COLUMNS), geometry=shapes, crs=working_crs)
