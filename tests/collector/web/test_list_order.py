"""Problems stand by what was hurt of what customers are worth, and not by their score; people and visits are not added up for it."""

from datetime import timedelta

from sojourn_collector.context import Context
from sojourn_collector.web.answers.impact import impact
from tests.collector.web.stage import NOW, Rows, minute

HOURS = timedelta(hours=1)


def trouble(rows: Rows, name: str, ago: timedelta, many: int, hit: int, *, anonymous: bool = False, account: str = "") -> None:
    """So long ago so many come, and the first of them are stopped."""
    for number in range(many):
        rows.customer(
            f"{name}{number}",
            NOW - ago + timedelta(seconds=number / 10),
            fails=number < hit,
            stopped=number < hit,
            anonymous=anonymous,
            account=account and f"{account}{number}",
        )


async def order(context: Context) -> list[int]:
    """How many hours ago each problem began, as they are listed."""
    return [round((NOW - problem.clock.since) / HOURS) for problem in (await impact(context)).problems]


async def test_a_journey_of_ten_visitors_does_not_lead(context: Context) -> None:
    """All of ten stopped, forty of four hundred, and sixty anonymous visits of six hundred beside five people: by what was hurt, not by the score."""
    rows = Rows()
    trouble(rows, "few", 2 * HOURS, 10, 10)
    trouble(rows, "many", 5 * HOURS, 400, 40)
    trouble(rows, "seen", 8 * HOURS, 5, 5)
    trouble(rows, "v", 8 * HOURS, 600, 60, anonymous=True)
    await rows.store(context.store)
    assert await order(context) == [8, 5, 2]


async def test_people_and_visits_are_not_summed_in_the_order(context: Context) -> None:
    """Thirty people and thirty visits of three hundred each are less than fifty people of five hundred."""
    rows = Rows()
    trouble(rows, "u", 3 * HOURS, 300, 30)
    trouble(rows, "v", 3 * HOURS, 300, 30, anonymous=True)
    trouble(rows, "w", 6 * HOURS, 500, 50)
    await rows.store(context.store)
    assert await order(context) == [6, 3]


async def test_those_who_are_worth_more_weigh_more(context: Context) -> None:
    """Twenty who paid ten times as much before, or whose accounts pay that, stand before forty who paid the usual; what they pay after changes nothing."""
    for paid in (True, False):
        rows = Rows()
        name = "p" if paid else "m"
        trouble(rows, f"{name}rich", 3 * HOURS, 100, 20, account="" if paid else name)
        trouble(rows, f"{name}usual", 6 * HOURS, 100, 40)
        for number in range(40):
            rows.order(f"{name}{number}", NOW - timedelta(days=9), 50.0, person=f"user:{name}usual{number}")
            rows.order(f"{name}late{number}", NOW - minute(9), 9000.0, person=f"user:{name}usual{number}")
        for number in range(20):
            if paid:
                rows.order(f"{name}r{number}", NOW - timedelta(days=60), 500.0, person=f"user:{name}rich{number}")
            else:
                rows.accounts.append({"id": f"{name}{number}", "version": 1, "mrr": "170", "currency": "EUR"})
        await rows.store(context.store)
        assert await order(context) == [3, 6]
        for table in ("runs", "steps", "sessions", "orders"):
            await context.store.statement(f"ALTER TABLE {table} DELETE WHERE tenant = '{context.store.tenant}' SETTINGS mutations_sync = 1")
