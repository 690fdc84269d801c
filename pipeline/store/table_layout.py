"""Tables as people lay them out: titles, headers of several rows, merged cells, blank rows."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Rows = Sequence[Sequence[str]]
Merge = tuple[int, int, int, int]
_MOST_TITLE_ROWS = 30
_SAMPLE_ROWS = 200
_MOST_HEADER_ROWS = 4
_FILLED_SHARE = 0.6
_VALUE = re.compile(
    r"[-+~约<>≥≤'’]?[\d０-９一二三四五六七八九十〇零]"
    r"[\d０-９一二三四五六七八九十〇零.,，:/\-~—至年月日代TZ+ %㎡层户]*"
)
_LABELLED = re.compile(r".+[：:]\s*\S")


@dataclass(frozen=True)
class Layout:
    """A table taken apart: which rows are its header, and what stands below them."""

    header_rows: tuple[int, ...]
    """From 1, as a spreadsheet counts."""
    names: list[str]
    body: list[list[str]]
    """Rows that are not blank, each as wide as the header."""


def laid_out(rows: Rows, merges: Sequence[Merge] = (), told: Sequence[int] = ()) -> Layout:
    """Return a table's header and body; ``told`` rows are the header, or the first that is filled."""
    numbers = list(told) or [next((n for n, row in enumerate(rows, 1) if any(row)), 1)]
    head = [list(rows[number - 1]) if number <= len(rows) else [] for number in numbers]
    names = _names(head, [_spanned(merges, number - 1) for number in numbers])
    width = max((place for place, name in enumerate(names, 1) if name), default=0)
    body = [list(row[:width]) for row in rows[max(numbers) :] if any(row)]
    return Layout(tuple(numbers), names[:width], body)


def header_rows(rows: Rows, merges: Sequence[Merge] = ()) -> tuple[int, ...]:
    """Return the rows that look like a table's header, from 1; none if no row does.

    The header is the first row that is about as full as the rows below and holds words only. Rows
    above or below it belong to it where they name what it leaves unnamed, or merged cells say so.
    """
    filled = [
        place for place, row in enumerate(rows[: _MOST_TITLE_ROWS + _SAMPLE_ROWS]) if any(row)
    ]
    if not filled:
        return ()
    counts = [_count(rows[place]) for place in filled]
    usual = median(counts[min(len(counts) - 1, 1) :])
    for order, place in enumerate(filled[:_MOST_TITLE_ROWS]):
        row = rows[place]
        if _count(row) >= max(2, _FILLED_SHARE * usual) and _is_words(row):
            if _is_surpassed(row, [rows[one] for one in filled[order + 1 :]]):
                continue
            return _whole_header(rows, merges, filled, order)
    return ()


def _whole_header(
    rows: Rows, merges: Sequence[Merge], filled: Sequence[int], order: int
) -> tuple[int, ...]:
    first = last = order
    top = filled[order]
    while last + 1 < len(filled) and last - first + 1 < _MOST_HEADER_ROWS:
        below = rows[filled[last + 1]]
        reach = max(
            [bottom for t, _, bottom, _ in merges if top <= t <= filled[last] < bottom], default=-1
        )
        spans = [
            (left, right) for t, left, _, right in merges if t == filled[last] and left < right
        ]
        is_group = bool(spans) and all(any(below[left : right + 1]) for left, right in spans)
        held = [rows[place] for place in filled[first : last + 1]]
        if _is_words(below) and (
            reach >= filled[last + 1]
            or is_group
            or _completes(held, below, rows, filled[last + 2 :])
        ):
            last += 1
            continue
        break
    for higher in range(max(0, last + 1 - _MOST_HEADER_ROWS), first):
        above = [rows[place] for place in filled[higher:first]]
        held = [rows[place] for place in filled[first : last + 1]]
        is_joined = any(
            t == filled[higher] and bottom >= filled[first] for t, _, bottom, _ in merges
        )
        if all(_count(row) >= 2 and _is_words(row) for row in above) and (
            is_joined or _needs(held, above[0])
        ):
            first = higher
            break
    return tuple(place + 1 for place in filled[first : last + 1])


def _is_surpassed(row: Sequence[str], below: Rows) -> bool:
    """Return whether the next row names more columns, above values: then this one is of groups."""
    if len(below) < 2 or not _is_words(below[0]) or _count(below[0]) <= _count(row):
        return False
    named = all(_at(below[0], place) for place, text in enumerate(row) if text)
    rest = below[1:_SAMPLE_ROWS]
    return named and sum(_is_words(one) for one in rest) < len(rest) / 2


