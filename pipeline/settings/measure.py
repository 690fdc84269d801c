"""Settings of measure: terrain, walking, facilities."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from pipeline.settings.base import CalendarYear, Name, NotNegative, Positive, Section, Share, Slug

Window = Annotated[float, Field(gt=0, le=2000)]
"""Metres of ground that are looked at together: more takes hours and no longer tells a place."""


class TerrainRule(Section):
    """How ground is told from roofs, and what the land looks like around a building."""

    ground_filter: Literal["none", "opening"]
    """``none`` takes the model as it is; ``opening`` takes away what sticks out of the trend of the
    surrounding land and is narrower than the window: roofs and trees in a surface model."""
    opening_window_m: Window
    """Width of what is taken away."""
    trend_window_m: Window
    """Width over which the trend of the land is averaged, wider than the opening."""
    vertical_error_m: NotNegative
    """Error of the model's heights between neighbouring places, one standard deviation."""
    relief_radius_m: Window
    """How far around a building relief is looked at."""
    cliff_slope_deg: Annotated[float, Field(gt=0, lt=90)]
    """Ground steeper than this is a cliff."""
    cliff_drop_m: Positive
    """Least height above the lowest ground around for the edge of a cliff."""
    terrace_slope_deg: Annotated[float, Field(gt=0, lt=90)]
    """Flatter ground amid relief is a terrace."""
    terrace_relief_m: Positive
    """Least relief around a terrace."""


Grade = Annotated[float, Field(gt=0, le=2)]


class ElderRule(Section):
    """In what an elder walks differently."""

    flat_speed_m_per_min: Positive
    """Pace on the flat."""
    stairs_up_m_per_min: Positive
    """Height climbed on steps in a minute."""
    stairs_down_m_per_min: Positive
    """Height descended on steps in a minute."""
    climb_penalty_min_per_m: Positive
    """Minutes that a metre of climb weighs more than it takes."""


class EvenTerrainRule(Section):
    """Where a terrain model can be believed to be as steep as it shows.

    Measured by how far the cells within three of each lie from one plane, root mean square.
    """

    believed_m: Positive
    """Up to here nothing is blurred: a road is as steep as the terrain under it, whatever its class."""
    limited_m: Annotated[float, Field(gt=0, le=100)]
    """From here on a road is no steeper than its class may be; in between a share of what it climbs."""

    @model_validator(mode="after")
    def _in_order(self) -> "EvenTerrainRule":
        if self.limited_m <= self.believed_m:
            raise ValueError("limited_m must be larger than believed_m")
        return self


class WalkingRule(Section):
    """How fast people walk, and which way they choose."""

    planning_speed_m_per_min: Positive
    """Speed that turns minutes into equivalent metres, and back."""
    flat_speed_m_per_min: Positive
    """Pace on the flat of the person walking."""
    tobler_steepness: Positive
    """3.5 in Tobler's function."""
    tobler_peak_grade: Annotated[float, Field(gt=-1, lt=1)]
    """Grade of the fastest walk, −0.05 in Tobler's function."""
    max_grade: Annotated[float, Field(gt=0, le=2)]
    """Steeper grades off the steps are errors of the terrain model and are clipped."""
    max_stair_grade: Annotated[float, Field(gt=0, le=5)]
    """The same for steps."""
    stairs_up_m_per_min: Positive
    """Height climbed on steps in a minute."""
    stairs_down_m_per_min: Positive
    """Height descended on steps in a minute."""
    riser_height_m: Positive
    """Height of one step."""
    lift_min: NotNegative
    """Waiting and riding time of a public lift."""
    lift_level_gap_m: Positive
    """Ways that leave a lift at heights closer than this leave it on the same level."""
    escalator_speed_m_per_min: Positive
    """Speed along an escalator."""
    profile_spacing_m: Annotated[float, Field(ge=1)]
    """Longest distance between heights along a link; every bend has one."""
    profile_noise_m: NotNegative
    """How far the terrain between two bends may stray from the straight line between them before a
    walk feels it (wholly from twice as far): the terrain model errs as much, and errors summed up
    would be a climb."""
    climb_penalty_min_per_m: Positive
    """Minutes that a metre of climb weighs more than it takes, when a way is chosen."""
    climb_penalty_spread: Annotated[float, Field(gt=0, lt=1)]
    """People differ: the penalty lies between 1 − this and 1 + this times its middle."""
    counted_climb: Literal["home", "out", "larger"]
    """Which walk's climb a building is told to have: that home, that out, or the larger of both."""
    elder: ElderRule
    max_drivable_grade: dict[Slug, Grade]
    """Steepest that a road for vehicles can be, by OpenStreetMap class (``…_link`` is as its class)."""
    even_terrain: EvenTerrainRule
    high_error_weight: Annotated[float, Field(ge=1, le=10)]
    """How much less a terrain that stands above a road counts than one that lies below it, where
    both cannot be: a surface model keeps roofs and trees."""

    def of_elder(self) -> "WalkingRule":
        """Return the rule with an elder's speeds and penalty."""
        return self.model_copy(update=dict(self.elder))


