"""What a table leaves open: how its keys meet the footprints', what a row is, its decimals."""

from collections.abc import Sequence

from pipeline.contracts.keys import joining_forms, lost_digits
from pipeline.contracts.written_numbers import decimal_mark, fitting_mark, reads_two_ways
from pipeline.intake.register_cells import is_layout
from pipeline.intake.register_rows import USUAL_AREA_M2
from pipeline.intake.unread import is_of_a_program
from pipeline.intake.years import mended_years
from pipeline.new_city.names import NUMBER_BOUNDS, plain
from pipeline.new_city.roles import Guess
from pipeline.settings.city import ADDED_COLUMNS, REGISTER_FORMATS
from pipeline.store.looks import Look
from pipeline.store.profiles import Noted
from pipeline.store.workbooks import ENDINGS as WORKBOOK_ENDINGS

_MOST_SHOWN, _LEAST_ROWS = 12, 2
_TABLE_ENDINGS = (".csv", ".tsv", *WORKBOOK_ENDINGS)
_NO_DATA = (
    "of a kind that is not read", "JSON of another kind", "a zip without", "holds no",
    "a link that leads", "a pipe or a device", "a text without columns", "a web page",
)  # fmt: skip
"""How the reasons begin for which a file is expected to be left."""
_UNITS = (
    ("flat", (
        "房号", "室号", "户号", "户室", "房间", "户编号", "套号", "flat", "room", "apartment",
        "dwelling", "unitno",
    )),
    ("stairwell", ("单元", "梯号", "楼道", "门洞", "stairwell", "entrance", "staircase", "unit")),
)  # fmt: skip


def with_tables(sources: Sequence[tuple[str, Guess]], questions: list[str]) -> None:
    """Add to each guess what its profile must say of the table, and to the questions what is open."""
    for label, guess in sources:
        if guess.look.format in REGISTER_FORMATS:
            _layout(label, guess, questions)
            _decimals(label, guess, questions)
            _typed_years(label, guess, questions)
    footprints = [
        guess for _, guess in sources if guess.role == "footprints" and len(guess.look.fields)
    ]
    registers = [
        (label, guess) for label, guess in sources
        if guess.look.format in REGISTER_FORMATS and "building_id" in guess.columns
    ]  # fmt: skip
    for label, guess in registers:
        if footprints:
            _join(label, guess, footprints, questions)
        if guess.role == "housing_register":
            _rows(label, guess, questions)
    _join_estates(sources, questions)
    for label, guess in sources:
        _unknown_columns(label, guess, questions)


def unread_files(unread: Sequence[tuple[str, str]]) -> list[str]:
    """Return a question for each table and each file of data that could not be read."""
    return [
        f"{path} is not used: {reason} 未能读取. What is in it does not count"
        for path, reason in unread
        if path.lower().endswith(_TABLE_ENDINGS) or not reason.startswith(_NO_DATA)
    ]


def unused_tables(looks: Sequence[Look], chosen: Sequence[Guess]) -> list[str]:
    """Return a question for each table that is not used: nobody sends one for nothing."""
    told = []
    used = {(guess.look.path, guess.look.layer) for guess in chosen}
    keys = [set(_keys(guess)) for guess in chosen if "building_id" in guess.columns]
    for look in looks:
        if look.format not in REGISTER_FORMATS or (look.path, look.layer) in used:
            continue
        if look.row_count < _LEAST_ROWS or len(look.fields.columns) < 3:
            continue
        where = f"{look.path} {look.layer}".strip()
        joined = next(
            (
                str(name) for name in look.fields.columns
                for known in keys if 2 * len(known & set(look.fields[name])) > len(look.fields)
            ),
            None,
        )  # fmt: skip
        told.append(
            f"{where} ({look.row_count:,} rows) is not used, its fields were not recognised 未识别: "
            + _shown(look, list(map(str, look.fields.columns)))
            + (f". {joined} holds building numbers: is it a register?" if joined else "")
        )
    return told


