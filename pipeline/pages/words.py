"""A text in both languages, and how it becomes safe HTML."""

from typing import NamedTuple

from markupsafe import Markup, escape


class Words(NamedTuple):
    """The same said in Chinese and in English; Chinese is shown first."""

    zh: str
    en: str

    def html(self) -> Markup:
        """Return both as escaped HTML; the page's switch shows one of them."""
        return Markup('<span lang="zh">{}</span><span lang="en">{}</span>').format(self.zh, self.en)


def as_html(text: object) -> Markup:
    """Return what a cell or caption says, escaped; markup made here stays, nothing becomes a dash.

    Floats are shown as given: round them first.
    """
    if isinstance(text, Words):
        return text.html()
    if text is None or (not isinstance(text, str) and str(text) in ("nan", "<NA>", "NaT")):
        return Markup("–")
    if isinstance(text, int) and not isinstance(text, bool):
        return Markup(f"{text:,}")
    return escape(text)
