"""Settings of plan: areas and districts, projects, measures, money, schedule."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.settings.base import CalendarYear, Name, NotNegative, Positive, Section, Share, Slug

SOURCES = (
    "central", "municipal", "district", "special_bond", "private", "resident", "maintenance_fund",
)  # fmt: skip
PUBLIC_SOURCES = ("central", "municipal", "district", "special_bond")
SourceName = Literal[
    "central", "municipal", "district", "special_bond", "private", "resident", "maintenance_fund"
]
ProjectId = Annotated[str, Field(min_length=1, max_length=120)]


class ProjectRule(Section):
    """How buildings become projects."""

    adjacency_gap_m: NotNegative
    """Buildings of no estate whose outlines come closer than this belong together; 0: none do."""
    max_adjacent_building_count: Annotated[int, Field(ge=1)]
    """A chain of more buildings is no estate: each of its buildings stands alone."""


class StandIns(Section):
    """What is taken where a quantity is not known; such projects are marked."""

    storey_count: Annotated[int, Field(ge=1)]
    floor_area_per_household_m2: Positive
    flats_per_landing: Positive
    """Flats on each storey of a stairwell; gives stairwells where they are not recorded."""
    storey_height_m: Positive


RenovationClass = Literal["basic", "improving", "upgrading"]

EVERY_DISTRICT = "*"
"""In a price list: all districts that have no row of their own."""
HOW_SURE = ("official", "reported", "weak", "illustrative")
"""An official site or text; a notice or news that names one; a poor copy; nobody can be cited."""


class Price(Section):
    """A line of the price list: yuan for a unit of works, without soft costs and contingency."""

    low_cny: Positive
    middle_cny: Positive
    high_cny: Positive
    source: str
    how_sure: str
    """One of ``HOW_SURE``; empty if the list does not say."""
    row: Annotated[int, Field(exclude=True)]
    """Line of the file, for messages; a price that only moves is no other price."""


PriceList = dict[str, dict[str, dict[int, Price]]]
"""Measure → district or ``*`` → year of the price."""


class Effect(Section):
    """What a measure does to one measurement of a building it serves. It never makes it worse."""

    column: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    """Column of ``measurements`` or ``buildings``."""
    becomes: float
    """What the measurement is afterwards."""
    is_share: bool
    """``becomes`` is a share of what it was, not a value in its own unit."""

    @model_validator(mode="after")
    def _share_is_a_share(self) -> "Effect":
        if self.is_share and not 0 <= self.becomes <= 1:
            raise ValueError(f"becomes is a share and must lie in 0–1, not {self.becomes:g}")
        return self


class PlanMeasure(Section):
    """One kind of work: when an estate gets it, how much, at what price, what it does, who pays."""

    label_zh: Name
    label_en: Name
    renovation_class: RenovationClass
    trigger: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] | None
    """Column of ``measurements`` or ``buildings`` that calls for it; null: every project gets it."""
    at_least: float
    """A building whose value reaches this calls for it."""
    unknown_share: Share
    """Share of the quantity counted where the trigger is unknown."""
    quantity: Literal[
        "floor_area_m2", "facade_area_m2", "roof_area_m2", "household_count", "building_count",
        "stairwell_count", "trigger_households", "trigger_mean", "project_count",
        "proposed_sites",
    ]  # fmt: skip
    """What is counted, over the buildings that call for it. ``trigger_households``: households ×
    trigger. ``trigger_mean``: mean of the trigger by households, once per project.
    ``project_count``: one per project whose mean reaches ``at_least``. ``proposed_sites``: what the
    table of proposed sites puts into the project, at its cost there; the table says what it does."""
    quantity_factor: Positive
    min_household_count: Annotated[int, Field(ge=0)]
    """Projects with fewer households do not get it."""
    unit_zh: Name
    has_soft_costs: bool
    """Whether design, supervision and contingency come on top: not where nothing is built."""
    consent: Slug | None
    """Matter of the consent survey without which it is not done; null: none asked for."""
    heritage_cost_factor: Annotated[float, Field(ge=1)]
    resident_share: Share
    maintenance_fund_share: Share
    is_enabling: bool
    """It comes with every project that begins and is called for, whatever it relieves itself."""
    effects: list[Effect]
    effect_source: Name
    source: Name

    @model_validator(mode="after")
    def _fits_together(self) -> "PlanMeasure":
        if self.quantity == "proposed_sites":
            if self.effects or self.trigger is not None:
                raise ValueError("quantity proposed_sites takes its effects from the table of sites: "
                                 "effects must be [] and trigger null")  # fmt: skip
        elif not self.effects and not self.is_enabling:
            raise ValueError(
                "has no effects, so it would relieve nothing; say what it does to which measurement, "
                "or set is_enabling: true if other works need it"
            )
        if len({effect.column for effect in self.effects}) < len(self.effects):
            raise ValueError("effects name a column twice")
        if self.resident_share + self.maintenance_fund_share > 1:
            raise ValueError("resident_share and maintenance_fund_share exceed 1 together")
        if self.trigger is None and self.quantity.startswith("trigger_"):
            raise ValueError(f"quantity {self.quantity} needs a trigger")
        return self


class Package(Section):
    """Works that are offered together: classes and single measures, and what other packages hold."""

    label_zh: Name
    label_en: Name
    contains: list[Slug]
    """Packages whose works it holds too."""
    classes: list[RenovationClass]
    measures: list[Slug]


class PackageRule(Section):
    """Which works a project may choose from."""

    choice: Literal["works", "packages"]
    """``works``: any of the single works that are called for, building by building; ``packages``: the
    works of one package, whole."""
    compulsory_classes: list[RenovationClass]
    """Classes whose works are all done once a project begins (应改尽改)."""
    offered: Annotated[dict[Slug, Package], Field(min_length=1)]
    """From small to large; the first that holds all works of a project gives the project its name."""
    source: Name

    @model_validator(mode="after")
    def _none_contains_itself(self) -> "PackageRule":
        for name in self.offered:
            self._walked(name, ())
        return self

    def _walked(self, name: str, path: tuple[str, ...]) -> None:
        if name in path:
            way = " → ".join((*path[path.index(name) :], name))
            raise ValueError(f"offered: package {name} contains itself ({way})")
        if name not in self.offered:
            raise ValueError(f"offered.{path[-1]}.contains: no package is named {name}")
        for inner in self.offered[name].contains:
            self._walked(inner, (*path, name))


class ChanceRule(Section):
    """What is drawn to see how often a project is planned, besides what score.robustness draws."""

    draws: Annotated[int, Field(ge=20, le=10_000)]
    price_spread_share: Share
    """Standard deviation of the logarithm of each measure's price."""
    relief_spread_share: Share
    """Standard deviation of the logarithm of what each measure relieves."""
    source: Name


