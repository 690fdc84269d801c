"""Whether a vote of owners carries a measure: two shares, a quorum and a majority (Civil Code 278).

A vote counts when owners of two thirds of the area and two thirds of the owners take part; of
those, a half or three quarters must agree, again by area and by number. Each building's latest round
counts. What nobody asked stays unknown: never consent, never a refusal.
"""

from fractions import Fraction

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.geo.raster import Floats
from pipeline.settings.consent import ConsentSettings, Majority

_ROUNDING = 1e-9  # shares of area come as decimals; counts are compared exactly
BY_BUILDING = (
    "building_id", "measure_type", "survey_round_number", "survey_year", "owner_count",
    "voting_owner_share", "voting_area_share", "favour_owner_share", "favour_area_share",
    "favour_of_voting_owner_share", "favour_of_voting_area_share", "has_quorum", "is_met",
)  # fmt: skip
BY_GROUP = (
    "measure_type", "building_count", "asked_building_count", "met_building_count",
    "survey_round_number", "owner_count", "voting_owner_share", "voting_area_share",
    "favour_owner_share", "favour_area_share", "favour_of_voting_owner_share",
    "favour_of_voting_area_share", "has_quorum", "is_met",
)  # fmt: skip


def latest_rounds(consents: pd.DataFrame) -> pd.DataFrame:
    """Return the row of the highest survey round of each building and measure, sorted by key."""
    ordered = consents.sort_values(["building_id", "measure_type", "survey_round_number"])
    return ordered.drop_duplicates(["building_id", "measure_type"], keep="last").reset_index(
        drop=True
    )


def consent_by_building(consents: pd.DataFrame, rules: ConsentSettings) -> pd.DataFrame:
    """Return the latest vote of each building on each measure, and whether it carries.

    ``voting_…`` and ``favour_…_share`` are of all owners, ``favour_of_voting_…_share`` of those who
    took part. ``is_met`` is empty where a count or share is missing. Columns: ``BY_BUILDING``.
    """
    votes = latest_rounds(consents)
    return _judged(votes, rules)[list(BY_BUILDING)]


def consent_by_group(
    consents: pd.DataFrame, members: pd.DataFrame, rules: ConsentSettings
) -> pd.DataFrame:
    """Return the vote of each group of buildings on each measure that any of them was asked about.

    ``members`` has ``building_id``, the group's key (its second column), ``household_count`` and
    ``floor_area_m2``. Owners of a building that was not asked count as owners who did not take part;
    where their number is unknown the group's vote is unknown too, and empty. A building decides for
    itself on measures that config says so of: its neighbours' refusal does not stop it, and
    ``is_met`` of the group then says whether any building agrees; ``met_building_count`` how many.
    """
    group = members.columns[1]
    asked = consent_by_building(consents, rules)
    if asked.empty:
        return pd.DataFrame(columns=[group, *BY_GROUP])
    measures = pd.Index(sorted(asked["measure_type"].unique()), name="measure_type")
    pairs = members.merge(measures.to_frame(index=False), how="cross")
    rows = pairs.merge(asked, on=["building_id", "measure_type"], how="left", validate="1:1")
    was_asked = rows["survey_round_number"].notna()
    owners = rows["owner_count"].astype("Float64").fillna(rows["household_count"])
    area = rows["floor_area_m2"].astype("float64")
    zero = ~was_asked
    parts = pd.DataFrame(
        {
            group: rows[group],
            "measure_type": rows["measure_type"],
            "building_count": 1,
            "asked_building_count": was_asked.astype(int),
            "met_building_count": rows["is_met"].fillna(False).astype(int),
            "survey_round_number": rows["survey_round_number"].astype("Float64"),
            "owner_count": owners.astype("float64"),
            "_area": area,
            "_voting": _weighed(rows["voting_owner_share"], owners, zero),
            "_favour": _weighed(rows["favour_owner_share"], owners, zero),
            "_voting_area": _weighed(rows["voting_area_share"], area, zero),
            "_favour_area": _weighed(rows["favour_area_share"], area, zero),
        }
    )
    sums = parts.groupby([group, "measure_type"], sort=True)
    totals = sums.agg("sum", min_count=1)
    for name in ("owner_count", "_area", "_voting", "_favour", "_voting_area", "_favour_area"):
        unknown = parts[name].isna().groupby([parts[group], parts["measure_type"]]).any()
        totals[name] = totals[name].mask(unknown)
    totals["survey_round_number"] = sums["survey_round_number"].max()
    totals = totals[totals["asked_building_count"] > 0].reset_index()
    whole = totals.assign(
        voting_owner_count=totals["_voting"].round(),
        favour_owner_count=totals["_favour"].round(),
        voting_area_share=totals["_voting_area"] / totals["_area"],
        favour_area_share=totals["_favour_area"] / totals["_area"],
    )
    judged = _judged(whole, rules)
    alone = np.array([_decided_by(name, rules) == "building" for name in judged["measure_type"]])
    any_met = (judged["met_building_count"] > 0).astype("boolean")
    judged["is_met"] = judged["is_met"].mask(pd.Series(alone, judged.index), any_met)
    return judged[[group, *BY_GROUP]]


