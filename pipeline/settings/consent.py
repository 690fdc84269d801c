"""Settings of consent: who must take part, and how many must agree, by measure."""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.settings.base import Name, Section, Share, Slug

FractionText = Annotated[str, Field(pattern=r"^\d{1,4}/[1-9]\d{0,3}$")]
"""A share as the law writes it, "2/3": a decimal would round the very edge that decides."""


class Majority(Section):
    """How many of those who take part must agree, by number and by area."""

    share: FractionText
    is_strict: bool
    """true: more than the share; false: the share itself is enough."""
    source: Name

    @field_validator("share")
    @classmethod
    def _at_most_one(cls, value: str) -> str:
        if Fraction(value) > 1:
            raise ValueError("must be at most 1")
        return value


class ConsentMeasure(Section):
    """One matter that owners are asked about."""

    label_zh: Name
    label_en: Name
    majority: Slug
    """A key of ``majorities``."""
    decided_by: Literal["building", "estate"]
    """building: each building decides for itself; estate: all owners of the estate together."""
    source: Name


class ForecastRule(Section):
    """How support is carried forward from round to round."""

    rounds_per_year: Annotated[int, Field(ge=1, le=12)]
    max_round_count: Annotated[int, Field(ge=0, le=40)]
    """Rounds looked ahead; support that does not suffice by then is not counted on."""
    min_pair_count: Annotated[int, Field(ge=1)]
    """Buildings asked twice in a row from which a change is learned; fewer give no forecast."""
    fade_share: Share
    """Each further round wins this share of what the one before won; 0: no gain after the first."""


class ConsentSettings(Section):
    """Votes of owners (Civil Code art. 278)."""

    quorum_owner_share: FractionText
    """Share of all owners who must take part."""
    quorum_area_share: FractionText
    """Share of all owners' area that must take part."""
    majorities: Annotated[dict[Slug, Majority], Field(min_length=1)]
    measures: Annotated[dict[Slug, ConsentMeasure], Field(min_length=1)]
    other_majority: Slug
    """Majority for a matter that ``measures`` does not list."""
    other_decided_by: Literal["building", "estate"]
    forecast: ForecastRule

    @model_validator(mode="after")
    def _majorities_known(self) -> "ConsentSettings":
        named = {f"measures.{k}": one.majority for k, one in self.measures.items()}
        for key, majority in (named | {"other_majority": self.other_majority}).items():
            if majority not in self.majorities:
                known = ", ".join(self.majorities)
                raise ValueError(f"{key}: majority {majority} is not one of {known}")
        for share in (self.quorum_owner_share, self.quorum_area_share):
            if Fraction(share) > 1:
                raise ValueError(f"quorum {share} must be at most 1")
        return self
