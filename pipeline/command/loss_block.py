"""The block that ends check and rank: what was used of each source, what was lost and why."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from pipeline.check.losses import (
    Loss,
    empty_columns,
    loss_text,
    losses,
    strange_words,
    unstated_uses,
    whole_sources,
    words_text,
)

_SHOWN = 12


def show_losses(out: Console, ledger: Mapping[str, Any], notable_share: float) -> None:
    """Print what intake used of each source in a line, and every notable loss in one of its own.

    ``ledger`` is that of intake; each loss is told in both languages.
    """
    notable = losses(ledger, notable_share)
    show_used(out, ledger, notable)
    lines = [loss_text(loss) for loss in notable if not loss.is_words_only]
    lines += [words_text(words) for words in strange_words(ledger) if not words.is_harmless]
    lines += unstated_uses(ledger, notable_share)
    for line in lines[:_SHOWN]:
        out.print(f"LOST 丢失: {line.en} | {line.zh}", markup=False, style="bold yellow")
    if len(lines) > _SHOWN:
        out.print(
            f"… and {len(lines) - _SHOWN} more 其余见: quality.html, check.html", markup=False
        )


def show_used(out: Console, ledger: Mapping[str, Any], notable: list[Loss]) -> None:
    """Print in a line or two what was used of the sources without a notable loss."""
    whole = whole_sources(ledger, notable)
    out.print(f"rows used 采用行数: {', '.join(whole) or '–'}", markup=False)
    empty = [f"{name}.{column}" for name, column, _ in empty_columns(ledger)]
    if empty:
        out.print(f"columns without a value 全空的列: {', '.join(empty)}", markup=False)
    for words in strange_words(ledger):
        if words.is_harmless:
            text = words_text(words)
            out.print(f"not used 未使用: {text.en} | {text.zh}", markup=False)
