"""What would bring a waiting project in, in words: the same in lists, workbooks, briefs and maps."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from pipeline.pages.words import Words

_WAN, _MILLION, _YI = 1e4, 1e6, 1e8
_NEEDS_CONSENT = ("refused", "not_asked", "ready_late")
_MARGIN = Words(
    "与最后列入的项目相当，零头资金排不下",
    "as good as the last that are planned, but the money left over is too little",
)
_CAPACITY = Words(
    "区县增加当年开工名额即可列入",
    "would be planned if its district could begin more projects in a year",
)
_BOTH = Words(
    "须区县增加开工名额，并降低财政负担", "needs more starts in its district and a lower cost"
)


def entry_words(project: Mapping[Hashable, Any]) -> Words | None:
    """Return what would bring a project in; nothing if it is planned, or if nothing would.

    ``project`` is a row of ``plan_projects``.
    """
    kind = project["entry_type"]
    if kind == "margin":
        return _MARGIN
    if kind == "consent":
        return _consent(project)
    if kind == "capacity_and_cost":
        return _BOTH
    if kind not in ("cost", "capacity"):
        return None
    parts = [_cost(project), _budget(project), _earlier(project)]
    if kind == "capacity":
        parts.insert(0, _CAPACITY)
    known = [part for part in parts if part]
    return Words("；或".join(part.zh for part in known), "; or ".join(part.en for part in known))


def _cost(project: Mapping[Hashable, Any]) -> Words:
    """Return the public cost at which it enters, and above which it surely does not.

    Of the works with which it would enter first: those may be fewer than all that it calls for.
    """
    now, then, most = (float(project[f"entry_public_{name}cny"]) for name in ("now_", "", "high_"))
    less = f"{1 - then / now:.0%}" if then / now < 0.995 else "<1%"
    needs_consent = project["wait_reason_code"] in _NEEDS_CONSENT
    is_part = now < float(project["public_cny"]) * 0.995
    is_bound = most < now * 0.995
    return Words(
        ("同意率达标后，" if needs_consent else "")
        + ("只做效益最高的部分改造，" if is_part else "")
        + f"财政负担由{now / _WAN:,.2f}万元降至约{then / _WAN:,.2f}万元（少{less}）即可列入"
        + (f"，高于{most / _WAN:,.2f}万元则不列入" if is_bound else ""),
        ("once its owners agree, " if needs_consent else "")
        + "would be planned"
        + (" with the most useful of its works" if is_part else "")
        + f" if its public cost fell from {now / _MILLION:,.2f} to about "
        f"{then / _MILLION:,.2f} million yuan ({less} less)"
        + (f", and surely is not above {most / _MILLION:,.2f}" if is_bound else ""),
    )


def _budget(project: Mapping[Hashable, Any]) -> Words | None:
    amount = project["entry_budget_cny"]
    if pd.isna(amount):
        return None
    return Words(
        f"各年财政预算同比例增至合计约{amount / _YI:,.2f}亿元",
        f"if the public budgets of all years rose alike to about {amount / _MILLION:,.0f} million yuan",
    )


def _earlier(project: Mapping[Hashable, Any]) -> Words | None:
    if pd.isna(project["entry_ready_year"]):
        return None
    ready, vote = int(project["entry_ready_year"]), int(project["entry_consent_year"])
    return Words(
        f"{vote}年底前同意率达标、{ready}年具备开工条件",
        f"if its owners agreed by the end of {vote} and it could start in {ready}",
    )


def _consent(project: Mapping[Hashable, Any]) -> Words:
    when = _earlier(project)
    if when is None:
        raise AssertionError(f"{project['project_id']}: no year, and consent is to bring it in")
    return Words(f"{when.zh}，即可按现有造价列入", f"would be planned at its cost {when.en}")
