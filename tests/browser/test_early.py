"""A large page answers before the facts of each building are unpacked."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.atlas import map_page
from pipeline.atlas.stage import run
from tests.atlas import town
from tests.browser.conftest import Opened
from tests.browser.hands import ALL_DRAWN, COLOUR_AT

LEGEND = "() => document.querySelector('#legend .classes').innerText"
HASTY = """async () => {
  const seen = {};
  await new Promise((resolve) => {
    const look = () => {
      if (!document.documentElement.dataset.readyMs) return requestAnimationFrame(look);
      const search = document.querySelector('#search');
      search.value = 'sbt';
      search.dispatchEvent(new Event('input'));
      const filter = document.querySelector('#filter-tier');
      filter.value = '2';
      filter.dispatchEvent(new Event('change'));
      const { map, model, placeOf } = window.shancheng;
      seen.wasWhole = model.isWhole;
      seen.tiers = [...model.tier];
      seen.legend = document.querySelector('#legend .classes').innerText;
      map.fire('click', { latlng: placeOf(0) });
      resolve();
    };
    document.addEventListener('DOMContentLoaded', look);
  });
  return seen;
}"""


def written(folder: Path) -> Path:
    """Write the small town's page and return where."""
    path = folder / "index.html"
    pages = run(town.inputs(is_synthetic=True)).pages
    path.write_text(pages["index.html"], encoding="utf-8", newline="")
    return path


@pytest.fixture
def parted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The small town as a large page comes: drawn first, its facts later."""
    monkeypatch.setattr(map_page, "WHOLE_AT_ONCE", 0)
    return written(tmp_path)


# colours of the map: where each outline begins, in the middle of each, and below what is in sight
COLOURS = """() => {
  const { map, model } = shancheng, { left, top, bottom } = map.getContainer().getBoundingClientRect();
  const colourAt = COLOUR_AT;
  const colourOf = ([x, y]) => {
    const place = map.latLngToContainerPoint(map.unproject(L.point(x, y), 20)); // 256 · 2²⁰ units
    return colourAt(left + place.x, top + place.y);
  };
  const { isWhole, ranked: { box, ringStart, pointStart, x, y } } = model;
  const rows = [...Array(model.count).keys()];
  const firstOf = (row) => pointStart[ringStart[row]];
  const middle = (row, side) => (box[4 * row + side] + box[4 * row + side + 2]) / 2;
  return {
    isWhole,
    corners: rows.map((row) => colourOf([x[firstOf(row)], y[firstOf(row)]])),
    middles: rows.map((row) => colourOf([middle(row, 0), middle(row, 1)])),
    outOfSight: colourAt(left + 400, bottom + 5),
  };
}""".replace("COLOUR_AT", COLOUR_AT)
# the same when the page says that it is ready, before anything else can happen
AT_FIRST = f"""new MutationObserver((_, observer) => {{
  if (!document.documentElement.dataset.readyMs) return;
  observer.disconnect();
  window.atFirst = ({COLOURS})();
}}).observe(document, {{ attributes: true, subtree: true }})"""


def test_far_out_a_point_stands_for_each_building_until_outlines_come(
    browser: Any, parted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_page, "SKETCH_ZOOM", 30)
    one = Opened(browser, written(tmp_path))
    one.page.add_init_script(AT_FIRST)
    page = one.open()
    first = page.evaluate("window.atFirst")
    assert not first["isWhole"]
    ground = first["middles"][0]
    assert first["middles"] == [ground] * len(town.IDS)
    assert all(abs(corner[1] - ground[1]) > 60 for corner in first["corners"])
    assert first["outOfSight"] == [0, 0, 0, 0]

    page.wait_for_selector("html[data-whole-ms]")
    page.evaluate(ALL_DRAWN)
    last = page.evaluate(f"({COLOURS})()")
    assert last["isWhole"]
    assert last["middles"].count(ground) == 2  # a courtyard, and the gap between two parts
    assert len(set(map(tuple, last["middles"]))) == 4  # and three tiers, one of them twice
    assert last["outOfSight"][3] == 255
    assert one.faults == []
    one.context.close()


def test_near_by_outlines_come_first(browser: Any, parted: Path) -> None:
    one = Opened(browser, parted)
    one.page.add_init_script(AT_FIRST)
    first = one.open().evaluate("window.atFirst")
    assert not first["isWhole"]
    assert (
        len(set(map(tuple, first["middles"]))) == 4
    )  # the ground, and three tiers of four buildings
    assert first["outOfSight"] == [0, 0, 0, 0]
    one.context.close()


def test_who_asks_before_all_is_unpacked_is_answered(browser: Any, parted: Path) -> None:
    one = Opened(browser, parted)
    one.page.add_init_script(f"window.hasty = ({HASTY})()")
    one.page.goto(one.address)
    seen = one.page.evaluate("window.hasty")
    assert not seen["wasWhole"]
    one.page.wait_for_selector("html[data-whole-ms]")
    page = one.page
    assert seen["tiers"] == page.evaluate("[...shancheng.model.published.tier]")
    assert page.locator("#found button").count() > 0
    assert page.is_visible("#panel .verdict")
    assert page.evaluate("shancheng.model.shown.includes(0)")
    page.select_option("#filter-tier", "")
    assert page.evaluate(LEGEND) == seen["legend"]
    assert one.faults == []
    one.context.close()


@pytest.mark.parametrize(
    "place", ['id="pack">', 'id="pack-later">', "begin();", "shancheng.start("]
)
def test_a_file_cut_off_is_told(browser: Any, parted: Path, tmp_path: Path, place: str) -> None:
    text = parted.read_text(encoding="utf-8")
    torn = tmp_path / "torn.html"
    more = 900 if place.startswith("id") else 0
    torn.write_text(text[: text.index(place) + more], encoding="utf-8", newline="")
    one = Opened(browser, torn)
    one.page.goto(one.address)
    one.page.wait_for_selector("#failure:not([hidden])", timeout=5_000)
    assert "copy it again" in one.page.inner_text("#failure")
    one.context.close()
