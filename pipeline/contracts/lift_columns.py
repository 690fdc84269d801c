"""Columns of sites for public lifts."""

from pipeline.contracts.column import EMPTY, flag, real, text, whole

_SUM = "summed over households"

LIFT_COLUMNS = (
    text("site_id", "key of a proposed site; CHANGE= of the same name asks what it would do"),
    whole("site_rank", "ordinal", 1, 100_000, "1 relieves most; each adds to those before it"),
    text("site_kind_type", "kind of lift, of config"),
    text("site_kind_text", "the same in words"),
    flag("is_site_chosen", "in the set that relieves most under the budget"),
    flag(
        "is_benefit_unsure",
        "the benefit, or the rise, is within the error of the terrain; such a site is never chosen "
        "and stands behind the others",
    ),
    text("lower_road_name", "street at the lower end", **EMPTY),
    text("upper_road_name", "street at the upper end", **EMPTY),
    real("site_distance_m", "m", 0, 1000, "between the ends on the map", decimals=1),
    real("site_rise_m", "m", 0, 1000, "height between the ends", decimals=1),
    real("site_rise_error_m", "m", 0, 1000, "its error, one standard deviation", decimals=1),
    real("site_ride_min", "min", 0, 100, "waiting, riding and the level walk to its ends"),
    real("site_cost_cny", "yuan", 0, 1e12, "capital cost"),
    real("site_upkeep_cny", "yuan", 0, 1e12, "upkeep and running in a year"),
    whole("site_year", "year", 1000, 2200, "year in which it could open"),
    text(
        "site_consent_type",
        "whose consent it needs: owners where it leads over a mapped building or into a walled "
        "estate; not_known elsewhere, since the map tells no owners of ground",
        allowed=("owners", "not_known"),
    ),
    whole("crossed_building_count", "buildings", 0, 10_000, "mapped buildings that it leads over"),
    real("running_hours", "h", 0, 24, "hours a day", decimals=1),
    real("available_share", "share", 0, 1, "of these hours in which it works"),
    whole(
        "relieved_building_count", "buildings", 0, 10_000_000, "with a nearer facility of some type"
    ),
    real(
        "relieved_households", "households", 0, 1e9, "in them; buildings where those are not known"
    ),
    real(
        "relieved_elder_households",
        "households",
        0,
        1e9,
        f"elder share, {_SUM}",
        decimals=1,
        **EMPTY,
    ),
    real(
        "relief_single_min",
        "min",
        0,
        1e12,
        f"what it alone relieves, {_SUM}: cost of a walk out and home, minutes and climb as ways are "
        "chosen, facility types by their weights",
        decimals=1,
    ),
    real(
        "relief_added_min",
        "min",
        0,
        1e12,
        "the same, what it adds to the sites before it",
        decimals=1,
    ),
    real(
        "relief_low_min",
        "min",
        -1e12,
        1e12,
        "of relief_single_min, less the terrain's error",
        decimals=1,
    ),
    real(
        "relief_expected_min",
        "min",
        0,
        1e12,
        "of relief_added_min, in the hours in which it runs and works",
        decimals=1,
    ),
    real(
        "elder_relief_min",
        "min",
        0,
        1e12,
        f"what it alone relieves elders, at their pace, {_SUM}",
        decimals=1,
        **EMPTY,
    ),
    real(
        "home_saved_min",
        "min",
        -1e12,
        1e12,
        f"minutes home less, all facility types alike, {_SUM}",
        decimals=1,
    ),
    real("out_saved_min", "min", -1e12, 1e12, f"minutes out less, {_SUM}", decimals=1),
    real(
        "home_climb_saved_m",
        "m",
        -1e12,
        1e12,
        f"metres climbed less on walks home, {_SUM}",
        decimals=0,
    ),
    real(
        "out_climb_saved_m",
        "m",
        -1e12,
        1e12,
        f"metres climbed less on walks out, {_SUM}",
        decimals=0,
    ),
    real("lower_longitude_deg", "°", -180, 180, "WGS-84", decimals=7),
    real("lower_latitude_deg", "°", -90, 90, "WGS-84", decimals=7),
    real("upper_longitude_deg", "°", -180, 180, "WGS-84", decimals=7),
    real("upper_latitude_deg", "°", -90, 90, "WGS-84", decimals=7),
    whole("curve_site_count", "sites", 0, 100_000, "so many sites, most relief per yuan first"),
    real("curve_cost_cny", "yuan", 0, 1e13, "what they cost"),
    real("curve_relief_min", "min", 0, 1e12, "what they relieve together", decimals=1),
    real("curve_bound_min", "min", 0, 1e12, "what no sites for that money can exceed", decimals=1),
)
