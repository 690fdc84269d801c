"""Columns of what a change would do, and of two rankings compared."""

from pipeline.contracts.column import EMPTY, real, text, whole

CHANGE_COLUMNS = (
    # comparison of two rankings
    text(
        "outcome_type",
        "comparison: entered or left the top of config, rose, fell, same; gained or lost its rank with "
        "its track, never ranked; new or gone: in one of the two only. what-if: better or worse: "
        "minutes out and home and the climb of both, weighed as ways are chosen; gains_way, loses_way: "
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
    text(
        "cause_type",
        "what moved it most: data (its own need), weight, track, or others that moved past it",
        allowed=("data", "weight", "track", "others", "none"),
    ),
    text("cause_criterion_name", "criterion by which, if data or weight", **EMPTY),
    text("track_before_type", "track in the first ranking", **EMPTY),
    text("track_after_type", "track in the second ranking", **EMPTY),
    whole("rank_before", "ordinal", 1, 100_000_000, "rank in the first ranking", **EMPTY),
    whole("rank_after", "ordinal", 1, 100_000_000, "rank in the second ranking", **EMPTY),
    whole("rank_gain_count", "ranks", -100_000_000, 100_000_000, "ranks gained", **EMPTY),
    real("score_before_points", "points", 0, 100.1, "first score", decimals=3, **EMPTY),
    real("score_after_points", "points", 0, 100.1, "second score", decimals=3, **EMPTY),
    real("score_change_points", "points", -101, 101, "after minus before", decimals=3, **EMPTY),
    real("data_change_points", "points", -101, 101, "of it: its need", decimals=3, **EMPTY),
    real("weight_change_points", "points", -101, 101, "of it: weights", decimals=3, **EMPTY),
    real("{}_data_points", "points", -101, 101, "change by its own need", decimals=3, **EMPTY),
    real("{}_weight_points", "points", -101, 101, "change by the weight", decimals=3, **EMPTY),
    # what-if
    text("facility_type", "what is walked to: a facility type of the profile"),
    real("walk_out_before_min", "min", 0, 2000, "walk out today", **EMPTY),
    real("walk_out_after_min", "min", 0, 2000, "walk out after the change", **EMPTY),
    real("walk_out_saved_min", "min", -2000, 2000, "before minus after", **EMPTY),
    real("walk_back_before_min", "min", 0, 2000, "walk home today", **EMPTY),
    real("walk_back_after_min", "min", 0, 2000, "walk home after the change", **EMPTY),
    real("walk_back_saved_min", "min", -2000, 2000, "before minus after", **EMPTY),
    real("climb_before_m", "m", 0, 5000, "climb of the walk home today", decimals=1, **EMPTY),
    real("climb_after_m", "m", 0, 5000, "the same after the change", decimals=1, **EMPTY),
    real("climb_saved_m", "m", -5000, 5000, "before minus after", decimals=1, **EMPTY),
    real("climb_out_before_m", "m", 0, 5000, "climb of the walk out today", decimals=1, **EMPTY),
    real("climb_out_after_m", "m", 0, 5000, "the same after the change", decimals=1, **EMPTY),
    real("climb_out_saved_m", "m", -5000, 5000, "before minus after", decimals=1, **EMPTY),
    real("walk_before_m", "m", 0, 100_000, "equivalent distance today", decimals=0, **EMPTY),
    real("walk_after_m", "m", 0, 100_000, "the same after the change", decimals=0, **EMPTY),
    real("walk_saved_m", "m", -100_000, 100_000, "before minus after", decimals=0, **EMPTY),
)
