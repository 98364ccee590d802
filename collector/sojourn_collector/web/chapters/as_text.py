"""A chapter as text for a terminal: its sentences, and its tables with their columns below each other."""

from collections.abc import Iterator, Sequence

from sojourn_collector.web.chapters.told import Cell, Figure, Table, Told, cell_said, sentence
from sojourn_collector.web.format import Clockface, plain

_LONGEST_CELL = 100
"""A text's; one of a table's last column may be as long as a line, for it pushes nothing aside, and so may a figure, which says why it is not known."""
_LONGEST_LINE = 600


def as_text(told: Told, clock: Clockface) -> str:
    """All of it, with an empty line between its parts."""
    head = [_line(told.title, 200), *([when] if (when := told.when(clock)) else []), *(_line(sentence(line)) for line in told.lines)]
    parts = [
        "\n".join(head),
        *("\n".join(_table(one.said(), clock)) for one in told.tables if one.rows or one.empty),
        *(_line(sentence(note)) for note in told.notes),
    ]
    return "\n\n".join(parts) + "\n"


def _table(table: Table, clock: Clockface) -> Iterator[str]:
    if table.title:
        yield table.title
    if not table.rows:
        yield f"  {_line(sentence(table.empty))}"
        return
    rows = [[column.head for column in table.columns], *(_cells(row, clock) for row in table.rows)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(table.columns))]
    yield from (_row(row, widths) for row in rows)


def _cells(row: Sequence[Cell], clock: Clockface) -> list[str]:
    return [_line(cell_said(cell, clock), _LONGEST_LINE if at == len(row) or isinstance(cell, Figure) else _LONGEST_CELL) for at, cell in enumerate(row, 1)]


def _row(row: Sequence[str], widths: Sequence[int]) -> str:
    return f"  {'  '.join(text.ljust(width) for text, width in zip(row, widths, strict=True))}".rstrip()


def _line(text: str, longest: int = _LONGEST_LINE) -> str:
    """One line that cannot move the cursor or turn the text around."""
    return plain(text, longest).replace("\n", " ")
