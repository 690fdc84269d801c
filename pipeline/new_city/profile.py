"""Put the guesses about a folder's files together to a profile, with questions for what is open."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pipeline.new_city.osm import building_guesses
from pipeline.new_city.placing import (
    about_axes,
    about_place,
    join_tiles,
    known_places,
    overlap_much,
    with_crs,
)
from pipeline.new_city.repeats import OSM, leave_copies, leave_to_osm
from pipeline.new_city.roles import Guess, guesses, unused_reason
from pipeline.new_city.second_columns import second_column_questions
from pipeline.new_city.tables import unread_files, unused_tables, with_tables
from pipeline.new_city.where import (
    DEGREES,
    Bounds,
    datum_of,
    in_degrees,
    is_in_china,
    is_working_crs,
    utm_zone,
)
from pipeline.new_city.word_questions import word_questions
from pipeline.settings.city import NEEDED_ROLES, RASTER_FORMATS
from pipeline.settings.intake import IntakeSettings
from pipeline.settings.new_city import NewCityWords
from pipeline.store.looks import Look
from pipeline.store.profiles import Noted, SourceLines, profile_text

_NOT_TOLD = "not told 未注明"
_ASK_DATUM = "ask: wgs84, gcj02 or bd09?"
_ASK_TERMS = "ask: publisher, licence"
_SINGLE = ("terrain",)
_COPERNICUS = (
    "European Space Agency, Copernicus DEM",
    "Copernicus DEM licence",
    "© DLR e.V. and © Airbus Defence and Space GmbH, provided under COPERNICUS by the EU and ESA",
)
_SRTM = ("NASA / USGS (SRTM)", "public domain", "SRTM, NASA/USGS")
_OSM_TERMS = ("OpenStreetMap contributors", "ODbL 1.0", "© OpenStreetMap contributors")
_ROLE_ORDER = ("boundary", "footprints", "streets", "amenities", "terrain")


@dataclass(frozen=True)
class NewCity:
    """A profile, what could not be told, and which needed roles no file fills."""

    text: str
    sources: tuple[tuple[str, Guess], ...]
    questions: tuple[str, ...]
    unused: tuple[tuple[str, str], ...]
    missing_roles: tuple[str, ...]
    line_count: int


def new_city(
    name: str,
    looks: Sequence[Look],
    unread: Sequence[tuple[str, str]],
    words: NewCityWords,
    intake: IntakeSettings,
    measures: Collection[str],
    datum: str = "",
) -> NewCity:
    """Return the profile of a new city.

    ``intake`` holds the words that config knows, ``measures`` the works that owners are asked about.

    ``datum`` is what the user tells of layers in degrees whose datum the files do not state.
    """
    questions: list[str] = []
    facility_tags = intake.facility_tags
    looks = _placed(looks, questions)
    chosen, unused = _chosen(looks, words, facility_tags, questions)
    unused = [*unused, *unread]
    sources = _named(chosen)
    if any(guess.role == "housing_register" for guess in chosen):
        for guess in chosen:  # the register says which buildings are housing
            guess.values.pop("building_use_type", None)
    place = _place([guess for _, guess in sources])
    terrain = next((guess.look for _, guess in sources if guess.role == "terrain"), None)
    crs, crs_note = _working_crs(place, terrain, questions)
    leave_to_osm(chosen, facility_tags, questions)
    with_tables(sources, questions)
    questions += unread_files(unread)
    questions += unused_tables(looks, [guess for _, guess in sources])
    lines = [_lines(label, guess, words, datum, place) for label, guess in sources]
    open_datum = [one.name for one in lines if one.common["datum"].note == _ASK_DATUM]
    if open_datum:
        questions.append(
            f"坐标基准 datum of {', '.join(open_datum)}: wgs84, gcj02 or bd09? "
            "相差数百米，仅凭坐标无法判断，请问数据提供方 They differ by hundreds of metres, and "
            "coordinates alone cannot tell: ask the "
            "publisher. wgs84 is written; DATUM=gcj02 writes another"
        )
    untold = [one.name for one in lines if _ASK_TERMS in one.common["publisher"].note]
    if untold:
        questions.append(f"出处与许可 publisher and licence of {', '.join(untold)}")
    for label, guess in sources:
        questions += [f"{label} ({guess.look.path}): {doubt}" for doubt in guess.doubts]
        questions += about_place(label, guess.look)
    questions += word_questions(sources, intake, measures)
    if not any(guess.role == "housing_register" for _, guess in sources):
        questions += second_column_questions(sources, words, intake.housing)
    is_synthetic = any(word in look.path for look in looks for word in words.synthetic_words)
    roles = {guess.role for _, guess in sources}
    missing = tuple(role for role in NEEDED_ROLES if role not in roles)
    for role in missing:
        questions.append(f"no file was recognised as {role}: the city cannot be ranked without one")
    if "boundary" not in roles:
        questions.append("no boundary: the hull of the footprints is the one district")
    name_zh = _district_name(sources) or name
    open_zh = "；原始文件的含义为自动猜测，请核对" + ("，坐标基准未确认" if open_datum else "")
    city = {
        "name_zh": Noted(name_zh, "guess: correct it"),
        "name_en": Noted(name),
        "crs": Noted(crs, crs_note),
        "is_synthetic": Noted(is_synthetic, "guess: its files say so" if is_synthetic else ""),
        "note_zh": Noted(("合成数据" if is_synthetic else "数据由使用者提供") + open_zh + "。"),
        "note_en": Noted(
            "What the files mean was guessed by a program; check it"
            + (", and the datum is not confirmed." if open_datum else ".")
        ),
    }
    text = profile_text(
        ["Every guess is marked: check each, correct it where it is wrong, delete its mark."],
        city,
        lines,
        _settings(sources),
        _tail(questions, unused),
    )
    return NewCity(
        text, tuple(sources), tuple(questions), tuple(unused), missing, len(text.splitlines())
    )  # fmt: skip


def _placed(looks: Sequence[Look], questions: list[str]) -> list[Look]:
    """Give a CRS to layers that do not state theirs, if just one fits where the others lie."""
    known = known_places(looks)
    questions += [told for look in looks if (told := about_axes(look))]
    return [with_crs(look, known, questions) for look in looks]


def _chosen(
    looks: Sequence[Look],
    words: NewCityWords,
    facility_tags: Mapping[str, Collection[str]],
    questions: list[str],
) -> tuple[list[Guess], list[tuple[str, str]]]:
    found: list[Guess] = []
    unused = []
    known = known_places(looks)
    for look in looks:
        guessed = guesses(look, words, facility_tags)
        for guess in guessed:  # a table's place is known by its columns only
            guess.look = with_crs(guess.look, known, questions)
        if any(
            one.bounds is not None and not one.crs for one in (look, *(g.look for g in guessed))
        ):
            guessed = []
            told = look.crs_doubt or "does not state its CRS"
            questions.append(f"{look.path} {told}, and none fits: state it by hand")
        if not guessed:
            reason = unused_reason(look, words, facility_tags) or (
                "lines whose class of street was not recognised" + _fields_of(look)
                if look.geometry == "line"
                else look.not_terrain or "not recognised" + _fields_of(look)
            )
            where = f"{look.path} {look.layer}".strip()
            unused.append((where, reason))
            questions += _about_unused(where, reason)
        found += guessed
    own_footprints = [g for g in found if g.role == "footprints" and g.look.format not in OSM]
    if own_footprints:  # a bureau's own go before OpenStreetMap's of the same place
        dropped = [g for g in found if g.role == "footprints" and g not in own_footprints]
        found = [guess for guess in found if guess not in dropped]
        for guess in dropped:
            questions.append(
                f"{guess.look.path} holds buildings too; {own_footprints[0].look.path} is used"
            )
    leave_copies(found, unused, questions)
    join_tiles(found)
    for role in _SINGLE:
        several = sorted((g for g in found if g.role == role), key=lambda g: -g.score)
        if len(several) > 1 and several[0].score == several[1].score and overlap_much(several[:2]):
            names = ", ".join(guess.look.path for guess in several)
            questions.append(
                f"which {role}? {names} lie over each other: leave one of them in the folder"
            )
            found = [guess for guess in found if guess not in several]
            unused += [(guess.look.path, f"one of several {role} files") for guess in several]
            continue
        for guess in several[1:]:
            found.remove(guess)
            unused.append((guess.look.path, f"another {role}; {several[0].look.path} is used"))
            questions.append(f"which {role}? {several[0].look.path} or {guess.look.path}")
    return found, unused


def _about_unused(where: str, reason: str) -> list[str]:
    """Return a question where a person may know better than the name of a file."""
    if "parcels" in reason:
        return [
            f"{where} holds {reason}: it is not used 未使用. If its outlines are those of buildings, "
            "write it as footprints by hand 若为建筑轮廓，请手工写入"
        ]
    is_asked = "facility" in reason or "hardly heights" in reason
    return [f"{where} is not used: {reason} 未使用"] if is_asked else []


def _fields_of(look: Look) -> str:
    names = [str(name) for name in look.fields.columns][:8]
    return f" by its fields {', '.join(names)}" if names else ""


def _named(chosen: Sequence[Guess]) -> list[tuple[str, Guess]]:
    """Return the guesses by source name: the role, and the file's name where a role repeats."""
    order = {role: place for place, role in enumerate(_ROLE_ORDER)}
    ranked = sorted(chosen, key=lambda g: (order.get(g.role, 9), g.role, g.look.path))
    named: list[tuple[str, Guess]] = []
    for guess in ranked:
        several = sum(other.role == guess.role for other in ranked) > 1
        label = f"{guess.role}_{_stem(guess)}"[:36].rstrip("_") if several else guess.role
        taken = [one for one, _ in named]
        unique = label
        while unique in taken:
            unique = f"{label}_{taken.count(label) + len(taken)}"
        named.append((unique, guess))
    return named


