"""What a raw file shows at a first look."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

SAMPLE_SHAPES, MOST_ROWS = 2000, 500_000


@dataclass(frozen=True)
class Look:
    """What a file shows at a first look.

    Positions are as written. ``crs`` is empty where the file does not say it.
    """

    path: str
    format: str
    crs: str = ""
    encoding: str | None = None
    is_encoding_certain: bool = True
    geometry: str = ""
    """polygon, line, point or other, whichever is most frequent; or empty."""
    kind_counts: Mapping[str, int] = field(default_factory=dict)
    """How many of the first shapes are of each kind, the most frequent first."""
    row_count: int = 0
    fields: pd.DataFrame = field(default_factory=pd.DataFrame)
    """The first rows, fields as text."""
    median_area: float = 0.0
    """Of the first polygons, in square units of the CRS."""
    bounds: tuple[float, float, float, float] | None = None
    tags: tuple[dict[str, str], ...] = ()
    """OpenStreetMap: tags of the first tagged ways and relations, and of nodes that are a place."""
    date: str = ""
    """Date of the data, where the file says it."""
    values: tuple[float, float] | None = None
    """Rasters: least and greatest value, metres where it is a terrain model."""
    is_square_metric: bool = False
    """Rasters: north-up square cells in metres."""
    not_terrain: str = ""
    """Rasters: why it cannot be a terrain model as it is; empty if it can."""
    nodata: float | None = None
    """Rasters: a value that must mean empty, though the file does not declare it."""
    height_unit: str = ""
    """Rasters: a unit that its heights must have, or that the file states and a profile must repeat."""
    crs_doubt: str = ""
    """Why the CRS that the file states is not believed."""
    stray_count: int = 0
    """Features far from all others."""
    file_date: str = ""
    layer: str = ""
    """Layer or sheet, where the file holds several."""
    separator: str = ""
    """Of a text with columns, where it is no comma."""
    header_rows: tuple[int, ...] = ()
    """Of a table, where its header is not the first row that is filled."""
    blank_below: tuple[str, ...] = ()
    """Fields whose values stand once with blanks below, as cells that were merged leave them."""
    table_notes: tuple[str, ...] = ()
    """What a reader of the table must know: hidden rows, columns without a name."""
