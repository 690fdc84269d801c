"""Settings of score: tracks, criteria with their bounds, weights, readiness, robustness."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.settings.base import CalendarYear, Name, NotNegative, Positive, Section, Share, Slug

Measure = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Group = Literal["building", "people", "service", "feasibility"]
QUANTILE_MASS = {"p05": 0.15, "p25": 0.225, "p50": 0.25, "p75": 0.225, "p95": 0.15}
"""Share of probability that each quantile stands for: half of the way to its neighbours."""
Judgments = dict[Annotated[str, Field(pattern=r"^[a-z0-9_]+>[a-z0-9_]+$")], Positive]


class Criterion(Section):
    """How one measurement becomes need, and how much it counts."""

    measure: Measure
    """Column of ``measurements`` or ``buildings``."""
    weight: NotNegative
    """Weight before the weights are brought to a sum of 1. 0 leaves the criterion without effect."""
    none_at: float
    """Measurement at (and beyond) which there is no need."""
    between: list[Annotated[list[float], Field(min_length=2, max_length=2)]]
    """Bends of the line between ``none_at`` and ``worst_at``: pairs of measurement and need."""
    worst_at: float
    """Measurement at (and beyond) which need is full."""
    missing: Literal["population", "worst", "leave_out"]
    """What stands in for a missing measurement: a stored distribution, full need, or what the
    building's other criteria say."""
    stand_in_need_quantiles: Annotated[list[Share], Field(min_length=5, max_length=5)]
    """Need at 5, 25, 50, 75 and 95 % of the stored distribution; used where ``missing`` is
    ``population``."""
    group: Group
    label_zh: Name
    label_en: Name
    unit: str
    """Unit shown beside the value."""
    source: Name
    """Where the bounds and the weight come from."""

    @property
    def stand_in_need_share(self) -> float:
        """Need that stands in for a missing measurement, never the best case.

        The mean of the stored distribution, or full need; 0 with ``leave_out``, where the score fills
        the gap from the building's other criteria.
        """
        if self.missing == "worst":
            return 1.0
        if self.missing == "leave_out":
            return 0.0
        masses = QUANTILE_MASS.values()
        return sum(m * q for m, q in zip(masses, self.stand_in_need_quantiles, strict=True))

    @model_validator(mode="after")
    def _line_is_a_line(self) -> "Criterion":
        if self.none_at == self.worst_at:
            raise ValueError("none_at and worst_at must differ")
        way = 1 if self.worst_at > self.none_at else -1
        at = [way * value for value in (self.none_at, *(x for x, _ in self.between), self.worst_at)]
        need = [0.0, *(y for _, y in self.between), 1.0]
        if at != sorted(set(at)) or need != sorted(need):
            raise ValueError(
                "between must lead from none_at to worst_at with need rising in 0 to 1"
            )
        return self

    @field_validator("stand_in_need_quantiles")
    @classmethod
    def _quantiles_rise(cls, value: list[float]) -> list[float]:
        if value != sorted(value):
            raise ValueError("must not fall")
        return value


class Veto(Section):
    """Safety faults that lift a building into the top tier whatever its points."""

    label_zh: Name
    label_en: Name
    at_least: Annotated[dict[Measure, float], Field(min_length=1)]
    """All of these measurements must reach these values."""
    source: Name


class TrackSettings(Section):
    """Which way a building goes: ranked, reserve, hazard or excluded."""

    min_built_by_cutoff_share: Share
    """Chance of being built by the cut-off year from which a building is in the programme."""
    reserve_until_year: CalendarYear
    """Buildings after the cut-off and up to this year are kept in reserve; later ones left out."""
    hazard_grades: list[str]
    """Grades that are repaired or rebuilt on a track of their own."""
    renovated_within_yr: Annotated[int, Field(ge=0)]
    """A building renovated fewer years ago is left out."""
    exclude_clearance: bool
    """Whether a building in a clearance plan is left out."""


