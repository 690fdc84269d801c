"""Opening hours and conditions of OpenStreetMap tags, asked for one time: noon on a working day.

A walk is measured by day. Of the specification of opening_hours only days of the week and times of
day are read; what depends on dates, weather or vehicles stays undecided.
"""

import re
from collections.abc import Mapping

_NOON_MIN = 720
_DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
_WORKING = frozenset(range(5))
_TIMES = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_DAY_RANGE = re.compile(r"\b(mo|tu|we|th|fr|sa|su)\b(?:\s*-\s*(mo|tu|we|th|fr|sa|su)\b)?")
_UNREAD = re.compile(
    r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|week|easter|\d{4})\b|[<>=]|\[|\bs?now\b"
)
_CLAUSE = re.compile(r"\s*([^@;]+?)\s*@\s*(\([^)]*\)|[^;]*)\s*(?:;|$)")
_FULL_WIDTH = str.maketrans("：－–—～~，；", ":-----,;")


def is_open_at_noon(text: str) -> bool | None:
    """Return whether opening hours hold at noon of most working days; None if they do not tell."""
    said: dict[int, bool] = {}
    for rule in re.split(r";|\|\|", text.translate(_FULL_WIDTH).lower()):
        state = _state(rule)
        if state is None:
            continue
        days = _days(rule)
        if days is None and re.search(r"\b(ph|sh)\b", rule):
            continue
        if days is not None and not said and state:
            said = dict.fromkeys(range(7), False)  # days that are not named are closed
        said |= dict.fromkeys(range(7) if days is None else days, state)
    if not said:
        return None
    return sum(said.get(day, True) for day in _WORKING) > len(_WORKING) / 2


def _state(rule: str) -> bool | None:
    """Return whether one rule says open at noon on its days."""
    if _UNREAD.search(rule):
        return None
    if re.search(r"\b(off|closed)\b", rule):
        return None if _TIMES.search(rule) else False
    if "24/7" in rule or re.search(r"\bopen\b", rule):
        return True
    if re.search(r"\b(sunset|dusk)\b.*-.*\b(sunrise|dawn)\b", rule):
        return False
    if re.search(r"\b(sunrise|dawn)\b.*-.*\b(sunset|dusk)\b", rule):
        return True
    times = [[int(one) for one in found] for found in _TIMES.findall(rule)]
    if times:
        return any(_holds(60 * a + b, 60 * c + d) for a, b, c, d in times)
    return True if _days(rule) else None


def _holds(start_min: int, end_min: int) -> bool:
    if end_min <= start_min:
        return start_min <= _NOON_MIN or end_min > _NOON_MIN
    return start_min <= _NOON_MIN < end_min


def _days(rule: str) -> set[int] | None:
    """Return the days of the week that a rule names, or None where it names none."""
    found: set[int] = set()
    for first, last in _DAY_RANGE.findall(rule):
        start = _DAYS.index(first)
        end = _DAYS.index(last) if last else start
        found |= {(start + step) % 7 for step in range((end - start) % 7 + 1)}
    return found or None


def by_day(tags: Mapping[str, str], key: str) -> str:
    """Return a tag's value at noon: what ``key:conditional`` says then, else the tag itself.

    ``access=no`` with ``access:conditional=yes @ (06:00-22:00)`` is yes. A condition that cannot be
    decided (a date, a weight, the weather) changes nothing. Empty where nothing is said.
    """
    plain = tags.get(key, "").strip().lower()
    clauses = tags.get(f"{key}:conditional", "")
    if "@" in plain:
        plain, clauses = "", f"{plain};{clauses}"
    for value, condition in _CLAUSE.findall(clauses):
        if is_open_at_noon(condition.strip("() ")):
            plain = value.strip().lower()
    return plain