def _stem(guess: Guess) -> str:
    """Return what a file's name says beyond its role."""
    name = guess.look.path.rsplit("/", 1)[-1].split(".")[0].lower()
    stem = re.sub(r"[^a-z0-9]+", "_", name).strip("_")
    return stem.removesuffix("_synthetic").removeprefix(guess.role).strip("_") or "own"


def _place(chosen: Sequence[Guess]) -> Bounds | None:
    """Return where the city lies, in degrees: by its footprints, or else what else has a place."""
    for role in ("footprints", "boundary", "streets", "terrain", "amenities"):
        for guess in chosen:
            box = in_degrees(guess.look.bounds, guess.look.crs) if guess.role == role else None
            if box:
                return box
    return None


def _working_crs(
    place: Bounds | None, terrain: Look | None, questions: list[str]
) -> tuple[str, str]:
    if (
        terrain is not None and terrain.is_square_metric
        and is_working_crs(terrain.crs, in_degrees(terrain.bounds, terrain.crs))
    ):  # fmt: skip
        return terrain.crs, "that of the terrain, in metres"
    if place is None:
        questions.append("no file says where the city lies: correct city.crs by hand")
        return "EPSG:32648", "guess: nothing says where the city lies"
    return utm_zone(place), "guess: UTM zone of the files"


