from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.reference.city import make_city
from pipeline.reference.settings import ReferenceSettings
from pipeline.reference.write import read_settings

CONFIG = Path(__file__).parents[2] / "config" / "reference.yaml"


@dataclass(frozen=True)
class Made:
    raw: Path
    truth: Path
    settings: ReferenceSettings


@pytest.fixture(scope="session")
def settings() -> ReferenceSettings:
    return read_settings(CONFIG)


@pytest.fixture(scope="session")
def make(settings, tmp_path_factory) -> Callable[[float, int], Made]:
    def made(scale: float, seed: int) -> Made:
        folder = tmp_path_factory.mktemp("city")
        chosen = settings.model_copy(update={"scale": scale, "seed": seed})
        make_city(chosen, folder / "raw", folder / "truth", lambda line: None)
        return Made(folder / "raw", folder / "truth", chosen)

    return made


@pytest.fixture(scope="session")
def whole(make, settings) -> Made:
    return make(1.0, settings.seed)


@pytest.fixture(scope="session")
def town(make) -> Made:
    return make(0.02, 11)
