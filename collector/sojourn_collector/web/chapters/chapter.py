"""One chapter of the report as it is asked for: its name, its route, what may be said of it."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Option:
    """A query parameter of the route, which is an option of the command too. One without `meta` is switched on."""

    name: str
    meta: str
    text: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """`path` is the route's below `/api/v1`, what stands in braces an option that must be given; `window`: it takes from and to."""

    name: str
    text: str
    path: str
    example: str
    options: tuple[Option, ...] = ()
    window: bool = False

    @property
    def places(self) -> list[str]:
        """What must be named: `journey`, `problem` or `mark`."""
        return re.findall(r"\{(\w+)\}", self.path)


JOURNEY: Final = Option("journey", "ID", "only of this journey")
EVERY: Final = (Option("every", "PERIOD", "day (default) or hour"), Option("steps", "", "tell of every step too"))
PLACES: Final = {
    "journey": "the journey",
    "problem": "id of the problem, as the report's CSV and `report journey` show it",
    "mark": "id of the mark, as `report fixes` shows it",
}
