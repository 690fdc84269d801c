"""Settings of fetching open data: addresses, licences, manners."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.settings.base import Name, NotNegative, Positive, Section, Slug

Address = Annotated[str, Field(pattern=r"^https?://\S+$")]
DataDate = Annotated[str, Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]
_RelativePath = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+/[A-Za-z0-9_.]+$")]


class HttpRule(Section):
    """How politely and how patiently servers are asked."""

    user_agent: Name
    """Who asks; the services want a way to reach that person."""
    connect_timeout_s: Positive
    """Longest wait for a connection."""
    read_timeout_s: Positive
    """Longest silence of a server."""
    total_timeout_s: Positive
    """Longest time for one file."""
    max_file_bytes: Annotated[int, Field(gt=0)]
    """A longer answer is not what was asked for."""
    try_count: Annotated[int, Field(ge=1, le=20)]
    """Tries per file."""
    first_wait_s: NotNegative
    """Wait before the second try; doubled before each further one."""
    max_wait_s: NotNegative
    """No wait is longer; a server that asks for more ends the run."""
    pause_s: NotNegative
    """Between two requests to one host."""


class Publication(Section):
    """Who publishes data, and under which terms."""

    publisher: Name
    """Who publishes the data."""
    licence: Name
    """Licence of the data."""
    attribution: Name
    """The words that the licence wants on every map."""


class BoundaryService(Publication):
    """A Nominatim server."""

    url: Address
    """Address above /search and /lookup."""


class OsmLayer(Section):
    """One Overpass reply: a file of elements with all their tags."""

    path: _RelativePath
    """Where the reply is kept, below the raw folder."""
    has_margin: bool
    """Whether it reaches beyond the boundary."""
    is_needed: bool
    """Whether an empty reply stops the run; else the layer is left out of the profile."""
    selectors: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=600)]], Field(min_length=1)
    ]
    """Overpass QL selectors without the area."""


class OsmService(Publication):
    """An Overpass server and what is asked of it."""

    url: Address
    """Address of the interpreter."""
    query_timeout_s: Annotated[int, Field(gt=0)]
    """Time that the server may take."""
    query_memory_bytes: Annotated[int, Field(gt=0)]
    """Memory that the server may take."""
    max_area_km2: Positive
    """Larger areas are refused: they are for a regional extract."""
    margin_m: NotNegative
    """How far streets and facilities reach beyond the boundary."""
    outline_tolerance_m: Positive
    """The outline asked for is simplified by so much, outwards."""
    layers: dict[Slug, OsmLayer]
    """Source of the profile → layer."""


class RasterService(Publication):
    """A raster, in tiles named by their south-west corner or in one file."""

    url: Address
    """Address; {ns}, {lat}, {ew}, {lon} stand for the corner of a tile."""
    reading: Literal["window", "whole"]
    """Read only the part needed, into the working CRS, or keep the whole file as it is."""
    path: _RelativePath
    """Where the part is kept, below the raw folder; a whole file keeps its own name."""
    tile_deg: Annotated[int, Field(ge=1, le=90)]
    """Size of a tile, degrees."""
    cell_m: Positive
    """Size of a cell in the working CRS."""
    resampling: Literal["bilinear", "nearest"]
    """How values of cells are found."""
    margin_m: NotNegative
    """How far it reaches beyond the boundary."""
    date: DataDate
    """Date of the data."""

    @model_validator(mode="after")
    def _whole_is_one(self) -> "RasterService":
        if self.reading == "whole" and "{" in self.url:
            raise ValueError("reading: whole wants the address of one file, without braces")
        try:
            self.url.format(ns="N", lat=0, ew="E", lon=0)
        except (KeyError, ValueError, IndexError) as error:
            raise ValueError(
                f"url: {{ns}}, {{lat}}, {{ew}} and {{lon}} are known ({error})"
            ) from None
        return self


class FetchSettings(Section):
    """The file config/fetch.yaml."""

    http: HttpRule
    boundary: BoundaryService
    osm: OsmService
    elevation: RasterService
    built_up_year: RasterService | None
    """First year in which land is seen built up; null: not fetched."""
    age_structure: RasterService | None
    """People by age; null: not fetched."""
