"""A journey by day and hour: the same numbers from sums as from runs, and what is asked wrongly said in a sentence."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx2
import pytest
from fastapi import FastAPI

from sojourn_collector.config import ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.join.rollups import Rollups, midnight
from sojourn_collector.store.client import Store
from sojourn_collector.web.answers.experience import experiences
from sojourn_collector.web.answers.history import history
from sojourn_collector.web.answers.probes import probe_states
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.api import build_api
from tests.collector.web.stage import NOW, Rows, broken_shop, context_of, minute

KIRITIMATI = ZoneInfo("Pacific/Kiritimati")
"""Fourteen hours ahead of UTC."""


@pytest.fixture
async def context(store: Store, tmp_path: Path) -> AsyncIterator[Context]:
    """A shop far in the east, with a fault today and trouble the day before yesterday."""
    one = context_of(store, tmp_path, impact=ImpactConfig(timezone=KIRITIMATI.key))
    rows = broken_shop()
    rows.probe(NOW - timedelta(days=2), location="us")
    rows.probe(NOW - timedelta(days=2, minutes=1), "inconclusive", location="us")
    rows.customer("again", NOW - timedelta(days=2, hours=3), settled=False)
    await rows.store(store)
    yield one
    one.control.close()


def counting(context: Context) -> Rollups:
    """Rollups over the context's store, at its time."""
    return Rollups(context.store, context.control, ZoneInfo(context.impact.timezone), 400, lambda: 1, context.clock)


async def test_the_sums_say_what_the_runs_say(context: Context) -> None:
    """Of a day that has both, customers, impact with its interval, steps and probes are equal to the last digit."""
    await counting(context).catch_up()
    answer = await history(context, "checkout", steps=True)
    assert answer is not None
    day = (NOW - timedelta(days=2)).astimezone(KIRITIMATI).date()
    (told,) = [period for period in answer.periods if period.day == day]
    window = Window(midnight(day, KIRITIMATI), midnight(day + timedelta(days=1), KIRITIMATI), NOW)
    assert (told.since, told.until, told.open) == (window.since, window.until, False)
    live, impact, _ = (await experiences(context, window, ["checkout"]))["checkout"]
    assert live.tried == 101
    assert told.customers is not None
    for key in ("tried", "finished", "gave_up", "stopped", "trying", "finished_low", "finished_high"):
        assert getattr(told.customers, key) == getattr(live, key), key
    assert told.customers.impact is not None
    # The walk that is still open bounds the score of now; a day that is over has none.
    assert impact.trying == 1
    alone = dict.fromkeys(("usual", "excess", "if_all_pass", "if_all_fail"))
    assert told.customers.impact == impact.model_copy(update={**alone, "trying": 0})
    assert told.customers.impact.state == "measured"
    (pay,) = [step for step in told.steps if step.traffic == "real"]
    (live_pay,) = live.steps
    assert (pay.id, pay.name, pay.reached, pay.done, pay.hit, pay.slow) == ("pay", "Pay", live_pay.reached, live_pay.done, live_pay.hit, live_pay.slow)
    assert live_pay.lcp_p75 is not None
    assert pay.lcp_p75 == pytest.approx(live_pay.lcp_p75, rel=0.01)
    probes = (await probe_states(context, window, 10, ["checkout"]))["checkout"]
    assert told.probes is not None
    assert (told.probes.passed, told.probes.runs, told.probes.inconclusive, told.probes.passed_share) == (probes.passed, 2, 1, 1.0)
    assert told.probes.locations == ["us"]
    assert told.probes.took_p50 == pytest.approx(probes.p50, rel=0.01)


