"""All settings together."""

from typing import Annotated

from pydantic import Field, model_validator

from pipeline.settings.atlas import AtlasSettings
from pipeline.settings.base import Section, Slug
from pipeline.settings.city import (
    FORMATS_BY_ROLE,
    LAYERED_FORMATS,
    NEEDED_COLUMNS,
    NEEDED_ROLES,
    OSM_FORMATS,
    REGISTER_FORMATS,
    VECTOR_FORMATS,
    CitySettings,
    Source,
)
from pipeline.settings.consent import ConsentSettings
from pipeline.settings.intake import IntakeSettings
from pipeline.settings.measure import MeasureSettings
from pipeline.settings.plan import PlanSettings
from pipeline.settings.score import ScoreSettings
from pipeline.settings.sites import SitesSettings


class Settings(Section):
    """The whole configuration: default, city profile and scenario laid over each other."""

    city: CitySettings
    sources: Annotated[dict[Slug, Source], Field(min_length=1)]
    intake: IntakeSettings
    measure: MeasureSettings
    consent: ConsentSettings
    score: ScoreSettings
    plan: PlanSettings
    sites: SitesSettings
    atlas: AtlasSettings

    @model_validator(mode="after")
    def _roles_filled(self) -> "Settings":
        roles = [source.role for source in self.sources.values()]
        missing = [role for role in NEEDED_ROLES if role not in roles]
        if missing:
            raise ValueError(
                f"sources: none has the role {', '.join(missing)}, without which no city is ranked; "
                "add such a file and run make new-city anew, or state it by hand"
            )
        if roles.count("terrain") > 1:
            raise ValueError("sources: only one may have the role terrain")
        for name, source in self.sources.items():
            allowed = FORMATS_BY_ROLE[source.role]
            if source.format not in allowed:
                raise ValueError(
                    f"sources.{name}: role {source.role} is read from {' or '.join(allowed)}, "
                    f"not from {source.format}"
                )
            wanted: tuple[str, ...] = NEEDED_COLUMNS.get(source.role, ())
            if source.format in REGISTER_FORMATS and LAYERED_FORMATS[0] in allowed:
                wanted += ("wkt",) if "wkt" in source.columns else ("x", "y")
            if source.role == "streets" and source.format in VECTOR_FORMATS:
                wanted += ("highway_type",)
            absent = [column for column in wanted if column not in source.columns]
            if source.format not in OSM_FORMATS:  # a constant says the same of every row
                absent = [column for column in absent if column not in source.constants]
            if absent:
                raise ValueError(
                    f"sources.{name}.columns: role {source.role} needs {', '.join(absent)}"
                )
        return self
