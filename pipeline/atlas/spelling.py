"""How Chinese words are typed by their first letters."""

from collections.abc import Iterable
from functools import cache

from pypinyin import Style, lazy_pinyin
from pypinyin.seg.mmseg import seg


def initials(words: Iterable[str]) -> dict[str, str]:
    """Return the first letters of the pinyin of each text, so that ``jfb`` finds 解放碑.

    Letters and digits stand for themselves; what is neither is left out.
    """
    return {word: _plain("".join(map(_of_piece, seg.cut(word)))) for word in words}


@cache
def _of_piece(piece: str) -> str:
    """Return the first letters of a piece: names are made of few, and each takes its time."""
    return "".join(lazy_pinyin([piece], style=Style.FIRST_LETTER))


def _plain(letters: str) -> str:
    return "".join(c for c in letters.lower() if c.isascii() and c.isalnum())
