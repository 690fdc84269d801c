"""The block that ends check and rank: what was used of each source, what was lost and why."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from pipeline.check.losses import (
    Loss,
    invisible_signs_line,
    losses,
    strange_words,
    told_losses,
    unread_fields_line,
    unused_kinds,
    whole_sources,
)
from pipeline.settings.whole import Settings
from pipeline.store.places import Places
from pipeline.store.raw_folder import unused_files

_SHOWN = 12
_SHOWN_FILES = 8


def show_losses(out: Console, ledger: Mapping[str, Any], settings: Settings) -> None:
    """Print what intake used of each source in a line, and every notable loss in one of its own.

    ``ledger`` is that of intake; each loss is told in both languages.
    """
    rule = settings.intake.losses
    show_used(out, ledger, losses(ledger, rule.notable_share))
    lines = told_losses(ledger, settings.sources, rule)
    for line in lines[:_SHOWN]:
        out.print(f"LOST 丢失: {line.en} | {line.zh}", markup=False, style="bold yellow")
    if len(lines) > _SHOWN:
        out.print(f"… and {len(lines) - _SHOWN} more 其余见: make check", markup=False)


def show_used(out: Console, ledger: Mapping[str, Any], notable: list[Loss]) -> None:
    """Print in a line or two what was used of the sources without a notable loss."""
    whole = whole_sources(ledger, notable)
    out.print(f"rows used 采用行数: {', '.join(whole) or '–'}", markup=False)
    for line in (unread_fields_line(ledger), invisible_signs_line(ledger)):
        if line:
            out.print(line, markup=False)
    for words in strange_words(ledger):
        if words.is_harmless:
            out.print(f"not used 未使用: {unused_kinds(words)}", markup=False)


def show_unused_files(out: Console, places: Places, settings: Settings) -> None:
    """Print in a line the data files of the raw folder that no source of the profile reads."""
    unused = unused_files(places.raw, settings.sources)
    if unused:
        more = len(unused) - _SHOWN_FILES
        shown = ", ".join(unused[:_SHOWN_FILES]) + (f" … (+{more})" if more > 0 else "")
        # a name may hold what moves the cursor
        shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in shown)
        out.print(f"files no source reads 未用的文件: {shown}", markup=False)
