"""How ready a building is for works: consent, management, heritage procedure.

Readiness stands beside need and never lowers it: an estate without consent stays where its need puts
it, and the two together say what to do next.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.consent.votes import consent_by_building
from pipeline.geo.raster import Floats
from pipeline.settings.consent import ConsentSettings
from pipeline.settings.score import ReadinessSettings

QUADRANTS = ("act", "prepare", "survey", "later_ready", "later", "later_unknown")


def consent_share(
    consents: pd.DataFrame, building_id: pd.Series, rules: ConsentSettings
) -> pd.Series:
    """Return how far the owners of each building agree, 0 to 1; empty where nobody was asked.

    The mean over the measures they were asked about: 1 where the vote carries, else the smaller of
    the shares of owners and of area in favour.
    """
    votes = consent_by_building(consents, rules)
    favour = votes[["favour_owner_share", "favour_area_share"]].min(axis=1, skipna=False)
    support = favour.mask(votes["is_met"].fillna(False).astype(bool), 1.0)
    mean = support.astype("float64").groupby(votes["building_id"]).mean()
    return building_id.map(mean).astype("float64")


def readiness_share(consent: pd.Series, table: pd.DataFrame, settings: ReadinessSettings) -> Floats:
    """Return readiness from 0 to 1, empty where the owners were not asked.

    The weighted mean of consent, management and heritage. A manager that nobody recorded counts as
    none: it is not the best case.
    """
    management = table["management_type"].map(settings.management_shares)
    management = management.fillna(settings.management_shares["none"]).astype("float64")
    heritage = np.where(table["heritage_name"].notna(), settings.heritage_share, 1.0)
    weights = settings.weights
    parts = (
        (weights["consent"], consent),
        (weights["management"], management),
        (weights["heritage"], heritage),
    )
    shares = [weight / sum(weights.values()) * np.asarray(part) for weight, part in parts]
    return np.asarray(np.sum(shares, axis=0), dtype=float)


def quadrants(score_points: Floats, ready: Floats, settings: ReadinessSettings) -> NDArray[np.str_]:
    """Return which of ``QUADRANTS`` each building stands in: need by readiness, unknown apart."""
    is_needy = score_points >= settings.needy_from_points
    with np.errstate(invalid="ignore"):
        is_ready = ready >= settings.ready_from_share
    unknown = np.isnan(ready)
    return np.select(
        [
            is_needy & is_ready,
            is_needy & ~unknown,
            is_needy,
            is_ready,
            ~unknown,
        ],
        QUADRANTS[:5],
        QUADRANTS[5],
    )
