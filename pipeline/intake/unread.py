"""Fields of a delivery that hold values and that no setting reads."""

import re

import pandas as pd

from pipeline.settings.city import Source

_OF_PROGRAMS = re.compile(
    r"@?(objectid|fid|ogc_fid|gid|id|osm_id|uuid|globalid|shape_?(leng(th)?|area)|geom(etry)?|wkt|"
    r"序号|no\.?)(_?\d+)?", re.I
)  # fmt: skip
"""What programs number their rows and measure their shapes by."""


def is_of_a_program(field: str) -> bool:
    """Return whether a field is one that programs add by themselves."""
    return bool(_OF_PROGRAMS.fullmatch(field.strip()))


def unread_fields(fields: pd.DataFrame, source: Source) -> list[str]:
    """Return the fields that hold any value, and that no column of a source names; no program's."""
    read = {name for names in source.columns.values() for name in names} | set(
        source.fill_down or ()
    )
    free = [
        name for name in map(str, fields.columns)
        if name and name not in read and not is_of_a_program(name)
    ]  # fmt: skip
    return [name for name in free if (fields[name].astype("str") != "").any()]
