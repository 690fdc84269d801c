"""The one kind of error a user may meet: where, what was found, what was expected, what to do."""


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
        self.where = str(where)
        self.found = found
        self.expected = expected
        self.fix = fix
        super().__init__(self.text())

    def text(self) -> str:
        """Return the whole message, one line for each part that is known."""
        lines = [f"{self.where}: {self.found}"]
        if self.expected:
            lines.append(f"  expected: {self.expected}")
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)
