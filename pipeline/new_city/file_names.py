"""What a file's own name says: of which kind its facilities are, or that its areas are no buildings."""

import re
import unicodedata
from collections.abc import Sequence

from pipeline.new_city.names import plain
from pipeline.settings.new_city import NewCityWords
from pipeline.store.looks import Look

_BRACKETS = re.compile(r"[(（\[【].*?[)）\]】]")
_CHINESE_RUN = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]+")
_WORD = re.compile(r"[a-z]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MOST_CELLS_SHARE = 0.5


def facility_of_file(look: Look, words: NewCityWords) -> tuple[str, str]:
    """Return the one kind of facility that a file's name tells, and otherwise why it does not.

    A Chinese word counts at the end of a name, where the noun stands: 公园停车场 is no park.
    A name that tells two kinds tells none.
    """
    name = _own_name(look)
    there = {
        kind: [word for word in called if _stands_in(name, word)]
        for kind, called in words.facility_files.items()
    }
    held = {kind: max(called, key=len) for kind, called in there.items() if called}
    alone = {
        kind: word for kind, word in held.items()
        if not any(word != other and _folded(word) in _folded(other) for other in held.values())
    }  # fmt: skip
    if len(alone) > 1:
        told = ", ".join(f"{word} ({kind})" for kind, word in sorted(alone.items()))
        return "", f"its name tells several kinds of facility: {told}"
    kind = next(iter(alone), "")
    is_told = any(_tells(name, word, words.file_endings) for word in there.get(kind, ()))
    return (kind if is_told else ""), ""


def other_ground(look: Look, words: NewCityWords) -> str:
    """Return what the areas of a layer are, if by its name, fields or words they are no buildings.

    One of the kinds of ``other_areas`` (water, parcels …), or empty. A name that tells buildings says
    more than all else.
    """
    name = _own_name(look)
    if any(_stands_in(name, word) for word in words.file_words.get("footprints", [])):
        return ""
    for kind, area in words.other_areas.items():
        if any(_stands_in(name, word) for word in area.files):
            return kind
    fields = {plain(str(one)): str(one) for one in look.fields.columns}
    classes = [fields[one] for word in words.area_class_fields if (one := plain(word)) in fields]
    for kind, area in words.other_areas.items():
        if any(plain(word) in fields for word in area.fields):
            return kind
        meant = {plain(word) for word in area.cells}
        for one in classes if meant else []:
            cells = look.fields[one].astype("str").map(plain)
            if len(cells) and cells.isin(meant).mean() > _MOST_CELLS_SHARE:
                return kind
    return ""


def _own_name(look: Look) -> str:
    """Return a file's name without folders and ending, with its layer's."""
    stem = look.path.rsplit("/", 1)[-1].split(".")[0]
    text = _BRACKETS.sub(" ", unicodedata.normalize("NFKC", f"{stem} {look.layer}"))
    return _folded(_CAMEL.sub(" ", text))


def _folded(text: str) -> str:
    """Return a text in lower case without accents."""
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize(
        "NFC", "".join(c for c in apart if unicodedata.category(c) != "Mn")
    )


def _stands_in(name: str, word: str) -> bool:
    """Return whether a word stands in a name: Chinese anywhere, others as words of their own."""
    word = _folded(word)
    if _CHINESE_RUN.search(word):
        return word in name
    wanted = _WORD.findall(word)
    held = _WORD.findall(name)
    glued = "".join(wanted)
    if any(_is_form_of(one, glued) for one in held):
        return True
    spans = (held[at : at + len(wanted)] for at in range(len(held) - len(wanted) + 1))
    return len(wanted) > 1 and any(
        span[:-1] == wanted[:-1] and _is_form_of(span[-1], wanted[-1]) for span in spans
    )


def _is_form_of(word: str, single: str) -> bool:
    return word in (single, single + "s", single + "es")


def _tells(name: str, word: str, endings: Sequence[str]) -> bool:
    """Return whether a name is that of a list of what the word names."""
    if not _CHINESE_RUN.search(word):
        return _stands_in(name, word)
    return any(_head(run, endings).endswith(_folded(word)) for run in _CHINESE_RUN.findall(name))


def _head(run: str, endings: Sequence[str]) -> str:
    """Return a Chinese name without what lists are called: 医院分布表 is 医院."""
    for _ in range(3):
        ending = next((one for one in endings if run.endswith(one) and run != one), "")
        if not ending:
            break
        run = run.removesuffix(ending)
    return run
