"""What of a street map may be walked, by its tags."""

from collections.abc import Mapping

from pipeline.intake.hours import by_day, is_open_at_noon
from pipeline.intake.lifetime import LIFETIME_TAGS, absent
from pipeline.intake.words import UNKNOWN_STREET_CLASS
from pipeline.settings.intake import StreetRule

Tags = Mapping[str, str]
_OUT_OF_SERVICE = (
    "closed", "broken", "out_of_order", "out_of_service", "defective", "disused", "abandoned",
    "demolished", "no", "construction", "proposed", "planned", "temporarily_closed",
)  # fmt: skip
_SIDEWALK_KEYS = ("sidewalk", "sidewalk:left", "sidewalk:right", "sidewalk:both")
_HAS_SIDEWALK = ("yes", "both", "left", "right")
_DOOR_KEYS = ("entrance", "door", "locked")
ACCESS_TAGS = (
    "foot", "access", "foot:conditional", "access:conditional", "opening_hours",
    "operational_status", "status", "impassable", *LIFETIME_TAGS,
)  # fmt: skip
"""Tags that ``is_out_of_service`` reads."""
_ACCESS_TAGS = frozenset(ACCESS_TAGS)


def street_class(tags: Tags) -> str:
    """Return the class of a street, without blanks and capitals; empty where there is none."""
    return tags.get("highway", "").strip().lower()


def why_not_walked(tags: Tags, rule: StreetRule) -> tuple[str, str] | None:
    """Return the reason and the detail for which nobody walks a way, or nothing.

    The class decides first: only listed ones are walked, those of ``sidewalk_highway_types`` and motor
    roads only with a sidewalk or an explicit right of way on foot. Then what is gone or shut, then the
    right of way: ``foot`` goes before ``access``.
    """
    kind = street_class(tags)
    is_motor_road = tags.get("motorroad") == "yes"
    if kind in rule.sidewalk_highway_types or is_motor_road:
        if _right(tags, "foot", rule) is not True and not _has_sidewalk(tags):
            told = f"highway={kind}" + (" motorroad=yes" if is_motor_road else "")
            return "not_walkable", f"{told} without a sidewalk"
    elif kind not in rule.walkable_highway_types:
        known = kind in rule.closed_highway_types
        return ("not_walkable" if known else UNKNOWN_STREET_CLASS), f"highway={kind}"
    if _ACCESS_TAGS.isdisjoint(tags):
        return None
    gone = _gone(tags, rule)
    if gone:
        return "not_walkable", gone
    shut = _shut(tags, rule)
    return ("not_walkable", shut) if shut else None


def _has_sidewalk(tags: Tags) -> bool:
    return any(tags.get(key, "").strip().lower() in _HAS_SIDEWALK for key in _SIDEWALK_KEYS)


def _right(tags: Tags, key: str, rule: StreetRule) -> bool | None:
    """Return whether a tag opens (True), closes (False) or does not tell, at noon."""
    words = [word.strip() for word in by_day(tags, key).split(";") if word.strip()]
    if words and all(word in rule.closed_access_words for word in words):
        return False
    return True if any(word in rule.open_foot_words for word in words) else None


def _shut(tags: Tags, rule: StreetRule) -> str:
    """Return the tag that keeps walkers out, or an empty text."""
    foot = _right(tags, "foot", rule)
    if foot is False:
        return f"foot={by_day(tags, 'foot')}"
    if foot is None and _right(tags, "access", rule) is False:
        return f"access={by_day(tags, 'access')}"
    hours = tags.get("opening_hours", "")
    return f"opening_hours={hours}" if hours and is_open_at_noon(hours) is False else ""


def _gone(tags: Tags, rule: StreetRule) -> str:
    gone = absent(tags, rule.walked_in_year)
    if gone:
        return gone
    if tags.get("impassable", "").strip().lower() == "yes":
        return "impassable=yes"
    for key in ("operational_status", "status"):
        if tags.get(key, "").strip().lower() in _OUT_OF_SERVICE:
            return f"{key}={tags[key]}"
    return ""


def is_out_of_service(tags: Tags, rule: StreetRule) -> bool:
    """Return whether a lift or escalator is tagged as not running by day, or as nobody's to use."""
    return bool(_gone(tags, rule) or _shut(tags, rule))


def shut_barrier(tags: Tags, rule: StreetRule) -> str:
    """Return the tags for which nobody passes a node, or an empty text.

    ``foot`` goes before everything. Else a barrier closes the way by ``access``, by a lock, by its
    hours, or by its kind, if that is none of ``passable_barrier_types``. A node that is no barrier
    closes it by ``foot``, a door also by ``access`` or a lock.
    """
    barrier = tags.get("barrier", "no").strip().lower()
    is_barrier = barrier != "no"
    name = f"barrier={barrier} " if is_barrier else ""
    foot = _right(tags, "foot", rule)
    if foot is True:
        return ""
    if foot is False:
        return f"{name}foot={by_day(tags, 'foot')}"
    if not is_barrier and not any(key in tags for key in _DOOR_KEYS):
        return ""
    shut = _shut(tags, rule)
    if shut:
        return name + shut
    if tags.get("locked", "no").strip().lower() in ("yes", "permanent"):
        return f"{name}locked={tags['locked']}"
    is_passable = not is_barrier or barrier in rule.passable_barrier_types
    return "" if is_passable else name.strip()


def is_passage(tags: Tags) -> bool:
    """Return whether a node on a wall says how one gets through: a gate, a door, a stile."""
    return tags.get("barrier", "no") != "no" or any(
        tags.get(key, "no") != "no" for key in ("entrance", "door")
    )


def directions_on_foot(tags: Tags) -> tuple[bool, bool]:
    """Return whether a way may be walked forward and backward.

    Walkers ignore one-way signs of vehicles. An escalator whose direction the map does not tell
    (``conveying=yes``) counts both ways: where one runs up, another or stairs lead down.
    """
    conveying = tags.get("conveying", "no").strip().lower()
    if conveying in ("forward", "backward"):
        return conveying == "forward", conveying == "backward"
    keys = ("oneway:foot",) if conveying in ("no", "", "reversible") else ("oneway:foot", "oneway")
    oneway = next((tags[key].strip().lower() for key in keys if tags.get(key)), "no")
    if oneway in ("-1", "reverse"):
        return False, True
    return True, oneway not in ("yes", "true", "1")
