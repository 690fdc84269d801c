"""Every column, once: name, unit, type, believable range, meaning.

The ending of a name tells its unit (``tests/house`` compares the two). A name that holds ``{}`` is a
family: one column for each facility type or criterion that the configuration lists.
"""

from dataclasses import dataclass

TEXT, REAL, WHOLE, FLAG = "text", "real", "whole", "flag"


@dataclass(frozen=True)
class Column:
    """One column of one or more tables.

    ``decimals`` is how many a CSV shows; ``allowed`` is the closed list of a category.
    """

    name: str
    kind: str
    meaning: str
    unit: str = ""
    lowest: float | None = None
    highest: float | None = None
    may_be_empty: bool = False
    allowed: tuple[str, ...] = ()
    decimals: int = 2

    @property
    def is_family(self) -> bool:
        """Whether the name stands for one column per facility type or criterion."""
        return "{}" in self.name

    def matches(self, name: str) -> bool:
        """Tell whether ``name`` is this column or a member of this family."""
        if not self.is_family:
            return name == self.name
        before, after = self.name.split("{}")
        middle = len(name) - len(before) - len(after)
        return middle > 0 and name.startswith(before) and name.endswith(after)


def _text(name: str, meaning: str, **more: object) -> Column:
    return Column(name, TEXT, meaning, **more)  # type: ignore[arg-type]


def _real(name: str, unit: str, low: float, high: float, meaning: str, **more: object) -> Column:
    return Column(name, REAL, meaning, unit, low, high, **more)  # type: ignore[arg-type]


def _whole(name: str, unit: str, low: int, high: int, meaning: str, **more: object) -> Column:
    return Column(name, WHOLE, meaning, unit, low, high, **more)  # type: ignore[arg-type]


def _flag(name: str, meaning: str, **more: object) -> Column:
    return Column(name, FLAG, meaning, "yes/no", **more)  # type: ignore[arg-type]


_EMPTY = {"may_be_empty": True}

