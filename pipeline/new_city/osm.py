"""What OpenStreetMap files hold, by their tags."""

from collections.abc import Collection, Mapping, Sequence

from pipeline.store.profiles import Noted

Tags = Mapping[str, str]
NAMES = ["name:zh", "name"]
COLUMNS: dict[str, dict[str, list[str]]] = {
    "footprints": {
        "building_name": NAMES,
        "building_use_type": ["building"],
        "storey_count": ["building:levels"],
        "height_m": ["height"],
        "construction_year_text": ["start_date"],
    },
    "streets": {"road_name": NAMES},
    "amenities": {"amenity_name": [*NAMES, "ref"]},
}
"""Role → our column → tags."""
STREET_CLASSES = (
    "motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link", "secondary",
    "secondary_link", "tertiary", "tertiary_link", "unclassified", "residential", "living_street",
    "service", "pedestrian", "track", "road", "footway", "steps", "path", "cycleway", "bridleway",
    "corridor", "busway",
)  # fmt: skip
_POINTS = {
    "bus_stop",
    "crossing",
    "elevator",
    "traffic_signals",
    "turning_circle",
    "stop",
    "give_way",
}
_HALF, _FEW, _SOME = 0.5, 20, 5


def osm_roles(tags: Sequence[Tags], facility_tags: Mapping[str, Collection[str]]) -> dict[str, int]:
    """Return the roles that a file can fill, with how many elements speak for each."""
    wanted = {tag for tags_of in facility_tags.values() for tag in tags_of}
    streets = sum("highway" in one and one["highway"] not in _POINTS for one in tags)
    buildings = sum("building" in one for one in tags)
    places = sum(any(f"{key}={value}" in wanted for key, value in one.items()) for one in tags)
    found = {}
    if streets >= _FEW and streets > 0.1 * len(tags):
        found["streets"] = streets
    is_whole_map = "streets" in found and buildings > 0.1 * len(tags)
    if buildings >= _FEW and (is_whole_map or buildings > _HALF * (len(tags) - streets)):
        found["footprints"] = buildings
    if places >= _SOME:
        found["amenities"] = places
    return found


def building_guesses(tags: Sequence[Tags]) -> dict[str, dict[str, Noted]]:
    """Guess from buildings' tags what an unspecific use means and which storeys are defaults.

    The result is laid into a profile: ``intake.housing`` and ``intake.storeys``.
    """
    buildings = [one for one in tags if "building" in one]
    vague = sum(one["building"] == "yes" for one in buildings)
    levels = [one["building:levels"] for one in buildings if "building:levels" in one]
    ones = levels.count("1")
    is_vague = vague > _HALF * len(buildings)
    is_default = len(levels) >= _FEW and ones > _HALF * len(levels)
    found = {
        "score.coverage": {
            "min_known_share": Noted(
                0.2, "what open data know of fewer buildings cannot order them"
            )
        }
    }
    if is_vague:
        told = f"{vague:,} of {len(buildings):,} buildings say no more than yes"
        found["intake.housing"] = {
            "assumed_use_types": Noted(["yes"], f"guess: {told}, so they count as housing")
        }
    if is_default:
        told = f"{ones:,} of {len(levels):,} storey counts are 1"
        found["intake.storeys"] = {
            "default_counts": Noted([1], f"guess: {told}, which looks like a mapping default")
        }
    return found
