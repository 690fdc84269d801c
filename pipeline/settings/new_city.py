"""The words by which files, columns and values of a new city are recognised."""

from pydantic import Field, model_validator

from pipeline.settings.base import Name, Section, Slug
from pipeline.settings.city import FORMATS_BY_ROLE, Datum, Role

Words = list[Name]


class OtherAreas(Section):
    """How areas are known that are no buildings."""

    files: Words = Field(default_factory=list)
    """Words in a file's or layer's name."""
    fields: Words = Field(default_factory=list)
    """Names of fields that only such areas have."""
    cells: Words = Field(default_factory=list)
    """Words that stand in their field of class."""


class Layout(Section):
    """A layout in which a country publishes a layer."""

    title: Name
    """What people call it."""
    role: Role
    known_by: list[Words]
    """Sets of fields; a layer that has all of one set is of this layout."""
    columns: dict[Slug, Words]
    """Our column → its fields."""
    joined: list[Slug] = Field(default_factory=list)
    """Our columns whose fields say it together only."""
    second: Words = Field(default_factory=list)
    """Fields that say more of a building's use than its class alone, or contradict it."""
    values: dict[Slug, dict[Name, str]] = Field(default_factory=dict)
    """Our column → its words and codes → what we call them."""


class NewCityWords(Section):
    """The files config/new_city.yaml and config/national_layouts.yaml."""

    columns: dict[Slug, dict[Slug, Words]]
    """Role → our column → names of fields."""
    positions: dict[Slug, Words]
    """x and y → names of a table's columns of coordinates."""
    file_words: dict[Slug, Words]
    """Role → words in a file's name."""
    values: dict[Slug, dict[Name, str]]
    """Our column → what sources write → what we call it."""
    facility_files: dict[Slug, Words]
    """Kind of facility → words in the name of a file that lists such facilities alone."""
    file_endings: Words
    """Words that may follow in the name of such a file."""
    other_areas: dict[Slug, OtherAreas]
    """Kind of area that is no building → how it is known."""
    area_class_fields: Words
    """Names of fields that hold the class of an area."""
    second_columns: Words
    """Names of fields that may say more of a building's use than its class."""
    layouts: dict[Slug, Layout]
    """Layouts of national data."""
    datum_words: dict[Datum, Words]
    """Words in a file's name that state its datum."""
    synthetic_words: Words
    """Words in a file's name that mark an invented city."""

    @model_validator(mode="after")
    def _roles_known(self) -> "NewCityWords":
        for key in (*self.columns, *self.file_words):
            if key not in FORMATS_BY_ROLE:
                raise ValueError(f"{key} is no role; known: {', '.join(FORMATS_BY_ROLE)}")
        return self
