"""Settings of sites: where public lifts and facilities could go, what they cost and do."""

from typing import Annotated

from pydantic import Field, model_validator

from pipeline.settings.base import CalendarYear, Name, NotNegative, Positive, Section, Share, Slug


class LiftKind(Section):
    """One kind of public lift: for which slopes, at what cost, how often it runs."""

    label_zh: Name
    label_en: Name
    least_grade: NotNegative
    """Least rise over the distance on the map for which it is built."""
    is_one_way: bool
    """Whether it runs one way, so that two stand side by side."""
    fixed_cny: NotNegative
    """Capital cost whatever the size."""
    per_rise_m_cny: NotNegative
    """Capital cost of a metre of height."""
    per_distance_m_cny: NotNegative
    """Capital cost of a metre on the map: the bridge to a shaft, the track of an inclined lift."""
    upkeep_cny: NotNegative
    """Upkeep and running in a year."""
    running_hours: Annotated[float, Field(gt=0, le=24)]
    """Hours a day."""
    hours_trip_share: Share
    """Share of a day's walks that fall into these hours."""
    available_share: Share
    """Share of these hours in which it is not out of order."""
    build_year_count: Annotated[int, Field(ge=0, le=20)]
    """Years from the decision to the opening."""
    source: Name


class LiftSites(Section):
    """Public lifts, inclined lifts and escalators."""

    max_apart_m: Annotated[float, Field(gt=0, le=300)]
    """Farthest that the two ends may lie from each other on the map."""
    min_rise_m: Positive
    """Least height between the two ends."""
    place_spacing_m: Annotated[float, Field(ge=5, le=500)]
    """A street longer than twice this can be joined along its way too, so far apart."""
    alike_m: NotNegative
    """Two lifts both of whose ends lie within this are one place: the better one is a candidate."""
    candidate_count: Annotated[int, Field(ge=1, le=2000)]
    """So many of these places, those that relieve most by themselves, can be chosen."""
    max_built_m: NotNegative
    """Most metres on the map that may lead over buildings."""
    error_factor: Positive
    """How many standard deviations of the terrain a benefit must exceed to be sure."""
    type_weights: dict[Slug, NotNegative] | None
    """What a walk to each facility type weighs; null: what the ranking's criteria of walks and climbs
    to it weigh together."""
    budget_cny: NotNegative
    """Capital cost of all lifts together; BUDGET= on the command line comes before it."""
    first_year: CalendarYear
    """Year in which it could be decided."""
    max_count: Annotated[int, Field(ge=1, le=200)]
    """How many sites are listed, best first."""
    exact_count: Annotated[int, Field(ge=0, le=4)]
    """Up to so many lifts the best choice is proved by branch and bound."""
    node_limit: Annotated[int, Field(ge=1)]
    """Most sets that the proof looks at; what is left open is told as a gap."""
    kinds: Annotated[dict[Slug, LiftKind], Field(min_length=1)]
    """The steepest kind that fits is built."""

    @model_validator(mode="after")
    def _some_kind_for_every_slope(self) -> "LiftSites":
        if (
            min(kind.least_grade for kind in self.kinds.values())
            > self.min_rise_m / self.max_apart_m
        ):
            raise ValueError("kinds: none has a least_grade up to min_rise_m / max_apart_m")
        return self


class SitesSettings(Section):
    """New lifts and facilities."""

    is_part_of_rank: bool
    """Whether ``make rank`` also looks for sites; ``make sites`` does anyway."""
    lifts: LiftSites