def carries(
    voting_owner: Floats,
    voting_area: Floats,
    favour_of_voting_owner: Floats,
    favour_of_voting_area: Floats,
    measure_type: NDArray[np.object_],
    rules: ConsentSettings,
) -> tuple[pd.Series, pd.Series]:
    """Return whether each vote has its quorum, and whether it carries; empty where unknown."""
    quorum = (voting_owner >= float(Fraction(rules.quorum_owner_share)) - _ROUNDING) & (
        voting_area >= float(Fraction(rules.quorum_area_share)) - _ROUNDING
    )
    met = quorum.copy()
    for name in set(measure_type.tolist()):
        majority = majority_of(name, rules)
        share = float(Fraction(majority.share))
        edge = share + _ROUNDING if majority.is_strict else share - _ROUNDING
        agree = (favour_of_voting_owner >= edge) & (favour_of_voting_area >= edge)
        met &= agree | (measure_type != name)
    unknown = np.isnan(voting_owner) | np.isnan(voting_area)
    unsure = unknown | np.isnan(favour_of_voting_owner) | np.isnan(favour_of_voting_area)
    # nobody took part: there is no share of them, but there is no quorum either
    unsure &= ~((voting_owner == 0) & (voting_area == 0))
    return (
        pd.Series(quorum, dtype="boolean").mask(unknown),
        pd.Series(met, dtype="boolean").mask(unsure),
    )


def majority_of(measure_type: str, rules: ConsentSettings) -> Majority:
    """Return the majority that a measure needs."""
    known = rules.measures.get(measure_type)
    return rules.majorities[known.majority if known else rules.other_majority]


def _decided_by(measure_type: str, rules: ConsentSettings) -> str:
    known = rules.measures.get(measure_type)
    return known.decided_by if known else rules.other_decided_by


def with_shares(votes: pd.DataFrame) -> pd.DataFrame:
    """Return votes with the shares that their counts give, of all owners and of those taking part."""
    owners, voting, favour, voting_area, favour_area = (
        _numbers(votes[name])
        for name in (
            "owner_count", "voting_owner_count", "favour_owner_count", "voting_area_share",
            "favour_area_share",
        )
    )  # fmt: skip
    return votes.assign(
        voting_owner_share=_ratio(voting, owners),
        voting_area_share=voting_area,
        favour_owner_share=_ratio(favour, owners),
        favour_area_share=favour_area,
        favour_of_voting_owner_share=_ratio(favour, voting),
        favour_of_voting_area_share=_ratio(favour_area, voting_area),
    )


def _judged(votes: pd.DataFrame, rules: ConsentSettings) -> pd.DataFrame:
    shares = with_shares(votes)
    quorum, met = carries(
        _numbers(shares["voting_owner_share"]),
        _numbers(shares["voting_area_share"]),
        _numbers(shares["favour_of_voting_owner_share"]),
        _numbers(shares["favour_of_voting_area_share"]),
        votes["measure_type"].to_numpy(dtype=object),
        rules,
    )
    return shares.assign(has_quorum=quorum.to_numpy(), is_met=met.to_numpy()).astype(
        {"has_quorum": "boolean", "is_met": "boolean"}
    )


def _numbers(column: pd.Series) -> Floats:
    """Return a column as plain numbers, NaN where empty; an empty table may hold any type."""
    return np.asarray(pd.to_numeric(column).astype("float64"), dtype=np.float64)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, empty where the whole is 0 or unknown."""
    positive = whole > 0
    return np.where(positive, part / np.where(positive, whole, 1.0), np.nan)


def _weighed(share: pd.Series, amount: pd.Series, zero: pd.Series) -> pd.Series:
    """Return share × amount; 0 for those who were not asked, empty where a factor is unknown."""
    product = share.astype("float64") * amount.astype("float64")
    return product.mask(zero, 0.0).mask(zero & amount.isna())
