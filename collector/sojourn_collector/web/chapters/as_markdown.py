"""A chapter as Markdown, for a wiki or a chat."""

from collections.abc import Iterator

from sojourn_collector.web.chapters.told import Table, Told, cell_said, sentence
from sojourn_collector.web.escaped import inline
from sojourn_collector.web.format import Clockface

_LONGEST_LINE = 600


def as_markdown(told: Told, clock: Clockface, level: int = 1) -> str:
    """All of it; `level` is that of its heading."""
    return "\n".join(_markdown(told, clock, level)) + "\n"


def _markdown(told: Told, clock: Clockface, level: int) -> Iterator[str]:
    yield f"{'#' * level} {inline(told.title)}"
    for line in (told.when(clock), *told.lines):
        if line:
            yield ""
            yield inline(sentence(line), _LONGEST_LINE)
    for table in told.tables:
        if table.rows or table.empty:
            yield ""
            yield from _table(table.said(), clock, level + 1)
    for note in told.notes:
        yield ""
        yield f"> {inline(sentence(note), _LONGEST_LINE)}"


def _table(table: Table, clock: Clockface, level: int) -> Iterator[str]:
    if table.title:
        yield f"{'#' * level} {inline(table.title)}"
        yield ""
    if not table.rows:
        yield inline(sentence(table.empty), _LONGEST_LINE)
        return
    yield f"| {' | '.join(inline(column.head) for column in table.columns)} |"
    yield f"|{'---|' * len(table.columns)}"
    for row in table.rows:
        yield f"| {' | '.join(inline(cell_said(cell, clock), _LONGEST_LINE) for cell in row)} |"
