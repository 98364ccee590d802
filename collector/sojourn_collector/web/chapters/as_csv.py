"""A chapter as CSV: a line a row of its tables, its `kind` saying of which, and one a sentence; what is not known is empty, never zero."""

import csv
import io
from collections.abc import Iterator
from datetime import date

from sojourn_collector.web.chapters.told import Cell, Column, Figure, Table, Told
from sojourn_collector.web.escaped import cell

_AROUND = ("sentence", "of_id", "as_of", "window_from", "window_to", "config_version")


def as_csv(told: Told) -> str:
    """Comma separated with a header line (RFC 4180); times RFC 3339, money in major units, shares 0–1. The columns do not depend on the data."""
    names = ["kind"]
    for table in told.tables:
        for column in table.columns:
            names += [name for name in names_of(column) if name not in names]
    out = io.StringIO()
    writer = csv.DictWriter(out, [*names, *_AROUND], lineterminator="\r\n", restval="")
    writer.writeheader()
    around = {
        "of_id": told.ident,
        "as_of": _time(told.as_of),
        "window_from": _time(told.since),
        "window_to": _time(told.until),
        "config_version": told.version,
    }
    notes: list[dict[str, object]] = [{"kind": "note", "sentence": line} for line in (*told.lines, *told.notes)]
    for row in [*(row for table in told.tables for row in _rows(table)), *notes]:
        writer.writerow({key: cell(value) for key, value in {**row, **around}.items()})
    return out.getvalue()


def names_of(column: Column) -> list[str]:
    """A column's own name, and those of what its figures stand on; of a table of single figures `unit` and `why` have no other's name before them."""
    return [column.key, *(part if part in ("unit", "why") else f"{column.key}_{part}" for part in column.parts)]


def _rows(table: Table) -> Iterator[dict[str, object]]:
    for row in table.rows:
        line: dict[str, object] = {"kind": table.key}
        for column, value in zip(table.columns, row, strict=True):
            line[column.key] = raw(value)
            if isinstance(value, Figure):
                told = {"low": value.low, "high": value.high, "of": value.of, "unit": value.currency or value.unit, "why": value.why}
                line |= {name: told[part] for part, name in zip(column.parts, names_of(column)[1:], strict=True)}
        yield line
    if not table.rows and table.empty:
        yield {"kind": "note", "sentence": table.empty}


def figure_lines(key: str, table: Table) -> Iterator[dict[str, object]]:
    """A line a figure, for a file that holds many tables: which of which group it is, with what it stands on and why it is not known."""
    single = table.columns[0].key == "measure"
    for row in table.rows:
        first = next((at for at, value in enumerate(row) if isinstance(value, Figure)), len(row))
        texts = [str(raw(value)) for value in row[:first] if value is not None and value != ""]
        for column, value in zip(table.columns, row, strict=True):
            if isinstance(value, Figure):
                yield {
                    "measure": f"{key}.{texts[0]}" if single else f"{key}.{table.key}.{column.key}",
                    "group": "" if single else " › ".join(texts),
                    "value": value.value,
                    "value_low": value.low,
                    "value_high": value.high,
                    "value_of": value.of,
                    "unit": value.currency or value.unit,
                    "cause": value.why,
                }


def raw(value: Cell) -> object:
    """A cell as a script reads it."""
    if isinstance(value, Figure):
        return value.value
    return _time(value) if isinstance(value, date) else value


def _time(moment: date | None) -> str:
    return "" if moment is None else moment.isoformat()
