"""What a folder holds twice: copies of a layer, and stops that OpenStreetMap has too."""

from collections.abc import Collection, Mapping, Sequence

from pipeline.new_city.roles import Guess
from pipeline.settings.city import OSM_FORMATS

OSM = (*OSM_FORMATS, "nominatim_json")
_STOPS = ("bus_stop", "rail_entrance")


def leave_copies(found: list[Guess], unused: list[tuple[str, str]], questions: list[str]) -> None:
    """Take one of several layers of the same role with equal rows, place and fields, and ask."""
    first: dict[tuple[object, ...], Guess] = {}
    for guess in sorted(found, key=lambda g: (len(g.look.layer + g.look.path), g.look.path)):
        look = guess.look
        if look.bounds is None or look.format in OSM or not look.geometry:
            continue
        key = guess.role, look.row_count, look.bounds, tuple(map(str, look.fields.columns))
        kept = first.setdefault(key, guess)
        if kept is guess:
            continue
        found.remove(guess)
        one, other = (f"{g.look.path} {g.look.layer}".strip() for g in (kept, guess))
        unused.append((other, f"looks like a copy of {one}, which is used"))
        questions.append(
            f"which {guess.role}? {one} or {other}: equal rows, place and fields; the first is used"
        )


def leave_to_osm(
    chosen: Sequence[Guess], facility_tags: Mapping[str, Collection[str]], questions: list[str]
) -> None:
    """Take stops and station entrances from OpenStreetMap where it has them, not twice."""
    osm = [g for g in chosen if g.role == "amenities" and g.look.format in OSM]
    for kind in _STOPS:
        wanted = set(facility_tags.get(kind, ()))
        giving = [
            guess.look.path
            for guess in osm
            if any(
                not wanted.isdisjoint(f"{k}={v}" for k, v in one.items()) for one in guess.look.tags
            )
        ]
        for guess in chosen:
            words = guess.values.get("amenity_type", {})
            if giving and guess.constants.get("amenity_type") == kind:
                questions.append(
                    f"{guess.look.path} and {giving[0]} both have {kind}: both are used, so a stop may "
                    "count twice 同一站点可能重复"
                )
            again = [word for word, ours in words.items() if ours == kind]
            if giving and again:
                guess.values["amenity_type"] = {w: o for w, o in words.items() if o != kind}
                questions.append(
                    f"{', '.join(again)} of {guess.look.path} not used: {giving[0]} has {kind} too"
                )
