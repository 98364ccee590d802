"""Values made on the spot."""

import re
import uuid
from datetime import UTC, datetime

import pytest

from sojourn_probes.clock import Clock
from sojourn_probes.errors import NameMissing
from sojourn_probes.names import Names
from sojourn_probes.secrets import SecretStore
from tests.probes.test_load import STEP, problems

NOON = int(datetime(2026, 3, 28, 12, 30, tzinfo=UTC).timestamp() * 1e9)


def names(timezone: str = "UTC", **values: object) -> Names:
    clock = Clock(wall=lambda: NOON, monotonic=lambda: 0)
    return Names(values, {}, SecretStore({}), "run-1", location="eu", timezone=timezone, clock=clock)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("${now.iso}", "2026-03-28T12:30:00Z"),
        ("${now.unix}", "1774701000"),
        ("${now.ms}", "1774701000000"),
        ("${date}", "2026-03-28"),
        ("${date:+1d}", "2026-03-29"),
        ("${date:-1w}", "2026-03-21"),
        ("${date:+12h}", "2026-03-29"),
        ("${date:+1d:%d.%m.%Y}", "29.03.2026"),
        ("${date::%H:%M}", "12:30"),
        ("from ${date} to ${date:+3d}", "from 2026-03-28 to 2026-03-31"),
        ("$${date}", "${date}"),
        ("${run.location}", "eu"),
    ],
)
def test_dates_and_times(text, filled):
    """Of the run's clock."""
    assert names().fill(text) == filled


def test_dates_are_those_of_the_journeys_time_zone():
    """A day is a day of the calendar, also where a clock change makes it 23 hours long."""
    assert names("Asia/Tokyo").fill("${now.time} ${date}") == "21:30 2026-03-28"
    assert names("Europe/Berlin").fill("${date:+1d:%Y-%m-%d %H:%M}") == "2026-03-29 13:30"


def test_random_values_have_their_forms():
    """And differ at each use."""
    of = names()
    assert uuid.UUID(of.fill("${random.uuid}")).version == 4
    assert re.fullmatch(r"probe-[0-9a-f]{12}@example\.com", of.fill("${random.email}"))
    assert re.fullmatch(r"[0-9a-f]{16}", of.fill("${random.hex}"))
    assert 0 <= int(of.fill("${random.int}")) < 1_000_000
    assert of.fill("${random.uuid}") != of.fill("${random.uuid}")


def test_under_vars_they_stay_the_same_for_an_attempt():
    """What was signed up with must be what is signed in with; another attempt has another."""
    of = names(email="${random.email}")
    first = of.fill("${vars.email}")
    assert of.fill("to ${vars.email}") == f"to {first}"
    of.clear_steps()
    assert of.fill("${vars.email}") != first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${random.name}", "${random.name} is not known; there are ${random.uuid}, ${random.email}, ${random.hex}, ${random.int}"),
        ("${now.hour}", "${now.hour} is not known; there are ${now.iso}, ${now.unix}, ${now.ms}, ${now.time}"),
        ("${date:tomorrow:}", "${date:tomorrow:} is no date; write ${date}, ${date:+1d} (h, d or w) or with a form ${date:+1d:%d.%m.%Y}"),
        ("${date:+1y}", "${date:+1y} is no date; write ${date}, ${date:+1d} (h, d or w) or with a form ${date:+1d:%d.%m.%Y}"),
    ],
)
def test_what_cannot_be_made_says_so_before_anything_runs(text, message):
    """The loader finds it, at its column."""
    with pytest.raises(NameMissing) as caught:
        names().fill(text)
    assert str(caught.value) == message
    assert problems(STEP.replace("{url: /}", f'{{url: "/{text}"}}')) == [f"a.yaml:5:19: steps[0].http.url: {message}"]