def _lines(
    label: str,
    guess: Guess,
    words: NewCityWords,
    told_datum: str,
    place: Bounds | None,
) -> SourceLines:
    look = guess.look
    own = {"path": Noted(look.path), "role": Noted(guess.role), "format": Noted(look.format)}
    if look.layer:
        own["layer"] = Noted(look.layer)
    own |= guess.table
    if guess.more_paths:
        own["more_paths"] = Noted(guess.more_paths)
    columns = {key: Noted(fields, note) for key, (fields, note) in guess.columns.items()}
    if guess.role == "boundary" and look.format == "nominatim_json":
        columns = {}
    if guess.constants:
        own["constants"] = Noted(guess.constants, "guess: by its name")
    if guess.role == "footprints" and "building_use_type" not in columns:
        own["constants"] = Noted(
            {"building_use_type": "residential"}, "guess: no use is stated, so all count as housing"
        )
    if look.nodata is not None:
        own["nodata"] = Noted(look.nodata, "guess: cells of this value stand off all others")
    if look.height_unit:
        own["height_unit"] = Noted(look.height_unit, "guess: by its unit or its values")
    datum, datum_note = _datum(look, words, told_datum, place)
    encoding_note = "" if look.is_encoding_certain else f"guess: {look.encoding} fits its bytes"
    crs = look.crs or DEGREES
    publisher, licence, attribution, date, note = _terms(look)
    common = {
        "datum": Noted(datum, datum_note),
        "crs": Noted(crs),
        "encoding": Noted(look.encoding, encoding_note),
        "publisher": Noted(publisher, note),
        "licence": Noted(licence),
        "attribution": Noted(attribution),
        "date": Noted(date),
    }
    return SourceLines(
        label, own, common, columns, guess.values, f"guess: {guess.why}" if guess.why else ""
    )


