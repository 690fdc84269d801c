"""Support carried forward: what door-to-door work won from round to round, applied to later rounds.

On the logit scale, so that shares stay shares; each further round wins a fading part of the mean
gain seen between the rounds on record. A forecast opens no project by itself: it says when a vote may
be hoped for.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.consent.votes import carries, with_shares
from pipeline.geo.raster import Floats
from pipeline.settings.consent import ConsentSettings

_EDGE = 0.005  # a vote of 0 or all has no logit
SHARES = (
    "voting_owner_share", "voting_area_share", "favour_of_voting_owner_share",
    "favour_of_voting_area_share",
)  # fmt: skip


@dataclass(frozen=True)
class Gains:
    """Mean gain from one round to the next of each share, in logits, by measure."""

    by_measure: dict[str, Floats]
    pair_counts: dict[str, int]
    """Buildings asked twice in a row, by measure."""


def learned_gains(consents: pd.DataFrame, rules: ConsentSettings) -> Gains:
    """Return what rounds have won so far; measures with too few pairs of rounds are absent."""
    votes = with_shares(consents)
    before = votes.assign(survey_round_number=votes["survey_round_number"] + 1)
    keys = ["building_id", "measure_type", "survey_round_number"]
    pairs = votes[[*keys, *SHARES]].merge(
        before[[*keys, *SHARES]], on=keys, suffixes=("", "_before")
    )
    gain = {
        name: _logit(pairs[name].to_numpy()) - _logit(pairs[f"{name}_before"].to_numpy())
        for name in SHARES
    }
    table = pd.DataFrame(gain).assign(measure_type=pairs["measure_type"].to_numpy()).dropna()
    by_measure, counts = {}, {}
    for measure, rows in table.groupby("measure_type"):
        counts[str(measure)] = len(rows)
        if len(rows) >= rules.forecast.min_pair_count:
            by_measure[str(measure)] = rows[list(SHARES)].mean().to_numpy(dtype=float)
    return Gains(by_measure, counts)


def forecast_shares(votes: pd.DataFrame, gains: Gains, rounds: int, fade_share: float) -> Floats:
    """Return the shares ``SHARES`` of each vote after further rounds; NaN where none was learned."""
    now = _logit(votes[list(SHARES)].to_numpy(dtype=float))
    return _ahead(now, _steps(votes, gains), rounds, fade_share)


def rounds_until_met(votes: pd.DataFrame, gains: Gains, rules: ConsentSettings) -> Floats:
    """Return after how many further rounds each vote carries: 0 now, NaN never or unknown.

    ``votes`` has the columns ``SHARES``, ``measure_type`` and ``is_met``.
    """
    met = votes["is_met"].fillna(False).to_numpy(dtype=bool)
    found = np.where(met, 0.0, np.nan)
    kinds = votes["measure_type"].to_numpy(dtype=object)
    rule = rules.forecast
    now, step = _logit(votes[list(SHARES)].to_numpy(dtype=float)), _steps(votes, gains)
    for rounds in range(1, rule.max_round_count + 1):
        shares = _ahead(now, step, rounds, rule.fade_share)
        _, then = carries(shares[:, 0], shares[:, 1], shares[:, 2], shares[:, 3], kinds, rules)
        won = then.fillna(False).to_numpy(dtype=bool)
        found = np.where(np.isnan(found) & won, rounds, found)
    return found


def _steps(votes: pd.DataFrame, gains: Gains) -> Floats:
    codes, names = pd.factorize(votes["measure_type"].astype(object))
    none = np.full(len(SHARES), np.nan)
    rows = [gains.by_measure.get(str(name), none) for name in names]
    return np.array(rows).reshape(-1, len(SHARES))[codes]


def _ahead(now: Floats, step: Floats, rounds: int, fade_share: float) -> Floats:
    won = sum(fade_share**number for number in range(rounds))
    return np.asarray(1 / (1 + np.exp(-(now + step * won))))


def _logit(share: Floats) -> Floats:
    inside = np.clip(share, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside / (1 - inside)))
