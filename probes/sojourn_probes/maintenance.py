"""Maintenance: times at which a journey is not walked, because the site is meant to be down."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, tzinfo
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from sojourn_probes import schedule
from sojourn_probes.model import Model
from sojourn_probes.units import Duration

TIME_PATTERN: Final = r"^([01]?\d|2[0-3]):[0-5]\d$"
MOMENT_PATTERN: Final = r"^\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?(Z|[+-]\d\d:\d\d)?$"

TimeOfDay = Annotated[str, Field(pattern=TIME_PATTERN)]
Moment = Annotated[str, Field(pattern=MOMENT_PATTERN)]
Zone = Annotated[str, BeforeValidator(schedule.timezone)]
Cron = Annotated[str, BeforeValidator(schedule.cron, json_schema_input_type=Annotated[str, Field(pattern=schedule.CRON_PATTERN)])]

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Once(Model):
    """One stretch of time, such as from 2026-12-01T22:00 to 2026-12-02T02:00."""

    begin: Moment = Field(alias="from", description="date and time; without an offset in the window's time zone")
    end: Moment = Field(alias="to", description="date and time")

    @model_validator(mode="after")
    def _in_order(self) -> "Once":
        begin, end = _moment(self.begin, UTC), _moment(self.end, UTC)
        if begin >= end:
            raise ValueError(f"ends ({self.end}) before it begins ({self.begin}); exchange them")
        return self

    def covers(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether `at` falls into it."""
        return _moment(self.begin, zone) <= at < _moment(self.end, zone)


class Daily(Model):
    """The same hours every day; an end before the beginning is on the next day."""

    begin: TimeOfDay = Field(alias="from", description="time of day, such as 22:00")
    end: TimeOfDay = Field(alias="to", description="time of day, such as 02:00")

    @model_validator(mode="after")
    def _lasts(self) -> "Daily":
        if _time(self.begin) == _time(self.end):
            raise ValueError(f"begins and ends at {self.begin}; to stop a journey altogether say enabled: false")
        return self

    def covers(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether `at` falls into it on any day."""
        return self.day_of(at.astimezone(zone)) is not None

    def day_of(self, local: datetime) -> int | None:
        """The weekday (0 is Monday) on which the stretch around `local` began; None when there is none."""
        begin, end, now = _time(self.begin), _time(self.end), local.time().replace(tzinfo=None)
        if begin < end:
            return local.weekday() if begin <= now < end else None
        if now >= begin:
            return local.weekday()
        return (local.weekday() - 1) % 7 if now < end else None


class Weekly(Daily):
    """The same hours on some days of the week; the day is that of the beginning."""

    days: Annotated[tuple[Day, ...], Field(min_length=1, description="mon tue wed thu fri sat sun")]

    def covers(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether `at` falls into it on one of its days."""
        day = self.day_of(at.astimezone(zone))
        return day is not None and DAYS[day] in self.days


class Window(Model):
    """One maintenance window: `once`, `daily`, `weekly`, or `cron` with `for`."""

    once: Once | None = Field(None, description="one stretch of time: {from, to}")
    daily: Daily | None = Field(None, description="the same hours every day: {from, to}")
    weekly: Weekly | None = Field(None, description="the same hours on some days: {days, from, to}")
    cron: Cron | None = Field(None, description="begins at the moments of a cron expression; needs for:")
    lasts: Annotated[Duration, Field(ge=60, le=31 * 86400)] | None = Field(None, alias="for", description="how long a cron window lasts")
    timezone: Zone | None = Field(None, description="such as Europe/Berlin; default the journey's")
    reason: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(None, description="for people")

    @model_validator(mode="after")
    def _one_form(self) -> "Window":
        given = [name for name in ("once", "daily", "weekly", "cron") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("say exactly one of once, daily, weekly, cron")
        if (self.cron is None) != (self.lasts is None):
            raise ValueError("cron: and for: belong together; say when it begins and how long it lasts")
        return self

    def covers(self, at: datetime, zone: str) -> bool:
        """Whether `at` (with a time zone) falls into the window; `zone` is the journey's."""
        own = self.timezone or zone
        if self.cron is not None:
            assert self.lasts is not None
            now = at.timestamp()
            return now - schedule.preceding(self.cron, own, now + 1) < self.lasts
        window = self.once or self.daily or self.weekly
        assert window is not None
        return window.covers(at, ZoneInfo(own))


def covering(windows: Iterable[Window], zone: str, at: float) -> Window | None:
    """The first of `windows` into which `at` (seconds since the epoch) falls."""
    moment = datetime.fromtimestamp(at, UTC)
    return next((window for window in windows if window.covers(moment, zone)), None)


def _time(text: str) -> time:
    hour, minute = text.split(":")
    return time(int(hour), int(minute))


def _moment(text: str, zone: tzinfo) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
