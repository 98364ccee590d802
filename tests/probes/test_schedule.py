"""Cron expressions in time zones, and the moments of maintenance."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_probes import schedule
from sojourn_probes.errors import JourneyFileError
from sojourn_probes.journey import Journey
from sojourn_probes.load import load_text
from sojourn_probes.maintenance import Window, covering
from tests.probes.test_load import STEP, problems

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def test_moments_are_those_of_the_time_zone():
    """8 to 18 on weekdays in Berlin: from Friday evening the next moment is Monday 8:00 there."""
    expression = "*/5 8-18 * * 1-5"
    assert schedule.following(expression, "Europe/Berlin", at("2026-11-27T18:56")) == at("2026-11-30T08:00")
    assert schedule.preceding(expression, "Europe/Berlin", at("2026-11-30T07:59")) == at("2026-11-27T18:55")


def test_a_clock_change_moves_no_local_hour():
    """3:30 stays 3:30 by the wall across the end of summer time."""
    first = schedule.following("30 3 * * *", "Europe/Berlin", at("2026-10-24T12:00"))
    second = schedule.following("30 3 * * *", "Europe/Berlin", first)
    assert datetime.fromtimestamp(first, BERLIN).strftime("%d %H:%M") == "25 03:30"
    assert datetime.fromtimestamp(second, BERLIN).strftime("%d %H:%M") == "26 03:30"


@given(st.integers(0, 2**31))
def test_following_and_preceding_agree(now):
    """The moment before the next one is never after now."""
    after = schedule.following("7,37 */3 * * *", "America/New_York", now)
    assert schedule.preceding("7,37 */3 * * *", "America/New_York", after) <= now < after


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "schedule: '* * *'",
            "a.yaml:1:11: schedule: '* * *' has not five fields; write minute, hour, day, month and weekday, such as */5 8-18 * * 1-5",
        ),
        (
            "schedule: '61 * * * *'",
            "a.yaml:1:11: schedule: '61 * * * *' is no cron expression: Bad minute; write minute, hour, day, month and weekday, such as */5 8-18 * * 1-5",
        ),
        ("schedule: 5", 'a.yaml:1:11: schedule: wants a cron expression in quotes, such as "*/5 8-18 * * 1-5"'),
        ("timezone: Berlin", "a.yaml:1:11: timezone: 'Berlin' is no time zone; write one such as Europe/Berlin or UTC"),
        ("schedule: '0 8 * * *'\ninterval: 60s", "a.yaml:1:11: schedule: and interval: both say when it is walked; keep one"),
        ("maintenance: [{daily: {from: 25:00, to: 02:00}}]", None),
        (
            "maintenance: [{daily: {from: 02:00, to: 02:00}}]",
            "a.yaml:1:23: maintenance[0].daily: begins and ends at 02:00; to stop a journey altogether say enabled: false",
        ),
        (
            "maintenance: [{once: {from: 2026-12-02T22:00, to: 2026-12-01T22:00}}]",
            "a.yaml:1:22: maintenance[0].once: ends (2026-12-01T22:00) before it begins (2026-12-02T22:00); exchange them",
        ),
        ("maintenance: [{}]", "a.yaml:1:15: maintenance[0]: say exactly one of once, daily, weekly, cron"),
        (
            "maintenance: [{cron: '0 22 * * *'}]",
            "a.yaml:1:15: maintenance[0]: cron: and for: belong together; say when it begins and how long it lasts",
        ),
    ],
)
def test_what_is_no_time_is_refused(line, message):
    """With place, cause and cure."""
    found = problems(f"{line}\n{STEP}")
    assert len(found) == 1
    assert message is None or found == [message]


def window(text: str) -> Window:
    found = load_text(f"maintenance: [{text}]\n{STEP}", Path("a.yaml"))
    return found.maintenance[0]


@pytest.mark.parametrize("bare", ["22:00", '"22:00"', "'22:00'"])
@pytest.mark.parametrize("end", ["02:00", '"02:00"', "2:00"])
def test_times_are_right_quoted_and_bare(bare, end):
    """YAML 1.1 would read a bare 22:00 as 1320."""
    over_midnight = window(f"{{daily: {{from: {bare}, to: {end}}}, timezone: Europe/Berlin}}")
    inside = ["2026-11-25T22:00", "2026-11-25T23:59", "2026-11-26T01:59"]
    outside = ["2026-11-25T21:59", "2026-11-26T02:00", "2026-11-26T12:00"]
    assert [covering((over_midnight,), "UTC", at(text)) is not None for text in inside + outside] == [True] * 3 + [False] * 3


def test_a_weekly_window_belongs_to_the_day_it_begins():
    """Saturday 22:00 to 06:00 covers early Sunday and not early Saturday."""
    found = window("{weekly: {days: [sat], from: 22:00, to: 06:00}}")
    assert found.covers(datetime(2026, 11, 28, 23, tzinfo=UTC), "UTC")
    assert found.covers(datetime(2026, 11, 29, 5, 59, tzinfo=UTC), "UTC")
    assert not found.covers(datetime(2026, 11, 28, 5, 59, tzinfo=UTC), "UTC")
    assert not found.covers(datetime(2026, 11, 29, 22, 30, tzinfo=UTC), "UTC")


def test_once_takes_offsets_and_the_zone_of_the_journey():
    """Without an offset the journey's zone counts; with one that is it."""
    found = window("{once: {from: 2026-12-01T22:00, to: 2026-12-02T02:00}}")
    assert found.covers(datetime(2026, 12, 1, 21, 30, tzinfo=UTC), "Europe/Berlin")
    assert not found.covers(datetime(2026, 12, 1, 21, 30, tzinfo=UTC), "UTC")
    exact = window("{once: {from: '2026-12-01T22:00+05:00', to: 2026-12-01T17:30Z}}")
    assert exact.covers(datetime(2026, 12, 1, 17, 15, tzinfo=UTC), "Europe/Berlin")


def test_a_cron_window_lasts_as_long_as_it_says():
    """From its moment, that moment included."""
    found = window("{cron: '0 22 * * 1-5', for: 2h}")
    assert found.covers(datetime(2026, 11, 25, 22, 0, tzinfo=UTC), "UTC")
    assert found.covers(datetime(2026, 11, 25, 23, 59, 59, tzinfo=UTC), "UTC")
    assert not found.covers(datetime(2026, 11, 26, 0, 0, tzinfo=UTC), "UTC")
    assert not found.covers(datetime(2026, 11, 28, 22, 30, tzinfo=UTC), "UTC")


def test_silence_between_moments_is_no_cause_for_doubt():
    """A journey of office hours is not stale at night, and is when it missed the morning."""
    office: Journey = load_text("schedule: '0 8-18 * * 1-5'\ntimezone: Europe/Berlin\n" + STEP, Path("a.yaml"))
    assert office.silent_for(at("2026-11-28T12:00")) == at("2026-11-28T12:00") - at("2026-11-27T18:00") + 1
    just_due = at("2026-11-30T08:00") + 20
    assert office.silent_for(just_due) == just_due - at("2026-11-27T18:00") + 1
    assert office.silent_for(at("2026-11-30T08:10")) == 601


def test_an_interval_may_be_missed_by_half():
    """Then its silence says something."""
    with pytest.raises(JourneyFileError):
        load_text("interval: 0s\n" + STEP, Path("a.yaml"))
    assert load_text("interval: 2m\n" + STEP, Path("a.yaml")).silent_for(0) == 180
