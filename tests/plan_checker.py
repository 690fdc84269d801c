"""What a plan relieves and which rules it breaks, told from its tables and the text of config alone.

Nothing here is shared with the planner: value functions, effects and rules are written down anew.
"""

from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pandas as pd

PUBLIC = ("central_cny", "municipal_cny", "district_cny", "special_bond_cny")


def need_at(value: float, rule: Mapping[str, Any]) -> float:
    """Return need from 0 to 1 by lines between the points of a value function."""
    points = [(rule["none_at"], 0.0), *map(tuple, rule["between"]), (rule["worst_at"], 1.0)]
    points.sort()
    if value <= points[0][0]:
        return float(points[0][1])
    for (a, low), (b, high) in pairwise(points):
        if value <= b:
            return float(low + (high - low) * (value - a) / (b - a))
    return float(points[-1][1])


def weights_of(given: Mapping[str, float]) -> dict[str, float]:
    """Return weights in whole ten-thousandths that sum to 1: largest remainders get what is left."""
    total = sum(given.values())
    exact = {name: 10_000 * one / total for name, one in given.items()}
    whole = {name: int(one) for name, one in exact.items()}
    order = sorted(exact, key=lambda name: whole[name] - exact[name])
    for name in order[: 10_000 - sum(whole.values())]:
        whole[name] += 1
    return {name: one / 10_000 for name, one in whole.items()}


def relief_by_building(
    needs: pd.DataFrame, values: pd.DataFrame, works: pd.Series, config: Mapping[str, Any]
) -> pd.Series:
    """Return the need-households that works take from each building.

    ``needs`` (a need share by criterion), ``values`` (measurements and household_count) and ``works``
    (keys with | between) are indexed by building id.
    """
    criteria = {n: c for n, c in config["score"]["criteria"].items() if n in needs}
    weight = weights_of({name: one["weight"] for name, one in criteria.items()})
    found = {}
    for building, text in works.dropna().items():
        now = {n: (needs.loc[building, n], values.loc[building, c["measure"]])
               if c["measure"] in values else (needs.loc[building, n], float("nan"))
               for n, c in criteria.items()}  # fmt: skip
        before = sum(weight[n] * need for n, (need, _) in now.items())
        for key in text.split("|"):
            for effect in config["plan"]["measures"][key]["effects"]:
                for name, rule in criteria.items():
                    if rule["measure"] != effect["column"]:
                        continue
                    need, value = now[name]
                    value = value * effect["becomes"] if effect["is_share"] else effect["becomes"]
                    if value == value:
                        need = min(need, need_at(value, rule))
                    now[name] = (need, value)
        after = sum(weight[n] * need for n, (need, _) in now.items())
        found[building] = (before - after) * values.loc[building, "household_count"]
    return pd.Series(found, dtype=float)


def broken_rules(tables: Mapping[str, pd.DataFrame], config: Mapping[str, Any]) -> set[str]:
    """Return the names of the rules that a plan breaks.

    ``tables`` holds projects, lines, works, and buildings with project_id, lifted_by_code,
    planned_works_codes and the columns that vetoes look at.
    """
    rule, measures = config["plan"]["schedule"], config["plan"]["measures"]
    projects, works = tables["projects"].set_index("project_id"), tables["works"]
    lines = tables["lines"]
    begun = projects[projects["planned_year"].notna()]
    broken = set()
    done: dict[str, set[str]] = defaultdict(set)
    for one in works.itertuples():
        if one.project_id in begun.index and one.works_quantity > 0:
            done[one.project_id].add(one.works_type)
            if one.works_quantity > one.called_quantity + 0.005:
                broken.add("packages")
    always = {key for key, one in measures.items() if one["is_enabling"] and one["trigger"] is None}
    if any(always - done[project] for project in begun.index):
        broken.add("enabling")
    compulsory = config["plan"]["packages"]["compulsory_classes"]
    for one in works[works["project_id"].isin(begun.index)].itertuples():
        measure = measures[one.works_type]
        is_whole = abs(one.works_quantity - one.called_quantity) < 0.005
        if measure["is_enabling"] and not is_whole:
            broken.add("enabling")
        if measure["renovation_class"] in compulsory and not is_whole:
            broken.add("compulsory")
    left = 0.0
    spent = (
        lines.assign(public=lines[list(PUBLIC)].sum(axis=1)).groupby("plan_year")["public"].sum()
    )
    for number, budget in enumerate(rule["budget_cny"]):
        left = budget + min(left, rule["carry_over_share"] * budget)
        left -= float(spent.get(rule["first_year"] + number, 0.0))
        if left < -0.005:
            broken.add("purse")
    starts = begun.groupby(["district_name", "planned_year"]).size()
    most = rule["max_starts_per_district_year"]
    if most is not None and (starts > most).any():
        broken.add("capacity")
    if (begun["planned_year"] < begun["ready_year"]).any() or begun["ready_year"].isna().any():
        broken.add("consent")
    lifted = tables["buildings"][tables["buildings"]["lifted_by_code"].notna()]
    for one in lifted.to_dict("records"):
        if one["project_id"] not in begun.index:
            broken.add("safety")
            continue
        home = begun.loc[one["project_id"]]
        if home["planned_year"] > home["ready_year"]:
            broken.add("safety")
        columns = config["score"]["vetoes"][one["lifted_by_code"]]["at_least"]
        mends = {key for key, measure in measures.items()
                 for effect in measure["effects"] if effect["column"] in columns}  # fmt: skip
        if not mends & set(str(one["planned_works_codes"]).split("|")):
            broken.add("mending")
    return broken
