"""The stretch of time a page is asked for: the last so long, or from one time to another. Every page that offers the choice reads and shows it the same."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Query

from sojourn_collector.web.answers.window import LASTS, BadWindow, Window, last_or, window_of
from sojourn_collector.web.format import machine_time

LONGEST_TIME: Final = 40
"""Characters of a time."""
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class WindowAsked:
    """What the address of a page says of its window: `last`, or `from` and `to`. A dependency of a route: `asked: Annotated[WindowAsked, Depends()]`."""

    last: Annotated[str, Query()] = ""
    since: Annotated[str, Query(alias="from")] = ""
    until: Annotated[str, Query(alias="to")] = ""


@dataclass(frozen=True, slots=True)
class WindowChosen:
    """A page's window, and how its links and its form keep it.

    `last`, `since`, `until` as they were asked for, all empty for the page's own default of the last `span`; `zone` is that of the form's times.
    """

    window: Window
    span: timedelta
    zone: ZoneInfo
    last: str = ""
    since: str = ""
    until: str = ""

    @property
    def chosen(self) -> bool:
        """Whether another than the page's default was asked for."""
        return bool(self.last or self.since or self.until)

    @property
    def moves(self) -> bool:
        """Whether it is the last so long, up to now."""
        return not (self.since or self.until)

    @property
    def length(self) -> str:
        """`7 days`, of one that moves."""
        return _spoken(LASTS.get(self.last, self.span))

    @property
    def offers(self) -> list[tuple[str, str]]:
        """What may be chosen instead, shortest first: the parameter and how it is said; the page's default needs none."""
        spans = {span: name for name, span in LASTS.items()} | {self.span: ""}
        return [(spans[span], _spoken(span)) for span in sorted(spans)]

    @property
    def form(self) -> tuple[str, str]:
        """Begin and end as `datetime-local` fields take them."""
        return self._local(self.window.since), self._local(self.window.until)

    def at(self, path: str, fragment: str = "", **others: str) -> str:
        """A page's address with this window and other parameters; empty ones are left out."""
        return _address(path, {**others, "last": self.last, "from": self.since, "to": self.until}, fragment)

    def last_at(self, path: str, last: str, **others: str) -> str:
        """The same with another length; the page's default where it is empty."""
        return _address(path, {**others, "last": last})

    def api(self, path: str, **others: str) -> str:
        """The address under `/api/v1` that answers of the very same window: of the default it needs no word."""
        ends = {"from": machine_time(self.window.since), "to": machine_time(self.window.until)} if self.chosen else {}
        return _address(path, {**others, **ends})

    def _local(self, at: datetime) -> str:
        return at.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M")


def window_chosen(asked: WindowAsked, now: datetime, zone: ZoneInfo, span: timedelta) -> WindowChosen:
    """The window asked for, by default the last `span`.

    A time is RFC 3339, as `/api/v1` takes it, or without a zone one of the installation's; a day alone is meant whole.

    :raises BadWindow: with what is wrong with it, in one sentence.
    """
    if asked.last and asked.last not in LASTS:
        raise BadWindow(f"last is one of {', '.join(LASTS)}; for another window give from and to")
    since, until = _time("from", asked.since, zone), _time("to", asked.until, zone, whole=timedelta(days=1))
    window = window_of(now, zone, since, until, span=last_or(asked.last, since, until, span))
    return WindowChosen(window, span, zone, asked.last, asked.since, asked.until)


def _time(name: str, text: str, zone: ZoneInfo, whole: timedelta = timedelta(0)) -> datetime | None:
    if not text:
        return None
    try:
        if len(text) > LONGEST_TIME:
            raise ValueError(text)
        told = datetime.fromisoformat(text)
        if _DAY.fullmatch(text):
            # Midnight of the next local day, however long this one is.
            told = datetime.combine(told.date() + whole, time())
        return (told if told.tzinfo else told.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadWindow(f"{name} is not a time; write a day such as 2026-01-31, or 2026-01-31T14:00 of {zone.key}, or RFC 3339 with a zone") from None


def _spoken(span: timedelta) -> str:
    return "24 hours" if span == timedelta(hours=24) else f"{span.days} days"


def _address(path: str, parameters: Mapping[str, str], fragment: str = "") -> str:
    given = urlencode({name: value for name, value in parameters.items() if value})
    return f"{path}{'?' + given if given else ''}{'#' + fragment if fragment else ''}"
