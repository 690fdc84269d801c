"""folium's map as the frame, our own layer in it, everything inside one file.

It is rendered once a run: maps differ by title, middle and pack alone. Element ids are fixed, so the
same input gives the same bytes.
"""

from importlib.resources import files

import folium
from branca.element import MacroElement
from folium.template import Template

from pipeline.atlas.page import BOOT, LEAFLET, OWN, STYLES, asset, flush_left, place_of

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; worker-src data:; base-uri 'none'; form-action 'none'"
)


class OfflineMap(folium.Map):
    """A folium map that asks no host for anything."""

    default_js: list[tuple[str, str]] = []  # noqa: RUF012 - so does folium declare it
    default_css: list[tuple[str, str]] = []  # noqa: RUF012
    _template = Template((files(OWN) / "templates" / "map.html.j2").read_text(encoding="utf-8"))


class RankingLayer(MacroElement):
    """The canvas layer with its panels, as a folium element; its pack comes later."""

    _template = Template((files(OWN) / "templates" / "layer.html.j2").read_text(encoding="utf-8"))

    def __init__(self) -> None:
        super().__init__()
        self._name = "RankingLayer"
        self._id = "atlas"
        self.policy = POLICY
        self.leaflet_style = asset(LEAFLET, "data", "leaflet.css")
        self.styles = "\n".join(flush_left("static", name) for name in STYLES)
        self.scripts = "\n".join(flush_left("static", name) for name in BOOT)
        self.first = place_of("pack")
        self.first_bytes = place_of("length")


def page_frame() -> str:
    """Return a whole page with places for title, middle, length and pack, which a map fills."""
    page = OfflineMap(
        location=(0, 0),
        tiles=None,
        zoom_start=13,
        zoom_control=False,
        control_scale=False,
        zoom_snap=0.1,
        fade_animation=False,
        attribution_control=False,
    )
    page.options |= {"min_zoom": 9, "max_zoom": 19}  # folium gives these to its tile layers only
    page._id = "atlas"
    middle = place_of("middle")
    page.location = middle  # type: ignore[assignment]
    page._parent.title = place_of("title")
    RankingLayer().add_to(page)
    text: str = page.get_root().render()
    return text.replace(f'"{middle}"', middle)
