"""Put a report page together from parts.

A page is one file without script or request: a policy in its head forbids both, so text from data
could not act even if it were not escaped. The language switch is two radio buttons and style; until
one is chosen, the place in the page that an address points to tells the language.
"""

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files

from markupsafe import Markup

from pipeline.pages.words import Words, as_html

__all__ = [
    "Words", "columns", "contents", "details", "figure", "heading", "page", "paragraph", "table",
]  # fmt: skip

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
IN_ENGLISH = "l=en"
"""What stands behind the # of an address that is to open in English, here and on the maps."""
_PICTURE = Markup('role="img"')
_STYLE = (files("pipeline.pages") / "static" / "report.css").read_text(encoding="utf-8")


def heading(words: Words, *, level: int = 2, anchor: str = "") -> Markup:
    """Return a heading of level 1 to 6; ``anchor`` is a name that ``contents`` can point to."""
    named = Markup(' id="{}"').format(anchor) if anchor else Markup("")
    english = Markup('<i id="en:{}" class="in-english"></i>').format(anchor) if anchor else ""
    return Markup("<h{}{}>{}{}</h{}>").format(level, named, english, words.html(), level)


def contents(places: Sequence[tuple[str, Words]]) -> Markup:
    """Return links to headings of the same page, by their anchors."""
    shown = Markup("").join(_link(f"#{anchor}", f"#en:{anchor}", words) for anchor, words in places)
    return Markup('<nav class="contents" aria-label="目录 contents">{}</nav>').format(shown)


def paragraph(words: Words, *, is_warning: bool = False) -> Markup:
    """Return a paragraph; a warning is set off by a bar and announced to screen readers."""
    mark = Markup(' class="warning" role="note"') if is_warning else Markup("")
    return Markup("<p{}>{}</p>").format(mark, words.html())


def table(
    header: Sequence[object],
    rows: Sequence[Sequence[object]],
    *,
    caption: Words,
    notes: Mapping[int, Words] | None = None,
) -> Markup:
    """Return a table; numbers and per cents stand right, empty cells as a dash.

    Parameters
    ----------
    header
        One text or ``Words`` for each column.
    rows
        As many cells in each; text is escaped.
    notes
        Row number → a remark set below that row.
    """
    for number, row in enumerate(rows):
        if len(row) != len(header):
            raise ValueError(f"row {number} has {len(row)} cells, the header {len(header)}")
    right = [any(_is_number(row[place]) for row in rows) for place in range(len(header))]
    head = Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(_NUMBER if is_right else "", as_html(one))
        for one, is_right in zip(header, right, strict=True)
    )
    body = []
    for number, row in enumerate(rows):
        cells = Markup("").join(
            Markup("<td{}>{}</td>").format(_side(cell, is_right), as_html(cell))
            for cell, is_right in zip(row, right, strict=True)
        )
        body.append(Markup("<tr>{}</tr>").format(cells))
        if notes and number in notes:
            note = Markup('<tr class="remark"><td colspan="{}">{}</td></tr>')
            body.append(note.format(len(header), notes[number].html()))
    return Markup(
        '<div class="wide"><table><caption>{}</caption><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(caption.html(), head, Markup("").join(body))


_NUMBER, _LONG = Markup(' class="number"'), Markup(' class="long"')
_SHORT, _SHORT_LENGTH = Markup(' class="short"'), 14
_PERCENT = re.compile(r"[-+]?[\d.,]+\s?%|[-+][\d.,]+")
_LONG_WORD = re.compile(r"[^\s\u2e80-\uffff]{30}")


def _is_number(cell: object) -> bool:
    if isinstance(cell, str):
        return bool(_PERCENT.fullmatch(cell))
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _side(cell: object, is_right: bool) -> Markup:
    if _is_number(cell) or (is_right and (cell is None or isinstance(cell, Words))):
        return _NUMBER
    if isinstance(cell, str) and len(cell) <= _SHORT_LENGTH:
        return _SHORT
    return _LONG if _LONG_WORD.search(str(cell)) else Markup("")


def figure(chart: Markup, *, caption: Words, is_above: bool = False) -> Markup:
    """Return a chart of this room with its caption, which also names the picture to screen readers."""
    name = Markup(' aria-label="{}"').format(f"{caption.zh} · {caption.en}")
    named = Markup(chart.replace(_PICTURE, _PICTURE + name, 1))
    order = "<figcaption>{0}</figcaption>{1}" if is_above else "{1}<figcaption>{0}</figcaption>"
    return Markup(f"<figure>{order}</figure>").format(caption.html(), named)


def details(summary: Words, parts: Sequence[Markup]) -> Markup:
    """Return parts that a reader may open: what few want to see, but nobody may be denied."""
    return Markup("<details><summary>{}</summary>{}</details>").format(
        summary.html(), Markup("").join(parts)
    )


def columns(parts: Sequence[Markup], *, kind: str = "side-by-side") -> Markup:
    """Return parts beside each other where the window is wide enough."""
    return Markup('<div class="{}">{}</div>').format(kind, Markup("").join(parts))


def page(
    title: Words,
    parts: Sequence[Markup],
    *,
    banner: Words | None = None,
    links: Sequence[tuple[str, Words]] = (),
    style: str = "",
    has_own_title: bool = False,
) -> str:
    """Return a whole HTML document.

    Parameters
    ----------
    parts
        What the functions of this module return, in order.
    banner
        Said at the top of screen and print, e.g. that the data is synthetic.
    links
        Relative addresses of neighbouring pages with what they are called.
    style
        Further style sheets of this project, as text.
    has_own_title
        Whether ``parts`` hold the first heading themselves.
    """
    shown_banner = _banner(banner)
    shown_links = Markup("").join(
        _link(address, f"{address}#{IN_ENGLISH}", words) for address, words in links
    )
    return str(
        Markup(
            '<!doctype html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
            '<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            "<title>{zh} · {en}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
            '<i id="{english}" class="in-english"></i>'
            '<input type="radio" name="language" id="say-first" checked hidden>'
            '<input type="radio" name="language" id="say-zh">'
            '<label for="say-zh" lang="zh">中文</label>'
            '<input type="radio" name="language" id="say-en">'
            '<label for="say-en" lang="en">English</label>\n'
            "<main>\n{banner}<nav>{links}</nav>\n{title}\n{parts}\n</main>\n</body>\n</html>\n"
        ).format(
            policy=_POLICY,
            english=IN_ENGLISH,
            zh=title.zh,
            en=title.en,
            style=Markup(_STYLE + style),  # our own files
            banner=shown_banner,
            links=shown_links,
            title=Markup("") if has_own_title else heading(title, level=1),
            parts=Markup("\n").join(parts),
        )
    )


def _link(address: str, english: str, words: Words) -> Markup:
    """Return a link for each language; only that of the language on show is seen."""
    link = Markup('<a lang="{}" href="{}">{}</a>')
    return link.format("zh", address, words.zh) + link.format("en", english, words.en)


def _banner(words: Words | None) -> Markup:
    if words is None:
        return Markup("")
    return Markup('<div class="banner" role="note">{}</div>').format(words.html())