class Party(Section):
    """What one party judges: how many times as much the first of a pair matters as the second."""

    groups: Judgments
    building: Judgments
    people: Judgments
    service: Judgments
    feasibility: Judgments


class WeightingSettings(Section):
    """Where the weights come from."""

    method: Literal["direct", "judgments"]
    """``direct``: the criteria's own; ``judgments``: pairwise, groups first, then within groups."""
    parties: dict[Slug, Party]
    """Each counts the same. Groups that nobody judges keep the proportions of the direct weights."""


class CoverageSettings(Section):
    """What becomes of a criterion that few buildings have data for."""

    min_known_share: Share
    """A criterion known for a smaller share of the buildings is left out and named; with 0 only one
    that no building has data for, so that no building's place depends on which others are there."""
    notice_below_share: Share
    """A criterion that counts though fewer are known is reported."""


class NoticeSettings(Section):
    """From where on something legal is reported as silly."""

    dominant_spread_share: Share
    """Share of the spread of scores that one criterion carries."""
    same_correlation: Share
    """Correlation of two criteria's need."""
    max_consistency_ratio: Share
    """Judgments that contradict each other more than this."""


class ReadinessSettings(Section):
    """How ready a building is for works; it never touches need."""

    weights: dict[Literal["consent", "management", "heritage"], NotNegative]
    """All three; 0 leaves one without effect."""
    management_shares: dict[Literal["company", "community", "none"], Share]
    """Readiness by who manages the building; all three."""
    heritage_share: Share
    """Readiness of a building in a heritage area, whose works need a procedure of their own."""
    ready_from_share: Share
    needy_from_points: Annotated[float, Field(ge=0, le=100)]

    @model_validator(mode="after")
    def _complete(self) -> "ReadinessSettings":
        if len(self.weights) < 3 or sum(self.weights.values()) == 0:
            raise ValueError("weights: consent, management and heritage, not all 0, are needed")
        if len(self.management_shares) < 3:
            raise ValueError("management_shares: company, community and none are needed")
        return self


class RobustnessSettings(Section):
    """What is sampled to see how sure a rank is."""

    draws: Annotated[int, Field(ge=20, le=100_000)]
    seed: int
    weight_rule: Literal["simplex", "intervals", "order"]
    """``simplex``: any weights; ``intervals``: around the weights; ``order``: all that keep it."""
    interval_share: Share
    """With ``intervals``: each weight may be smaller or larger by this share of itself."""
    order: list[list[Slug]]
    """With ``order``: criteria from the most to the least important; equals share a line."""
    errors: dict[Slug, Positive]
    """Standard error of a criterion's measurement, in its unit."""
    top_share: Share
    """The top of the ranking whose make-up is told: a tenth."""
    sensitivity_change_share: Share
    """How much of the top must change for a weight's move to count."""


class ScoreSettings(Section):
    """Stage 3."""

    criteria: dict[Slug, Criterion]
    coverage: CoverageSettings
    tier_upper_rank_shares: Annotated[list[Share], Field(min_length=5, max_length=5)]
    """Share of the ranked buildings at which each of the five tiers ends."""
    tie_breaks: list[Measure]
    """Measurements that decide between equal scores, larger first; the id decides last."""
    tracks: TrackSettings
    vetoes: dict[Slug, Veto]
    weighting: WeightingSettings
    readiness: ReadinessSettings
    robustness: RobustnessSettings
    notices: NoticeSettings

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

    @model_validator(mode="after")
    def _names_known(self) -> "ScoreSettings":
        named = {"errors": [*self.robustness.errors]}
        named["order"] = [name for line in self.robustness.order for name in line]
        for key, names in named.items():
            unknown = [name for name in names if name not in self.criteria]
            if unknown:
                raise ValueError(f"robustness.{key}: no criterion is named {', '.join(unknown)}")
            if len(set(names)) < len(names):
                raise ValueError(f"robustness.{key}: a criterion stands there twice")
        if self.weighting.method == "judgments" and not self.weighting.parties:
            raise ValueError("weighting: judgments need at least one party")
        return self
