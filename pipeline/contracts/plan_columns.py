"""Columns of the annual plan: projects, works, money, the list for finance."""

from pipeline.contracts.column import EMPTY, flag, real, text, whole

SOURCE_NAMES = (
    "central", "municipal", "district", "special_bond", "private", "resident", "maintenance_fund",
)  # fmt: skip
_FIRST_ROW = "on the first row of its project only"

PLAN_COLUMNS = (
    # plan: projects
    text(
        "project_id",
        "stable key of a project: an estate, or buildings that belong together; empty off the tracks "
        "that are planned",
        **EMPTY,
    ),
    text("project_name", "estate, or where the buildings stand"),
    text(
        "project_origin",
        "estate: as given; same_name: one estate name of one register in a district; adjacent: "
        "outlines closer than config allows; single: a building of its own",
        allowed=("estate", "same_name", "adjacent", "single"),
    ),
    whole("household_plan_count", "households", 0, 1_000_000, "households, with stand-ins"),
    real("floor_area_plan_m2", "m²", 0, 1e9, "housing floor area, with stand-ins"),
    real("estimated_share", "share", 0, 1, "floor area whose quantities rest on stand-ins"),
    whole("construction_year_earliest", "year", 1000, 2101, "middle year of its oldest", **EMPTY),
    whole("construction_year_latest", "year", 1000, 2101, "middle year of its newest", **EMPTY),
    text(
        "renovation_class_type",
        "highest class of its works",
        allowed=("basic", "improving", "upgrading"),
    ),
    text(
        "renovation_route_type",
        "comprehensive 综合改造: works on the buildings; management 管理提升: around them only",
        allowed=("comprehensive", "management"),
    ),
    text("package_type", "smallest package of config that holds its works", **EMPTY),
    whole("works_count", "works", 0, 10_000_000, "single works done: a measure in a building"),
    whole("works_called_count", "works", 0, 10_000_000, "single works called for"),
    whole("lifted_count", "buildings", 0, 1_000_000, "buildings that a veto lifts"),
    flag("is_first_for_safety", "starts before others, for a building that a veto lifts"),
    real("called_cost_cny", "yuan", 0, 1e13, "cost of all works called for"),
    real("called_quantity", "as unit_name", 0, 1e9, "how much is called for"),
    real("relief_households", "households", 0, 1e9, "need-households that its works relieve"),
    real("relievable_households", "households", 0, 1e9, "what all works called for would relieve"),
    whole("lift_count", "lifts", 0, 10_000, "lifts added: stairwells whose building agrees"),
    whole("lift_waiting_count", "lifts", 0, 10_000, "stairwells that lack a lift and an agreement"),
    real("cost_cny", "yuan", 0, 1e13, "cost at the price year of config"),
    real("unit_cost_cny_per_m2", "yuan/m²", 0, 1e7, "cost by housing floor area", **EMPTY),
    real("central_cny", "yuan", 0, 1e13, "paid by the central subsidy"),
    real("municipal_cny", "yuan", 0, 1e13, "paid by the municipality"),
    real("district_cny", "yuan", 0, 1e13, "paid by the district"),
    real("special_bond_cny", "yuan", 0, 1e13, "paid from special bonds"),
    real("private_cny", "yuan", 0, 1e13, "paid by private parties"),
    real("resident_cny", "yuan", 0, 1e13, "paid by residents"),
    real("maintenance_fund_cny", "yuan", 0, 1e13, "paid from the maintenance fund"),
    real("public_cny", "yuan", 0, 1e13, "central, municipal, district and bonds together"),
    real("yearly_revenue_cny", "yuan", 0, 1e12, "what a private party can earn in a year"),
    whole("payback_term_year", "year", 1, 2100, "year of the term that pays back", **EMPTY),
    real("net_present_cny", "yuan", -1e13, 1e13, "net present value of the private share"),
    real("residual_public_cny", "yuan", 0, 1e13, "public money less the revenue after pay-back"),
    real("need_households", "households", 0, 1e9, "households × need, or as config weighs it"),
    text(
        "readiness_type",
        "agreed: owners voted for it; forecast: they are expected to; not_asked: no survey, or one "
        "with gaps; refused: no majority in sight",
        allowed=("agreed", "forecast", "not_asked", "refused"),
    ),
    real("favour_owner_share", "share", 0, 1, "owners in favour, of all owners", **EMPTY),
    whole("ready_year", "year", 1900, 2200, "first year in which it may start", **EMPTY),
    whole("planned_year", "year", 1900, 2200, "year in which works start", **EMPTY),
    text(
        "batch_type",
        "implement 实施, plan 谋划, reserve 储备",
        allowed=("implement", "plan", "reserve"),
        **EMPTY,
    ),
    text(
        "wait_reason_code",
        "why it waits: no agreement in sight, owners not asked, ready after the last year, works too "
        "long for the years left, nothing that works can relieve, locked out, capacity of its "
        "district, or budget",
        allowed=(
            "refused",
            "not_asked",
            "ready_late",
            "works_too_long",
            "nothing_to_relieve",
            "locked_out",
            "capacity",
            "budget",
        ),
        **EMPTY,
    ),
    text(
        "entry_type",
        "what would bring a waiting project in. cost: a lower public cost or more budget; consent: "
        "agreement in time; capacity: more starts in its district and year; capacity_and_cost: both; "
        "margin: it is worth as much as the last planned and did not fit; none: no works relieve it, "
        "or config keeps it out",
        allowed=("cost", "consent", "capacity", "capacity_and_cost", "margin", "none"),
        **EMPTY,
    ),
    *(
        real(f"entry_{name}_cny", "yuan", 0, 1e14, meaning, **EMPTY)
        for name, meaning in (
            ("public_now", "what the works with which it would enter cost the public today"),
            ("public", "public cost at which it enters, by the prices of the plan"),
            (
                "public_low",
                "at which it enters by more than the plan may be short of the best; 0: at none",
            ),
            ("public_high", "above which no better plan holds it"),
            (
                "budget",
                "about the public budget of all years together at which it enters, all years raised "
                "alike; empty where no money brings it in while the starts of districts are limited",
            ),
        )
    ),
    whole(
        "entry_ready_year",
        "year",
        1900,
        2200,
        "last year in which it could start and would be planned at today's cost, where that is "
        "earlier than it is ready",
        **EMPTY,
    ),
    whole(
        "entry_consent_year",
        "year",
        1900,
        2200,
        "year in which owners must have agreed for that",
        **EMPTY,
    ),
    *(
        real(f"replacement_{name}households", "households", -1e9, 1e9, meaning, **EMPTY)
        for name, meaning in (
            (
                "",
                "weighted need-households that the plan loses without a planned project; below 0 "
                "where a lock or safety puts it before others that would relieve more",
            ),
            ("low_", "what the plan loses without it at least"),
        )
    ),
    text(
        "planned_works_codes",
        "works planned in the building, or around it by its project: keys of config, | between",
        **EMPTY,
    ),
    text("pilot_building_id", "building to be shown first (样板间)", **EMPTY),
    text(
        "pilot_reason_code",
        "neediest of those that agree; closest to agreeing; or neediest, nobody asked yet",
        allowed=("agrees_and_neediest", "closest_to_agreeing", "neediest_not_asked"),
        **EMPTY,
    ),
    text("works_type", "key of a measure in config"),
    real("works_quantity", "as unit_name", 0, 1e9, "how much of it"),
    text("unit_name", "what is counted"),
    whole("plan_year", "year", 1900, 2200, "year of payment"),
    real("payment_cny", "yuan", 0, 1e13, "due in that year"),
    real("carry_over_cny", "yuan", 0, 1e13, "due in later years"),
    whole("project_count", "projects", 0, 1_000_000, "projects that start"),
    whole("begun_building_count", "buildings", 0, 1_000_000, "buildings of these"),
    whole("underway_count", "projects", 0, 1_000_000, "projects paid for in the year"),
    real("budget_cny", "yuan", 0, 1e14, "public budget of the year", **EMPTY),
    real("budget_left_cny", "yuan", 0, 1e14, "public money not spent by then", **EMPTY),
    # plan: what the sums of an area tell of the plan
    whole(
        "planned_project_count",
        "projects",
        0,
        1_000_000,
        "planned projects; each counts once, where most of its floor area stands, and so do its "
        "households and its money",
    ),
    whole(
        "planned_household_count",
        "households",
        0,
        1_000_000_000,
        "their households, with stand-ins",
    ),
    real("planned_cost_cny", "yuan", 0, 1e13, "what falls due for them in the years of the plan"),
    real("planned_public_cny", "yuan", 0, 1e13, "of that, public money"),
    whole("first_planned_year", "year", 1900, 2200, "first year in which works start", **EMPTY),
    real(
        "asked_household_share",
        "share",
        0,
        1,
        "households of the tracks that are planned in buildings whose owners were asked",
        **EMPTY,
    ),
    real(
        "agreed_household_share",
        "share",
        0,
        1,
        "households of the tracks that are planned in projects whose vote carries",
        **EMPTY,
    ),
    # plan: the list for finance, in 万元 with six decimals, so that the cent is kept
    whole("row_number", "ordinal", 1, 10_000_000, "number of the row"),
    whole("list_year", "year", 1900, 2200, "year of the list, empty for the reserve", **EMPTY),
    text("progress_text", "works begin in that year, or go on; empty for the reserve", **EMPTY),
    whole("listed_building_count", "buildings", 1, 1_000_000, f"buildings, {_FIRST_ROW}", **EMPTY),
    whole(
        "listed_household_count", "households", 0, 1_000_000, f"households, {_FIRST_ROW}", **EMPTY
    ),
    real("listed_floor_area_m2", "m²", 0, 1e9, f"housing floor area, {_FIRST_ROW}", **EMPTY),
    whole("listed_lift_count", "lifts", 0, 10_000, f"lifts added, {_FIRST_ROW}", **EMPTY),
    text("construction_years_text", "years of construction", **EMPTY),
    text("construction_basis_text", "how they are known", **EMPTY),
    text("renovation_class_text", "classes of works, all that it has", **EMPTY),
    text("renovation_route_text", "route"),
    text("works_text", "main works", **EMPTY),
    *(
        real(f"{name}_wan_cny", "10,000 yuan", 0, 1e9, meaning, decimals=6, **EMPTY)
        for name, meaning in (
            ("payment", "due in the year of the row, from all sources"),
            *((name, f"due in the year of the row: {name}") for name in SOURCE_NAMES),
            ("next_year", "due for the project in the year after"),
            ("project_total", f"cost of the project over all years, {_FIRST_ROW}, planned only"),
            *(
                (name, f"of that, works of the class {name}")
                for name in ("basic", "improving", "upgrading")
            ),
            ("waiting_cost", "what a project of the reserve would cost, planned money nowhere"),
        )
    ),
    text("start_month_text", "month in which works start, YYYY-MM", **EMPTY),
    text("end_month_text", "month in which they end, YYYY-MM", **EMPTY),
    text("implementer_name", "who carries it out"),
    text("management_text", "whether property management is in place"),
    text("consent_text", "owners in favour, of all owners, and whether the vote carries"),
    text("heritage_text", "heritage area that binds the works", **EMPTY),
    text("batch_text", "batch"),
    text("wait_text", "why it waits", **EMPTY),
    text("entry_text", "what would bring it in", **EMPTY),
    text(
        "safety_text", "whether a veto lifts a building of it, and whether it starts first for that"
    ),
)
