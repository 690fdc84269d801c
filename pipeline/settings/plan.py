"""Settings of plan: how buildings become areas and districts."""

from typing import Annotated

from pydantic import Field

from pipeline.settings.base import Section


class PlanSettings(Section):
    """Stage 4."""

    min_area_building_count: Annotated[int, Field(ge=1)]
    """Areas with fewer ranked buildings are counted in their district but not listed."""
    top_area_count: Annotated[int, Field(ge=1)]
    """Areas listed below each district."""
