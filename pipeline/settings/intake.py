"""Settings of intake: what is believable, what counts as housing, what is a facility."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.settings.base import CalendarYear, Name, NotNegative, Positive, Section, Share, Slug


class HousingRule(Section):
    """Which buildings are housing."""

    recorded_use_types: list[Name]
    """Uses that say housing."""
    assumed_use_types: list[Name]
    """Unspecific uses that this city counts as housing, marked ``assumed`` on every row."""
    other_use_types: list[Name]
    """Uses that say no housing. A use that stands in none of these lists is asked about."""
    unspecific_use_types: list[Name]
    """Words that state no use (OpenStreetMap's ``yes``): no housing unless assumed, and counted."""
    must_be_registered: bool
    """Only buildings in a housing register are housing to be ranked: the register is the programme."""
    other_use_fields: list[Name]
    """A field of this name that holds a value (a shop, an office …) makes an unspecific use
    something else than housing."""


class StoreyRule(Section):
    """How storeys are read."""

    default_counts: list[Annotated[int, Field(ge=0)]]
    """Storey counts that mappers leave as a default here and that therefore mean: unknown."""
    highest_count: Annotated[int, Field(gt=0, le=150)]
    """More storeys than this is an error of the source."""
    storey_height_m: Positive
    """Height of a storey, to derive storeys from a recorded height."""


class YearRule(Section):
    """How years of construction are read."""

    earliest: CalendarYear
    """Earlier years are an error of the source."""
    latest: CalendarYear
    """Later years are an error of the source."""
    max_vague_span_yr: Annotated[int, Field(ge=0)]
    """A wider interval keeps its bounds, but no year is taken from its middle."""
    estate_slack_yr: Annotated[int, Field(ge=0)]
    """Buildings may differ by so much from the year of their estate's record."""
    listing_slack_yr: Annotated[int, Field(ge=0)]
    """The same for the year that a listing gives for an estate."""
    built_up_censored_year: CalendarYear
    """A raster of built-up years says nothing of land built up by then."""
    built_up_slack_yr: Annotated[int, Field(ge=0)]
    """A building may be so much older than the raster sees its land built up."""


class FootprintRule(Section):
    """Which footprints are believable."""

    min_area_m2: NotNegative
    """Smaller footprints are rejected."""
    max_area_m2: Positive
    """Larger footprints are rejected."""
    duplicate_overlap_share: Share
    """Two footprints whose intersection is at least this share of their union are one building."""
    notice_overlap_share: Share
    """A footprint sharing at least this share of its area with another is flagged."""
    max_part_gap_m: Positive
    """Parts of one footprint further apart than this are told."""


class RegisterRule(Section):
    """How a housing register is checked against the footprints."""

    min_area_share: Share
    """A stated floor area below this share of footprint × storeys is doubted."""
    max_area_share: Positive
    """A stated floor area above this multiple of footprint × storeys is doubted."""
    max_position_gap_m: Positive
    """A stated position further than this from the footprint is told."""
    yes_no_words: dict[Name, bool]
    """What registers write for yes and no: a lift, a wall."""
    hazard_words: list[Name]
    """Grades that may stand in the register; others are told and left out."""
    fault_words: dict[Name, Share]
    """What inspections write, and how grave it is: 0 none, 1 gravest."""
    manager_words: dict[Name, Literal["company", "community", "none"]]
    """What registers write instead of a company's name; any other name is a company's."""


class StreetRule(Section):
    """Which streets can be walked."""

    walkable_highway_types: list[Name]
    """Classes that people walk on; nobody walks on any other."""
    sidewalk_highway_types: list[Name]
    """Classes walked only where the map shows a sidewalk or a right of way on foot."""
    closed_highway_types: list[Name]
    """Known classes nobody walks on; one that stands in none of the three lists is told as unknown."""
    open_foot_words: list[Name]
    """Values of ``foot`` that give walkers the right of way whatever ``access`` says."""
    closed_access_words: list[Name]
    """Values of ``foot`` and ``access`` that keep walkers out."""
    passable_barrier_types: list[Name]
    """Barriers at one point of a way that let walkers pass unless more is said."""
    wall_types: list[Name]
    """Barriers drawn as lines that end a way which crosses them at a shared point without a gate."""
    main_highway_types: list[Name]
    """Classes that count as main roads."""
    walked_in_year: CalendarYear
    """What ends before this year or begins after it does not count in maps of OpenStreetMap."""


class LossRule(Section):
    """Which losses are told loudly, and which stop a run."""

    max_unknown_word_share: Share
    """The run stops if more of a column's values are words that nobody declared; of uses, more of
    those that are or may be housing."""
    notable_share: Share
    """A source that loses more of its rows, or a column more of its values, is told with reasons."""
    sparse_share: Share
    """A column of a register or layer of which fewer rows state anything is told as nearly empty."""
    steep_road_grade: Positive
    """Rise per length, over 100 m, that hardly any road for vehicles has."""
    max_steep_road_share: Share
    """If more of the roads for vehicles are steeper, the terrain's unit is doubted."""


class IntakeSettings(Section):
    """Stage 1."""

    housing: HousingRule
    storeys: StoreyRule
    years: YearRule
    footprints: FootprintRule
    streets: StreetRule
    register_checks: RegisterRule
    losses: LossRule
    facility_tags: dict[Slug, list[Annotated[str, Field(pattern=r"^[^=\s]+=[^=]+$")]]]
    """Facility type → ``key=value`` tags that mean it."""
    min_terrain_cover_share: Share
    """The run stops if less than this share of the buildings lies on the terrain model."""
    region_margin_m: Positive
    """Files of a whole region (OSM PBF, terrain) are cut to the study area and this much around it."""

    @model_validator(mode="after")
    def _ordered(self) -> "IntakeSettings":
        if self.years.earliest > self.years.latest:
            raise ValueError("years.earliest must not be later than years.latest")
        if self.footprints.min_area_m2 >= self.footprints.max_area_m2:
            raise ValueError("footprints.min_area_m2 must be below footprints.max_area_m2")
        return self
