"""What can go wrong before a journey runs. A failing journey is a result, never one of these.

SojournError
├── JourneyFileError   a journey file that cannot be used, with every problem found in it
└── NameMissing        a `${…}` that nothing fills
    └── SecretMissing  a `${secrets.x}` found in none of the places it may come from
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a journey file: where (line and column from 1), under which key, what, and the cure."""

    file: str
    line: int
    col: int
    key: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.col}: "
        return f"{where}{self.key}: {self.message}" if self.key else f"{where}{self.message}"


class SojournError(Exception):
    """Base of what a caller may want to show to a person; its text is one clear sentence."""


class JourneyFileError(SojournError):
    """A journey file cannot be used. `problems` holds all that was found, in the order of the file; `str()` is one line for each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class NameMissing(SojournError):  # noqa: N818 - says what is the matter
    """A `${…}` that nothing fills. `name` is the reference without its braces."""

    def __init__(self, name: str, message: str) -> None:
        self.name = name
        super().__init__(message)


class SecretMissing(NameMissing):
    """A secret found in none of the places it may come from; the text says where it was looked for."""
