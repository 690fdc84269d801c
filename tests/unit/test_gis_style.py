"""The styles are XML that QGIS can read, with the colours of the page."""

from xml.etree import ElementTree

from pipeline.gis.style import district_style, tier_style
from pipeline.settings.atlas import Tier
from tests.atlas.town import settings


def test_every_tier_has_its_label_and_its_colour() -> None:
    tiers = settings().atlas.tiers
    root = ElementTree.fromstring(tier_style(tiers))
    assert root.tag == "qgis"
    renderer = root.find("renderer-v2")
    assert renderer is not None
    assert (renderer.get("type"), renderer.get("attr")) == ("categorizedSymbol", "tier_number")
    categories = renderer.findall("categories/category")
    assert [item.get("value") for item in categories] == ["1", "2", "3", "4", "5", ""]
    assert categories[0].get("label") == "第一档（最急） tier 1 (most urgent)"
    symbols = {item.get("name"): item for item in renderer.findall("symbols/symbol")}
    assert {item.get("symbol") for item in categories} == set(symbols)
    options = symbols["0"].findall("layer/Option/Option")
    assert {o.get("name"): o.get("value") for o in options}["color"] == "103,0,13,255"  # 67000d


def test_a_label_may_hold_any_mark() -> None:
    odd = [Tier(label_zh='<"&', label_en="'>", colour="#000000")] * 5
    root = ElementTree.fromstring(tier_style(odd))
    category = root.find("renderer-v2/categories/category")
    assert category is not None and category.get("label") == "<\"& '>"


def test_a_district_is_an_outline_only() -> None:
    root = ElementTree.fromstring(district_style())
    options = {o.get("name"): o.get("value") for o in root.iter("Option") if o.get("name")}
    assert options["style"] == "no"
    assert root.findtext("layerGeometryType") == "2"
