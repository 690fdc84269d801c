"""The page: a frame that all maps of a run share, and the pack of one of them in it.

Every text from the data travels in the pack and reaches the document as text; the frame holds none
but the title, which is escaped.
"""

import html
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from xstatic.pkg import leaflet

from pipeline.atlas.packing import Pack
from pipeline.atlas.squeezing import as_letters

BOOT = ("unpack.js", "boot.js")
"""What unpacks the page; everything else travels in the pack."""
PAINT = ("ground.js", "paint.js", "pixels.js", "hexes.js", "square.js")
"""What also the thread that paints runs; it comes before the others."""
SCRIPTS = (
    "texts.js", "texts_asking.js", "texts_meeting.js", "words.js", "order.js", "model.js",
    "layers.js", "tiles.js", "labels.js", "elements.js", "legend.js", "overview.js", "walk.js",
    "profile.js", "panel.js", "project.js", "compare.js", "search.js", "lists.js", "filters.js",
    "grid.js", "scenario.js", "whatif.js", "about.js", "address.js", "heading.js", "view.js",
    "idle.js", "app.js",
)  # fmt: skip
STYLES = ("page.css", "parts.css")
LEAFLET = leaflet.__name__
OWN = "pipeline.atlas"
FIRST = (
    "districts.", "shade", "water.", "roads.", "others.", "ranked.", "tier", "district_name.words",
    "script.", "fact.household_count",
)  # fmt: skip
"""Beginnings of the columns that the page needs before it can show the whole city and its controls."""
LATER = ("others.building_", "roads.name")
"""Those of them that it asks for only later."""
_LATER_PACK = (
    '<script type="application/octet-stream" data-bytes="{}" id="pack-later">{}</script>\n</html>'
)
_PLACE = re.compile("@@ here comes the ([a-z]+) @@")


def place_of(name: str) -> str:
    """Return what stands in the frame where a page has its title, middle, length or first pack."""
    return f"@@ here comes the {name} @@"


def add_scripts(pack: Pack) -> None:
    """Pack Leaflet, as its package ships it, and our own scripts; squeezed they take a third."""
    pack.extend(_scripts())


@cache
def _scripts() -> Pack:
    """Return the pack of the scripts: all pages of a run have the same."""
    pack = Pack()
    pack.whole_text("script.leaflet", asset(LEAFLET, "data", "leaflet.js"))
    for name, scripts in (("script.paint", PAINT), ("script.own", SCRIPTS)):
        pack.whole_text(name, "\n".join(flush_left("static", script) for script in scripts))
    return pack


def parted(pack: Pack) -> tuple[Pack, Pack]:
    """Return the columns that the first drawing needs, and the others, each in their order."""
    first, later = Pack(), Pack()
    for entry, part, piece in zip(pack.entries, pack.parts, pack.pieces, strict=True):
        name = entry["name"]
        one = first if name.startswith(FIRST) and not name.startswith(LATER) else later
        one.entries.append(entry)
        one.parts.append(part)
        one.pieces.append(piece)
    return first, later


def page_text(
    frame: str, packs: tuple[bytes, bytes], *, title: str, middle: tuple[float, float]
) -> str:
    """Return the whole page.

    Parameters
    ----------
    frame
        As ``page_frame`` renders it.
    packs
        Bytes of ``Pack.to_bytes`` of the two that ``parted`` returns. The later one stands behind
        everything else, so that the map starts before it is read.
    title
        Title of the browser window; any text.
    middle
        Latitude and longitude to begin at, until the page fits the view to the buildings.
    """
    first, later = packs
    filled = {
        "title": html.escape(title),
        "middle": json.dumps(list(middle)),
        "length": str(len(first)),
        "pack": as_letters(first),
    }
    parts = _PLACE.split(frame)
    text = "".join(filled[part] if at % 2 else part for at, part in enumerate(parts))
    head, end, rest = text.rpartition("</html>")
    if not end or rest.strip():
        raise ValueError("folium's page does not end as it should")
    return head + _LATER_PACK.format(len(later), as_letters(later))


@cache
def asset(package: str, *path: str) -> str:
    """Return a file of a package; it must not end the element that it is put into."""
    text = files(package).joinpath(*path).read_text(encoding="utf-8")
    if "</script" in text.lower() or "</style" in text.lower():
        raise ValueError(f"{'/'.join(path)} would end its own element")
    return text.strip()


@cache
def flush_left(*path: str) -> str:
    """Return one of our own files without indentation and whole-line comments.

    None of them has a text that spans lines.
    """
    lines = (line.strip() for line in asset(OWN, *path).splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def titled(name_zh: str, name_en: str, scenario_name: str) -> str:
    """Return the window title."""
    parts: list[Any] = ["山城 Shancheng", f"{name_zh} {name_en}"]
    return " · ".join([*parts, scenario_name] if scenario_name else parts)
