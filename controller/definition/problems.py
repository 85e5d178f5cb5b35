"""What is wrong with a design, said so that its author can mend it."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: dotted field, line of the file (0 = not known), what is wrong, the fix."""

    field: str
    line: int
    message: str
    fix: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        name = f"{self.field}: " if self.field else ""
        return (
            f"{where}{name}{self.message} ({self.fix})"
            if self.fix
            else f"{where}{name}{self.message}"
        )


class DesignError(Exception):
    """A design that cannot be made here: where it stands, and every problem found."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__(source, self.problems)

    def __str__(self) -> str:
        head = f"{self.source}: " if self.source else ""
        return head + "; ".join(str(p) for p in self.problems)


def fail(source: str, field: str, message: str, fix: str = "") -> DesignError:
    """Error of a single problem whose line is not known."""
    return DesignError(source, [Problem(field, 0, message, fix)])
