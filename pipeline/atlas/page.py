"""The page: folium's map as the frame, our own layer in it, everything inside one file.

Every text from the data travels in the pack and reaches the document as text; the templates below
hold none but the title, which is escaped. Element ids are fixed, so the same input gives the same
bytes.
"""

import html
from importlib.resources import files
from typing import Any

import folium
from branca.element import MacroElement
from folium.template import Template

from pipeline.atlas.packing import Pack, as_letters

BOOT = ("unpack.js", "boot.js")
"""What unpacks the page; everything else travels in the pack."""
SCRIPTS = (
    "texts.js", "texts_asking.js", "words.js", "order.js", "model.js", "layers.js",
    "paint.js", "pixels.js", "tiles.js", "labels.js", "elements.js", "legend.js", "walk.js",
    "profile.js", "panel.js", "compare.js", "search.js", "lists.js", "filters.js", "grid.js",
    "scenario.js", "whatif.js", "about.js", "address.js", "heading.js", "view.js", "idle.js",
    "app.js",
)  # fmt: skip
STYLES = ("page.css", "parts.css")
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)
_LEAFLET = "xstatic.pkg.leaflet"
_OWN = "pipeline.atlas"
_PLACE_OF_FIRST = "@@ here comes the first pack @@"
_LATER_PACK = (
    '<script type="application/octet-stream" data-bytes="{}" id="pack-later">{}</script>\n</html>'
)
FIRST = (
    "districts.", "shade", "water.", "roads.", "others.", "ranked.", "tier", "district_name",
    "fact.planned_year", "script.",
)  # fmt: skip
"""Beginnings of the columns that the page needs before it can show the whole city and its controls."""
LATER = ("others.building_", "roads.name")
"""Those of them that it asks for only later."""


class OfflineMap(folium.Map):
    """A folium map that asks no host for anything."""

    default_js: list[tuple[str, str]] = []  # noqa: RUF012 - so does folium declare it
    default_css: list[tuple[str, str]] = []  # noqa: RUF012
    _template = Template((files(_OWN) / "templates" / "map.html.j2").read_text(encoding="utf-8"))


class RankingLayer(MacroElement):
    """The canvas layer with its panels, as a folium element.

    Parameters
    ----------
    first
        Bytes of ``Pack.to_bytes``: what the first drawing needs. The rest stands behind everything
        else, so that the map starts before it is read.
    """

    _template = Template((files(_OWN) / "templates" / "layer.html.j2").read_text(encoding="utf-8"))

    def __init__(self, first: bytes) -> None:
        super().__init__()
        self._name = "RankingLayer"
        self._id = "atlas"
        self.policy = POLICY
        self.leaflet_style = _asset(_LEAFLET, "data", "leaflet.css")
        self.styles = "\n".join(_flush_left("static", name) for name in STYLES)
        self.scripts = "\n".join(_flush_left("static", name) for name in BOOT)
        self.first = _PLACE_OF_FIRST
        self.first_bytes = len(first)


def add_scripts(pack: Pack) -> None:
    """Pack Leaflet, as its package ships it, and our own scripts; squeezed they take a third."""
    pack.whole_text("script.leaflet", _asset(_LEAFLET, "data", "leaflet.js"))
    own = "\n".join(_flush_left("static", name) for name in SCRIPTS)
    pack.whole_text("script.own", f'(function () {{\n"use strict";\n{own}\n}})();')


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


def page_text(packs: tuple[bytes, bytes], *, title: str, middle: tuple[float, float]) -> str:
    """Return the whole page.

    Parameters
    ----------
    packs
        Bytes of ``Pack.to_bytes`` of the two that ``parted`` returns.
    title
        Title of the browser window; any text.
    middle
        Latitude and longitude to begin at, until the page fits the view to the buildings.
    """
    page = OfflineMap(
        location=middle,
        tiles=None,
        zoom_start=13,
        zoom_control=False,
        control_scale=False,
        zoom_snap=0.5,
        fade_animation=False,
        attribution_control=False,
    )
    page.options |= {"min_zoom": 9, "max_zoom": 19}  # folium gives these to its tile layers only
    page._id = "atlas"
    page._parent.title = html.escape(title)
    first, later = packs
    RankingLayer(first).add_to(page)
    text: str = page.get_root().render()
    head, end, rest = text.replace(_PLACE_OF_FIRST, as_letters(first), 1).rpartition("</html>")
    if not end or rest.strip():
        raise ValueError("folium's page does not end as it should")
    return head + _LATER_PACK.format(len(later), as_letters(later))


def _asset(package: str, *path: str) -> str:
    text = files(package).joinpath(*path).read_text(encoding="utf-8")
    if "</script" in text.lower() or "</style" in text.lower():
        raise ValueError(f"{'/'.join(path)} would end its own element")
    return text.strip()


def _flush_left(*path: str) -> str:
    """Return one of our own files without indentation and whole-line comments.

    None of them has a text that spans lines.
    """
    lines = (line.strip() for line in _asset(_OWN, *path).splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def titled(name_zh: str, name_en: str, scenario_name: str) -> str:
    """Return the window title."""
    parts: list[Any] = ["山城 Shancheng", f"{name_zh} {name_en}"]
    return " · ".join([*parts, scenario_name] if scenario_name else parts)
