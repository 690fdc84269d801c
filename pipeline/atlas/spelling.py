"""How Chinese words are typed by their first letters."""

from collections.abc import Iterable

from pypinyin import Style, lazy_pinyin


def initials(words: Iterable[str]) -> dict[str, str]:
    """Return the first letters of the pinyin of each text, so that ``jfb`` finds 解放碑.

    Letters and digits stand for themselves; what is neither is left out.
    """
    return {word: _initials(word) for word in words}


def _initials(word: str) -> str:
    letters = lazy_pinyin(word, style=Style.FIRST_LETTER)
    return "".join(c for c in "".join(letters).lower() if c.isascii() and c.isalnum())
