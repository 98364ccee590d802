"""Sums of runs and steps by hour and day, which are kept for years after the runs themselves.

Runs are written anew whenever the join learns more of them, so no view can add them up: it would count twice. Every hour and day that is over is
counted from the runs as they stand, and again whenever the join has written a run in it since. Counting again changes nothing but what changed.
"""

import asyncio
import logging
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sojourn_collector.join.turn import Turn
from sojourn_collector.join.versions import Versions
from sojourn_collector.store.client import Store, StoreError
from sojourn_collector.store.control import Control
from sojourn_collector.store.control.errors import ControlUnavailableError

_log = logging.getLogger(__name__)

Every = Literal["hour", "day"]
ROLLED_VERSION = "rolled_version"
"""Progress: every run the join wrote up to this version is counted in what was over then."""
ROLLED_UNTIL = "rolled_until"
"""Progress: seconds since 1970 up to which every hour and day that was over is counted."""
ROLLED_BY = "rolled_by"
"""Progress: the rule they were counted by; under another one all are counted anew."""

RULE = 5
"""Number of the rule in roll_runs.sql, roll_company.sql and roll_steps.sql; a change of what is counted takes the next."""
EVERY = 60.0
"""Seconds between two passes."""
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_MOST_HOURS = 24
_DEADLINE = 300.0
_KEYS = {"run_sums": ("journey", "traffic", "location", "t"), "step_sums": ("journey", "step", "traffic", "location", "t")}
_QUERIES = {"run_sums": ("roll_runs", "roll_stale_runs"), "step_sums": ("roll_steps", "roll_stale_steps")}


@dataclass(frozen=True, slots=True)
class Stretch:
    """One or more hours or days that follow one another: the time they take up, and the labels `t` of the first and after the last."""

    every: Every
    since: datetime
    until: datetime
    first: datetime
    last: datetime


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins in its zone, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def label(day: date) -> datetime:
    """A day as the tables write it: its date as midnight in UTC, whatever the zone."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def hour_of(at: datetime) -> datetime:
    """The hour a moment lies in, in UTC."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def rule_of(zone: ZoneInfo) -> int:
    """The rule sums are counted by: what is counted, and where days begin."""
    return zlib.crc32(f"{RULE}/{zone.key}".encode())


async def rolled_until(control: Control, zone: ZoneInfo) -> datetime:
    """Every hour and day of this zone that was over then is counted; 1970 when none is."""
    if await control.progress.get(ROLLED_BY) != rule_of(zone):
        return datetime.fromtimestamp(0, UTC)
    return datetime.fromtimestamp(await control.progress.get(ROLLED_UNTIL), UTC)


