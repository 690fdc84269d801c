"""Numbers of buildings and estates that differ only in how they are written."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import combinations

from pipeline.settings.city import KeyForm

FORMS: tuple[KeyForm, ...] = ("strip_zeros", "width", "case", "blanks", "hyphens")
_HYPHENS = re.compile(r"[-‐‑‒–—―－_]")
_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?E\+?\d{2,}", re.IGNORECASE)
_CUT_AT_15 = re.compile(r"[1-9]\d{14}0+")
_CHANGED = re.compile(
    r"0\d+|\d{16,}|\d{1,2}[-/]\d{1,2}|\d{1,4}[-/]\d{1,2}[-/]\d{1,2}|\d+E\d+", re.I
)
_MOST_FORMS = 3


def in_form(key: str, forms: Collection[str]) -> str:
    """Return a number without what ``forms`` say does not count.

    ``strip_zeros`` drops zeros before each run of digits, also after letters (YZ01 as YZ0001), and a
    decimal point that a spreadsheet left behind (12.0).
    """
    if "width" in forms:
        key = unicodedata.normalize("NFKC", key)
    if "case" in forms:
        key = key.casefold()
    if "blanks" in forms:
        key = "".join(key.split()).lstrip("'’‘`")
    if "hyphens" in forms:
        key = _HYPHENS.sub("", key)
    if "strip_zeros" in forms:
        key = _ZEROS.sub("", re.sub(r"^(\d+)\.0+$", r"\1", key))
    return key


def spellings(
    keys: Iterable[str], known: Iterable[str], forms: Collection[str]
) -> tuple[dict[str, str], tuple[str, str] | None]:
    """Return how ``known`` spells each of the keys, and two different ones that would become equal.

    A key that stands among the known as it is keeps its spelling.
    """
    there = dict.fromkeys(known)
    by_form: dict[str, str] = {}
    for key in there:
        other = by_form.setdefault(in_form(key, forms), key)
        if other != key:
            return {}, (other, key)
    found: dict[str, str] = {}
    taken: dict[str, str] = {}
    for key in dict.fromkeys(keys):
        form = in_form(key, forms)
        other = taken.setdefault(form, key)
        if other != key:
            return {}, (other, key)
        if form in by_form:
            found[key] = by_form[form]
    return found, None


def joining_forms(keys: Sequence[str], known: Sequence[str]) -> tuple[list[KeyForm], int]:
    """Return the fewest forms by which most keys find one among the known, and how many then do.

    No forms where none makes more keys meet, or where different keys would become equal.
    """
    here, there = list(dict.fromkeys(keys)), list(dict.fromkeys(known))
    best: tuple[list[KeyForm], int] = [], len(set(here) & set(there))
    for size in range(1, _MOST_FORMS + 1):
        for forms in combinations(FORMS, size):
            found, clash = spellings(here, there, forms)
            if clash is None and len(found) > best[1]:
                best = list(forms), len(found)
        if best[0] and best[1] == len(here):
            break
    return best


def lost_digits(keys: Iterable[str]) -> str:
    """Return one of the keys if a spreadsheet took most of them for numbers and dropped digits."""
    counts = Counter(keys)
    lost = [
        key
        for key in counts
        if _SCIENTIFIC.fullmatch(key) or (len(key) > 15 and _CUT_AT_15.fullmatch(key))
    ]
    return lost[0] if lost and 2 * sum(counts[key] for key in lost) > sum(counts.values()) else ""


def changed_by_spreadsheets(keys: Iterable[str]) -> list[str]:
    """Return the keys that a spreadsheet changes when it opens a CSV, in their order.

    00002 becomes 2, 1-1 a day of January, 12E5 a million, and of long numbers 15 digits are kept.
    """
    return [key for key in dict.fromkeys(keys) if _CHANGED.fullmatch(key)]


def no_match_told(keys: Sequence[str], known: Sequence[str]) -> tuple[str, str]:
    """Return what to say, and what to do, where no key of a register stands among the known."""
    example = keys[0], sorted(known)[0] if known else "none"
    lost = lost_digits(keys)
    if lost:
        return (
            f"its numbers were taken for quantities ({lost}): digits are lost and cannot be mended",
            "export the register anew with that column as text; a spreadsheet keeps 15 digits",
        )
    forms, count = joining_forms(keys, known)
    fix = (
        f"state key_form: [{', '.join(forms)}], by which {count:,} meet" if forms
        else "correct the column of the key, or ask for the numbers that the footprints bear"
    )  # fmt: skip
    return f"e.g. {example[0][:60]!r} here, {example[1][:60]!r} there", fix
