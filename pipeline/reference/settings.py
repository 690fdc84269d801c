"""What shapes the synthetic city: the model behind ``config/reference.yaml``.

The models are frozen, refuse unknown keys, NaN and silent conversions, so a misspelt key stops the
making instead of vanishing.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.settings.base import Positive, Section, Share

Count = Annotated[int, Field(gt=0)]
Point = Annotated[list[float | int], Field(min_length=2, max_length=2)]
Pair = Annotated[list[float | int], Field(min_length=2, max_length=2)]
Shape = Literal["bar", "step", "ell", "tee", "court", "cross"]
YearFormat = Literal[
    "plain", "year_sign", "date", "month", "decade", "century_decade", "short", "before", "span"
]


class Totals(Section):
    """Figures the city must meet at scale 1."""

    programme_building_count: Count
    housing_floor_area_m2: Positive
    estate_count: Count
    pre_cutoff_district: str
    pre_cutoff_year: int
    pre_cutoff_floor_area_m2: Positive
    programme_last_year: int


class Ridge(Section):
    """One mountain chain along the strike."""

    offset_km: float
    height_m: Positive
    half_width_km: Positive


class Land(Section):
    """Extent, rivers, ridges and terraces."""

    width_m: Count
    height_m: Count
    cell_size_m: Count
    confluence_x_m: float
    confluence_y_m: float
    confluence_from_left_share: Share
    confluence_from_bottom_share: Share
    strike_deg: float
    valley_floor_m: Positive
    hill_amplitude_m: Positive
    terrace_step_m: Positive
    riser_share: Share
    upstream_water_m: Positive
    downstream_water_m: Positive
    yangtze_half_width_m: Positive
    jialing_half_width_m: Positive
    meander_jitter_km: float
    yangtze_km: list[Point]
    jialing_km: list[Point]
    spine_km: list[Point]
    spine_height_m: Positive
    ridges: list[Ridge]


class SurfaceModel(Section):
    """What the elevation model adds to the bare ground."""

    roof_share_of_height: Share
    tree_height_m: Positive
    noise_m: Positive


class Mesh(Section):
    """The street mesh and what becomes of its lines."""

    along_m: Positive
    across_m: Positive
    warp_m: Positive
    warp_wavelength_m: Positive
    major_hub_spacing_cells: Count
    main_road_half_width_m: Positive
    local_road_half_width_m: Positive
    steps_grade: Positive
    kept_local_share: Share
    inner_service_share: Share
    inner_footway_share: Share
    overshoot: Annotated[float, Field(ge=1)]


class District(Section):
    """One of the nine central districts."""

    code: Annotated[str, Field(pattern=r"^\d{6}$")]
    name: str
    english: str
    programme_share: Share
    streets: Count
    age_shift: float
    centres_km: list[Point]
    side: Literal["north", "between", "south"]


class LandUse(Section):
    """What parcels become."""

    programme_share_core: Share
    programme_share_edge: Share
    open_estate_share: Share
    age_noise: Positive
    others: dict[str, Share]


class BuildingType(Section):
    """Size, shape and habits of one kind of building."""

    first_year: int
    last_year: int
    share: Share
    storeys: Annotated[list[int], Field(min_length=2, max_length=2)]
    depth_m: Pair
    length_m: Pair
    gap_m: Positive
    yard_m: Positive
    turn_deg: float
    keep_share: Share
    shop_share: Share
    lift_share: Share
    shapes: dict[Shape, Share]
    structures: dict[str, Share]


class FlatAreas(Section):
    """Mean floor area of a flat by year of building."""

    before_1980: Positive
    before_1998: Positive
    later: Positive


class People(Section):
    """Households and ages."""

    flat_area_m2: FlatAreas
    persons_per_household: Positive
    elder_share: Share
    elder_share_spread: Share


class Surveys(Section):
    """How much the registers and surveys know."""

    year_missing_share: Share
    unmanaged_share: Share
    inspected_share: Share
    consent_surveyed_share: Share
    consent_round_count: Count
    renovated_estate_share: Share
    clearance_estate_share: Share
    heritage_area_count: Count
    hazard_share: dict[Literal["C", "D"], Share]
    first_renovation_year: int
    last_renovation_year: int
    reference_year: int


class Dirt(Section):
    """Planted faults, as a share of the rows of the file concerned."""

    duplicate_row: Share
    impossible_year: Share
    area_in_wan_m2: Share
    area_in_mu: Share
    area_factor_ten: Share
    swapped_lon_lat: Share
    storeys_missing: Share
    households_missing: Share
    duplicate_footprint: Share
    overlapping_footprint: Share
    bow_tie_ring: Share
    duplicate_amenity: Share
    swapped_amenity: Share


class ReferenceSettings(Section):
    """Everything that shapes the synthetic city."""

    seed: Annotated[int, Field(ge=0)]
    scale: Positive
    totals: Totals
    land: Land
    surface_model: SurfaceModel
    mesh: Mesh
    districts: Annotated[list[District], Field(min_length=1)]
    communities_per_street: Count
    land_use: LandUse
    building_types: dict[str, BuildingType]
    people: People
    surveys: Surveys
    year_formats: dict[YearFormat, Share]
    missing_tokens: dict[str, Share]
    dirt: Dirt

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> "ReferenceSettings":
        """Refuse mixes that do not add up."""
        mixes = {
            "districts.programme_share": [each.programme_share for each in self.districts],
            "building_types.share": [each.share for each in self.building_types.values()],
            "land_use.others": list(self.land_use.others.values()),
            "year_formats": list(self.year_formats.values()),
            "missing_tokens": list(self.missing_tokens.values()),
        }
        for name, kind in self.building_types.items():
            mixes[f"building_types.{name}.shapes"] = list(kind.shapes.values())
            mixes[f"building_types.{name}.structures"] = list(kind.structures.values())
        wrong = [name for name, mix in mixes.items() if abs(sum(mix) - 1) > 1e-6]
        if wrong:
            raise ValueError(f"reference: shares do not sum to 1 in {', '.join(wrong)}")
        unknown = set(self.land_use.others) - set(self.building_types)
        if unknown:
            raise ValueError(f"reference: land_use.others names no building type: {unknown}")
        return self
