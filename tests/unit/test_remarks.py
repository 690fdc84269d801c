"""The words beside a setting are found, however the file is laid out."""

from pipeline.store.configuration import read_settings
from pipeline.store.remarks import Remark, of_prices, plain, read_remarks, remarks_of
from tests.conftest import REPOSITORY

TEXT = """
# a heading says nothing of a value
measure:
  speed: 60.0   # GB 50180
  list: [1, 2]    # both
  silent: 3
  hash: "a # b"   # after
  errors:         # of all
    climb: 4.0
    slope: 2.0    # its own
  one: {a: 1, b: {c: 2}}  # the line's
score:
  age: {weight: 0.2, label: "x", source: "a book, p. 3"}
  empty: {}       # nothing
"""


def test_each_value_has_the_remark_that_speaks_of_it() -> None:
    assert remarks_of(TEXT) == {
        "measure.speed": "GB 50180",
        "measure.list": "both",
        "measure.silent": "",
        "measure.hash": "after",
        "measure.errors.climb": "of all",
        "measure.errors.slope": "its own",
        "measure.one.a": "the line's",
        "measure.one.b.c": "the line's",
        "score.age.weight": "a book, p. 3",
        "score.age.label": "a book, p. 3",
        "score.age.source": "a book, p. 3",
        "score.empty": "nothing",
    }
    assert remarks_of("") == {}
    assert remarks_of("{}") == {"": ""}


def test_the_last_file_that_states_a_value_is_named() -> None:
    found = read_remarks(REPOSITORY / "config", "yuzhong", "steep_first")
    assert found["score.criteria.slope.weight"].file_name == "scenarios/steep_first.yaml"
    assert "25°" in found["score.criteria.slope.weight"].text, "the default's source still speaks"
    assert found["intake.storeys.default_counts"].file_name == "cities/yuzhong.yaml"
    speed = found["measure.walking.planning_speed_m_per_min"]
    assert speed == Remark("default.yaml", "GB 50180-2018: a 5-minute walk is 300 m")


def test_every_setting_of_the_model_is_found_in_a_file() -> None:
    whole = read_settings(REPOSITORY / "config", "yuzhong", "base")
    settings = whole.model_dump()
    found = read_remarks(REPOSITORY / "config", "yuzhong", "base") | of_prices(whole.plan)
    for section in ("measure", "score", "plan"):
        for key in _leaves(settings[section], section):
            assert key in found, key


def _leaves(value: object, key: str) -> list[str]:
    if isinstance(value, dict) and value:
        return [leaf for name, one in value.items() for leaf in _leaves(one, f"{key}.{name}")]
    return [key]


def test_remarks_go_on_record() -> None:
    assert plain({"a.b": Remark("default.yaml", "why")}) == {"remark.a.b": ["default.yaml", "why"]}
