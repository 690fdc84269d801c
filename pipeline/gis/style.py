"""Styles for QGIS, as QML text: the same tiers and colours in the GeoPackage as on the page.

Written for QGIS 3: symbol properties stand as ``Option`` for today's versions and as ``prop`` for
those before 3.26.
"""

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from pipeline.settings.atlas import Tier

_UNRANKED = "#a8b89a"
_EDGE = "82,8,10,190"
_FILL_LAYER, _LINE_WIDTH_MM = "SimpleFill", "0.16"


def tier_style(tiers: Sequence[Tier], *, column: str = "tier_number") -> str:
    """Return a style that fills buildings by tier, most urgent first, labels Chinese first."""
    root, renderer = _document("categorizedSymbol", column)
    categories = ElementTree.SubElement(renderer, "categories")
    symbols = ElementTree.SubElement(renderer, "symbols")
    for number, tier in enumerate(tiers, start=1):
        ElementTree.SubElement(
            categories,
            "category",
            {
                "value": str(number),
                "type": "long",
                "symbol": str(number - 1),
                "label": f"{tier.label_zh} {tier.label_en}",
                "render": "true",
            },
        )
        _add_fill(symbols, str(number - 1), tier.colour, _EDGE)
    rest = {"value": "", "type": "NULL", "symbol": str(len(tiers)), "render": "true"}
    ElementTree.SubElement(categories, "category", rest | {"label": "不参与排序 not ranked"})
    _add_fill(symbols, str(len(tiers)), _UNRANKED, _EDGE)
    return _text(root)


def district_style() -> str:
    """Return a style that draws district outlines and leaves the inside open."""
    root, renderer = _document("singleSymbol", None)
    symbols = ElementTree.SubElement(renderer, "symbols")
    _add_symbol(
        symbols,
        "0",
        {
            "style": "no",
            "color": "255,255,255,0",
            "outline_color": "38,64,95,255",
            "outline_style": "dash dot",
            "outline_width": "0.5",
            "outline_width_unit": "MM",
        },
    )
    return _text(root)


def _document(
    renderer_type: str, column: str | None
) -> tuple[ElementTree.Element, ElementTree.Element]:
    root = ElementTree.Element("qgis", {"version": "3.28.0", "styleCategories": "Symbology"})
    attributes = {"type": renderer_type, "forceraster": "0", "symbollevels": "0"}
    if column is not None:
        attributes["attr"] = column
    renderer = ElementTree.SubElement(root, "renderer-v2", attributes)
    return root, renderer


def _add_fill(symbols: ElementTree.Element, name: str, colour: str, edge: str) -> None:
    _add_symbol(
        symbols,
        name,
        {
            "style": "solid",
            "color": _components(colour),
            "outline_color": edge,
            "outline_style": "solid",
            "outline_width": _LINE_WIDTH_MM,
            "outline_width_unit": "MM",
        },
    )


def _add_symbol(symbols: ElementTree.Element, name: str, properties: Mapping[str, str]) -> None:
    symbol = ElementTree.SubElement(
        symbols, "symbol", {"name": name, "type": "fill", "alpha": "1", "clip_to_extent": "1"}
    )
    layer = ElementTree.SubElement(
        symbol, "layer", {"class": _FILL_LAYER, "enabled": "1", "locked": "0", "pass": "0"}
    )
    options = ElementTree.SubElement(layer, "Option", {"type": "Map"})
    for key, value in properties.items():
        ElementTree.SubElement(options, "Option", {"name": key, "type": "QString", "value": value})
    for key, value in properties.items():
        ElementTree.SubElement(layer, "prop", {"k": key, "v": value})


def _components(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"{red},{green},{blue},255"


def _text(root: ElementTree.Element) -> str:
    geometry = ElementTree.SubElement(root, "layerGeometryType")
    geometry.text = "2"
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n{body}\n"
