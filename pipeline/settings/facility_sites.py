"""Settings of facility sites: whom a facility serves, how far, how many, and where it could stand."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.settings.base import Name, NotNegative, Positive, Section, Share, Slug


class RoomRule(Section):
    """What a facility's floor (or ground) holds."""

    m2_per_household: Positive
    """Floor that a household asks for."""
    smallest_m2: Positive
    """An idle room or plot below this is too small for it."""
    usual_m2: Positive
    """What is built where no idle room or plot is large enough, so that its size is not known yet."""
    largest_m2: Positive

    @model_validator(mode="after")
    def _rising(self) -> "RoomRule":
        if not self.smallest_m2 <= self.usual_m2 <= self.largest_m2:
            raise ValueError("must be smallest_m2 ≤ usual_m2 ≤ largest_m2")
        return self


class FacilityRule(Section):
    """One kind of facility; its key is that of its works in ``plan.measures``."""

    label_zh: Name
    label_en: Name
    facility: Slug | None
    """Key of ``measure.facilities``: whose walks count. Null: parking, whose gap is in spaces."""
    model: Literal["covering", "median"]
    """``covering``: most households within reach. ``median``: least walking, within capacity."""
    radius_m: Positive | None
    """How far households walk, as an equivalent distance; null: the radius of ``facility``."""
    least_count: NotNegative
    """Households (for parking: spaces) that each further site must serve besides all others."""
    max_site_count: Annotated[int, Field(ge=0)] | None
    """Most new sites; null: as many as serve ``least_count``."""
    budget_cny: NotNegative | None
    """Most that new sites may cost by the price list; null: no limit here, the plan has its own."""
    rooms: RoomRule | None
    """Null: parking, see ``spaces_per_host_household``."""
    spaces_per_host_household: Positive | None
    """Parking spaces that find room in an estate, for each of its households."""
    existing_household_count: Annotated[int, Field(ge=0)] | None
    """Households that each existing one can serve; null: not known, and each is taken to serve all in
    its radius, so that new ones serve at least what is said."""
    source: Name

    @model_validator(mode="after")
    def _fits_together(self) -> "FacilityRule":
        if (self.rooms is None) == (self.spaces_per_host_household is None):
            raise ValueError("needs one of rooms and spaces_per_host_household, the other null")
        if self.facility is None and (self.radius_m is None or self.rooms is not None):
            raise ValueError("without a facility it is parking: radius_m and spaces are needed")
        if self.facility is None and self.existing_household_count is not None:
            raise ValueError("existing_household_count needs a facility whose places are mapped")
        return self


class FacilitySites(Section):
    """Neighbourhood facilities, sited over the whole city at once."""

    are_sited: bool
    """Whether ``make rank`` sites them; else no facility is proposed or planned."""
    host_spacing_m: Positive
    """Side of the squares of which each has one possible site among buildings without an estate."""
    built_cost_factor: Annotated[float, Field(ge=1)]
    """What a facility costs where no idle room or plot is large enough, of one that is."""
    persons_per_household: Positive
    """To tell residents of 65 and more from their share."""
    relative_gap: Share
    node_limit: Annotated[int, Field(ge=1)]
    types: dict[Slug, FacilityRule]
