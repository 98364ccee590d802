"""A file with columns as rows of a source: what the intake, the command and the page *Add data* share."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sojourn_collector.sources.base import RowRefused, Source
from sojourn_collector.sources.body import MOST_ROWS, BodyRefused, Unreadable
from sojourn_collector.sources.cells import Writing
from sojourn_collector.sources.columns import Columns, matched
from sojourn_collector.sources.csv_file import CsvFile
from sojourn_collector.sources.kinds import left_out_said

_LONGEST_SETTING = 500


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read: column to key, what every row has besides, and how its cells are written."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    writing: Writing = field(default_factory=Writing)

    @classmethod
    def of(
        cls, mapping: Sequence[str], constants: Sequence[str], timezone: str | None = None, decimal: str | None = None, dates: str | None = None
    ) -> "Reading":
        """From `column=key` and `key=value` as persons write them; how dates are written may stand among the latter. Raises BodyRefused."""
        every = _pairs("set", constants, last=False)
        dates = every.pop("dates", dates)
        return cls(_pairs("map", mapping, last=True), every, Writing.of(timezone, decimal, dates))


class Table:
    """A CSV file read as rows of a source."""

    def __init__(self, source: Source[Any], pieces: Iterable[bytes], reading: Reading) -> None:
        """Raises BodyRefused when the file cannot be read or a column is not known."""
        self._file = CsvFile(pieces)
        self.columns: Columns = matched(source, self._file.header, reading.mapping, reading.constants, reading.writing)

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any] | Unreadable]]:
        """Each row that is not left out, with the number of its line. Raises BodyRefused where nothing after it can be read either."""
        for line in self._file:
            if isinstance(line.cells, Unreadable):
                yield line.number, line.cells
                continue
            try:
                row = self.columns.row(line.cells)
            except RowRefused as error:
                yield line.number, Unreadable(str(error))
                continue
            if row is not None:
                yield line.number, row

    def notes(self) -> list[str]:
        """Sentences about the rows read so far: what was taken for granted, and what is to be said."""
        return [*left_out_said(self.columns.left_out), *self.columns.cells.notes()]


def table_rows(source: Source[Any], body: bytes, reading: Reading, most: int = MOST_ROWS) -> tuple[list[Any], list[int], list[str]]:
    """All rows of a body, at most `most`, the line of each, and sentences about the file. Raises BodyRefused."""
    rows: list[Any] = []
    lines: list[int] = []
    table = Table(source, [body], reading)
    for line, row in table:
        if len(rows) == most:
            raise BodyRefused(f"The file has more than {most:,} rows; send it in several parts, or use sojourn-collector import.")
        rows.append(row)
        lines.append(line)
    return rows, lines, table.notes()


def _pairs(name: str, given: Sequence[str], *, last: bool) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        # Columns may have a "=" in their name, keys have none.
        left, sign, right = text.rpartition("=") if last else text.partition("=")
        if not sign or not left or len(text) > _LONGEST_SETTING:
            raise BodyRefused(f"{name}: {text[:60]!r} is not {'column=key' if last else 'key=value'}.")
        pairs[left.strip()] = right.strip()
    return pairs
