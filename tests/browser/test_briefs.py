"""A brief prints on one sheet, in both languages, whatever stands in the data; nobody is asked."""

import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.atlas.stage import run
from tests.atlas import plan_town, town
from tests.browser.conftest import Opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    plain = run(town.inputs(is_synthetic=True)).pages
    planned = run(plan_town.inputs()).pages["briefs/R1.html"]
    for name, text in {**plain, "briefs/planned.html": planned}.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def opened(browser: Any, path: Path, **size: int) -> Opened:
    one = Opened(browser, path, **size)
    one.page.goto(one.address)
    return one


@pytest.mark.parametrize("name", ["R1.html", "planned.html"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_brief_prints_on_one_sheet_of_a4_with_nothing_cut_off(
    browser: Any, folder: Path, language: str, name: str
) -> None:
    one = opened(browser, folder / "briefs" / name)
    one.page.check(f"#say-{language}")
    sheet = one.page.pdf(prefer_css_page_size=True)
    assert re.search(rb"/Count (\d+)", sheet).group(1) == b"1"  # type: ignore[union-attr]
    width, height = map(float, re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)", sheet).groups())  # type: ignore[union-attr]
    assert (round(width / 72 * 25.4), round(height / 72 * 25.4)) == (210, 297)
    one.page.emulate_media(media="print")
    whole, shown = one.page.evaluate(
        "() => { const s = document.querySelector('.sheet'); return [s.scrollHeight, s.clientHeight] }"
    )
    assert whole <= shown
    one.context.close()
    assert (one.faults, one.requests) == ([], [one.address])


@pytest.mark.parametrize("name", ["briefs/R1.html", "quality.html"])
def test_pages_fit_the_window_and_the_switch_shows_one_language(
    browser: Any, folder: Path, name: str
) -> None:
    one = opened(browser, folder / name)
    for width in (1366, 683):  # 683: as wide as a laptop at 200 % zoom
        one.page.set_viewport_size({"width": width, "height": 768})
        wide = one.page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= width
    assert one.page.locator("h1 [lang=zh]").first.is_visible()
    one.page.focus("#say-zh")
    one.page.keyboard.press("ArrowRight")
    assert one.page.locator("h1 [lang=en]").first.is_visible()
    assert not one.page.locator("h1 [lang=zh]").first.is_visible()
    one.context.close()
    assert (one.faults, one.requests) == ([], [one.address])


def test_the_language_is_kept_along_links(browser: Any, folder: Path) -> None:
    one = Opened(browser, folder / "quality.html")
    page = one.page
    page.goto(f"{one.address}#l=en")

    def assert_said(lang: str) -> None:
        other = "zh" if lang == "en" else "en"
        page.wait_for_selector(f"h1 [lang={lang}]", state="visible")
        assert page.locator(f"h1 [lang={other}]").is_hidden()

    assert_said("en")
    page.click("nav.contents a:visible >> nth=1")
    assert_said("en")  # also at a heading of the same page
    page.click("nav a[href^='index.html']:visible")
    page.wait_for_selector("html[data-ready-ms]")
    assert page.evaluate("document.documentElement.lang") == "en"
    page.click("#pages summary")
    page.click("#pages-list a[href^='quality.html']")
    assert_said("en")
    page.click("label[for=say-zh]")
    assert_said("zh")
    page.goto("about:blank")
    page.goto(one.address)
    assert_said("zh")
    one.context.close()
    assert one.faults == []


def test_pictures_have_names(browser: Any, folder: Path) -> None:
    one = opened(browser, folder / "quality.html")
    unnamed = one.page.locator("svg[role=img]:not([aria-label])").count()
    assert one.page.locator("svg[role=img]").count() > 3
    assert unnamed == 0
    one.context.close()
