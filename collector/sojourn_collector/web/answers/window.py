"""Which stretch of time a report speaks of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

LONGEST = timedelta(days=92)
"""The longest window a report may be asked for."""

LASTS: Mapping[str, timedelta] = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30), "90d": timedelta(days=90)}
"""Windows up to now that have a name."""

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)

RUN_LENGTH = timedelta(days=1)
"""How long before something happened in a run the run itself may have begun."""


class BadWindow(ValueError):  # noqa: N818 - says what is the case
    """The window asked for makes no sense; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Window:
    """From `since` to `until`, aware times; `now` = what is asked as of.

    `stays`: no window was asked for, so problems that are over stay until their money has been final for a day.
    """

    since: datetime
    until: datetime
    now: datetime
    stays: bool = False


def last_or(last: str | None, since: datetime | None, until: datetime | None, span: timedelta) -> timedelta:
    """How long a window is of which not both ends are given: `last` where it is asked for, else `span`.

    :raises BadWindow: when `last` is asked for beside an end.
    """
    if last and (since or until):
        raise BadWindow("last goes without from and to; give either the one or the others")
    return LASTS[last] if last else span


def window_of(now: datetime, zone: ZoneInfo, since: datetime | None = None, until: datetime | None = None, *, span: timedelta | None = None) -> Window:
    """The window asked for; by default the last 24 hours up to now, or since midnight where that is longer, or the last `span`.

    :raises BadWindow: when it ends before it begins, begins in the future or is longer than `LONGEST`.
    """
    for name, given in (("from", since), ("to", until)):
        if given is not None and given < EARLIEST:
            raise BadWindow(f"{name} lies before 1970; give a later time")
    local = now.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    end = min(until, now) if until else now
    day = min(end - timedelta(hours=24), midnight if end >= midnight else end - timedelta(hours=24))
    begin = since or (end - span if span else day)
    if begin >= now:
        raise BadWindow("from lies in the future; give a time before now")
    if begin >= end:
        raise BadWindow("from must lie before to")
    if end - begin > LONGEST:
        raise BadWindow(f"the window is longer than {LONGEST.days} days; choose a shorter one")
    return Window(begin.astimezone(UTC), end.astimezone(UTC), now, stays=since is None and until is None and span is None)
