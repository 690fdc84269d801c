"""Guess which file is what: by its kind, its fields, its name, and what its cells hold."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from pipeline.contracts.source_columns import JOINT, by_plain_word, joined_words, plain_word
from pipeline.contracts.written_numbers import decimal_mark, read_number
from pipeline.intake.words import count_words, listed, words_text
from pipeline.new_city.file_names import facility_of_file, other_ground
from pipeline.new_city.layouts import columns_with, layout_of, values_with
from pipeline.new_city.names import IS_EMPTY, cannot_be, is_vague, matched, plain, weight
from pipeline.new_city.osm import COLUMNS, STREET_CLASSES, osm_roles
from pipeline.new_city.where import middle_area_m2
from pipeline.settings.city import FORMATS_BY_ROLE, NEEDED_COLUMNS, OSM_FORMATS, RASTER_FORMATS
from pipeline.settings.new_city import Layout, NewCityWords
from pipeline.store.looks import Look
from pipeline.store.profiles import Noted

_AREAS = ("footprints", "boundary", "subdistricts", "communities", "estates", "heritage_areas")
_NOT_AREAS = {"streets": ("line",), "amenities": ("point", "polygon")}
"""Kinds of shape that a role takes; the others take areas."""
_OSM = OSM_FORMATS
_TABLES = ("csv", "excel")
_ENOUGH = 3.0
_KEYS = ("building_id", "estate_id", "estate_name", "community_id")
_RECOGNISED_SHARE = 0.2
_STREETS_SHARE = 0.5
_STREETS_SCORE = 2.0
_LAYOUT_SCORE, _NAMED_SCORE = 4.0, 4.0
_ADMIN = "admin"
_AREA_TOLD = {
    "parcels": "parcels of land 宗地、地块", "water": "water 水域",
    "land": "land use, cover or open ground 用地",
    "green": "green areas 绿地", _ADMIN: "administrative areas 行政区划",
}  # fmt: skip
_TYPES_NOT_USED = "types that are not used"
_BEARING = ("footprints", "housing_register")
"""Roles whose columns, called as ours are, are taken even if hardly a cell can be read: so the loss is
told by every later command, and not by this one alone."""
_PATH = re.compile(r"[;；|/>]")


@dataclass(eq=False)
class Guess:
    """One source: a file, what it is taken for and why, and which field is which column."""

    look: Look
    role: str
    why: str
    columns: dict[str, tuple[list[str], str]] = field(default_factory=dict)
    """Our column → fields and the note to write behind them."""
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    score: float = 0.0
    doubts: list[str] = field(default_factory=list)
    more_paths: list[str] = field(default_factory=list)
    table: dict[str, Noted] = field(default_factory=dict)
    """What the profile must say of a table: separator, header rows, form of keys …"""
    unit_field: str = ""
    """The field that tells a building's stairwells or flats apart."""
    layout: Layout | None = None
    """The national layout that the layer has."""

    def texts(self, column: str) -> pd.Series:
        """Return the first rows' cells of one of our columns, joined if its fields are."""
        fields = self.columns[column][0]
        if self.layout and column in self.layout.joined and len(fields) > 1:
            return joined_words(self.look.fields, fields)
        return self.look.fields[fields[0]].astype("str")


def guesses(
    look: Look, words: NewCityWords, facility_tags: Mapping[str, Collection[str]]
) -> list[Guess]:
    """Return what a file can be taken for; several roles only for OpenStreetMap files."""
    if look.format in _OSM:
        return [
            Guess(look, role, f"{count:,} elements speak for it", score=count,
                  columns={key: (tags, "") for key, tags in COLUMNS[role].items()})
            for role, count in osm_roles(look.tags, facility_tags).items()
            if role == "amenities" or look.geometry != "point"  # centres are no lines
        ]  # fmt: skip
    if look.format == "nominatim_json":
        return [Guess(look, "boundary", "a Nominatim reply with an outline", score=9)]
    if look.format in RASTER_FORMATS:
        return _raster(look, words)
    roles = [
        role for role in words.columns
        if look.format in FORMATS_BY_ROLE[role] and _geometry_fits(look, role)
    ]  # fmt: skip
    found = [guess for role in roles if (guess := _by_fields(look, role, words, facility_tags))]
    found.sort(key=lambda guess: -guess.score)
    return found[:1]


def _geometry_fits(look: Look, role: str) -> bool:
    if look.format in _TABLES:
        return role not in (*_AREAS, "streets")
    counts = look.kind_counts or {look.geometry: 1}
    fitting = sum(count for kind, count in counts.items() if _is_used(kind, role))
    return fitting > sum(counts.values()) / 2


