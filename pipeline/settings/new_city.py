"""The words by which files, columns and values of a new city are recognised."""

from pydantic import model_validator

from pipeline.settings.base import Name, Section, Slug
from pipeline.settings.city import FORMATS_BY_ROLE, Datum

Words = list[Name]


class NewCityWords(Section):
    """The file config/new_city.yaml."""

    columns: dict[Slug, dict[Slug, Words]]
    """Role → our column → names of fields."""
    positions: dict[Slug, Words]
    """x and y → names of a table's columns of coordinates."""
    file_words: dict[Slug, Words]
    """Role → words in a file's name."""
    values: dict[Slug, dict[Name, str]]
    """Our column → what sources write → what we call it."""
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
