"""A case of config/cash_flows/: what a private party puts in and earns over a term."""

from typing import Annotated

from pydantic import Field, model_validator

from pipeline.settings.base import Name, NotNegative, Section, Share, Slug


class Stream(Section):
    """Money that comes in, or goes out, every year."""

    label_zh: Name
    label_en: Name
    cny_per_yr: float
    """At ``first_year``; below 0: a running cost."""
    first_year: Annotated[int, Field(ge=1)]
    """Year of the term in which it begins."""
    rise_share: Annotated[float, Field(ge=-0.5, le=0.5)]
    """Yearly rise."""
    source: Name


class CashFlowCase(Section):
    """One public-private project."""

    title_zh: Name
    title_en: Name
    term_yr: Annotated[int, Field(ge=1, le=60)]
    discount_share: Share
    invested_cny: Annotated[list[NotNegative], Field(min_length=1)]
    """Put in at the start, then in each further year."""
    streams: Annotated[dict[Slug, Stream], Field(min_length=1)]
    source: Name

    @model_validator(mode="after")
    def _inside_the_term(self) -> "CashFlowCase":
        if len(self.invested_cny) > self.term_yr + 1:
            raise ValueError("invested_cny lists more years than the term has")
        for name, stream in self.streams.items():
            if stream.first_year > self.term_yr:
                raise ValueError(f"streams.{name} begins after the term")
        return self
