"""Every column, once: name, unit, type, believable range, meaning.

The ending of a name tells its unit (``tests/house`` compares the two). A name that holds ``{}`` is a
family: one column for each facility type or criterion that the configuration lists.
"""

from pipeline.contracts.change_columns import CHANGE_COLUMNS
from pipeline.contracts.column import EMPTY, FLAG, REAL, TEXT, WHOLE, Column
from pipeline.contracts.column import flag as _flag
from pipeline.contracts.column import real as _real
from pipeline.contracts.column import text as _text
from pipeline.contracts.column import whole as _whole
from pipeline.contracts.lift_columns import LIFT_COLUMNS
from pipeline.contracts.measurement_columns import MEASUREMENT_COLUMNS
from pipeline.contracts.plan_columns import PLAN_COLUMNS
from pipeline.contracts.ranking_columns import RANKING_COLUMNS

__all__ = ["COLUMNS", "FLAG", "REAL", "TEXT", "WHOLE", "Column"]

_EMPTY = EMPTY

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
    _real(
        "elder_share",
        "share",
        0,
        1,
        "residents of 65 and more in its community",
        **_EMPTY,
        made_from="census",
    ),
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
        made_from="inspection",
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
        made_from="estate_survey",
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
        "quantile of the year of construction; p05 and p95 are whole years that bound it in nine of "
        "ten cases, surer in large estates of which little is known, less sure in others",
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
    _text(
        "construction_year_regime_type",
        "what known years an inferred one rests on: sibling: of the same estate; vague_sibling: of the "
        "same estate, all vague; neighbour: of buildings around; isolated: it stands in an area without"
        " known years; known: none needed; unknown: too few to infer",
        allowed=("known", "sibling", "vague_sibling", "neighbour", "isolated", "unknown"),
    ),
    _real(
        "nearest_known_year_m",
        "m",
        0,
        1_000_000,
        "from a building without a year to the nearest building of known year",
        decimals=0,
        **_EMPTY,
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
    *MEASUREMENT_COLUMNS,
    *RANKING_COLUMNS,
    # streets
    _text("node_id", "stable key of a street node"),
    _text("edge_id", "stable key of a street link"),
    _text("from_node_id", "node where the link begins"),
    _text("to_node_id", "node where the link ends"),
    _text("highway_type", "class of the street, as OpenStreetMap writes it"),
    _text(
        "structure_type",
        "what carries the link",
        allowed=("ground", "bridge", "tunnel", "steps", "lift", "escalator", "plaza"),
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
    _flag("is_shut_gate", "the street ends here at a gate or wall that nobody passes"),
    _text("water_id", "stable key of a water area"),
    _flag("is_main_road", "class is one of the main roads in config"),
    _flag("is_forward_open", "may be walked along its direction"),
    _flag("is_backward_open", "may be walked against its direction"),
    # amenities
    _text("amenity_id", "stable key of a facility"),
    _text("amenity_type", "facility type of the profile"),
    _text("amenity_name", "name as the source writes it", **_EMPTY),
    *CHANGE_COLUMNS,
    *LIFT_COLUMNS,
    *PLAN_COLUMNS,
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
