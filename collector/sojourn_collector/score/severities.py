"""How badly an experience weighs: what somebody met is one of five classes, and the number it counts as is impact.yaml's. Definition: docs/scores.md.

Rows keep the class, as one of the marks below, and never the number: another number holds for all history at once, and no score is of two of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SLOW: Final = 0.25
RECOVERED: Final = 0.5
LEFT: Final = 0.8
BLOCKED: Final = 1.0
"""Marks of the classes: slow · error, later passed · error, step usable, then left · last try at a required step failed and never passed."""

MARKS: Final[Mapping[str, float]] = {"slow": SLOW, "recovered": RECOVERED, "left": LEFT, "blocked": BLOCKED}
"""The classes by name, from the mildest; whom nothing met has the mark 0."""

EDGES: Final[Mapping[str, float]] = {"slow": 0.0, "recovered": 0.4, "left": 0.7, "blocked": 0.9}
"""A mark above this is at least of the class: the engine keeps marks in 32 bits. Queries that add up classes have the same edges."""


@dataclass(frozen=True, slots=True)
class Severities:
    """The number each class counts as, 0–1, never falling: the worst class then has the highest number, whatever the numbers are."""

    slow: float = SLOW
    recovered: float = RECOVERED
    left: float = LEFT
    blocked: float = BLOCKED

    def of(self, mark: float) -> float:
        """The number of a mark, 0 for who met nothing."""
        name = class_of(mark)
        return float(getattr(self, name)) if name else 0.0

    def summed(self, sums: Mapping[str, Any], whole: str = "w_severity", part: str = "w_") -> float:
        """Σ w · severity of sums over units.

        :param sums: under `whole` Σ w · mark, under `part` with the name of each class Σ w of the units whose worst is of it. Sums kept from before
            classes were summed have 0 there: they stay by the marks.
        """
        return float(sums[whole]) + sum((float(getattr(self, name)) - mark) * float(sums[f"{part}{name}"]) for name, mark in MARKS.items())


def class_of(mark: float) -> str:
    """Name of a mark's class, empty for who met nothing."""
    return next((name for name in reversed(list(MARKS)) if mark > EDGES[name]), "")


def not_by_class(sums: Mapping[str, Any], whole: str = "w_severity", part: str = "w_") -> bool:
    """Whether some of these sums are kept from before classes were summed, so that they can only be told by the marks."""
    total = float(sums[whole])
    return abs(total - sum(mark * float(sums[f"{part}{name}"]) for name, mark in MARKS.items())) > 1e-6 * max(1.0, total)
