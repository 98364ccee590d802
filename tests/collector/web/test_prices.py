"""What accounts and subscriptions pay a month, told in another currency than the report's."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from sojourn_collector.context import Context
from sojourn_collector.store.client import Store
from sojourn_collector.web.answers.prices import converted
from sojourn_collector.web.answers.problem_alone import problem_alone
from sojourn_collector.web.answers.problems import problems_and_sources
from sojourn_collector.web.answers.silent import silent
from sojourn_collector.web.answers.window import Window
from tests.collector.web.stage import BROKE, NOW, Rows, broken_shop

DAY = timedelta(days=1)


def dollars(currency: str, day: date) -> float | None:
    """Half a euro for a dollar, on the day the shop broke and the day it is asked of."""
    return 0.5 if currency == "USD" and day in (BROKE.date(), NOW.date()) else None


async def stored(store: Store) -> None:
    """An account that pays 200 dollars a month, one that pays 90 pounds, and a subscription of 30 dollars, all of people hit."""
    rows = broken_shop()
    rows.accounts.append({"source": "crm", "id": "a1", "version": 1, "name": "Baker", "mrr": 200, "currency": "USD"})
    rows.accounts.append({"source": "crm", "id": "a2", "version": 1, "name": "Charlie", "mrr": 90, "currency": "GBP"})
    subscription = {"source": "stripe", "version": 1, "ts": BROKE - 40 * DAY, "received": BROKE, "currency": "USD", "mrr": 30}
    rows.subscriptions.append({**subscription, "id": "s1", "status": "active", "user_id": "u20"})
    await rows.store(store)


async def test_a_price_with_a_rate_is_added_up_and_said(context: Context, store: Store) -> None:
    """200 and 30 dollars are 115 euros; the pounds, which have no rate, stay apart; without a file of rates so do the dollars."""
    await stored(store)
    window = Window(NOW - DAY, NOW, NOW)
    (problem,) = (await problems_and_sources(context, window, ["checkout"]))[0]
    told = await problem_alone(replace(context, exchange=dollars), problem.id, window)
    assert told is not None
    assert (told.exposed.monthly, told.exposed.converted, told.exposed.other_currencies) == (115.0, {"USD": 230.0}, {"GBP": 90.0})
    plain = await problem_alone(context, problem.id, window)
    assert plain is not None
    assert (plain.exposed.monthly, plain.exposed.converted, plain.exposed.other_currencies) == (0.0, {}, {"USD": 230.0, "GBP": 90.0})


async def test_who_said_nothing_is_worth_their_price_in_the_report_s_currency(context: Context, store: Store) -> None:
    """An account of 2,000 dollars a month is worth three months of 1,000 euros, and is among the most valuable; without a rate it is worth nothing."""
    rows = Rows()
    for number in range(30):
        rows.customer(f"u{number}", NOW - 10 * DAY, fails=number < 10, stopped=number < 10)
        if number:
            rows.order(f"o{number}", NOW - 40 * DAY, 1000.0 if number > 20 else 10.0, person=f"user:u{number}")
    rows.people.append({"source": "crm", "id": "u0", "version": 1, "account_id": "a1"})
    rows.accounts.append({"source": "crm", "id": "a1", "version": 1, "name": "Baker", "mrr": 2000, "currency": "USD"})
    await rows.store(store)
    told = await silent(replace(context, exchange=dollars))
    assert [(one.person_id, one.worth) for one in told.people] == [("user:u0", 3000.0)]
    assert "user:u0" not in [one.person_id for one in (await silent(context)).people]


async def test_what_is_a_high_worth_counts_prices_of_other_currencies_too(context: Context, store: Store) -> None:
    """Where most customers' accounts pay 2,000 dollars a month, one that pays 50 euros is not among the most valuable."""
    rows = Rows()
    for number in range(30):
        rows.customer(f"u{number}", NOW - 10 * DAY, fails=number == 0, stopped=number == 0)
        rows.people.append({"source": "crm", "id": f"u{number}", "version": 1, "account_id": f"a{number}"})
        price = {"mrr": 50, "currency": "EUR"} if number == 0 else {"mrr": 2000, "currency": "USD"}
        rows.accounts.append({"source": "crm", "id": f"a{number}", "version": 1, "name": f"A{number}", **price})
    await rows.store(store)
    assert [one.person_id for one in (await silent(context)).people] == ["user:u0"]
    assert (await silent(replace(context, exchange=dollars))).people == []


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"mrr": 10.0, "unit": "USD"}, {"mrr": 5.0, "unit": "EUR", "told_amount": 10.0, "told_unit": "USD"}),
        ({"mrr": 10.0, "unit": "EUR"}, {"mrr": 10.0, "unit": "EUR"}),
        ({"mrr": 10.0, "unit": "GBP"}, {"mrr": 10.0, "unit": "GBP"}),
        ({"mrr": None, "unit": "USD"}, {"mrr": None, "unit": "USD"}),
        ({"mrr": 10.0, "unit": ""}, {"mrr": 10.0, "unit": ""}),
    ],
)
async def test_only_a_price_with_a_rate_is_converted(context: Context, row: dict[str, object], told: dict[str, object]) -> None:
    """Its own currency, one without a rate, no price and no currency stay as they are."""
    assert converted(replace(context, exchange=dollars), [row], "mrr", "unit", NOW) == [told]