def _kinds_told(look: Look, role: str) -> list[str]:
    """Return what must be said of a layer that holds several kinds of shapes."""
    if len(look.kind_counts) < 2:
        return []
    told = ", ".join(f"{count:,} {kind}" for kind, count in look.kind_counts.items())
    sampled = sum(look.kind_counts.values())
    first = f"its first {sampled:,} shapes" if sampled < look.row_count else "its shapes"
    unused = [kind for kind in look.kind_counts if not _is_used(kind, role)]
    told_unused = f"; those of kind {', '.join(unused)} are not used" if unused else ""
    return [f"{first} are of several kinds ({told}){told_unused}"]


def _is_used(kind: str, role: str) -> bool:
    return kind in _NOT_AREAS.get(role, ("polygon",))


def _raster(look: Look, words: NewCityWords) -> list[Guess]:
    if _file_word(look, words.file_words.get("built_up_year", [])):
        return [Guess(look, "built_up_year", "its name", score=5)]
    assert look.values is not None
    low, high = look.values
    if look.not_terrain:
        return []
    word = _file_word(look, words.file_words.get("terrain", []))
    why = f"heights from {low:.0f} to {high:.0f} m" + (f", {word!r} in its name" if word else "")
    return [Guess(look, "terrain", why, score=5.0 if word else 3.0)]


def _by_fields(
    look: Look, role: str, words: NewCityWords, facility_tags: Mapping[str, Collection[str]]
) -> Guess | None:
    area_kind = other_ground(look, words) if role in _AREAS else ""
    if area_kind and not (area_kind == _ADMIN and role != "footprints"):
        return None
    layout = layout_of(look, role, words.layouts)
    guess = Guess(look, role, "", layout=layout)
    doubted: dict[str, tuple[list[str], str]] = {}
    for column, (fields, is_exact) in matched(
        list(map(str, look.fields.columns)), columns_with(layout, words.columns[role])
    ).items():
        fault = cannot_be(column, look.fields[fields[0]])
        if fault:
            guess.doubts.append(f"{fields[0]} ({column}) {fault}")
            if role in _BEARING and is_exact and fault != IS_EMPTY and not is_vague(fields):
                doubted[column] = fields, f"guess by its name: {fault}"
            continue
        guess.columns[column] = fields, "guess" + ("" if is_exact else ": part of the name fits")
    if role == "amenities" and look.format in _TABLES:
        positions = matched([str(name) for name in look.fields.columns], words.positions)
        if set(positions) != {"x", "y"}:
            return None
        guess.columns |= {axis: (fields, "guess") for axis, (fields, _) in positions.items()}
        guess.look = _at_positions(look, positions)
    own = [column for column in guess.columns if column not in _KEYS]
    guess.score = sum(weight(fields) for fields, _ in guess.columns.values())
    needed = set(NEEDED_COLUMNS.get(role, ())) - (
        {"building_use_type"} if role == "footprints" else set()
    )
    if not needed <= set(guess.columns):
        return None
    word = _file_word(look, words.file_words.get(role, []))
    count = len(guess.columns)
    reasons = [f"{count} field{'s fit' if count > 1 else ' fits'}"] if count else []
    if word:
        guess.score += 4 + len(word) / 10
        reasons.append(f"{word!r} in its name")
    if layout:
        guess.score += _LAYOUT_SCORE
        reasons.append(f"the layout of {layout.title}")
        joined = [one for one in layout.joined if len(guess.columns.get(one, ([], ""))[0]) > 1]
        if joined:
            guess.table["joined"] = Noted(joined, "its fields say it together only")
    if role in _AREAS:
        size_m2 = middle_area_m2(look)
        if role == "footprints" and look.row_count >= 50 and 8 <= size_m2 <= 5000:
            guess.score += 3
            reasons.append(f"{look.row_count:,} outlines of {size_m2:,.0f} m² (median)")
            if len(reasons) == 1:
                guess.doubts.append(
                    "taken for buildings by number and size of its outlines alone 仅凭轮廓大小判断"
                )
        elif role == "footprints" and size_m2 > 20_000:
            return None
        elif role == "boundary" and look.row_count <= 60 and size_m2 >= 1e6:
            guess.score += 2.5
            reasons.append(f"{look.row_count} × {size_m2 / 1e6:,.1f} km² (median)")
        elif role == "boundary" and size_m2 < 1e5:
            return None
    if role == "streets" and "highway_type" not in guess.columns:
        return None
    if role == "housing_register" and len(own) < 2:
        return None
    if role == "inspection" and not any(column.endswith("_fault_share") for column in own):
        return None
    if role not in _AREAS and not own and not word and role != "amenities":
        return None
    guess.columns |= doubted
    guess.doubts += _kinds_told(look, role)
    _take_values(guess, words, facility_tags)
    if role == "amenities" and not guess.values and not _speaks_ours(guess, facility_tags):
        kind, _ = facility_of_file(look, words)
        if kind not in facility_tags:
            return None
        guess.columns.pop("amenity_type", None)
        guess.constants["amenity_type"] = kind
        guess.doubts = [one for one in guess.doubts if not one.startswith(_TYPES_NOT_USED)]
        guess.score += _NAMED_SCORE
        reasons.append(f"its name lists one kind of facility, {kind}")
    if role == "streets":
        if not _are_streets(guess):
            return None
        guess.score += _STREETS_SCORE
        reasons.append("its words are classes of street")
    guess.why = ", ".join(reasons)
    return guess if guess.score >= _ENOUGH else None