class CentralRule(Section):
    """Central subsidy: a pot shared out by task volume and by performance."""

    pot_cny_per_m2: NotNegative
    """Pot for the whole stock, by its floor area."""
    performance_share: Share
    """Part of the pot for performance; the rest goes by task volume times fiscal difficulty."""
    floor_area_weight: NotNegative
    """Weights of the volumes among each other."""
    household_weight: NotNegative
    building_weight: NotNegative
    project_weight: NotNegative
    performance_coefficients: dict[Name, Positive]
    """Performance of each district; ``other`` counts for districts not named."""
    difficulty_coefficients: dict[Name, Positive]
    """Fiscal difficulty of each district; ``other`` counts for districts not named."""
    source: Name

    @field_validator("performance_coefficients", "difficulty_coefficients")
    @classmethod
    def _has_other(cls, value: dict[str, float]) -> dict[str, float]:
        if "other" not in value:
            raise ValueError("needs the key other, for districts that are not named")
        return value

    @model_validator(mode="after")
    def _has_a_weight(self) -> "CentralRule":
        weights = (self.floor_area_weight, self.household_weight, self.building_weight,
                   self.project_weight)  # fmt: skip
        if not sum(weights) > 0:
            raise ValueError("one of the weights must be above 0")
        return self


class FundingRule(Section):
    """Who pays what is left after residents and the maintenance fund, in this order."""

    central: CentralRule
    private_max_share: Share
    """Most that private parties pay of the rest; never more than their revenue is worth."""
    special_bond_share: Share
    """Of what is left after central and private money, for measures of ``special_bond_classes``; never
    more than what revenue is worth beyond the private share: bonds are paid back from it."""
    special_bond_classes: list[Literal["basic", "improving", "upgrading"]]
    municipal_share: Share
    """Of what then remains; the district pays the remainder."""
    source: Name


class RevenueRule(Section):
    """Yearly revenue that a private party can earn in an estate (造血点)."""

    term_yr: Annotated[int, Field(ge=1, le=50)]
    discount_share: Share
    shop_share: Share
    """Share of the estate's shop floor area that is common property and can be let."""
    shop_cny_per_m2_yr: NotNegative
    parking_cny_per_space_yr: NotNegative
    idle_room_cny_per_m2_yr: NotNegative
    management_cny_per_m2_yr: NotNegative
    """Margin of property management, after its own cost."""
    source: Name


class WorksRule(Section):
    """How long works take and how they are paid, by size."""

    max_floor_area_m2: Positive | None
    """Projects up to this size; null: all larger ones."""
    payment_shares: Annotated[list[Positive], Field(min_length=1, max_length=5)]
    """Share of the cost that falls due in each year of works."""
    month_count: Annotated[int, Field(ge=1, le=60)]

    @field_validator("payment_shares")
    @classmethod
    def _sums_to_one(cls, value: list[float]) -> list[float]:
        if abs(sum(value) - 1) > 1e-9:
            raise ValueError(f"must sum to 1, not to {sum(value):g}")
        return value


