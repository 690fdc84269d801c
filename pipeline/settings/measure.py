"""Settings of measure: terrain, walking, facilities."""

from typing import Annotated

from pydantic import Field

from pipeline.settings.base import CalendarYear, Name, NotNegative, Positive, Section, Slug


class WalkingRule(Section):
    """How fast people walk."""

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
    stairs_up_m_per_min: Positive
    """Height climbed on steps in a minute."""
    stairs_down_m_per_min: Positive
    """Height descended on steps in a minute."""
    riser_height_m: Positive
    """Height of one step."""
    lift_min: NotNegative
    """Waiting and riding time of a public lift."""
    escalator_speed_m_per_min: Positive
    """Speed along an escalator."""
    profile_spacing_m: Positive
    """Distance between terrain samples along a link."""


class AccessRule(Section):
    """How a building reaches the street."""

    max_access_m: Positive
    """Buildings further than this from every walkable street have no access; facilities too."""
    min_facility_count: Annotated[int, Field(ge=1)]
    """A facility type with fewer mapped places is taken as not mapped: its walks stay empty, since
    they would measure the map and not the city."""
    max_road_name_m: Positive
    """A building takes the name of the nearest named road up to this distance."""


class Facility(Section):
    """One kind of destination."""

    label_zh: Name
    label_en: Name


class MeasureSettings(Section):
    """Stage 2."""

    reference_year: CalendarYear
    """"Today": ages are counted to this year, so that a run is repeatable."""
    grid_cell_m: Positive
    """Side of the reporting grid used where there is no estate and no named road."""
    walking: WalkingRule
    access: AccessRule
    facilities: dict[Slug, Facility]
    """Facility types in the order of the lists; main_road and rail_entrance are destinations too."""
