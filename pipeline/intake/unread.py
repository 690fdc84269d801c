"""Fields of a delivery that hold values and that no setting reads."""

import re
from collections.abc import Collection, Iterable

import pandas as pd

from pipeline.settings.city import Source

_OF_PROGRAMS = re.compile(
    r"@?(objectid|fid|ogc_fid|gid|id|osm_id|uuid|globalid|shape_?(leng(th)?|area)|geom(etry)?|wkt|"
    r"序号|no\.?)(_?\d+)?", re.I
)  # fmt: skip
"""What programs number their rows and measure their shapes by."""
_REMARK = re.compile(
    r"备注.{0,3}|附注|remarks?|notes?|comments?|bemerkung(en)?|observaciones", re.I
)


def is_of_a_program(field: str) -> bool:
    """Return whether a field is one that programs add by themselves."""
    return bool(_OF_PROGRAMS.fullmatch(field.strip()))


def names_and_numbers(sources: Iterable[Source]) -> set[str]:
    """Return the fields by which sources name or number things; elsewhere they tell no more."""
    return {
        field for source in sources for column, fields in source.columns.items()
        if column.endswith(("_id", "_name")) for field in fields
    }  # fmt: skip


def unread_fields(fields: pd.DataFrame, source: Source, known: Collection[str]) -> list[str]:
    """Return the fields that hold any value, and that no column of a source names.

    Those of programs, remarks, and the ``known`` names and numbers of other sources are left out.
    """
    read = {name for names in source.columns.values() for name in names} | set(
        source.fill_down or ()
    )
    free = [
        name for name in map(str, fields.columns)
        if name and name not in read and name not in known
        and not is_of_a_program(name) and not _REMARK.fullmatch(name.strip())
    ]  # fmt: skip
    return [name for name in free if (fields[name].astype("str") != "").any()]
