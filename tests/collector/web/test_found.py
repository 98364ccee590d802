"""Finding incidents in what is stored: however many were hit, the beginning and the end are those of the first and the last."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.web.answers.found import find
from sojourn_collector.web.answers.window import window_of
from tests.collector.web.stage import NOW, Rows, minute


async def test_of_many_failures_the_first_and_the_last_are_kept(context: Context) -> None:
    """Four hundred people in two bursts, further apart than the gap: two incidents, each with its own first and last failure."""
    rows = Rows()
    first, second = NOW - minute(60), NOW - minute(30)
    for burst in (first, second):
        for number in range(200):
            rows.customer(f"u{burst.minute}-{number}", burst + timedelta(seconds=0.7 * number), fails=True, stopped=True)
    await rows.store(context.store)
    found = await find(context, window_of(NOW, ZoneInfo("UTC")))
    stored = {row["person_id"]: row["failures"] for row in rows.steps if row.get("failures")}
    assert len(found) == 2
    for one, minute_of in zip(found, (first.minute, second.minute), strict=True):
        failures = sorted(at for person, times in stored.items() if f"u{minute_of}-" in person for at in times)
        assert (one.incident.first_customer_hit, one.incident.last_evidence) == (failures[0], failures[-1])
        assert len(one.incident.hits) < len(failures)
