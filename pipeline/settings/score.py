"""Settings of score: criteria with their weights and policy bounds."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.settings.base import Name, NotNegative, Section, Share, Slug


class Criterion(Section):
    """How one measurement becomes need, and how much it counts."""

    measure: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    """Column of ``measurements`` or ``buildings``."""
    weight: NotNegative
    """Weight before the weights are brought to a sum of 1. 0 leaves the criterion without effect."""
    none_at: float
    """Measurement at (and beyond) which there is no need."""
    worst_at: float
    """Measurement at (and beyond) which need is full."""
    stand_in_need_share: Share
    """Need taken where the measurement is missing; such rows are marked."""
    group: Literal["building", "people", "service", "feasibility"]
    label_zh: Name
    label_en: Name
    unit: str
    """Unit shown beside the value."""
    source: Name
    """Where the bounds and the weight come from."""

    @model_validator(mode="after")
    def _bounds_differ(self) -> "Criterion":
        if self.none_at == self.worst_at:
            raise ValueError("none_at and worst_at must differ")
        return self


class ScoreSettings(Section):
    """Stage 3."""

    criteria: dict[Slug, Criterion]
    min_known_share: Share
    """A criterion known for a smaller share of the buildings is left out and named."""
    tier_upper_rank_shares: Annotated[list[Share], Field(min_length=5, max_length=5)]
    """Share of the ranked buildings at which each of the five tiers ends."""
    tie_breaks: list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]]
    """Measurements that decide between equal scores, larger first; the id decides last."""

    @field_validator("tier_upper_rank_shares")
    @classmethod
    def _rising_to_one(cls, value: list[float]) -> list[float]:
        if value != sorted(set(value)) or value[-1] != 1:
            raise ValueError("must rise and end at 1")
        return value

    @field_validator("criteria")
    @classmethod
    def _weights_count(cls, value: dict[str, Criterion]) -> dict[str, Criterion]:
        if not sum(criterion.weight for criterion in value.values()) > 0:
            listed = ", ".join(f"{name} {criterion.weight:g}" for name, criterion in value.items())
            raise ValueError(f"the weights sum to 0 ({listed}); at least one must be above 0")
        return value
