"""Cash flow of a public-private project over its term, in whole cents."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class CashFlow:
    """Entries for year 0, the start, and each year of the term.

    ``payback_year`` is the first year at whose end the running balance is not below zero, ``None``
    if there is none; ``residual_public_cents`` what revenue never pays back.
    """

    yearly_cents: tuple[int, ...]
    running_cents: tuple[int, ...]
    payback_year: int | None
    net_present_cents: int
    residual_public_cents: int


def cash_flow(
    invested_cents: Sequence[int], net_revenue_cents: Sequence[int], discount_share: float
) -> CashFlow:
    """Return the cash flow: money goes out at the start of years 0, 1, … and comes in at their end.

    ``invested_cents`` begins with year 0, ``net_revenue_cents`` (after running costs) with year 1;
    the term is as long as the revenue.
    """
    term = len(net_revenue_cents)
    spent = [*invested_cents, *[0] * (term + 1 - len(invested_cents))]
    yearly = [-spent[0]]
    yearly += [earned - spent[year] for year, earned in enumerate(net_revenue_cents, start=1)]
    running, balance = [], 0
    for amount in yearly:
        balance += amount
        running.append(balance)
    paid = next((year for year in range(1, term + 1) if running[year] >= 0), None)
    worth = sum(amount / (1 + discount_share) ** year for year, amount in enumerate(yearly))
    return CashFlow(tuple(yearly), tuple(running), paid, round(worth), max(0, -balance))
