"""How customers fared over weeks: from sums of whole days the same as from every run."""

from collections.abc import AsyncIterator
from dataclasses import astuple
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sojourn_collector.config import ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.join.rollups import ROLLED_BY, ROLLED_UNTIL, Rollups, midnight, rule_of
from sojourn_collector.store.client import Store
from sojourn_collector.web.answers.fared import fared, fared_long
from tests.collector.web.stage import NOW, Rows, context_of

KIRITIMATI = ZoneInfo("Pacific/Kiritimati")
SINCE = NOW - timedelta(days=9, hours=5)


@pytest.fixture
async def context(store: Store, tmp_path: Path) -> AsyncIterator[Context]:
    """Ten days of customers far in the east, each there on several days; some hit, some stopped, some anonymous, some not over."""
    one = context_of(store, tmp_path, impact=ImpactConfig(timezone=KIRITIMATI.key))
    rows = Rows()
    for number in range(120):
        at = NOW - timedelta(days=number // 12, hours=number % 2 * 5, minutes=7 + number % 12)
        rows.customer(f"u{number % 17}", at, fails=number % 5 == 0, stopped=number % 10 == 0, done=number % 5 != 0, settled=number % 11 != 0)
    await rows.store(store)
    yield one
    one.control.close()


async def test_sums_of_days_say_what_the_runs_say(context: Context) -> None:
    """Before and after the days are summed up, and with the runs of whole days gone: the same funnel and the same sums of the score."""
    runs = await fared(context, SINCE, NOW)
    assert runs.funnels["checkout"].tried > 100
    assert runs.people["checkout"].sums.severity > 0
    assert await fared_long(context, SINCE, NOW) == runs
    await Rollups(context.store, context.control, KIRITIMATI, 400, lambda: 1, context.clock).catch_up()
    first = midnight(SINCE.astimezone(KIRITIMATI).date() + timedelta(days=1), KIRITIMATI)
    last = midnight(NOW.astimezone(KIRITIMATI).date(), KIRITIMATI)
    whole = f"started >= '{first:%Y-%m-%d %H:%M:%S}' AND started < '{last:%Y-%m-%d %H:%M:%S}'"
    await context.store.statement(f"ALTER TABLE runs DELETE WHERE tenant = '{context.store.tenant}' AND {whole} SETTINGS mutations_sync = 1")
    summed = await fared_long(context, SINCE, NOW)
    assert summed.funnels == runs.funnels
    assert astuple(summed.people["checkout"].sums) == pytest.approx(astuple(runs.people["checkout"].sums))
    assert (await fared(context, SINCE, NOW)).funnels["checkout"].tried < 30


async def test_sums_of_another_zone_are_not_taken(context: Context) -> None:
    """Days of another zone begin elsewhere: until they are counted anew the runs are read."""
    runs = await fared(context, SINCE, NOW)
    await context.control.progress.set_many({ROLLED_BY: rule_of(ZoneInfo("Europe/Berlin")), ROLLED_UNTIL: int(NOW.timestamp())})
    assert await fared_long(context, SINCE, NOW) == runs
