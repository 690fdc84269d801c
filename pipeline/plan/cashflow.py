"""Cash flow of a public-private project over its term, in whole cents."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CashFlow:
    """Yearly and running balance; ``payback_year`` counts from 1, ``None`` if never."""

    yearly_cents: tuple[int, ...]
    running_cents: tuple[int, ...]
    payback_year: int | None
    net_present_cents: int
    residual_public_cents: int


def cash_flow(
    invested_cents: int, revenue_cents: tuple[int, ...], discount_share: float
) -> CashFlow:
    """Invest at the start, earn at each year's end; residual is what revenue never pays back."""
    running, balance = [], -invested_cents
    for earned in revenue_cents:
        balance += earned
        running.append(balance)
    paid = next((year for year, left in enumerate(running, start=1) if left >= 0), None)
    worth = sum(e / (1 + discount_share) ** y for y, e in enumerate(revenue_cents, start=1))
    return CashFlow(
        revenue_cents, tuple(running), paid, round(worth) - invested_cents, max(0, -balance)
    )
