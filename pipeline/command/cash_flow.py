"""The cash-flow command: a public-private project over its term, printed year by year."""

from rich.table import Table as Grid

from pipeline.command.report import console
from pipeline.plan.cashflow import CashFlow, cash_flow
from pipeline.settings.cash_flow import CashFlowCase, Stream


def worked_out(case: CashFlowCase) -> tuple[dict[str, list[int]], CashFlow]:
    """Return each stream by year of the term, in cents, and the cash flow of all."""
    streams = {name: _cents(stream, case.term_yr) for name, stream in case.streams.items()}
    net = [sum(parts) for parts in zip(*streams.values(), strict=True)]
    invested = [round(one * 100) for one in case.invested_cny]
    return streams, cash_flow(invested, net, case.discount_share)


def _cents(stream: Stream, term_yr: int) -> list[int]:
    amounts = []
    for year in range(1, term_yr + 1):
        grown = stream.cny_per_yr * (1 + stream.rise_share) ** (year - stream.first_year)
        amounts.append(round(grown * 100) if year >= stream.first_year else 0)
    return amounts


def show(case: CashFlowCase) -> None:
    """Print the cash flow as a table in 万元, then pay-back year, present value and public rest."""
    out = console()
    streams, flow = worked_out(case)
    out.print(f"{case.title_zh} {case.title_en}", markup=False, style="bold")
    out.print(f"source 来源: {case.source}", markup=False)
    table = Grid(title="万元 10,000 yuan", title_justify="left")
    table.add_column("year 年", justify="right")
    for name in streams:
        table.add_column(f"{case.streams[name].label_zh} {name}", justify="right")
    table.add_column("net 当年", justify="right")
    table.add_column("running 累计", justify="right")
    for year, (net, running) in enumerate(zip(flow.yearly_cents, flow.running_cents, strict=True)):
        parts = [_wan(amounts[year - 1]) if year else "" for amounts in streams.values()]
        table.add_row(str(year), *parts, _wan(net), _wan(running))
    out.print(table)
    paid = (
        "never within the term 期内未回本" if flow.payback_year is None else f"{flow.payback_year}"
    )
    out.print(f"pays back in year 回本年: {paid}", markup=False)
    out.print(
        f"net present value 净现值 (at {case.discount_share:.1%}): {_wan(flow.net_present_cents)} 万元",
        markup=False,
    )
    out.print(
        f"left for the public purse 财政最终负担: {_wan(flow.residual_public_cents)} 万元",
        markup=False,
    )


def _wan(cents: int) -> str:
    return f"{cents / 1e6:,.2f}"
