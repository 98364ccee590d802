"""Where another share of the orders has a visit than before, the report, a journey, a problem and the history say so."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.join.rollups import Rollups
from sojourn_collector.web.answers.coverage import covered_days
from sojourn_collector.web.answers.history import history
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.journey import journey
from sojourn_collector.web.report_csv import as_csv
from sojourn_collector.web.report_markdown import as_markdown
from tests.collector.web.stage import NOW, Rows, minute

DAY = timedelta(days=1)


def orders(rows: Rows, day: int, many: int, with_visit: int, **more: Any) -> None:
    """Orders of so many days ago, the first of them with a visit."""
    for number in range(many):
        known = number < with_visit
        rows.order(
            f"o{day}-{number}",
            NOW - day * DAY - minute(60 + number),
            60.0,
            session=f"s{day}-{number}" if known else "",
            **({} if known else {"join": "unlinked"}) | more,
        )


async def test_lost_beacons_are_a_break_in_whatever_compares(context: Context) -> None:
    """Nine of ten orders had a visit, since the 17th three of ten have: the report, the journey and the history say it, CSV and Markdown too."""
    rows = Rows()
    for day in range(12):
        orders(rows, day, 40, 12 if day < 4 else 36)
        rows.customer(f"u{day}", NOW - day * DAY - minute(30), done=True)
    await rows.store(context.store)
    await Rollups(context.store, context.control, ZoneInfo("UTC"), 400, lambda: 1, context.clock).catch_up()
    report, own, told = await impact(context), await journey(context, "checkout"), await history(context, "checkout")
    assert own is not None
    assert told is not None
    said = (
        "Since 17 Nov 30 % of the orders have a visit, before 90 %: the browsers tell less of what happens, "
        "so changes across that line need not be changes in customers."
    )
    for answer in (report, own, told):
        (one,) = answer.breaks
        assert (one.kind, one.at.isoformat(), one.sentence) == ("coverage", "2026-11-17T00:00:00+00:00", said)
        assert [(key.key, key.old, key.new) for key in one.changes] == [("beacon coverage", "90 %", "30 %")]
    assert f"> {said}" in as_markdown(report, ZoneInfo("UTC")).replace("\\", "")
    assert said in as_csv(report)
    assert report.coverage is not None
    assert (report.coverage.orders, report.coverage.with_visit) == (40, 12)
    assert [(day.coverage.orders, day.coverage.with_visit) for day in told.periods if day.coverage][-5:] == [(40, 36), *[(40, 12)] * 4]


async def test_coverage_that_stays_is_no_break(context: Context) -> None:
    """A little more, a little less; probe orders and cancelled ones are nobody's."""
    rows = Rows()
    for day in range(12):
        orders(rows, day, 40, 35 + day % 3)
    orders(rows, 20, 40, 0, probe=1)
    orders(rows, 21, 40, 0, status="cancelled")
    await rows.store(context.store)
    report = await impact(context)
    assert report.breaks == []
    assert sorted(await covered_days(context, NOW - 28 * DAY, NOW)) == [(NOW - day * DAY).date() for day in range(11, -1, -1)]


async def test_an_order_that_names_its_visit_is_not_covered_by_an_earlier_one(context: Context) -> None:
    """The visit an order names is not known: the person's last one before says nothing of whether beacons came. One that names none goes by it."""
    rows = Rows()
    named: dict[str, str]
    for number, named in enumerate(({"given_session_id": "lost"}, {"trace_id": "a" * 32}, {})):
        rows.order(f"o{number}", NOW - minute(5), 60.0, session="before", join="inferred", **named)
    await rows.store(context.store)
    (day,) = (await covered_days(context, NOW - DAY, NOW)).values()
    assert (day.orders, day.with_visit) == (3, 1)