def _datum(look: Look, words: NewCityWords, told: str, place: Bounds | None) -> tuple[str, str]:
    if look.format in OSM:
        return "wgs84", ""
    own = datum_of(look.crs)
    if own == "cgcs2000":
        return own, ""
    for datum, marks in words.datum_words.items():
        mark = next((word for word in marks if word.lower() in look.path.lower()), "")
        if mark:
            return datum, f"guess: {mark!r} in the file's name"
    box = in_degrees(look.bounds, look.crs) or (None if look.bounds else place)
    is_shifted_perhaps = (
        look.bounds is not None and look.crs == DEGREES and look.format not in RASTER_FORMATS
    )
    if own == "of_crs" or not is_shifted_perhaps or not is_in_china(box):
        return own, ""
    if told:
        return told, "as told with DATUM="
    return "wgs84", _ASK_DATUM


def _terms(look: Look) -> tuple[str, str, str, str, str]:
    date = look.date or _year_in(look.path)
    note = "" if date else "guess: the date is the file's own"
    date = date or look.file_date
    lower = look.path.lower()
    if look.format in OSM:
        return *_OSM_TERMS, date, note
    if look.format == "geotiff" and "copernicus" in lower:
        return *_COPERNICUS, date, _joined("guess: by its name", note)
    if look.format == "geotiff" and "srtm" in lower:
        return *_SRTM, date, _joined("guess: by its name", note)
    return _NOT_TOLD, _NOT_TOLD, _NOT_TOLD, date, _joined(_ASK_TERMS, note)


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _year_in(path: str) -> str:
    found = re.search(r"(?<!\d)(19[5-9]\d|20[0-4]\d)(?!\d)", path.rsplit("/", 1)[-1])
    return found[1] if found else ""


def _district_name(sources: Sequence[tuple[str, Guess]]) -> str:
    """Return the name of the only district, if there is one."""
    for _, guess in sources:
        rows = guess.look.fields
        if guess.role != "boundary" or len(rows) != 1:
            continue
        fields = ["name"] if "name" in rows else guess.columns.get("district_name", ([], ""))[0]
        if fields:
            return str(rows[fields[0]].iloc[0]).strip()[:100]
    return ""


def _settings(sources: Sequence[tuple[str, Guess]]) -> dict[str, dict[str, Noted]]:
    roles = {guess.role for _, guess in sources}
    if "housing_register" in roles:
        note = "guess: the register is the programme, other buildings are not ranked"
        return {"intake.housing": {"must_be_registered": Noted(True, note)}}
    for _, guess in sources:
        if guess.role == "footprints" and guess.look.format in OSM:
            return building_guesses(guess.look.tags)
    return {}


def _tail(questions: Sequence[str], unused: Sequence[tuple[str, str]]) -> list[str]:
    return [
        *(f"ask: {question}" for question in questions),
        *(f"not used: {path}: {reason}" for path, reason in unused),
    ]
