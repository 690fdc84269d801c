"""Make the built-in synthetic city where it is absent or its settings or code changed."""

import hashlib
import json
import time
from pathlib import Path

from pipeline.command.report import console
from pipeline.problem import Problem
from pipeline.settings.load import problem_from
from pipeline.store.files import make_folder, os_problem
from pipeline.store.state import digest, single_run

_STAMP = "made_from.json"


def bring_up_to_date(root: Path) -> None:
    """Make the built-in city unless it stands there, made from the same settings and code."""
    raw, truth = root / "data" / "raw" / "reference", root / "data" / "truth" / "reference"
    stamp = raw / _STAMP
    wanted = _made_from(root)
    if stamp.is_file() and json.loads(stamp.read_text(encoding="utf-8")) == wanted:
        return
    make_folder(raw.parent)
    with single_run(raw.parent / ".lock"):
        _make(root, raw, truth, scale=None, seed=None)
        stamp.write_text(json.dumps(wanted, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def make(root: Path, *, scale: float, seed: int | None, folder: Path | None) -> None:
    """Make a synthetic city of any size into ``folder`` (raw/ and truth/), or in the usual place."""
    if folder is None:
        if scale != 1.0 or seed is not None:
            raise Problem(
                "--folder", "is needed with another scale or seed",
                expected="a folder for raw/ and truth/", fix="add --folder /some/where",
            )  # fmt: skip
        (root / "data" / "raw" / "reference" / _STAMP).unlink(missing_ok=True)
        bring_up_to_date(root)
        return
    make_folder(folder)
    _make(root, folder / "raw", folder / "truth", scale=scale, seed=seed)


def _make(root: Path, raw: Path, truth: Path, *, scale: float | None, seed: int | None) -> None:
    from pydantic import ValidationError

    from pipeline.reference.city import make_city
    from pipeline.reference.write import read_settings

    out, begin = console(), time.perf_counter()
    path = root / "config" / "reference.yaml"
    try:
        settings = read_settings(path)
    except ValidationError as error:
        raise problem_from(error, {}, str(path)) from None
    changes = {"scale": scale, "seed": seed}
    given = {name: value for name, value in changes.items() if value is not None}
    settings = settings.model_copy(update=given)
    out.print("making the built-in city 生成合成城市 …", markup=False)
    try:
        make_city(settings, raw, truth, lambda text: out.print(text, markup=False))
    except OSError as error:
        raise os_problem(raw, error) from None
    out.print(f"made in {time.perf_counter() - begin:.0f} s: {raw}", markup=False)


def _made_from(root: Path) -> dict[str, str]:
    code = hashlib.sha256()
    for path in sorted((Path(__file__).parents[1] / "reference").glob("*.py")):
        code.update(digest(path).encode())
    return {"settings": digest(root / "config" / "reference.yaml"), "code": code.hexdigest()}
