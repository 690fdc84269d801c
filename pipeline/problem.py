"""The one kind of error a user may meet: where, what was found, what was expected, what to do."""

from typing import Any

_MOST_SIGNS = 3000


class Problem(Exception):
    """A fault in the user's files, settings or machine, told in one message.

    Parameters
    ----------
    where
        The file (and row, field or key) at fault.
    found
        What is wrong there.
    expected
        What would have been right.
    fix
        What the reader should do next.
    """

    def __init__(self, where: object, found: str, *, expected: str = "", fix: str = "") -> None:
        self.where = _cut(str(where))
        self.found = _cut(found)
        self.expected = _cut(expected)
        self.fix = _cut(fix)
        super().__init__(self.text())

    def __reduce__(self) -> tuple[Any, ...]:
        """Say how to copy it from one interpreter to another."""
        return _again, (self.where, self.found, self.expected, self.fix)

    def text(self) -> str:
        """Return the whole message, one line for each part that is known."""
        lines = [f"{self.where}: {self.found}"]
        if self.expected:
            lines.append(f"  expected: {self.expected}")
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)


def _again(where: str, found: str, expected: str, fix: str) -> Problem:
    return Problem(where, found, expected=expected, fix=fix)


def _cut(text: str) -> str:
    """Return a text that a reader can take in: data may hold names of megabytes."""
    text = text if len(text) <= _MOST_SIGNS else f"{text[:_MOST_SIGNS]} …"
    return visible(text)


def visible(text: str) -> str:
    """Return a text in which what moves a terminal's cursor, or is no sign at all, is a number."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\u3000" else repr(c)[1:-1] for c in text)
