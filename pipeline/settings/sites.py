"""Settings of sites: where public lifts and facilities could go, what they cost and do."""

from typing import Annotated

from pydantic import Field

from pipeline.settings.base import Positive, Section
from pipeline.settings.facility_sites import FacilitySites


class LiftSites(Section):
    """Public lifts, inclined lifts and escalators."""

    max_apart_m: Annotated[float, Field(gt=0, le=300)]
    """Farthest that the two ends may lie from each other on the map."""
    min_rise_m: Positive
    """Least height between the two ends."""
    max_count: Annotated[int, Field(ge=1, le=200)]
    """Most lifts that are proposed together."""


class SitesSettings(Section):
    """New lifts and facilities."""

    is_part_of_rank: bool
    """Whether ``make rank`` also looks for sites; ``make sites`` does anyway."""
    lifts: LiftSites
    facilities: FacilitySites
