"""Columns of scores, tracks and ranks, and of areas ranked together."""

from pipeline.contracts.column import EMPTY, flag, real, text, whole

RANKING_COLUMNS = (
    # score
    real("{}_need_share", "share", 0, 1, "need by the fixed policy bounds", decimals=4),
    real("{}_points", "points", 0, 100, "weight × need × 100, rounded to 0.001", decimals=3),
    text(
        "{}_origin",
        "measured; inferred, its whole distribution counted; or missing: the stand-in of config",
        allowed=("measured", "inferred", "stand_in"),
    ),
    real("score_points", "points", 0, 100, "sum of the points of all criteria", decimals=3),
    text(
        "track_type",
        "the one way it goes: ranked; reserve, built after the cut-off; hazard, repair or rebuild; "
        "excluded, renovated of late or in a clearance plan",
        allowed=("ranked", "reserve", "hazard", "excluded"),
    ),
    text("track_reason_code", "why it goes that way"),
    whole("rank", "ordinal", 1, 100_000_000, "1 = most urgent; empty off the track", **EMPTY),
    whole("tier_number", "ordinal", 1, 5, "1 = most urgent tier of config", **EMPTY),
    flag("is_lifted", "a veto of config lifts it into tier 1, before all others"),
    text("lifted_by_code", "which veto", **EMPTY),
    whole(
        "rank_p05",
        "ordinal",
        1,
        100_000_000,
        "in 5 % of the draws it ranks here or better",
        **EMPTY,
    ),
    whole("rank_p50", "ordinal", 1, 100_000_000, "in half of the draws", **EMPTY),
    whole("rank_p95", "ordinal", 1, 100_000_000, "in 95 % of the draws", **EMPTY),
    real(
        "top_share",
        "share",
        0,
        1,
        "draws in which it is in the top of config",
        decimals=3,
        **EMPTY,
    ),
    real(
        "funded_share",
        "share",
        0,
        1,
        "draws in which the plan, solved again, takes its project",
        decimals=3,
        **EMPTY,
    ),
    real(
        "consent_share",
        "share",
        0,
        1,
        "how far its owners agree, over what they were asked",
        decimals=3,
        **EMPTY,
    ),
    real(
        "readiness_share",
        "share",
        0,
        1,
        "consent, management, heritage procedure; never in need",
        decimals=3,
        **EMPTY,
    ),
    text(
        "quadrant_type",
        "need by readiness: act (needy, ready), prepare (needy, not ready), survey (needy, owners not "
        "asked), later_ready, later, later_unknown",
        allowed=("act", "prepare", "survey", "later_ready", "later", "later_unknown"),
    ),
    whole("stand_in_count", "criteria", 0, 100, "criteria scored by a stand-in"),
    # areas
    text(
        "row_type",
        "what the row tells of",
        allowed=("district", "estate", "road", "grid_cell", "community"),
    ),
    text("area_id", "stable key of an estate, road or grid cell within its district"),
    text("area_name", "estate, road or grid cell"),
    whole("district_rank", "ordinal", 1, 10_000, "1 = district with the highest mean score"),
    whole("area_rank", "ordinal", 1, 10_000_000, "1 = highest mean score in the district", **EMPTY),
    whole("building_count", "buildings", 1, 100_000_000, "buildings of all tracks"),
    whole("ranked_count", "buildings", 0, 100_000_000, "buildings on the track ranked"),
    whole("reserve_count", "buildings", 0, 100_000_000, "buildings on the track reserve"),
    whole("hazard_count", "buildings", 0, 100_000_000, "buildings on the track hazard"),
    whole("excluded_count", "buildings", 0, 100_000_000, "buildings on the track excluded"),
    whole(
        "tier_{}_household_count",
        "households",
        0,
        1_000_000_000,
        "known households of that tier",
        **EMPTY,
    ),
    real(
        "tier_{}_floor_area_m2", "m²", 0, 1e12, "known floor area of that tier", decimals=0, **EMPTY
    ),
    whole("tier_{}_count", "buildings", 0, 100_000_000, "buildings of that tier"),
    real("footprint_area_sum_m2", "m²", 0, 1e12, "footprints together", decimals=0),
    real("floor_area_sum_m2", "m²", 0, 1e12, "known floor areas together", decimals=0, **EMPTY),
    real("floor_area_known_share", "share", 0, 1, "buildings whose floor area is known"),
    real("score_mean_points", "points", 0, 100, "mean need, ranked", decimals=3, **EMPTY),
    real("score_median_points", "points", 0, 100, "median need, ranked", decimals=3, **EMPTY),
    whole("rank_best", "ordinal", 1, 100_000_000, "best rank of its buildings", **EMPTY),
    whole("rank_p05_median", "ordinal", 1, 100_000_000, "median of their rank_p05", **EMPTY),
    whole("rank_p95_median", "ordinal", 1, 100_000_000, "median of their rank_p95", **EMPTY),
    real(
        "longitude_deg",
        "°",
        -180,
        180,
        "WGS-84 longitude of a point inside; means in sums",
        decimals=6,
    ),
    real(
        "latitude_deg", "°", -90, 90, "WGS-84 latitude of a point inside; means in sums", decimals=6
    ),
    text(
        "data_origin",
        "whether the data was delivered or invented",
        allowed=("delivered", "合成 synthetic"),
    ),
)
