"""From the text of a cell to what a row of a source has there: numbers with the file's decimal sign, times with the file's zone, yes and no."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from sojourn_collector.sources import fields
from sojourn_collector.sources.base import RowRefused
from sojourn_collector.sources.body import BodyRefused
from sojourn_collector.sources.dates import ORDERS, Noticed, Order, notes, written
from sojourn_collector.sources.reading import moment
from sojourn_collector.sources.sentences import shown

_TRUTH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_COMMA_NUMBER = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?", re.ASCII)
_POINT_NUMBER = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_WHOLE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Writing:
    """How a file writes its cells. `zone` is that of times without one, UTC when none is named; `dates` says what of 5/11 is the day."""

    zone: ZoneInfo | None = None
    decimal: str = "."
    dates: Order | None = None

    @classmethod
    def of(cls, timezone: str | None, decimal: str | None, dates: str | None = None) -> "Writing":
        """From the names a person gives. Raises BodyRefused."""
        if dates not in (None, "", *ORDERS):
            raise BodyRefused(f"dates: {shown(dates)} is not one of {', '.join(ORDERS)}.")
        if decimal not in (None, ".", ","):
            raise BodyRefused(f"decimal: {shown(decimal)} is not a point or a comma.")
        try:
            zone = ZoneInfo(timezone) if timezone else None
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise BodyRefused(f"timezone: {shown(timezone)} is no time zone, such as Europe/Berlin or UTC.") from None
        return cls(zone, decimal or ".", cast("Order", dates) if dates else None)


def _number(text: str, writing: Writing, _noticed: Noticed) -> str:
    if writing.decimal == ",":
        if not _COMMA_NUMBER.fullmatch(text):
            raise RowRefused(f"{shown(text)} is not a number with a decimal comma, such as 1.234,50")
        return text.replace(".", "").replace(",", ".")
    if _POINT_NUMBER.fullmatch(text) and "." in text:
        return text.replace(",", "")
    if "," in text:
        raise RowRefused(f"{shown(text)} has a comma; say that the file has decimal commas, or write a point")
    return text


def _moment(text: str, writing: Writing, noticed: Noticed) -> str:
    if _WHOLE.fullmatch(text):
        return text
    read = written(text, writing.dates, noticed)
    if read is None:
        return moment(text) or text
    if read.offset:
        return f"{read.local.isoformat()}{read.offset}"
    noticed.zoneless += 1
    # An hour that comes twice in autumn is the first of the two; one that is left out in spring is the hour after.
    return read.local.replace(tzinfo=writing.zone or _UTC).isoformat()


def _day(text: str, writing: Writing, noticed: Noticed) -> str:
    read = written(text, writing.dates, noticed)
    return text if read is None else read.local.date().isoformat()


def _truth(text: str, _writing: Writing, _noticed: Noticed) -> bool:
    if text.lower() not in _TRUTH:
        raise RowRefused(f"{shown(text)} is not one of true, false, yes, no, 1, 0")
    return _TRUTH[text.lower()]


def _whole(text: str, _writing: Writing, _noticed: Noticed) -> int | str:
    return int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else text


def _as_it_is(text: str, _writing: Writing, _noticed: Noticed) -> str:
    return text


Read = Callable[[str, Writing, Noticed], Any]
_BY_TYPE: Final[Mapping[Any, Read]] = {
    fields.Amount: _number,
    fields.Number: _number,
    fields.Count: _whole,
    fields.CalendarDate: _day,
    fields.Instant: _moment,
    fields.OptionalInstant: _moment,
    fields.PlannedInstant: _moment,
}


@dataclass(frozen=True, slots=True)
class Cells:
    """Reads the cells of one source's columns. `readers` are by key, and so is what was `noticed` in times."""

    writing: Writing
    readers: Mapping[str, Read] = field(default_factory=dict)
    noticed: dict[str, Noticed] = field(default_factory=dict)

    @classmethod
    def of(cls, model_fields: Mapping[str, FieldInfo], writing: Writing) -> "Cells":
        """For a row's fields."""
        return cls(writing, {name: _reader(one) for name, one in model_fields.items()})

    def value(self, key: str, text: str) -> Any:
        """What the row has at `key`. Raises RowRefused with the key."""
        try:
            return self.readers.get(key, _as_it_is)(text, self.writing, self.noticed.setdefault(key, Noticed()))
        except RowRefused as error:
            raise RowRefused(f"{key}: {error}") from None

    def is_time(self, key: str) -> bool:
        """Whether this key holds a time or a day."""
        return self.readers.get(key) in (_moment, _day)

    def notes(self) -> list[str]:
        """What is to be said of the cells read so far."""
        return notes(self.noticed, self.writing.dates, "" if self.writing.zone else "UTC")


def _reader(one: FieldInfo) -> Read:
    checks = {part.func for part in one.metadata if isinstance(part, BeforeValidator)}
    for inner in get_args(one.annotation):
        checks |= {part.func for part in getattr(inner, "__metadata__", ()) if isinstance(part, BeforeValidator)}
    for kind, read in _BY_TYPE.items():
        if checks & {part.func for part in kind.__metadata__ if isinstance(part, BeforeValidator)}:
            return read
    return _truth if one.annotation is bool or bool in get_args(one.annotation) else _as_it_is