def _layout(label: str, guess: Guess, questions: list[str]) -> None:
    look = guess.look
    if look.separator:
        guess.table["separator"] = Noted(look.separator, "guess: it parts the lines alike")
    if look.header_rows:
        guess.table["header_rows"] = Noted(list(look.header_rows), "guess: names stand there")
    questions += [f"{label} ({look.path}): {note}" for note in look.table_notes]
    used = {
        field for column, (fields, _) in guess.columns.items() for field in fields
        if column not in ADDED_COLUMNS
    }  # fmt: skip
    blank = [field for field in look.blank_below if field in used]
    if blank:
        filled = int((look.fields[blank[0]] != "").sum())
        questions.append(
            f"{label} ({look.path}): {', '.join(blank)} stand in {filled} of {look.row_count} rows "
            "with blanks below, as merged cells leave them 疑为合并单元格. If each holds for the rows "
            f"below it, write fill_down: [{', '.join(blank)}]; else those values are missing"
        )


def _decimals(label: str, guess: Guess, questions: list[str]) -> None:
    for column, (fields, _) in guess.columns.items():
        if column not in NUMBER_BOUNDS:
            continue
        texts = [text for text in guess.look.fields[fields[0]].unique().tolist() if text]
        usual = USUAL_AREA_M2 if column.endswith("area_m2") else NUMBER_BOUNDS[column]
        if decimal_mark(texts) or fitting_mark(texts, *usual, whole=column.endswith("_count")):
            continue
        both = next((text for text in texts if reads_two_ways(text)), texts[0])
        questions.append(
            f"{label} ({guess.look.path}): numbers of {fields[0]} can be read two ways ({both}): "
            "write decimal_mark: '.' or ',' 小数点还是千位分隔？"
        )


def _typed_years(label: str, guess: Guess, questions: list[str]) -> None:
    fields, _ = guess.columns.get("construction_year_text", ([], ""))
    if not fields:
        return
    texts = [text for text in guess.look.fields[fields[0]].unique().tolist() if text]
    for text, mended in zip(texts, mended_years(texts), strict=True):
        if text != mended:
            questions.append(
                f"{label} ({guess.look.path}): {fields[0]} holds {text}, which is read as {mended} "
                "年份被存成日期，按数字还原"
            )
            return


def _join(label: str, guess: Guess, footprints: Sequence[Guess], questions: list[str]) -> None:
    """Find by which forms the numbers of a register meet those of the footprints."""
    where = f"{label} ({guess.look.path})"
    keys = _keys(guess)
    if not keys:
        return
    bearing = [one for one in footprints if "building_id" in one.columns]
    if not bearing:
        bearing = [one for one in footprints if _take_key_field(one, set(keys))]
    if not bearing:
        questions.append(
            f"{where}: no field of the footprints holds its building numbers (e.g. {keys[0]}) "
            "轮廓中没有对应的楼栋编号: name it as columns.building_id of the footprints"
        )
        return
    known = list(dict.fromkeys(key for one in bearing for key in _keys(one)))
    count = len(set(keys) & set(known))
    if count == len(keys):
        return
    lost = lost_digits(keys)
    if lost:
        questions.append(
            f"{where}: building numbers are written as {lost}: digits are lost and cannot be mended "
            "编号已被表格软件截断，请按文本重新导出: ask for them as text"
        )
        return
    forms, with_forms = joining_forms(keys, known)
    if forms:
        guess.table["key_form"] = Noted(
            forms, f"guess: {with_forms:,} of {len(keys):,} numbers meet by it"
        )
    there = set(known)
    missing = next(key for key in keys if key not in there)
    told = f"; with key_form: [{', '.join(forms)}] {with_forms:,} do" if forms else ""
    questions.append(
        f"{where}: {count:,} of its {len(keys):,} building numbers stand in the footprints, not e.g. "
        f"{missing!r} (there: {known[0]!r}){told} 编号与轮廓不完全对应"
    )


def _join_estates(sources: Sequence[tuple[str, Guess]], questions: list[str]) -> None:
    """Find by which forms surveys of estates meet the estates of registers and outlines."""
    bearing = ("housing_register", "footprints", "estates")
    known = {
        key for _, guess in sources if guess.role in bearing and "estate_id" in guess.columns
        for key in _keys(guess, "estate_id")
    }  # fmt: skip
    for label, guess in sources:
        if guess.role in bearing or "estate_id" not in guess.columns or not known:
            continue
        keys = _keys(guess, "estate_id")
        count = len(set(keys) & known)
        forms, with_forms = joining_forms(keys, sorted(known)) if count < len(keys) else ([], count)
        if forms and "key_form" not in guess.table:
            guess.table["key_form"] = Noted(
                forms, f"guess: {with_forms:,} of {len(keys):,} numbers of estates meet by it"
            )
        if keys and (forms or not count):
            questions.append(
                f"{label} ({guess.look.path}): {count:,} of its {len(keys):,} numbers of estates are "
                f"known, not e.g. {keys[0]!r} (there: {min(known)!r}) 小区编号不完全对应"
            )


