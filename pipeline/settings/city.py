"""What a city profile states: the place and each of its raw sources."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.settings.base import EpsgCode, Name, Positive, Section, Slug

Role = Literal[
    "boundary", "footprints", "streets", "amenities", "terrain", "housing_register", "estates",
    "subdistricts", "communities", "heritage_areas", "census", "inspection", "renovations",
    "clearance", "consent", "estate_survey", "built_up_year",
]  # fmt: skip
Format = Literal[
    "overpass_json", "nominatim_json", "osm_pbf", "osm_xml", "osm_o5m",
    "shapefile", "geojson", "geopackage", "flatgeobuf", "geoparquet", "file_geodatabase",
    "kml", "gml", "mapinfo_tab", "mapinfo_mif", "dxf", "topojson",
    "csv", "excel", "geotiff", "srtm_hgt", "esri_ascii_grid",
]  # fmt: skip
Datum = Literal["wgs84", "cgcs2000", "of_crs", "gcj02", "bd09"]
CrsText = Annotated[
    str,
    Field(
        max_length=6000,
        pattern=r"^([A-Z]{3,8}:[A-Za-z0-9_.]{1,20}$|urn:ogc:def:crs:|[A-Z][A-Z_]{4,12}\[|\+proj=|\{)",
    ),
]
"""A code (EPSG:4545, ESRI:102025), a URN, WKT of any version, PROJJSON or a PROJ string."""
KeyForm = Literal["strip_zeros", "width", "case", "blanks", "hyphens"]

RASTER_FORMATS = ("geotiff", "srtm_hgt", "esri_ascii_grid")
OSM_FORMATS = ("overpass_json", "osm_pbf", "osm_xml", "osm_o5m")
REGISTER_FORMATS = ("csv", "excel")
LAYERED_FORMATS = (
    "shapefile", "geojson", "geopackage", "flatgeobuf", "geoparquet", "file_geodatabase", "kml", "gml",
    "mapinfo_tab", "mapinfo_mif", "dxf", "topojson",
)  # fmt: skip
VECTOR_FORMATS = (*LAYERED_FORMATS, *REGISTER_FORMATS)
"""A table becomes a vector layer by its columns of coordinates."""
SHAPE_COLUMNS = ("x", "y", "wkt")
"""In ``columns`` of a table read as a layer: its coordinates in ``crs``, or its shape as text."""
KEY_COLUMNS = ("building_id", "estate_id")
ADDED_COLUMNS = ("household_count", "recorded_floor_area_m2", "shop_floor_area_m2")
"""Of a housing register: what the stairwells or flats of a building add up to."""
FORMATS_BY_ROLE: dict[str, tuple[str, ...]] = {
    "boundary": ("nominatim_json", *VECTOR_FORMATS),
    "footprints": (*OSM_FORMATS, *VECTOR_FORMATS),
    "streets": (*OSM_FORMATS, *VECTOR_FORMATS),
    "amenities": (*OSM_FORMATS, *VECTOR_FORMATS),
    "terrain": RASTER_FORMATS,
    "housing_register": REGISTER_FORMATS,
    "estates": VECTOR_FORMATS,
    "subdistricts": VECTOR_FORMATS,
    "communities": VECTOR_FORMATS,
    "heritage_areas": VECTOR_FORMATS,
    "census": REGISTER_FORMATS,
    "inspection": REGISTER_FORMATS,
    "renovations": REGISTER_FORMATS,
    "clearance": REGISTER_FORMATS,
    "consent": REGISTER_FORMATS,
    "estate_survey": REGISTER_FORMATS,
    "built_up_year": RASTER_FORMATS,
}
NEEDED_ROLES = ("footprints", "streets", "terrain")
"""Without a boundary the hull of the footprints is the one district."""
NEEDED_COLUMNS: dict[str, tuple[str, ...]] = {
    "footprints": ("building_use_type",),
    "housing_register": ("building_id",),
    "estates": ("estate_id",),
    "subdistricts": ("subdistrict_name",),
    "communities": ("community_id", "community_name"),
    "heritage_areas": ("heritage_name",),
    "census": ("community_id", "resident_count", "elder_count"),
    "inspection": ("building_id",),
    "renovations": ("renovated_year",),
    "clearance": ("estate_id",),
    "consent": (
        "building_id", "measure_type", "survey_round_number", "owner_count", "voting_owner_count",
        "favour_owner_count", "voting_area_share", "favour_area_share",
    ),
    "estate_survey": ("estate_id",),
}  # fmt: skip


class Source(Section):
    """One raw file as it was delivered, never edited."""

    path: Name
    """Path below the raw folder: a file, a zip with it, or a folder (.gdb). Tiles of a terrain model
    may be given as a pattern, e.g. ``dem/*.tif``."""
    more_paths: list[Name] = Field(default_factory=list)
    """Further tiles of the same terrain model."""
    layer: Name | None = None
    """Layer or sheet, where a file holds several."""
    role: Role
    """What the pipeline takes from it."""
    format: Format
    """How to read it."""
    datum: Datum
    """Datum of its coordinates. gcj02 and bd09 look like WGS-84 but are off by hundreds of metres,
    so this is never guessed. of_crs is the one that ``crs`` names, e.g. ED50 or Beijing 1954."""
    crs: CrsText
    """Coordinate reference system, e.g. EPSG:4326 for longitude and latitude. One without a code, as a
    city's own grid, is written as the WKT of its .prj."""
    towgs84: list[float] | None = Field(default=None, min_length=3, max_length=7)
    """From the CRS's datum to WGS-84, where no transformation is published (Beijing 1954, Xian 1980):
    three shifts, m, or also three rotations, arc seconds, of a position vector, and a scale, ppm.
    [0, 0, 0] says that a person takes the datum for WGS-84."""
    encoding: Name | None
    """Text encoding; null for binary formats."""
    separator: Annotated[str, Field(pattern=r"^[^\r\n\"]$")] | None = None
    """Text tables: the sign between cells; null means a comma."""
    header_rows: list[Annotated[int, Field(gt=0)]] = Field(default_factory=list)
    """Tables: the rows that hold the header, counted from 1 as a spreadsheet shows them. None: the
    first row that is not empty. Of several a column is called by its lowest text."""
    decimal_mark: Literal[".", ","] | None = None
    """Tables: the sign before decimals. Null: told by each column as a whole, or else asked."""
    fill_down: list[Name] | None = None
    """Tables: fields of which a cell also holds for the empty cells below it, as merged cells do. Null:
    not told, and asked where a register looks so; ``[]``: empty cells are empty."""
    one_row_per: Literal["building", "stairwell", "flat"] | None = None
    """Housing registers: what a row is. The rows of a building are added up, unless it is one row a
    building, of which the first counts. Null: one a building, asked where rows repeat and differ."""
    key_form: list[KeyForm] = Field(default_factory=list)
    """Registers: in what their numbers of buildings and estates may differ from the footprints':
    leading zeros, full-width signs, case, blanks, hyphens."""
    columns: dict[Slug, list[Name]] = Field(default_factory=dict)
    """Our column → the source's fields or tags, the first one that holds a value wins."""
    joined: list[Slug] = Field(default_factory=list)
    """Our columns whose fields say it together only, as a class with its subclass: their words are
    joined by " > ", e.g. ``values: {building_use_type: {综合 > 食堂: civic}}``. A combination that
    ``values`` does not list means what its first word means."""
    values: dict[Slug, dict[Name, str]] = Field(default_factory=dict)
    """Our column → what the source writes → what we call it; what is not listed stays as written."""
    constants: dict[Slug, Name] = Field(default_factory=dict)
    """Our column → a value that holds for every row of the source."""
    nodata: float | None = None
    """Rasters: the value that means empty, when the file itself does not say."""
    height_unit: Literal["m", "dm", "cm", "mm", "ft"] | None = None
    """Terrain models: the unit of the heights, when the file itself does not say. ``m`` is a person's
    word that they are heights in metres, and ends the doubts that their values raise."""
    publisher: Name
    """Who publishes the data."""
    licence: Name
    """Licence of the data."""
    attribution: Name
    """The words that the licence wants on every map."""
    date: Annotated[str, Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]
    """Date of the data: YYYY, YYYY-MM or YYYY-MM-DD."""

    @field_validator("towgs84")
    @classmethod
    def _three_or_seven(cls, shift: list[float] | None) -> list[float] | None:
        if shift is not None and len(shift) not in (3, 7):
            raise ValueError("three or seven numbers are needed")
        return shift

    @model_validator(mode="after")
    def _joined_of_several(self) -> "Source":
        for column in self.joined:
            if self.format in OSM_FORMATS or column in (*SHAPE_COLUMNS, *KEY_COLUMNS):
                raise ValueError(f"joined: {column} of {self.format} has no class and subclass")
            if len(self.columns.get(column, [])) < 2:
                raise ValueError(f"joined: columns.{column} must name two fields or more")
        return self


class ExpectedTotals(Section):
    """Totals that a reader of this city expects; a run that strays says so."""

    ranked_building_count: Annotated[int, Field(gt=0)] | None = None
    """Ranked buildings."""
    floor_area_m2: Positive | None = None
    """Floor area of the ranked buildings, m²."""
    tolerance_share: Annotated[float, Field(gt=0, le=1)] = 0.05
    """How far off is still fine."""


class CitySettings(Section):
    """The place."""

    name_zh: Name
    """Chinese name, for maps and lists."""
    name_en: Name
    """English name."""
    crs: EpsgCode
    """Projected working CRS, metres. The CGCS2000 3° zones meet inside Chongqing: not those."""
    is_synthetic: bool
    """True for an invented city: every output then says so."""
    note_zh: str
    """What a reader of the map must know about the data, in Chinese."""
    note_en: str
    """The same in English."""
    expected: ExpectedTotals = ExpectedTotals()
    """Totals to compare a run with."""