class ReadinessRule(Section):
    """When a project may start."""

    gate_consent: Slug
    """Matter of the consent survey that opens a project."""
    vote_to_start_yr: Annotated[int, Field(ge=0, le=10)]
    """Years from a future vote to the start: design and tender."""
    unasked_wait_yr: Annotated[int, Field(ge=0, le=20)]
    """Years before a project starts whose owners nobody has asked yet."""
    heritage_wait_yr: Annotated[int, Field(ge=0, le=20)]
    source: Name


class ScheduleRule(Section):
    """Years, budgets and limits."""

    first_year: CalendarYear
    year_count: Annotated[int, Field(ge=1, le=15)]
    budget_cny: list[NotNegative]
    """Public money of each year; empty: ``budget_share`` of the whole public cost every year."""
    budget_share: Share
    carry_over_share: Share
    """Most of a year's budget that may be carried into the next year."""
    district_floor_share: Share
    """Each district gets at least this share of what its part of the need would give it."""
    district_floors_cny: dict[Name, NotNegative]
    """Least public money of a district over all years; goes before the share."""
    max_starts_per_district_year: Annotated[int, Field(ge=0)] | None
    """Capacity: projects begun in a district in a year; null: no limit."""
    locked_in: dict[ProjectId, CalendarYear]
    """Projects that must start in that year."""
    locked_out: list[ProjectId]
    safety_first: bool
    """Projects with buildings that a veto lifts begin before all others, as soon as they are ready."""
    tracks: list[Literal["ranked", "reserve"]]
    """Tracks of the ranking that are planned."""
    need_of: Literal["household_count", "floor_area_m2", "building_count"]
    """What need is multiplied by."""
    year_weight_share: Share
    """What relief in each further year counts for, of the year before."""
    implement_year_count: Annotated[int, Field(ge=1)]
    """Projects that start in the first years are the batch 实施, later ones 谋划, the rest 储备."""
    relative_gap: Share
    """Stop when the plan is proved to be this close to the best."""
    node_limit: Annotated[int, Field(ge=1)]
    start_month: Annotated[int, Field(ge=1, le=12)]

    @model_validator(mode="after")
    def _budget_for_each_year(self) -> "ScheduleRule":
        if self.budget_cny and len(self.budget_cny) != self.year_count:
            raise ValueError(
                f"budget_cny lists {len(self.budget_cny)} years, year_count is {self.year_count}"
            )
        last = self.first_year + self.year_count - 1
        for name, year in self.locked_in.items():
            if not self.first_year <= year <= last:
                raise ValueError(f"locked_in.{name} = {year} is not in {self.first_year}–{last}")
            if name in self.locked_out:
                raise ValueError(f"{name} is locked in and locked out")
        return self


class PlanSettings(Section):
    """Stage 4."""

    min_area_building_count: Annotated[int, Field(ge=1)]
    """Areas with fewer ranked buildings are counted in their district but not listed."""
    top_area_count: Annotated[int, Field(ge=1)]
    """Areas listed below each district."""
    price_year: CalendarYear
    price_rise_share: Share
    """Yearly rise by which older prices are brought to ``price_year``."""
    price_list: Annotated[str, Field(pattern=r"^[^/\\].*\.[cC][sS][vV]$", max_length=200)]
    """CSV below config/: works_type, district_name, price_year, low_cny, middle_cny, high_cny, unit,
    source. An office puts its own in its place."""
    prices: PriceList
    """Empty in every YAML file; filled from ``price_list`` as the settings are read."""
    soft_cost_share: Share
    """Design, supervision, management and the like (工程建设其他费), of the cost of works."""
    contingency_share: Share
    """预备费, of works and soft costs together."""
    implementer_zh: Name
    """Who carries a project out; ``{district_name}`` stands for its district."""
    projects: ProjectRule
    stand_ins: StandIns
    measures: Annotated[dict[Slug, PlanMeasure], Field(min_length=1)]
    packages: PackageRule
    chances: ChanceRule
    funding: FundingRule
    revenue: RevenueRule
    works: Annotated[list[WorksRule], Field(min_length=1)]
    readiness: ReadinessRule
    schedule: ScheduleRule

    @field_validator("works")
    @classmethod
    def _rising_and_open(cls, value: list[WorksRule]) -> list[WorksRule]:
        sizes = [one.max_floor_area_m2 for one in value]
        closed = [size for size in sizes[:-1] if size is not None]
        if sizes[-1] is not None or len(closed) != len(sizes) - 1 or closed != sorted(set(closed)):
            raise ValueError("max_floor_area_m2 must rise, and end with null")
        return value

    @model_validator(mode="after")
    def _packages_name_measures(self) -> "PlanSettings":
        for name, package in self.packages.offered.items():
            unknown = [one for one in package.measures if one not in self.measures]
            if unknown:
                raise ValueError(
                    f"packages.offered.{name}: no measure is named {', '.join(unknown)}"
                )
        return self
