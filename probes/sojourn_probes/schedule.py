"""Moments of a schedule: a cron expression of five fields in a time zone."""

from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

CRON_PATTERN: Final = r"^\S+( \S+){4}$"
"""Five fields: minute, hour, day of month, month, day of week."""


def cron(value: Any) -> str:
    """`value` as a cron expression that has moments to come. Raises ValueError with the cure."""
    from cronsim import CronSim, CronSimError  # not needed by journeys with an interval

    if not isinstance(value, str):
        raise ValueError('wants a cron expression in quotes, such as "*/5 8-18 * * 1-5"')
    text = " ".join(value.split())
    if len(text.split(" ")) != 5:
        raise ValueError(f"{value!r} has not five fields; write minute, hour, day, month and weekday, such as */5 8-18 * * 1-5")
    try:
        if next(CronSim(text, datetime(2026, 1, 1, tzinfo=UTC)), None) is None:
            raise ValueError(f"{value!r} never comes; look at its day and month")
    except CronSimError as fault:
        raise ValueError(f"{value!r} is no cron expression: {fault}; write minute, hour, day, month and weekday, such as */5 8-18 * * 1-5") from None
    return text


def timezone(value: Any) -> str:
    """`value` as the name of a time zone (IANA). Raises ValueError with the cure."""
    try:
        if isinstance(value, str) and value and "\0" not in value:
            ZoneInfo(value)
            return value
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise ValueError(f"{value!r} is no time zone; write one such as Europe/Berlin or UTC")


def following(expression: str, zone: str, after: float) -> float:
    """The first moment of the schedule after `after`; both in seconds since the epoch."""
    return _moment(expression, zone, after, reverse=False)


def preceding(expression: str, zone: str, before: float) -> float:
    """The last moment of the schedule before `before`; both in seconds since the epoch."""
    return _moment(expression, zone, before, reverse=True)


def _moment(expression: str, zone: str, at: float, *, reverse: bool) -> float:
    from cronsim import CronSim

    moment = next(CronSim(expression, datetime.fromtimestamp(at, ZoneInfo(zone)), reverse=reverse), None)
    # `cron` has seen that there are moments; none within 50 years only means a leap day near the end of the calendar.
    return (float("-inf") if reverse else float("inf")) if moment is None else moment.timestamp()
