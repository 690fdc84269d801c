"""What a person does with the page of the small town, and the colours that they see."""

import re
from typing import Any

from pyproj import Transformer

from tests.atlas import town

_DEGREES = Transformer.from_crs(town.CRS, "EPSG:4326", always_xy=True)
TIER_COLOURS = {"B1": (103, 0, 13), "B2": (203, 24, 29)}  # #67000d, #cb181d
CJK = re.compile(r"[\u3400-\u9fff]")
LATIN_WORD = re.compile(r"[A-Za-z]{3,}")
# red, green, blue and opacity of the map's squares at a place of the screen; null beside them
COLOUR_AT = """(x, y) => {
  for (const square of document.querySelectorAll('canvas.leaflet-tile')) {
    const box = square.getBoundingClientRect();
    if (x < box.left || y < box.top || x >= box.right || y >= box.bottom) continue;
    const scale = square.width / box.width;
    const [column, row] = [(x - box.left) * scale, (y - box.top) * scale];
    const context = new OffscreenCanvas(1, 1).getContext('2d');
    context.drawImage(square, -Math.floor(column), -Math.floor(row));
    return [...context.getImageData(0, 0, 1, 1).data];
  }
  return null;
}"""
ALL_DRAWN = "async () => { while (!shancheng.isDrawn()) await new Promise(requestAnimationFrame); }"


def look_at(page: Any, x_m: float, y_m: float, zoom: float = 17) -> None:
    """Bring a place of the town to the middle of the map and wait until it is painted."""
    lon, lat = _DEGREES.transform(town.ORIGIN[0] + x_m, town.ORIGIN[1] + y_m)
    page.evaluate(
        "([lat, lon, zoom]) => shancheng.map.setView([lat, lon], zoom, {animate: false})",
        [lat, lon, zoom],
    )
    page.wait_for_timeout(250)


def on_screen(page: Any, x_m: float, y_m: float) -> tuple[float, float]:
    """Return where a place of the town lies on the screen."""
    lon, lat = _DEGREES.transform(town.ORIGIN[0] + x_m, town.ORIGIN[1] + y_m)
    found = page.evaluate(
        """([lat, lon]) => {
          const point = shancheng.map.latLngToContainerPoint([lat, lon]);
          const box = shancheng.map.getContainer().getBoundingClientRect();
          return [point.x + box.left, point.y + box.top];
        }""",
        [lat, lon],
    )
    return found[0], found[1]


def painted(page: Any, x_m: float, y_m: float) -> tuple[int, ...]:
    """Return the colour on the map's squares at a place of the town, once all are painted."""
    page.evaluate(ALL_DRAWN)
    colour = page.evaluate(f"(place) => ({COLOUR_AT})(...place)", list(on_screen(page, x_m, y_m)))
    assert colour is not None
    return tuple(colour[:3])


def click(page: Any, x_m: float, y_m: float) -> None:
    look_at(page, x_m, y_m)
    page.mouse.click(*on_screen(page, x_m, y_m))


def select(page: Any, building_id: str) -> None:
    page.fill("#search", building_id)
    page.press("#search", "Enter")