def _completes(held: Rows, below: Sequence[str], rows: Rows, rest: Sequence[int]) -> bool:
    """Return whether a row names just what the rows above leave unnamed over cells that are filled."""
    sample = [rows[place] for place in rest[:_SAMPLE_ROWS]]
    width = max(len(row) for row in (*held, below))
    blank = [
        place for place in range(width)
        if not any(_at(row, place) for row in held) and any(_at(row, place) for row in sample)
    ]  # fmt: skip
    is_bare = any(
        not _at(below, place) and any(_at(row, place) for row in held) for place in range(width)
    )
    return bool(blank) and is_bare and all(_at(below, place) for place in blank)


def _needs(held: Rows, above: Sequence[str]) -> bool:
    """Return whether names repeat or lack that the row above tells apart."""
    names = _names([list(row) for row in held], [{}] * len(held))
    said = [name for name in names if name]
    lacking = [place for place in range(len(above)) if above[place] and not _at(names, place)]
    return len(set(said)) < len(said) or bool(lacking)


def _names(head: list[list[str]], spans: Sequence[Mapping[int, int]]) -> list[str]:
    """Return the name of each column: its lowest text, the group's before it where that repeats."""
    width = max((len(row) for row in head), default=0)
    carried = [_carried(row, span, width) for row, span in zip(head, spans, strict=True)]
    leaves, groups = [], []
    for place in range(width):
        own = [level for level, row in enumerate(head) if _at(row, place)]
        leaves.append(_one_line(head[own[-1]][place]) if own else "")
        above = [carried[level][place] for level in range(own[-1] if own else 0)]
        groups.append(_one_line(next((text for text in reversed(above) if text), "")))
    repeated = {one for one in leaves if one and leaves.count(one) > 1}
    return [
        f"{group} {leaf}" if leaf in repeated and group else leaf
        for group, leaf in zip(groups, leaves, strict=True)
    ]


def _carried(row: Sequence[str], span: Mapping[int, int], width: int) -> list[str]:
    """Return a row of a header with each group's name over all its columns.

    Where no cell of the row is known to be merged, a name reaches up to the next.
    """
    found, text, until = [], "", -1
    for place in range(width):
        if _at(row, place):
            text = row[place]
            until = span.get(place, place) if span else width
        found.append(text if place <= until else "")
    return found


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _spanned(merges: Sequence[Merge], row: int) -> dict[int, int]:
    """Return for the cells of a row that are merged sideways how far each reaches."""
    return {left: right for top, left, _, right in merges if top == row and right > left}


def filled_down(
    layout_top: int,
    rows: list[list[str]],
    merges: Sequence[Merge],
    *,
    keys: Collection[int],
    sums: Collection[int],
) -> None:
    """Write the value of cells that are merged downwards into each row that they span, in place.

    A value that is a sum (``sums``: columns of households, areas) over rows of different ``keys`` is
    neither of them: it is written so that no reader takes it for a number.
    """  # fmt: skip
    downward = [one for one in merges if one[2] > one[0] >= layout_top]
    downward.sort(key=lambda one: (one[1] not in keys, one))
    for top, left, bottom, _ in downward:
        rows_of = [row for row in rows[top : bottom + 1] if left < len(row)]
        if not rows_of or not rows_of[0][left]:
            continue
        value = rows_of[0][left]
        if left not in sums:
            for row in rows_of[1:]:
                row[left] = row[left] or value
        elif len({tuple(row[key] for key in keys if key < len(row)) for row in rows_of}) > 1:
            rows_of[0][left] = f"{value} (merged over {len(rows_of)} rows 合并{len(rows_of)}行)"


def _count(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell)


def _at(row: Sequence[str], place: int) -> str:
    return row[place] if place < len(row) else ""


def _is_words(row: Sequence[str]) -> bool:
    """Return whether a row holds words only, as a header does: no numbers, no ``label: value``."""
    cells = [cell for cell in row if cell]
    labelled = sum("：" in cell and bool(_LABELLED.fullmatch(cell)) for cell in cells)
    values = sum(bool(_VALUE.fullmatch(cell)) for cell in cells)
    return not values and not cells[0].startswith("#") and 2 * labelled < max(len(cells), 1)
