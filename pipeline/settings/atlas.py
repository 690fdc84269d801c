"""Settings of atlas: how the page looks."""

from typing import Annotated

from pydantic import Field

from pipeline.settings.base import Colour, Name, Positive, Section


class Tier(Section):
    """How a tier is shown."""

    label_zh: Name
    label_en: Name
    colour: Colour


class AtlasSettings(Section):
    """Stages 5 and 6."""

    tiers: Annotated[list[Tier], Field(min_length=5, max_length=5)]
    """Most urgent first, dark to light."""
    hillshade_azimuth_deg: Annotated[float, Field(ge=0, le=360)]
    hillshade_altitude_deg: Annotated[float, Field(gt=0, le=90)]
    hillshade_exaggeration: Positive
    contour_interval_m: Annotated[float, Field(ge=1)]
