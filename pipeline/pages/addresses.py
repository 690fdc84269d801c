"""Where pages lie beside each other, and the links between them."""

import hashlib
import re
from collections.abc import Collection

from pipeline.pages.words import Words

INDEX, QUALITY = "index.html", "quality.html"
DISTRICT_FOLDER, BRIEF_FOLDER = "districts", "briefs"
_MAX_LENGTH = 60
_SAFE = re.compile(r"[0-9A-Za-z\u4e00-\u9fff][0-9A-Za-z_\u4e00-\u9fff-]*")


def page_stem(key: str) -> str:
    """Return a file name, without ending, for a key from the data.

    Keys of letters, digits, Chinese signs, - and _ stay as they are; in all others every other sign is
    replaced and a digest tells them apart, so that no key leads out of its folder or is too long.
    """
    if len(key) <= _MAX_LENGTH and _SAFE.fullmatch(key):
        return key
    kept = re.sub(r"[^0-9A-Za-z\u4e00-\u9fff-]+", "-", key)[:_MAX_LENGTH].strip("-")
    mark = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{kept}-{mark}" if kept else mark


def brief_name(district_id: str) -> str:
    """Return the brief's address from the folder of all pages."""
    return f"{BRIEF_FOLDER}/{page_stem(district_id)}.html"


def district_page_name(district_id: str) -> str:
    """Return the address of a district's own map from the folder of all pages."""
    return f"{DISTRICT_FOLDER}/{page_stem(district_id)}.html"


def links(
    own: str, pages: Collection[str], district_names: dict[str, str], *, only: str = ""
) -> list[tuple[str, Words]]:
    """Return relative addresses of the neighbours of a page, with what they are called.

    Parameters
    ----------
    own
        The page's own address from the folder of all pages.
    pages
        Addresses of all pages that exist; nothing else is linked to.
    district_names
        Name of each district by its id.
    only
        Id of the one district to link to; all if empty.
    """
    up = "../" * own.count("/")
    found = []
    for address, words in (
        (INDEX, Words("全市地图", "map of the city")),
        (QUALITY, Words("数据质量与方法", "data quality and method")),
    ):
        if address in pages and address != own:
            found.append((up + address, words))
    for district_id, name in sorted(district_names.items()):
        if only and district_id != only:
            continue
        for address, words in (
            (district_page_name(district_id), Words(f"{name}地图", f"map of {name}")),
            (brief_name(district_id), Words(f"{name}简报", f"brief of {name}")),
        ):
            if address in pages and address != own:
                found.append((up + address, words))
    return found