async def test_what_is_not_over_comes_from_the_runs(context: Context) -> None:
    """Before and after the sums are made an answer says the same, and what is still open is marked."""
    before = await history(context, "checkout", "hour", NOW - timedelta(days=1, hours=20), NOW)
    await counting(context).catch_up()
    after = await history(context, "checkout", "hour", NOW - timedelta(days=1, hours=20), NOW)
    assert before is not None
    assert after is not None
    assert [p.model_copy(update={"open": False}) for p in before.periods] == [p.model_copy(update={"open": False}) for p in after.periods]
    newest = after.periods[-1]
    assert (newest.since, newest.open) == (NOW.replace(minute=0), True)
    assert newest.customers is not None
    assert (newest.customers.tried, newest.customers.stopped, newest.customers.anonymous, newest.customers.impact) == (188, 30, 8, None)
    assert after.counted_until == NOW.replace(minute=0)


async def test_the_sums_outlive_the_runs(context: Context) -> None:
    """With the runs gone the days are told as before."""
    await counting(context).catch_up()
    whole = await history(context, "checkout", steps=True)
    for table in ("runs", "steps"):
        await context.store.statement(f"ALTER TABLE {table} DELETE WHERE tenant = '{context.store.tenant}' SETTINGS mutations_sync = 1")
    left = await history(context, "checkout", steps=True)
    assert whole is not None
    assert left is not None
    assert [period for period in whole.periods if not period.open] == left.periods
    assert [period.day for period in left.periods] == [(NOW - timedelta(days=2)).astimezone(KIRITIMATI).date()]


async def test_nothing_measured_is_absent_and_not_zero(context: Context) -> None:
    """Days without runs are left out; a journey nobody knows is None; one of the folder without data has no periods."""
    answer = await history(context, "newsletter")
    assert answer is not None
    assert answer.periods == []
    assert await history(context, "unheard-of") is None
    assert await history(context, "../etc") is None


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("", 200, None),
        ("?every=hour&from=2026-11-19T00:00:00Z&to=2026-11-20T00:00:00Z", 200, None),
        ("?every=minute", 422, "every: Input should be 'day' or 'hour'"),
        ("?from=yesterday", 422, "from is not a time with a zone; write RFC 3339, such as 2026-01-31T14:00:00Z"),
        ("?from=2027-01-01T00:00:00Z", 422, "from lies in the future; give a time before now"),
        ("?from=2026-11-20T00:00:00Z&to=2026-11-19T00:00:00Z", 422, "from must lie before to"),
        ("?every=hour&from=2026-01-01T00:00:00Z", 422, "the window is longer than 92 days; choose a shorter one or every=day"),
        ("?from=2001-01-01T00:00:00Z", 422, "the window is longer than 3660 days; choose a shorter one"),
        ("?every=hour&from=0001-01-01T00:00:00Z&to=0001-01-02T00:00:00Z", 422, "from lies before 1971; nothing is as old"),
    ],
)
async def test_over_http(context: Context, query: str, status: int, said: str | None) -> None:
    """The route is told apart from the journey's own, and bad parameters are one sentence."""
    app = FastAPI()
    app.include_router(build_api(context))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://t") as http:
        answer = await http.get(f"/api/v1/journeys/checkout/history{query}")
    assert answer.status_code == status, answer.text
    if said is None:
        assert answer.json()["every"] in ("day", "hour")
    else:
        assert answer.json() == {"error": said}


async def test_a_day_of_another_length(store: Store, tmp_path: Path) -> None:
    """The day on which clocks go back has 25 hours, and a run in its last one is in it."""
    zone = "Europe/Berlin"
    now = datetime(2026, 10, 27, 12, tzinfo=UTC)
    context = context_of(store, tmp_path, impact=ImpactConfig(timezone=zone), now=now)
    rows = Rows()
    late = datetime(2026, 10, 25, 22, 30, tzinfo=UTC)
    rows.customer("u1", late + minute(1), done=True)
    await rows.store(store)
    await counting(context).catch_up()
    answer = await history(context, "checkout")
    context.control.close()
    assert answer is not None
    (period,) = answer.periods
    assert (period.day, period.until - period.since) == (date(2026, 10, 25), timedelta(hours=25))
