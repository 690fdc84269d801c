"""The part of the quality page about settings: each number, its file, and what it rests on."""

import json
from collections.abc import Mapping

from markupsafe import Markup

from pipeline.pages.document import details, heading, paragraph, table
from pipeline.pages.words import Words
from pipeline.settings.load import flatten
from pipeline.settings.whole import Settings

DEFAULT_FILE = "default.yaml"
DEFAULT_FILES = (DEFAULT_FILE, "prices/default.csv")
_SECTIONS = {
    "intake": Words("读入与清洗", "intake"),
    "measure": Words("测量", "measure"),
    "consent": Words("意愿", "consent"),
    "score": Words("评分", "score"),
    "plan": Words("计划", "plan"),
}
_SILENT = ("label_zh", "label_en", "source", "colour")
"""Names and sources of things: no numbers that could be argued with."""
_HEAD = (
    Words("设置", "setting"),
    Words("取值", "value"),
    Words("依据", "what it rests on"),
    Words("文件", "file"),
)


def settings_part(settings: Settings, remarks: Mapping[str, tuple[str, str]]) -> list[Markup]:
    """Return every policy number with its source, those that differ from the default first."""
    dumped = settings.model_dump(include=set(_SECTIONS))
    flat = {
        key: value
        for key, value in flatten(dumped).items()
        if key.rpartition(".")[2] not in _SILENT
    }
    own = [key for key in flat if remarks.get(key, (DEFAULT_FILE, ""))[0] not in DEFAULT_FILES]
    parts = [
        heading(Words("设置及其依据", "Settings and what they rest on"), anchor="settings"),
        paragraph(
            Words(
                "illustrative 表示无可引用来源，仅为示例；† 表示凭一般知识引用，使用前应核对原文。",
                "illustrative: nobody can cite it; †: cited from general knowledge, check before "
                "relying on it.",
            )
        ),
    ]
    if own:
        caption = Words("本次与默认值不同的设置", "settings that this run states itself")
        parts.append(table(_HEAD, [_row(key, flat[key], remarks) for key in own], caption=caption))
    for section, words in _SECTIONS.items():
        keys = [key for key in flat if key.startswith(f"{section}.")]
        if not keys:
            continue
        within = len(section) + 1
        rows = [(key[within:], *_row(key, flat[key], remarks)[1:]) for key in keys]
        title = Words(f"{words.zh}（{len(keys)} 项）", f"{words.en} ({len(keys)})")
        parts.append(details(title, [table(_HEAD, rows, caption=words)]))
    return parts


def _row(key: str, value: object, remarks: Mapping[str, tuple[str, str]]) -> tuple[object, ...]:
    file_name, remark = remarks.get(key, ("", ""))
    return key, _shown(value), remark or None, file_name or None


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value)) or "[]"
    is_plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    return str(value) if is_plain else json.dumps(value, ensure_ascii=False, default=str)
