"""One column: name, unit, type, believable range, meaning; and short ways to write one."""

from dataclasses import dataclass

TEXT, REAL, WHOLE, FLAG = "text", "real", "whole", "flag"
ORIGINS = ("register", "inspection", "census", "estate_survey", "terrain", "walk")
"""What a measurement is made from; ``walk`` stands for streets, terrain and mapped places."""


@dataclass(frozen=True)
class Column:
    """One column of one or more tables.

    ``decimals`` is how many a CSV shows; ``allowed`` is the closed list of a category; ``made_from``
    is one of ``ORIGINS``, and matters for what criteria may measure.
    """

    name: str
    kind: str
    meaning: str
    unit: str = ""
    lowest: float | None = None
    highest: float | None = None
    may_be_empty: bool = False
    allowed: tuple[str, ...] = ()
    decimals: int = 2
    made_from: str = "register"

    @property
    def is_family(self) -> bool:
        """Whether the name stands for one column per facility type or criterion."""
        return "{}" in self.name

    def matches(self, name: str) -> bool:
        """Tell whether ``name`` is this column or a member of this family."""
        if not self.is_family:
            return name == self.name
        before, after = self.name.split("{}")
        middle = len(name) - len(before) - len(after)
        return middle > 0 and name.startswith(before) and name.endswith(after)


def text(name: str, meaning: str, **more: object) -> Column:
    """Return a column of text."""
    return Column(name, TEXT, meaning, **more)  # type: ignore[arg-type]


def real(name: str, unit: str, low: float, high: float, meaning: str, **more: object) -> Column:
    """Return a column of numbers."""
    return Column(name, REAL, meaning, unit, low, high, **more)  # type: ignore[arg-type]


def whole(name: str, unit: str, low: int, high: int, meaning: str, **more: object) -> Column:
    """Return a column of whole numbers."""
    return Column(name, WHOLE, meaning, unit, low, high, **more)  # type: ignore[arg-type]


def flag(name: str, meaning: str, **more: object) -> Column:
    """Return a column of yes or no."""
    return Column(name, FLAG, meaning, "yes/no", **more)  # type: ignore[arg-type]


EMPTY = {"may_be_empty": True}