_ALL = (
    # who and where
    _text("building_id", "stable key of a building, from the source's own number"),
    _text("source_name", "name of the source in the city profile"),
    _text("source_row", "row, element or feature number in that source"),
    _text("building_name", "name as the source writes it", **_EMPTY),
    _text("building_use_type", "use as the source writes it, e.g. residential, yes, office"),
    _flag("is_housing", "counted as housing by the profile's rule"),
    _text(
        "housing_origin",
        "why it counts as housing: the source says so, or the profile assumes it for that use",
        allowed=("recorded", "assumed", "not_housing"),
    ),
    _flag("is_overlapping", "shares more than the allowed area with another footprint"),
    _text("district_id", "stable key of a district"),
    _text("district_name", "district (区)"),
    _text("estate_id", "stable key of an estate (小区)", **_EMPTY),
    _text("estate_name", "estate (小区)", **_EMPTY),
    _text("road_name", "nearest named road, within the cap in config", **_EMPTY),
    _text("cell_id", "square of the reporting grid that holds the building"),
    # size
    _whole("storey_count", "storeys", 1, 150, "storeys above ground", **_EMPTY),
    _text(
        "storey_count_origin",
        "where the storeys come from",
        allowed=("recorded", "from_height", "unknown"),
    ),
    _real("height_m", "m", 1, 700, "height above ground as recorded", **_EMPTY),
    _real("footprint_area_m2", "m²", 1, 500_000, "area of the footprint, holes taken off"),
    _real(
        "floor_area_m2",
        "m²",
        1,
        5_000_000,
        "housing floor area: the register's, else footprint × storeys",
        **_EMPTY,
    ),
    _text(
        "floor_area_origin",
        "where the floor area comes from",
        allowed=("recorded", "converted", "derived", "unknown"),
    ),
    _real(
        "recorded_floor_area_m2", "m²", 1, 5_000_000, "housing floor area in the register", **_EMPTY
    ),
    _text(
        "recorded_floor_area_origin",
        "recorded: as the register states it; converted: from 万m² or 亩; unknown: empty or doubted",
        allowed=("recorded", "converted", "unknown"),
    ),
    _whole("household_count", "households", 0, 10_000, "households in the register", **_EMPTY),
    _whole("stairwell_count", "stairwells", 1, 200, "stairwells in the register", **_EMPTY),
    _whole(
        "entry_storey_number",
        "ordinal",
        1,
        150,
        "storey of the street entrance, 1 = lowest",
        **_EMPTY,
    ),
    _text("hazard_grade_code", "grade of danger, A to D (JGJ 125)", **_EMPTY),
    _text("manager_name", "property manager in the register", **_EMPTY),
    _text(
        "management_type",
        "who manages: a company, the community (社区代管), or nobody",
        allowed=("company", "community", "none"),
        **_EMPTY,
    ),
    _text("building_structure_type", "load-bearing structure in the register", **_EMPTY),
    _real(
        "shop_floor_area_m2",
        "m²",
        0,
        5_000_000,
        "floor area of shops in the register, not housing",
        **_EMPTY,
    ),
    # neighbourhood
    _text("subdistrict_name", "subdistrict (街道)", **_EMPTY),
    _text("community_id", "stable key of a community (社区)", **_EMPTY),
    _text("community_name", "community (社区)", **_EMPTY),
    _real("elder_share", "share", 0, 1, "residents of 65 and more in its community", **_EMPTY),
    _text("heritage_name", "heritage area that holds the building", **_EMPTY),
    _text("heritage_class_text", "what kind of heritage area, as the source writes it", **_EMPTY),
    # surveys
    _real(
        "{}_fault_share",
        "share",
        0,
        1,
        "fault found by the inspection: 0 none, 1 grave",
        **_EMPTY,
    ),
    _whole("inspection_year", "year", 1900, 2100, "year of that inspection", **_EMPTY),
    _whole(
        "renovated_year", "year", 1900, 2100, "latest renovation of it or of its estate", **_EMPTY
    ),
    _flag("is_in_clearance_plan", "its estate stands in a clearance plan (棚改)", **_EMPTY),
    _whole("clearance_year", "year", 1900, 2100, "year of that plan", **_EMPTY),
    _text("clearance_status_text", "state of the clearance, as the source writes it", **_EMPTY),
    _whole("parking_space_count", "spaces", 0, 100_000, "parking spaces of the estate", **_EMPTY),
    _whole("charging_space_count", "spaces", 0, 100_000, "of these, with a charger", **_EMPTY),
    _real("idle_room_area_m2", "m²", 0, 1e6, "idle public rooms of the estate", **_EMPTY),
    _flag("is_walled", "the estate has a wall around it", **_EMPTY),
    _real(
        "parking_gap_share",
        "share",
        0,
        1,
        "parking spaces of its estate that are lacking, as a share of the norm in config",
        **_EMPTY,
    ),
    # consent
    _text("measure_type", "work that owners were asked about"),
    _whole("survey_round_number", "ordinal", 1, 1000, "round of asking, 1 = first"),
    _whole("survey_year", "year", 1900, 2100, "year of that round", **_EMPTY),
    _whole("owner_count", "owners", 0, 100_000, "all owners", **_EMPTY),
    _whole("voting_owner_count", "owners", 0, 100_000, "owners who took part", **_EMPTY),
    _whole("favour_owner_count", "owners", 0, 100_000, "owners in favour", **_EMPTY),
    _real("voting_area_share", "share", 0, 1, "area of those, of all owners' area", **_EMPTY),
    _real("favour_area_share", "share", 0, 1, "area in favour, of all owners' area", **_EMPTY),
    _flag("is_registered", "stands in a housing register"),
    _whole("household_sum_count", "households", 0, 1_000_000_000, "known households", **_EMPTY),
    # age
    _text("construction_year_source_name", "source that the year comes from", **_EMPTY),
    _text("construction_year_text", "year as the source writes it", **_EMPTY),
    _whole("construction_year_low", "year", 1000, 2100, "earliest year the text allows", **_EMPTY),
    _whole("construction_year_high", "year", 1000, 2100, "latest year the text allows", **_EMPTY),
    _whole(
        "construction_year", "year", 1000, 2100, "year, or the middle of a vague text", **_EMPTY
    ),
    _text(
        "construction_year_origin",
        "recorded: one year; vague: a short interval, its middle taken; bounded: a long one, no year "
        "taken; unknown: nothing said",
        allowed=("recorded", "vague", "bounded", "unknown"),
    ),
    _real(
        "construction_year_{}",
        "year",
        1000,
        2101,
        "quantile of the year of construction: p05 and p95 bound it in nine of ten cases",
        decimals=2,
        **_EMPTY,
    ),
    _real(
        "built_by_cutoff_share",
        "share",
        0,
        1,
        "probability of being built by the cut-off year of config",
        decimals=4,
        **_EMPTY,
    ),
    _text(
        "construction_year_basis_type",
        "how these are known: recorded; vague: a short interval; inferred: from estate, form and "
        "surroundings; baseline: from the nearest or the district only; unknown: too little is known",
        allowed=("recorded", "vague", "inferred", "baseline", "unknown"),
    ),
    _real(
        "age_yr",
        "yr",
        0,
        1100,
        "reference year minus the middle (p50) of the construction year",
        decimals=0,
        **_EMPTY,
    ),
    # ground
    _real(
        "elevation_m", "m", -500, 9000, "mean height of the terrain under the footprint", **_EMPTY
    ),
    _real(
        "elevation_lowest_m", "m", -500, 9000, "lowest terrain cell under the footprint", **_EMPTY
    ),
    _real(
        "elevation_highest_m", "m", -500, 9000, "highest terrain cell under the footprint", **_EMPTY
    ),
    _real("slope_deg", "°", 0, 90, "mean slope of the terrain under the footprint", **_EMPTY),
    _real("elevation_error_m", "m", 0, 500, "standard error of the ground's height", **_EMPTY),
    _real("relief_m", "m", 0, 2000, "highest minus lowest ground around the building", **_EMPTY),
    _text(
        "landform_type",
        "what the building stands on",
        allowed=("flat", "slope", "terrace", "cliff_edge", "cliff_foot"),
        **_EMPTY,
    ),
    # inside
    _flag("has_lift", "has a lift inside", **_EMPTY),
    _whole("storeys_above_entry_count", "storeys", 0, 150, "storeys above the entrance", **_EMPTY),
    _whole("storeys_below_entry_count", "storeys", 0, 150, "storeys below the entrance", **_EMPTY),
    _whole(
        "storeys_climbed_count",
        "storeys",
        0,
        150,
        "most storeys walked from the entrance, up or down; 0 with a lift, empty if that is unknown",
        **_EMPTY,
    ),
    # walking
    _real("access_m", "m", 0, 1000, "straight way from the footprint to its street", **_EMPTY),
    _flag("has_street_access", "a walkable street lies within the cap in config"),
    _real("{}_walk_out_min", "min", 0, 2000, "walk from the building to the nearest one", **_EMPTY),
    _real("{}_walk_back_min", "min", 0, 2000, "walk home from the nearest one", **_EMPTY),
    _real(
        "{}_walk_m",
        "m",
        0,
        100_000,
        "equivalent walking distance: the slower direction's minutes × the planning speed",
        decimals=0,
        **_EMPTY,
    ),
    _real(
        "{}_gap_m",
        "m",
        0,
        100_000,
        "equivalent walking distance beyond the standard's radius",
        decimals=0,
        **_EMPTY,
    ),
    _whole(
        "{}_min_count",
        "facilities",
        0,
        1_000_000,
        "facilities whose way out takes no longer than these minutes",
        **_EMPTY,
    ),
    _real("{}_climb_m", "m", 0, 5000, "metres climbed on the walk home", decimals=1, **_EMPTY),
    _whole(
        "main_road_path_point_number",
        "ordinal",
        0,
        1_000_000_000,
        "where its walk to the main road begins in main_road_paths",
        **_EMPTY,
    ),
    _whole("path_point_number", "ordinal", 0, 1_000_000_000, "key of a point of the walks home"),
    _whole(
        "next_path_point_number",
        "ordinal",
        0,
        1_000_000_000,
        "the next point towards the main road, empty at the road",
        **_EMPTY,
    ),
    _real("path_elevation_m", "m", -500, 9000, "height of the street at that point", **_EMPTY),
    # score
    _real("{}_need_share", "share", 0, 1, "need by the fixed policy bounds", decimals=4),
    _real("{}_points", "points", 0, 100, "weight × need × 100, rounded to 0.001", decimals=3),
    _text(
        "{}_origin",
        "measured; inferred, its whole distribution counted; or missing: the stand-in of config",
        allowed=("measured", "inferred", "stand_in"),
    ),
    _real("score_points", "points", 0, 100, "sum of the points of all criteria", decimals=3),
    _text(
        "track_type",
        "the one way it goes: ranked; reserve, built after the cut-off; hazard, repair or rebuild; "
        "excluded, renovated of late or in a clearance plan",
        allowed=("ranked", "reserve", "hazard", "excluded"),
    ),
    _text("track_reason_code", "why it goes that way"),
    _whole("rank", "ordinal", 1, 100_000_000, "1 = most urgent; empty off the track", **_EMPTY),
    _whole("tier_number", "ordinal", 1, 5, "1 = most urgent tier of config", **_EMPTY),
    _flag("is_lifted", "a veto of config lifts it into tier 1, before all others"),
    _text("lifted_by_code", "which veto", **_EMPTY),
    _whole(
        "rank_p05",
        "ordinal",
        1,
        100_000_000,
        "in 5 % of the draws it ranks here or better",
        **_EMPTY,
    ),
    _whole("rank_p50", "ordinal", 1, 100_000_000, "in half of the draws", **_EMPTY),
    _whole("rank_p95", "ordinal", 1, 100_000_000, "in 95 % of the draws", **_EMPTY),
    _real(
        "top_share",
        "share",
        0,
        1,
        "draws in which it is in the top of config",
        decimals=3,
        **_EMPTY,
    ),
    _real(
        "funded_share",
        "share",
        0,
        1,
        "draws in which the budget of config reaches it down the list",
        decimals=3,
        **_EMPTY,
    ),
    _real(
        "consent_share",
        "share",
        0,
        1,
        "how far its owners agree, over what they were asked",
        decimals=3,
        **_EMPTY,
    ),
    _real(
        "readiness_share",
        "share",
        0,
        1,
        "consent, management, heritage procedure; never in need",
        decimals=3,
        **_EMPTY,
    ),
    _text(
        "quadrant_type",
        "need by readiness: act (needy, ready), prepare (needy, not ready), survey (needy, owners not "
        "asked), later_ready, later, later_unknown",
        allowed=("act", "prepare", "survey", "later_ready", "later", "later_unknown"),
    ),
    _whole("stand_in_count", "criteria", 0, 100, "criteria scored by a stand-in"),
    # areas
    _text(
        "row_type",
        "what the row tells of",
        allowed=("district", "estate", "road", "grid_cell", "community"),
    ),
    _text("area_id", "stable key of an estate, road or grid cell within its district"),
    _text("area_name", "estate, road or grid cell"),
    _whole("district_rank", "ordinal", 1, 10_000, "1 = district with the highest mean score"),
    _whole(
        "area_rank", "ordinal", 1, 10_000_000, "1 = highest mean score in the district", **_EMPTY
    ),
    _whole("building_count", "buildings", 1, 100_000_000, "buildings of all tracks"),
    _whole("ranked_count", "buildings", 0, 100_000_000, "buildings on the track ranked"),
    _whole("reserve_count", "buildings", 0, 100_000_000, "buildings on the track reserve"),
    _whole("hazard_count", "buildings", 0, 100_000_000, "buildings on the track hazard"),
    _whole("excluded_count", "buildings", 0, 100_000_000, "buildings on the track excluded"),
    _whole(
        "tier_{}_household_count", "households", 0, 1_000_000_000, "known households of that tier"
    ),
    _real("tier_{}_floor_area_m2", "m²", 0, 1e12, "known floor area of that tier", decimals=0),
    _whole("tier_{}_count", "buildings", 0, 100_000_000, "buildings of that tier"),
    _real("footprint_area_sum_m2", "m²", 0, 1e12, "footprints together", decimals=0),
    _real("floor_area_sum_m2", "m²", 0, 1e12, "known floor areas together", decimals=0, **_EMPTY),
    _real("floor_area_known_share", "share", 0, 1, "buildings whose floor area is known"),
    _real("score_mean_points", "points", 0, 100, "mean need, ranked", decimals=3, **_EMPTY),
    _real("score_median_points", "points", 0, 100, "median need, ranked", decimals=3, **_EMPTY),
    _whole("rank_best", "ordinal", 1, 100_000_000, "best rank of its buildings", **_EMPTY),
    _whole("rank_p05_median", "ordinal", 1, 100_000_000, "median of their rank_p05", **_EMPTY),
    _whole("rank_p95_median", "ordinal", 1, 100_000_000, "median of their rank_p95", **_EMPTY),
    _real("longitude_deg", "°", -180, 180, "WGS-84 longitude of the middle", decimals=6),
    _real("latitude_deg", "°", -90, 90, "WGS-84 latitude of the middle", decimals=6),
    _text(
        "data_origin",
        "whether the data was delivered or invented",
        allowed=("delivered", "合成 synthetic"),
    ),
    # streets
    _text("node_id", "stable key of a street node"),
    _text("edge_id", "stable key of a street link"),
    _text("from_node_id", "node where the link begins"),
    _text("to_node_id", "node where the link ends"),
    _text("highway_type", "class of the street, as OpenStreetMap writes it"),
    _text(
        "structure_type",
        "what carries the link",
        allowed=("ground", "bridge", "tunnel", "steps", "lift", "escalator"),
    ),
    _real("length_m", "m", 0, 100_000, "length of the link on the map"),
    _real("rise_steps", "steps", 0, 100_000, "steps of the link as tagged, by length", **_EMPTY),
    _real("incline_grade", "rise/run", -10, 10, "grade of the link as tagged", **_EMPTY),
    _text(
        "incline_type",
        "whether the link is tagged as rising or falling along its direction",
        allowed=("up", "down", "unknown"),
    ),
    _text(
        "lift_type",
        "whether the node is a public lift, and open",
        allowed=("none", "open", "closed"),
    ),
    _text("water_id", "stable key of a water area"),
    _flag("is_main_road", "class is one of the main roads in config"),
    _flag("is_forward_open", "may be walked along its direction"),
    _flag("is_backward_open", "may be walked against its direction"),
    # amenities
    _text("amenity_id", "stable key of a facility"),
    _text("amenity_type", "facility type of the profile"),
    _text("amenity_name", "name as the source writes it", **_EMPTY),
    # comparison of two rankings
    _text(
        "outcome_type",
        "comparison: entered or left the top of config, rose, fell, same; gained or lost its rank with "
        "its track, never ranked; new or gone: in one of the two only. what-if: better or worse: "
        "quicker or slower out and home together, or else less or more climb; gains_way, loses_way: "
        "there was or is no way; first_mapped: a new facility of a type that is not mapped today "
        "comes within the standard's radius",
        allowed=(
            "entered_top",
            "left_top",
            "rose",
            "fell",
            "same",
            "gained_rank",
            "lost_rank",
            "new",
            "gone",
            "never_ranked",
            "better",
            "worse",
            "gains_way",
            "loses_way",
            "first_mapped",
        ),
    ),
    _text(
        "cause_type",
        "what moved it most: data (its own need), weight, track, or others that moved past it",
        allowed=("data", "weight", "track", "others", "none"),
    ),
    _text("cause_criterion_name", "criterion by which, if data or weight", **_EMPTY),
    _text("track_before_type", "track in the first ranking", **_EMPTY),
    _text("track_after_type", "track in the second ranking", **_EMPTY),
    _whole("rank_before", "ordinal", 1, 100_000_000, "rank in the first ranking", **_EMPTY),
    _whole("rank_after", "ordinal", 1, 100_000_000, "rank in the second ranking", **_EMPTY),
    _whole("rank_gain_count", "ranks", -100_000_000, 100_000_000, "ranks gained", **_EMPTY),
    _real("score_before_points", "points", 0, 100.1, "first score", decimals=3, **_EMPTY),
    _real("score_after_points", "points", 0, 100.1, "second score", decimals=3, **_EMPTY),
    _real("score_change_points", "points", -101, 101, "after minus before", decimals=3, **_EMPTY),
    _real("data_change_points", "points", -101, 101, "of it: its need", decimals=3, **_EMPTY),
    _real("weight_change_points", "points", -101, 101, "of it: weights", decimals=3, **_EMPTY),
    _real("{}_data_points", "points", -101, 101, "change by its own need", decimals=3, **_EMPTY),
    _real("{}_weight_points", "points", -101, 101, "change by the weight", decimals=3, **_EMPTY),
    # what-if
    _text("facility_type", "what is walked to: a facility type of the profile"),
    _real("walk_out_before_min", "min", 0, 2000, "walk out today", **_EMPTY),
    _real("walk_out_after_min", "min", 0, 2000, "walk out after the change", **_EMPTY),
    _real("walk_out_saved_min", "min", -2000, 2000, "before minus after", **_EMPTY),
    _real("walk_back_before_min", "min", 0, 2000, "walk home today", **_EMPTY),
    _real("walk_back_after_min", "min", 0, 2000, "walk home after the change", **_EMPTY),
    _real("walk_back_saved_min", "min", -2000, 2000, "before minus after", **_EMPTY),
    _real("climb_before_m", "m", 0, 5000, "climb of the walk home today", decimals=1, **_EMPTY),
    _real("climb_after_m", "m", 0, 5000, "the same after the change", decimals=1, **_EMPTY),
    _real("climb_saved_m", "m", -5000, 5000, "before minus after", decimals=1, **_EMPTY),
    _real("walk_before_m", "m", 0, 100_000, "equivalent distance today", decimals=0, **_EMPTY),
    _real("walk_after_m", "m", 0, 100_000, "the same after the change", decimals=0, **_EMPTY),
    _real("walk_saved_m", "m", -100_000, 100_000, "before minus after", decimals=0, **_EMPTY),
    # rejects
    _text(
        "scope_type",
        "a whole row left out, or one value set to missing",
        allowed=("row", "value", "notice"),
    ),
    _text("field_name", "field at fault", **_EMPTY),
    _text("reason_code", "short reason, the same word for the same fault"),
    _text("detail_text", "what was found", **_EMPTY),
)

COLUMNS: dict[str, Column] = {column.name: column for column in _ALL}
assert len(COLUMNS) == len(_ALL), "a column is defined twice"