def _keys(guess: Guess, column: str = "building_id") -> list[str]:
    fields = guess.columns[column][0]
    texts = guess.look.fields[fields[0]].astype("str").str.strip()
    return [key for key in dict.fromkeys(texts.tolist()) if key and not is_layout(key, fields)]


def _take_key_field(guess: Guess, keys: set[str]) -> bool:
    """Take the field of footprints whose values are most of the keys for the building number."""
    for field in map(str, guess.look.fields.columns):
        texts = set(guess.look.fields[field].astype("str").str.strip())
        if 2 * len(texts & keys) > len(keys) and not any(
            field in used for used, _ in guess.columns.values()
        ):
            guess.columns["building_id"] = [field], "guess: a register's numbers stand there"
            return True
    return False


def _rows(label: str, guess: Guess, questions: list[str]) -> None:
    """Find what a row of a housing register is, where buildings have several."""
    table, key = guess.look.fields, guess.columns["building_id"][0][0]
    filled = table[(table[key] != "") & ~table.duplicated()]
    repeated = filled[filled[key].duplicated(keep=False)]
    if repeated[key].nunique() < 3:
        return
    where = f"{label} ({guess.look.path})"
    used = {field for fields, _ in guess.columns.values() for field in fields}
    unit = next(
        (
            (kind, field) for kind, words in _UNITS for field in map(str, table.columns)
            if field not in used and any(word in plain(field) for word in words)
            and (repeated.groupby(key)[field].nunique() > 1).mean() > 0.5
        ),
        None,
    )  # fmt: skip
    count = (
        f"{repeated[key].nunique():,} buildings have several rows (e.g. {repeated[key].iloc[0]})"
    )
    if unit is None:
        questions.append(
            f"{where}: {count}, which differ: is a row a stairwell, a flat, or a building entered "
            "twice? 每行是一个单元、一户，还是重复录入？ Write one_row_per: stairwell, flat or building"
        )
        return
    kind, field = unit
    guess.unit_field = field
    added = [fields[0] for column, (fields, _) in guess.columns.items() if column in ADDED_COLUMNS]
    guess.table["one_row_per"] = Noted(kind, f"guess: rows of a building differ in {field}")
    same = [one for one in added if (repeated.groupby(key)[one].nunique() == 1).mean() > 0.9]
    told = (
        f"; {', '.join(same)} is the same in each row of a building: if it is the whole building's, "
        "write one_row_per: building" if same else ""
    )  # fmt: skip
    questions.append(
        f"{where}: {count}, told apart by {field}: {', '.join(added) or 'rows'} are added up "
        f"按楼栋合计{told}"
    )


def _unknown_columns(label: str, guess: Guess, questions: list[str]) -> None:
    """Ask about fields that hold values and were not recognised."""
    if guess.look.format == "nominatim_json":
        return
    table = guess.look.fields
    used = {field for fields, _ in guess.columns.values() for field in fields}
    used.add(guess.unit_field)
    doubted = {doubt.split(" (", 1)[0] for doubt in guess.doubts}
    free = [
        field for field in map(str, table.columns)
        if field not in used and field not in doubted and not is_of_a_program(field)
    ]  # fmt: skip
    if told := _shown(guess.look, free):
        questions.append(
            f"{label} ({guess.look.path}): fields not recognised and not used 未识别的字段: {told}. "
            "What is needed goes under columns"
        )


def _shown(look: Look, fields: Sequence[str]) -> str:
    """Return fields with three of their values each; those without any are left out."""
    told = []
    for field in fields:
        cells = look.fields[field].astype("string").fillna("").str.strip()
        values = cells[cells != ""].drop_duplicates().head(3).tolist()
        if values:
            told.append(f"{field} ({', '.join(_short(value) for value in values)})")
    more = f" and {len(told) - _MOST_SHOWN} more" if len(told) > _MOST_SHOWN else ""
    return "; ".join(told[:_MOST_SHOWN]) + more


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 24 else f"{text[:23]}…"
