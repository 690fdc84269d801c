"""Whether what a map shows is there: tags of what is gone or not yet built, begin and end."""

import re
from collections.abc import Mapping

_GONE = (
    "disused", "abandoned", "demolished", "razed", "dismantled", "removed", "destroyed", "ruined",
    "ruins", "proposed", "planned", "construction",
)  # fmt: skip
"""Keys that, set to yes, say that a thing is no longer or not yet there."""
_BEGINS, _ENDS = ("opening_date", "start_date"), ("end_date",)
LIFETIME_TAGS = (*_GONE, *_BEGINS, *_ENDS)
"""Tags that ``absent`` reads."""
_DATE = re.compile(r"(\d{4})(-\d{2}){0,2}")


def absent(tags: Mapping[str, str], year: int) -> str:
    """Return the tag by which a thing is not there in a year, or an empty text.

    A thing whose last year is earlier is gone, one whose first year is later is not yet there; within
    the year itself it counts. Dates that are no plain year, month or day decide nothing.
    """
    for key in _GONE:
        if tags.get(key, "").strip().lower() == "yes":
            return f"{key}=yes"
    for keys, is_absent in ((_ENDS, year.__gt__), (_BEGINS, year.__lt__)):
        for key in keys:
            date = _DATE.fullmatch(tags.get(key, "").strip())
            if date and is_absent(int(date[1])):
                return f"{key}={tags[key].strip()}"
    return ""
