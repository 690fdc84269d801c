"""Look at a folder of raw files and write the profile of a new city."""

from pathlib import Path

from pipeline.command.report import console
from pipeline.new_city.profile import NewCity, new_city
from pipeline.new_city.roles import Guess
from pipeline.problem import Problem
from pipeline.settings.city import OSM_FORMATS
from pipeline.store.configuration import read_new_city_words, read_settings
from pipeline.store.looks import look_into
from pipeline.store.profiles import refuse_hand_written, write_profile

_WHOLE_SHARE = 0.95
_DATUMS = ("wgs84", "cgcs2000", "gcj02", "bd09")


def make_new_city(root: Path, name: str, raw: Path, datum: str) -> None:
    """Write config/cities/<name>.yaml for a folder and say what was guessed and what is open."""
    if datum and datum not in _DATUMS:
        raise Problem(f"DATUM={datum}", "is no datum", expected=", ".join(_DATUMS))
    path = root / "config" / "cities" / f"{name}.yaml"
    refuse_hand_written(path, name)
    words = read_new_city_words(root / "config")
    settings = read_settings(root / "config", "reference", "base")
    looks, unread = look_into(raw)
    found = new_city(name, looks, unread, words, settings.intake, settings.consent.measures, datum)
    write_profile(path, "new-city", found.text)
    _show(found, name, raw)
    if not found.missing_roles:
        read_settings(root / "config", name, "base")


def _gaps(guess: Guess) -> str:
    """Return which columns have a value in how many of the rows looked at, where some lack one."""
    rows, count = guess.look.fields, len(guess.look.fields)
    filled = {
        key: int(
            (rows[fields].astype("str").apply(lambda c: c.str.strip()) != "").any(axis=1).sum()
        )
        for key, (fields, _) in guess.columns.items()
        if fields and set(fields) <= set(rows.columns)
    }
    return ", ".join(
        f"{key} {n:,} of {count:,}" for key, n in filled.items() if n < _WHOLE_SHARE * count
    )


def _show(found: NewCity, name: str, raw: Path) -> None:
    out = console()
    out.print(f"{len(found.sources)} sources recognised 识别的数据源:", markup=False)
    for label, guess in found.sources:
        columns = ", ".join(f"{key} ← {fields[0]}" for key, (fields, _) in guess.columns.items())
        out.print(f"  {label}: {guess.look.path} ({guess.why})", markup=False)
        if columns and guess.look.format not in OSM_FORMATS:
            out.print(f"    {columns}", markup=False)
        gaps = _gaps(guess)
        if gaps:
            out.print(f"    values found 有值: {gaps}", markup=False)
    if found.unused:
        out.print("not used 未使用:", markup=False)
        for path, reason in found.unused:
            out.print(f"  {path}: {reason}", markup=False)
    if found.questions:
        out.print("could not be told, please check 无法判断，请核对:", markup=False)
        for question in found.questions:
            out.print(f"  ? {question}", markup=False)
    out.print(f"profile 配置: config/cities/{name}.yaml, every guess is marked", markup=False)
    if found.missing_roles:
        needed = ", ".join(found.missing_roles)
        out.print(
            f"not yet rankable 还不能排序: no {needed}. make fetch CITY=… gets open streets, "
            "buildings and terrain of any place",
            markup=False,
        )
    else:
        choice = f"CITY={name} RAW={raw}"
        out.print(f"next 下一步: make check {choice}, make rank {choice}", markup=False)