def _at_positions(look: Look, positions: Mapping[str, tuple[list[str], bool]]) -> Look:
    """Return the look with where its rows lie: in degrees, if their numbers can be."""
    x, y = (_numbers(look.fields[positions[axis][0][0]]) for axis in ("x", "y"))
    if not len(x) or not len(y):
        return look
    bounds = float(x.min()), float(y.min()), float(x.max()), float(y.max())
    is_degrees = (
        max(abs(bounds[0]), abs(bounds[2])) <= 180 and max(abs(bounds[1]), abs(bounds[3])) <= 90
    )
    return replace(look, bounds=bounds, crs="EPSG:4326" if is_degrees else "")


def _numbers(cells: pd.Series) -> pd.Series:
    """Return the cells that are numbers, as the whole column writes them."""
    texts = cells.astype("str").tolist()
    mark = decimal_mark(texts) or "."
    return pd.Series([read_number(text, mark) for text in texts], dtype="float64").dropna()


def _take_values(
    guess: Guess, words: NewCityWords, facility_tags: Mapping[str, Collection[str]]
) -> None:
    """Take from the known words those that the file's cells hold."""
    for column, meanings in words.values.items():
        if column not in guess.columns:
            continue
        meanings = by_plain_word(values_with(guess.layout, column, meanings))
        counted = count_words(guess.texts(column))
        cells = set(counted)
        if guess.layout and column in guess.layout.joined:
            cells |= {cell.split(JOINT, 1)[0] for cell in cells}
        if column == "building_use_type":  # of 住宅、商业 each part means something of its own
            cells |= {part for cell in cells for part in listed(cell)}
        held = {cell: ours for cell in sorted(cells) if (ours := _meaning(cell, meanings, column))}
        if held:
            guess.values[column] = held
        if column == "amenity_type":
            known = {plain_word(kind) for kind in facility_tags}
            strange = {
                cell: n for cell, n in counted.items()
                if cell not in held and plain_word(cell) not in known
            }  # fmt: skip
            if strange:
                guess.doubts.append(f"{_TYPES_NOT_USED}: {words_text(strange)}")


def _meaning(cell: str, meanings: Mapping[str, str], column: str) -> str:
    """Return what a cell means; of a path such as 医疗保健服务;诊所;诊所 the last known part counts."""
    parts = [cell] if column == "building_use_type" else [cell, *reversed(_PATH.split(cell))]
    return next((meanings[one] for part in parts if (one := plain_word(part)) in meanings), "")


def _speaks_ours(guess: Guess, facility_tags: Mapping[str, Collection[str]]) -> bool:
    if "amenity_type" not in guess.columns:
        return False
    known = {plain_word(kind) for kind in facility_tags}
    cells = guess.look.fields[guess.columns["amenity_type"][0][0]].astype("str").map(plain_word)
    return bool(cells.isin(known).mean() >= _RECOGNISED_SHARE)


def _are_streets(guess: Guess) -> bool:
    """Return whether most cells name a class of street, as OpenStreetMap writes it or translated."""
    cells = guess.texts("highway_type").str.strip()
    known = {*STREET_CLASSES, *guess.values.get("highway_type", {})}
    if guess.layout and "highway_type" in guess.layout.joined:
        cells = cells.where(cells.isin(list(known)), cells.str.split(JOINT).str[0])
    strange = {cell: n for cell, n in count_words(cells).items() if cell not in known}
    if strange:
        guess.doubts.append(f"classes of street that are not known: {words_text(strange)}")
    return bool(cells.isin(list(known)).mean() >= _STREETS_SHARE)


def unused_reason(
    look: Look, words: NewCityWords, facility_tags: Mapping[str, Collection[str]]
) -> str:
    """Return why a layer is not used that its own name or its words explain; empty if they do not."""
    if look.format in _OSM or look.format in RASTER_FORMATS:
        return ""
    kind, fault = facility_of_file(look, words)
    if look.format in _TABLES or look.geometry == "point":
        if kind and kind not in facility_tags:
            return (
                f"by its name {kind}, no kind of facility that config counts (intake.facility_tags)"
            )
        return fault
    area = other_ground(look, words) if look.geometry == "polygon" else ""
    return f"{_AREA_TOLD.get(area, area)}, not buildings" if area else ""


def _file_word(look: Look, words: list[str]) -> str:
    """Return the longest of the words that stands in a file's name."""
    name = plain(look.path.rsplit(".", 1)[0])
    fitting = [word for word in words if plain(word) in name]
    return max(fitting, key=len, default="")