class AccessRule(Section):
    """How a building reaches the street."""

    max_access_m: Positive
    """Buildings further than this from every walkable street have no access; facilities too."""
    extra_access_m: NotNegative
    """Streets up to this much further than the nearest one are tried too: the quicker one counts."""
    front_depth_m: Positive
    """How much further from a street a place's middle may be reached than its nearest point, to count
    as partly as near: where a wall runs along a street, its middle is taken and not one of its ends."""
    gate_wall_m: Positive
    """How far the wall that makes a shut gate one is taken to reach on either side of it: no straight
    way from a house to a street leads over it."""
    max_candidate_count: Annotated[int, Field(ge=1, le=50)]
    """How many streets are tried for a building, nearest first."""
    max_rise_m: Positive
    """A way to the street that is steeper than ``walking.max_grade`` and rises or falls by more than
    this leads over a cliff or wall and is no way."""
    min_facility_count: Annotated[int, Field(ge=1)]
    """A facility type with fewer mapped places is taken as not mapped: its walks stay empty, since
    they would measure the map and not the city."""
    max_road_name_m: Positive
    """A building takes the name of the nearest named road up to this distance."""


class ParkingRule(Section):
    """How many spaces an estate should have."""

    spaces_per_household: Positive
    """Spaces for each household below which some are lacking."""
    min_known_household_share: Share
    """Share of an estate's buildings whose households must be known; the rest are then taken as like
    these."""


class YearModel(Section):
    """The model that estimates the years of whole estates."""

    fold_count: Annotated[int, Field(ge=2, le=20)]
    """Parts into which estates are dealt; each is estimated from the others."""
    tree_count: Annotated[int, Field(ge=1, le=5000)]
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    leaf_count: Annotated[int, Field(ge=2, le=1000)]
    """Leaves of each tree."""
    min_leaf_row_count: Annotated[int, Field(ge=1)]
    """Rows that a leaf holds at least."""
    seed: Annotated[int, Field(ge=0)]
    max_unit_count: Annotated[int, Field(ge=200)]
    """Of more units or errors so many are drawn by lot to learn from."""
    min_known_count: Annotated[int, Field(ge=20)]
    """With fewer buildings of known year nothing is inferred."""
    min_gain_share: Share
    """The model must lower the error of neighbours and districts by this share, or it is left out."""


class YearRule(Section):
    """How missing years are inferred."""

    cutoff_year: CalendarYear
    """Last year of construction that is in the programme."""
    miss_share: Annotated[float, Field(gt=0, lt=0.5)]
    """Share of the stated intervals that may miss the year."""
    highest_miss_share: Annotated[float, Field(gt=0, lt=0.5)]
    """No single interval misses more likely than this."""
    era_ends: Annotated[list[CalendarYear], Field(min_length=1, max_length=20)]
    """Years in which a new era of building begins; errors are learned era by era."""
    min_group_count: Positive
    """Effective number of errors that a group needs, or a larger group counts."""
    min_local_count: Positive
    """The same around an estimated year, or errors of years further off count too."""
    bandwidth_yr: Positive
    """How near an estimate must be for its error to count."""
    max_unseen_odds: Positive
    """How many estates without any year one estate with years may stand for."""
    base_weight: Positive
    """How much every estate counts beside that when the model learns."""
    block_m: Positive
    """Side of the squares that are held out together when the method is judged on a file."""
    min_block_count: Annotated[int, Field(ge=2)]
    """With fewer such squares their side is halved."""
    model: YearModel


class Facility(Section):
    """One kind of destination."""

    label_zh: Name
    label_en: Name
    radius_m: Positive | None
    """Walking distance that the standard allows; null where there is none."""


def _has_main_road(facilities: dict[str, Facility]) -> dict[str, Facility]:
    if "main_road" not in facilities:
        raise ValueError("main_road must be one of them: the climb is measured from it")
    return facilities


class MeasureSettings(Section):
    """Stage 2."""

    reference_year: CalendarYear
    """"Today": ages are counted to this year, so that a run is repeatable."""
    grid_cell_m: Positive
    """Side of the reporting grid used where there is no estate and no named road."""
    storey_height_m: Positive
    """Height of a storey, to tell how many lie below an entrance on a slope."""
    terrain: TerrainRule
    walking: WalkingRule
    access: AccessRule
    parking: ParkingRule
    years: YearRule
    count_within_min: Annotated[list[Annotated[int, Field(gt=0, le=30)]], Field(max_length=5)]
    """Minutes within which facilities are counted."""
    facilities: Annotated[dict[Slug, Facility], AfterValidator(_has_main_road)]
    """Facility types in the order of the lists; main_road and rail_entrance are destinations too."""
