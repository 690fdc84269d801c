"""Settings of a what-if: what is closed and what is added to the city as it is."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from pipeline.settings.base import Name, NotNegative, Section, Slug
from pipeline.settings.city import Datum

Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Position = tuple[Longitude, Latitude]
"""Longitude and latitude in degrees, in this order, in the datum of the change."""


class Close(Section):
    """One thing that is there today and would not be: name exactly one."""

    edge_id: Name | None = None
    """A street link of ``street_edges``: nobody walks on it any more, in either direction."""
    node_id: Name | None = None
    """A public lift, as a node of ``street_nodes``."""
    amenity_id: Name | None = None
    """A facility of ``amenities``."""

    @model_validator(mode="after")
    def _one_thing(self) -> "Close":
        _exactly_one(self)
        return self


class _Span(Section):
    """Something that leads from one place to another."""

    model_config = ConfigDict(serialize_by_alias=True)

    name: Name
    """What people call it."""
    from_: Annotated[Position, Field(alias="from")]
    """Where it begins: it is joined to the nearest street, which is cut there."""
    to: Position
    """Where it ends, joined likewise."""


class AddLift(_Span):
    """A public lift: no climb, the same time up and down."""

    boarding_min: NotNegative | None = None
    """Waiting and riding time; ``measure.walking.lift_min`` where nothing is said."""


class AddLink(_Span):
    """A straight street, stairs, bridge, tunnel or escalator."""

    kind: Literal["ground", "steps", "bridge", "tunnel", "escalator"]
    """What carries it; an escalator runs from ``from`` to ``to`` only."""


class AddAmenity(Section):
    """A facility."""

    type: Slug
    """A facility type of ``measure.facilities``."""
    name: Name
    """What people call it."""
    at: Position
    """Where it stands."""


class Action(Section):
    """One change: exactly one of its keys."""

    close: Close | None = None
    add_lift: AddLift | None = None
    add_link: AddLink | None = None
    add_amenity: AddAmenity | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> "Action":
        _exactly_one(self)
        return self

    @property
    def span(self) -> AddLift | AddLink | None:
        """The new lift or link, if it is one."""
        return self.add_lift or self.add_link


class Change(Section):
    """A what-if: what would be closed or added, all at once."""

    title_zh: Name
    """What is asked, in Chinese."""
    title_en: Name
    """The same in English."""
    datum: Datum | None = None
    """Datum of all positions in this file; gcj02 and bd09 are off by hundreds of metres, so it is
    never guessed. Needed as soon as there is a position."""
    actions: Annotated[list[Action], Field(min_length=1, max_length=100)]
    """What is done."""

    @model_validator(mode="after")
    def _datum_stated(self) -> "Change":
        if self.datum is None and any(action.close is None for action in self.actions):
            raise ValueError("datum is missing; positions need one of wgs84, cgcs2000, gcj02, bd09")
        return self


def _exactly_one(section: Section) -> None:
    found = [name for name in type(section).model_fields if getattr(section, name) is not None]
    if len(found) != 1:
        allowed = ", ".join(type(section).model_fields)
        told = " and ".join(found) if found else "nothing"
        raise ValueError(f"holds {told}; allowed is exactly one of {allowed}")