class Rollups:
    """Counts until it is cancelled. `keep_days` is how long runs are kept: what is older is not counted again, for it would be counted short."""

    def __init__(
        self,
        store: Store,
        control: Control,
        zone: ZoneInfo,
        keep_days: int,
        written: Callable[[], int],
        clock: Callable[[], datetime],
        *,
        turn: Turn | None = None,
    ) -> None:
        """`written` says up to which version everything the join wrote is in the tables; `turn` is there where several collectors share a database."""
        self._store = store
        self._control = control
        self._zone = zone
        self._keep = timedelta(days=keep_days)
        self._written = written
        self._clock = clock
        self._turn = turn
        self._versions = Versions(clock, 0)
        self.problem = ""
        """Why counting stands still, in one sentence; empty while it goes on."""

    async def run(self) -> None:
        """Count until cancelled. An engine or control database that does not answer is waited for. Raises LeaseLostError."""
        while True:
            try:
                await self.catch_up()
            except (StoreError, ControlUnavailableError) as error:
                if str(error) != self.problem:
                    _log.warning("the sums by hour and day wait: %s", error)
                self.problem = str(error)
            else:
                self.problem = ""
            await asyncio.sleep(EVERY)

    async def catch_up(self) -> int:
        """Count what is over and was not counted, or was written since; returns how many stretches. Raises what the store raises.

        What was done is remembered at the end only: after a crash in between it is done again, with the same result.
        """
        now, written = self._clock(), self._written()
        rule = rule_of(self._zone)
        same = await self._control.progress.get(ROLLED_BY) == rule
        after = await self._control.progress.get(ROLLED_VERSION) if same else 0
        rolled = datetime.fromtimestamp(await self._control.progress.get(ROLLED_UNTIL), UTC) if same else now
        oldest = now - self._keep + _DAY
        newest = await self._store.query("roll_newest")
        self._versions.highest = max(self._versions.highest, int(newest[0]["version"]) if newest else 0)
        touched: Sequence[Mapping[str, Any]] = []
        if written > after:
            touched = await self._store.query("roll_touched", after=after, until=written, since=oldest, deadline=_DEADLINE)
        hours = {row["hour"] for row in touched}
        # Under another zone an hour may have been counted in the day before or after.
        around = hours if same else {hour + day for hour in hours for day in (-_DAY, timedelta(), _DAY)}
        stretches = [*self._days(around, rolled, now, oldest), *self._hours(hours, rolled, now, oldest)]
        for stretch in stretches:
            for table in _KEYS:
                await self._count(table, stretch)
        values = {ROLLED_VERSION: max(after, written), ROLLED_UNTIL: int(max(rolled, now).timestamp()), ROLLED_BY: rule}
        await self._control.progress.set_many(values, None if self._turn is None else self._turn.lease)
        return len(stretches)

    def _hours(self, touched: Iterable[datetime], rolled: datetime, now: datetime, oldest: datetime) -> Iterator[Stretch]:
        """The hours that are over and were touched, or came to an end since."""
        wanted = {hour for hour in touched if hour + _HOUR <= now}
        hour = max(hour_of(rolled), hour_of(oldest))
        while hour + _HOUR <= now:
            wanted.add(hour)
            hour += _HOUR
        for group in runs_of(sorted(wanted), _HOUR, _MOST_HOURS):
            yield Stretch("hour", group[0], group[-1] + _HOUR, group[0], group[-1] + _HOUR)

    def _days(self, touched: Iterable[datetime], rolled: datetime, now: datetime, oldest: datetime) -> Iterator[Stretch]:
        """The days that are over and were touched, or came to an end since; an hour may lie in two where zones differ by half an hour."""
        first = oldest.astimezone(self._zone).date()
        wanted = {at.astimezone(self._zone).date() for hour in touched for at in (hour, hour + _HOUR - timedelta(seconds=1))}
        day = max(rolled.astimezone(self._zone).date(), first)
        while midnight(day, self._zone) <= now:
            wanted.add(day)
            day += _DAY
        for day in sorted(wanted):
            since, until = midnight(day, self._zone), midnight(day + _DAY, self._zone)
            if day >= first and until <= now:
                yield Stretch("day", since, until, label(day), label(day + _DAY))

    async def _count(self, table: str, stretch: Stretch) -> None:
        """Write the sums of a stretch anew, and take back those of which nothing is left."""
        count, stale = _QUERIES[table]
        version = self._versions.next()
        sums = await self._store.query(
            count, since=stretch.since, until=stretch.until, every=stretch.every, zone=self._zone.key, journeys=[], deadline=_DEADLINE
        )
        if table == "run_sums" and stretch.every == "day":
            # A unit is a person and a day: of hours there is none to add up.
            sums = [*sums, *await self._store.query("roll_company", since=stretch.since, until=stretch.until, zone=self._zone.key, deadline=_DEADLINE)]
        written = {tuple(row[key] for key in _KEYS[table]) for row in sums}
        known = await self._store.query(stale, every=stretch.every, since=stretch.first, until=stretch.last, version=version)
        gone = [{**row, "deleted": True} for row in known if tuple(row[key] for key in _KEYS[table]) not in written]
        await self._store.insert(table, [{**row, "every": stretch.every, "version": version} for row in [*sums, *gone]])


def runs_of(moments: Sequence[datetime], step: timedelta, most: int) -> Iterator[list[datetime]]:
    """Ascending moments cut into groups of at most `most` that follow one another by `step`."""
    group: list[datetime] = []
    for moment in moments:
        if group and (moment - group[-1] != step or len(group) == most):
            yield group
            group = []
        group.append(moment)
    if group:
        yield group
