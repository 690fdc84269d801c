"""Read the YAML files of config/."""

import json
from pathlib import Path
from typing import Any

from pipeline.problem import Problem
from pipeline.settings.cash_flow import CashFlowCase
from pipeline.settings.change import Change
from pipeline.settings.fetch import FetchSettings
from pipeline.settings.load import (
    Layer,
    model_from_layers,
    refuse_foreign_sections,
    settings_from_layers,
)
from pipeline.settings.new_city import NewCityWords
from pipeline.settings.whole import Settings
from pipeline.store.price_list import read_price_list, refuse_too_large
from pipeline.store.yaml_nodes import plain_values

_MOST_BYTES = 500_000
"""Ten times config/default.yaml; YAML is read at 50 kB a second."""


def read_settings(config_folder: Path, city: str, scenario: str) -> Settings:
    """Return the settings of a city and a scenario.

    Raises
    ------
    Problem
        If a file is absent, is not YAML, or holds anything that the models refuse.
    """
    default = _layer(config_folder / "default.yaml", "restore it from the repository")
    profile = _layer(_choose(config_folder / "cities", city, "CITY"), "")
    chosen = _layer(_choose(config_folder / "scenarios", scenario, "SCENARIO"), "")
    refuse_foreign_sections(chosen)
    layers = [default, profile, chosen]
    for layer in layers:
        _refuse_prices(layer)
    settings = settings_from_layers(layers)
    plan = settings.plan
    last_year = plan.schedule.first_year + plan.schedule.year_count - 1
    prices = read_price_list(config_folder, plan.price_list, plan.measures, last_year)
    return settings.model_copy(update={"plan": plan.model_copy(update={"prices": prices})})


def read_change(
    config_folder: Path, name: str, proposed: Path | None = None
) -> tuple[Path, Change]:
    """Return a what-if of config/changes/ and the file in which it stands.

    ``proposed`` is the what-if of that name that a search for sites wrote; one of config comes first.

    Raises
    ------
    Problem
        If the file is absent, is not YAML, or holds anything that the model refuses.
    """
    path = config_folder / "changes" / f"{name}.yaml"
    if proposed is not None and proposed.is_file() and not path.is_file():
        path = proposed
    else:
        path = _choose(config_folder / "changes", name, "CHANGE")
    fix = "config/changes.schema.json and the files beside it show every key"
    return path, model_from_layers(Change, [_layer(path, "")], fix)


def change_text(change: Change) -> bytes:
    """Return a what-if as the file that ``read_change`` reads."""
    told = change.model_dump(mode="json", by_alias=True, exclude_none=True)
    lines = [
        f"{key}: {_flow(told[key])}" for key in ("title_zh", "title_en", "datum") if key in told
    ]
    lines += ["actions:", *(f"  - {_flow(action)}" for action in told["actions"])]
    return ("\n".join(lines) + "\n").encode()


def _flow(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def read_fetch_settings(config_folder: Path) -> FetchSettings:
    """Return where and how open data is fetched.

    Raises
    ------
    Problem
        If the file is absent, is not YAML, or holds anything that the model refuses.
    """
    layer = _layer(config_folder / "fetch.yaml", "restore it from the repository")
    return model_from_layers(
        FetchSettings, [layer], "the comments in config/fetch.yaml explain every key"
    )


def read_new_city_words(config_folder: Path) -> NewCityWords:
    """Return the words by which files and columns of a new city are recognised.

    Raises
    ------
    Problem
        If the file is absent, is not YAML, or holds anything that the model refuses.
    """
    layers = [
        _layer(config_folder / name, "restore it from the repository")
        for name in ("new_city.yaml", "national_layouts.yaml")
    ]
    return model_from_layers(NewCityWords, layers, "the comments in those files explain every key")


def read_cash_flow(config_folder: Path, name: str) -> CashFlowCase:
    """Return a case of config/cash_flows/.

    Raises
    ------
    Problem
        If the file is absent, is not YAML, or holds anything that the model refuses.
    """
    path = _choose(config_folder / "cash_flows", name, "CASE")
    fix = "config/cash_flows/jiulongpo.yaml shows every key"
    return model_from_layers(CashFlowCase, [_layer(path, "")], fix)


def _refuse_prices(layer: Layer) -> None:
    plan = layer.content.get("plan")
    if isinstance(plan, dict) and plan.get("prices"):
        raise Problem(
            layer.file, "plan.prices cannot be set here", expected="plan.price_list, the name of a CSV",
            fix="write the prices into that file",
        )  # fmt: skip


def _choose(folder: Path, name: str, variable: str) -> Path:
    path = folder / f"{name}.yaml"
    if not path.is_file() or path.parent != folder:
        known = ", ".join(sorted(file.stem for file in folder.glob("*.yaml"))) or "none"
        raise Problem(
            path,
            f"there is no {variable}={name}",
            expected=f"one of: {known}",
            fix=f"correct {variable}=… or write {path}",
        )
    return path


def _layer(path: Path, fix: str) -> Layer:
    from ruamel.yaml.error import YAMLError

    try:
        refuse_too_large(path, _MOST_BYTES)
        content: Any = plain_values(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Problem(path, "the file is absent", fix=fix) from None
    except UnicodeDecodeError as error:
        raise Problem(
            path, f"not UTF-8 text (byte {error.start})", fix="save it as UTF-8"
        ) from None
    except (YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        told = str(error) if type(error) is ValueError else type(error).__name__
        reason = getattr(error, "problem", None) or told[:200]
        raise Problem(path, f"not valid YAML{place}: {reason}", fix="correct that line") from None
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise Problem(
            path, "holds no sections", expected="keys such as 'score:' at the left margin"
        )
    return Layer(str(path), content)
