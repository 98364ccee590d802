"""What a chapter tells, whatever form it is then written in: sentences, and tables of texts, moments and figures with what they stand on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal, Protocol

from sojourn_collector.web.format import DASH, UNKNOWN, Clockface, lasting, money, number, percent, score, span_of
from sojourn_collector.web.models import Break

Unit = Literal["count", "score", "share", "seconds", "money", "number", "decimal", "points", "ratio"]
"""What a figure is: `share` is of 0–1, `points` are hundredths of a share or points of a score, `ratio` says times how much."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its interval and of how many it is. A value of None is not known, and `why` says why; `of` of None is not told."""

    value: float | None
    unit: Unit = "count"
    low: float | None = None
    high: float | None = None
    of: float | None = None
    currency: str = ""
    why: str = ""

    def said(self) -> str:
        """As it stands in a text: `83% [70%–91%] of 41`, or that it is not known and why."""
        if self.value is None:
            return f"{UNKNOWN} ({self.why})" if self.why else UNKNOWN
        written = _WRITTEN[self.unit](self.value, self.currency)
        if self.low is not None or self.high is not None:
            written += f" [{self._range()}]"
        return written if self.of is None else f"{written} of {number(self.of)}"

    def _range(self) -> str:
        """The interval; one end that is not known leaves the other."""
        if self.unit == "score" and self.low is not None and self.high is not None:
            return span_of(self.low, self.high)
        low, high = (None if end is None else _WRITTEN[self.unit](end, "") for end in (self.low, self.high))
        if low is None or high is None:
            return f"≥ {low}" if low is not None else f"≤ {high}"
        return f"{low}{DASH if min(self.low or 0, self.high or 0) >= 0 else ' to '}{high}"


_WRITTEN: Final[dict[Unit, Callable[[float, str], str]]] = {
    "count": lambda value, _: number(value, 0 if value == round(value) else 1),
    "score": lambda value, _: score(value),
    "share": lambda value, _: percent(value),
    "seconds": lambda value, _: lasting(value),
    "money": money,
    "number": lambda value, _: number(value, 2),
    "decimal": lambda value, _: number(value, 1),
    "points": lambda value, _: number(value, 1),
    "ratio": lambda value, _: f"×{number(value, 2)}",
}

Cell = str | Figure | datetime | date | None
"""None is said as not known."""


Extra = Literal["low", "high", "of", "unit", "why"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name for scripts, its head for readers, and which further columns its figures have in a CSV."""

    key: str
    head: str
    parts: tuple[Extra, ...] = ()


INTERVAL: tuple[Extra, ...] = ("low", "high")
COUNTED: tuple[Extra, ...] = (*INTERVAL, "of")
"""An interval, and of how many."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one kind; `empty` is the sentence that stands where there are none, which may be empty too."""

    key: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    empty: str = ""

    def said(self) -> "Table":
        """As readers see it: without columns in which nothing stands."""
        kept = [at for at in range(len(self.columns)) if any(row[at] != "" for row in self.rows)]
        return self if not self.rows else replace(self, columns=[self.columns[at] for at in kept], rows=[[row[at] for at in kept] for row in self.rows])

    def numeric(self, at: int) -> bool:
        """Whether a column is one of figures below each other; a table of single figures has none, for each is of another kind."""
        return self.columns[0].key != "measure" and any(isinstance(row[at], Figure) for row in self.rows)


@dataclass(frozen=True, slots=True)
class Told:
    """What one chapter tells. `ident` = the journey, problem or mark it is of, where it is of one; `lines` stand above the tables, `notes` below."""

    key: str
    title: str
    as_of: datetime | None = None
    since: datetime | None = None
    until: datetime | None = None
    version: str = ""
    ident: str = ""
    lines: Sequence[str] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()

    def when(self, clock: Clockface) -> str:
        """As of when it is, and which time it speaks of."""
        if self.as_of is None:
            return ""
        at = f"As of {clock.at(self.as_of, seconds=True)} {clock.zone_name()}"
        return f"{at}." if self.since is None else f"{at}, from {clock.at(self.since)} to {clock.at(self.until)}."


class Versioned(Protocol):
    """An answer that names the configuration it is by."""

    @property
    def config_version(self) -> str:
        """Its version."""

    @property
    def breaks(self) -> list[Break]:
        """What in its time is by another."""


def broken(answer: Versioned) -> list[str]:
    """The sentences about another configuration in the time an answer speaks of."""
    return [one.sentence for one in answer.breaks]


FACTS = (Column("measure", "measure"), Column("value", "figure", ("low", "high", "of", "unit", "why")))


def facts(key: str, title: str, rows: Sequence[tuple[str, Figure]], empty: str = "") -> Table:
    """A table of single figures, a line each."""
    return Table(key, title, FACTS, rows, empty)


def cell_said(value: Cell, clock: Clockface) -> str:
    """A cell as readers see it."""
    if value is None:
        return UNKNOWN
    if isinstance(value, Figure):
        return value.said()
    if isinstance(value, datetime):
        return clock.at(value)
    return value if isinstance(value, str) else value.isoformat()


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    text = text.strip()
    return text if not text else f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?', ':')) else '.'}"
